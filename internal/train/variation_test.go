package train

import (
	"runtime"
	"testing"

	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/resnet"
)

// TestPathBytes holds what is reckoned for V_p to what is allocated for one p.
func TestPathBytes(t *testing.T) {
	for _, c := range []struct{ width, depth int }{{32, 1000}, {16, 9}, {4, 3000}} {
		spec, err := resnet.Spec{Width: c.width}.Resolve(c.width, c.width)
		if err != nil {
			t.Fatal(err)
		}
		net, err := resnet.New(spec, c.depth, c.width, c.width)
		if err != nil {
			t.Fatal(err)
		}
		path := pvar.Points{Dim: c.width * c.width, Data: make([]float64, c.depth*c.width*c.width)}
		for i := range path.Data {
			path.Data[i] = float64(i / path.Dim)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := pvar.Compute(path, 2); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		took := int64(after.TotalAlloc - before.TotalAlloc)
		if got := pathBytes(net, []float64{2}) - 8*int64(len(path.Data)); got < took || got > 2*took {
			t.Errorf("width %d, depth %d: got %d bytes, want the %d that are allocated, or somewhat more", c.width, c.depth, got, took)
		}
	}
}
