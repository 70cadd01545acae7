package analyze

import (
	"fmt"

	"github.com/deeplimit/deeplimit/runfolder"
)

// precisionNotes says what the element type does to the losses of a group; nothing for
// weights from elsewhere, which have none.
func precisionNotes(dtype string, runs []Run) []string {
	trained, floor := 0, 0
	for _, r := range runs {
		switch r.Stop {
		case runfolder.Imported:
			continue
		case runfolder.Floor:
			floor++
		}
		trained++
	}
	var notes []string
	if dtype == "float32" && trained > 0 {
		notes = append(notes, "float32: the losses along training carry the rounding of single precision; the loss at the end is evaluated in float64 from the stored weights")
	}
	if floor > 0 {
		notes = append(notes, fmt.Sprintf("runs that stopped by floor, as no step lowers the loss in %s: %d", dtype, floor))
	}
	return notes
}
