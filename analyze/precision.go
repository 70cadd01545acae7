package analyze

import (
	"fmt"

	"github.com/deeplimit/deeplimit/weightpath"
)

// precisionNotes says what the element type does to the losses of a group.
func precisionNotes(dtype string, runs []Run) []string {
	var notes []string
	if dtype == "float32" {
		notes = append(notes, "float32: the losses along training carry the rounding of single precision; the loss at the end is evaluated in float64 from the stored weights")
	}
	floor := 0
	for _, r := range runs {
		if r.Stop == weightpath.Floor {
			floor++
		}
	}
	if floor > 0 {
		notes = append(notes, fmt.Sprintf("runs that stopped by floor, as no step lowers the loss in %s: %d", dtype, floor))
	}
	return notes
}
