package analyze

import (
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// TestRescaling checks the sampled path against L^β A_k computed entry by entry.
func TestRescaling(t *testing.T) {
	trained := runfolder.Path{Depth: 2, Rows: 2, Cols: 2, Data: []float64{1, 2, 3, 4, 5, 6, 7, 8}}
	initial := runfolder.Path{Depth: 2, Rows: 2, Cols: 2, Data: []float64{1, 1, 1, 1, 1, 1, 1, 1}}
	c, err := SamplePath(trained, &initial, "A", 1, 10)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]float64{{10, 50}, {20, 60}, {10 * math.Sqrt(30), 10 * math.Sqrt(174)}}
	for q := range want {
		for k := range want[q] {
			if !(math.Abs(c.Trained[q][k]-want[q][k]) <= 1e-12*want[q][k]) {
				t.Errorf("quantity %d, layer %d: got %v, want %v", q, k+1, c.Trained[q][k], want[q][k])
			}
		}
	}
	if got := c.Displacement[1]; got[0] != 10 || got[1] != 50 {
		t.Errorf("displacement of entry 1,2: got %v, want [10 50]", got)
	}
}
