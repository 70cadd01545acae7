package analyze

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/runfolder"
)

func TestPrecisionNotes(t *testing.T) {
	const single = "float32: the losses along training carry the rounding of single precision; the loss at the end is evaluated in float64 from the stored weights"
	for _, c := range []struct {
		dtype string
		stops []string
		want  []string
	}{
		{"float64", []string{"loss", "iterations"}, nil},
		{"float64", []string{"floor", "loss", "floor"}, []string{"runs that stopped by floor, as no step lowers the loss in float64: 2"}},
		{"float32", []string{"loss"}, []string{single}},
		{"float32", []string{runfolder.Imported}, nil},
	} {
		var runs []Run
		for _, stop := range c.stops {
			runs = append(runs, Run{Stop: stop})
		}
		if diff := cmp.Diff(c.want, precisionNotes(c.dtype, runs)); diff != "" {
			t.Errorf("%s %v (-want +got):\n%s", c.dtype, c.stops, diff)
		}
	}
}
