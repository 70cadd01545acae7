package analyze

import (
	"math"
	"testing"
)

// TestCountsWithNulls wants whole numbers of which some are not known as floats, NaN where they are not, for a program
// that takes the table of runs.
func TestCountsWithNulls(t *testing.T) {
	type row struct {
		Known *int64 `parquet:"known,optional"`
		All   int64  `parquet:"all"`
	}
	columns, err := columnTable(func(yield func(row, error) bool) {
		_ = yield(row{All: 1}, nil) && yield(row{Known: new(int64(1 << 40)), All: 2}, nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	if known := columns[0].Floats; len(known) != 2 || !math.IsNaN(known[0]) || known[1] != 1<<40 {
		t.Errorf("got %v, want NaN and 2^40", columns[0])
	}
	if all := columns[1].Ints; len(all) != 2 || all[1] != 2 {
		t.Errorf("got %v, want 1 and 2", columns[1])
	}
}
