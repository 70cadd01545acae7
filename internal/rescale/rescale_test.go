package rescale

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	_ "github.com/deeplimit/deeplimit/test/fixedseed"
)

// TestNorm holds norms to be homogeneous under powers of two, from subnormal numbers to those whose
// squares overflow.
func TestNorm(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(-1, 1), 1, 20).Draw(t, "x")
		y := rapid.SliceOfN(rapid.Float64Range(-1, 1), len(x), len(x)).Draw(t, "y")
		e := rapid.IntRange(-960, 1010).Draw(t, "exponent")
		square := 0.0
		for i := range x {
			// Entries of 64 bits far below 1 would be cut by the smallest scale.
			x[i], y[i] = math.Round(x[i]*0x1p40)*0x1p-40, math.Round(y[i]*0x1p40)*0x1p-40
			square += (x[i] - y[i]) * (x[i] - y[i])
		}
		want := math.Ldexp(math.Sqrt(square), e)
		if got := Norm(By(x, e), By(y, e)); !(math.Abs(got-want) <= 1e-14*want) {
			t.Fatalf("2^%d: got %v, want %v", e, got, want)
		}
		if Norm(x, x) != 0 || Norm[float64](nil, nil) != 0 {
			t.Fatal("the norm of nothing is not 0")
		}
	})
	if !math.IsNaN(Norm([]float64{1, math.NaN()}, nil)) || !math.IsInf(Norm([]float32{float32(math.Inf(-1))}, nil), 1) {
		t.Error("numbers that are not finite are lost")
	}
}

func TestSpread(t *testing.T) {
	for _, c := range []struct {
		rows []float64
		want float64
	}{
		{[]float64{0, 5, 1, 5, -1, 5}, 2},
		{[]float64{math.MaxFloat64, 0, -math.MaxFloat64, 0}, math.MaxFloat64},
		{[]float64{0, 0x1p-1074}, 0},
		{[]float64{0, 0, 0, 0x1p-1074}, 0x1p-1074},
		{nil, 0},
	} {
		if got := Spread(2, c.rows); got != c.want {
			t.Errorf("%v: got %v, want %v", c.rows, got, c.want)
		}
	}
	for size, want := range map[float64]int{0: 0, 1: 0, 1e-50: 0, 1e50: 0, 0x1p-600: -599, 0x1p600: 601, math.MaxFloat64: 1024, 0x1p-1074: -1073} {
		if got := Exponent(size); got != want {
			t.Errorf("exponent of %v: got %d, want %d", size, got, want)
		}
	}
}
