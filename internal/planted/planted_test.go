package planted

import (
	"math"
	"slices"
	"testing"
)

// The root mean square of third differences at lag 1, as depth grows eightfold, goes like
// L^−H of the roughest part, and like L^−½ for layer noise.
func TestFamiliesScaleAsTheySay(t *testing.T) {
	for _, f := range append(Families(), Aside()...) {
		want := -f.Hurst
		if f.Share > 0 {
			want = -0.5
		}
		if want == 0 || f.Name == "exp of fractional 0.5" { // the size of its steps is random
			continue
		}
		got := (math.Log(third(f, 4096)) - math.Log(third(f, 512))) / math.Log(8)
		if !(math.Abs(got-want) < 0.06) {
			t.Errorf("%s: third differences go like L^%.3f, want L^%.3f", f.Name, got, want)
		}
	}
}

// third is the root mean square of third differences in 8 entries.
func third(f Family, depth int) float64 {
	x, sum := f.Path(3, depth, 8), 0.0
	for i := range x.Data[:len(x.Data)-24] {
		v := x.Data[i+24] - 3*x.Data[i+16] + 3*x.Data[i+8] - x.Data[i]
		sum += v * v
	}
	return math.Sqrt(sum / float64(depth))
}

func TestPathIsFixedBySeedAndDepth(t *testing.T) {
	for _, f := range append(Families(), Aside()...) {
		a, b, other := f.Path(1, 32, 3), f.Path(1, 32, 3), f.Path(2, 32, 3)
		if !slices.Equal(a.Data, b.Data) || slices.Equal(a.Data, other.Data) {
			t.Errorf("%s: got paths that differ for one seed, or not for two", f.Name)
		}
	}
}
