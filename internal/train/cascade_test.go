package train

import (
	"math"
	"testing"
)

// TestGain wants what is left of losses that fall to a limit like a power of the steps, J where that is not known, and nothing
// of a loss that has stopped falling.
func TestGain(t *testing.T) {
	power := func(limit, p float64) (losses []float64) {
		for n := 1.0; n <= 64; n *= 2 {
			losses = append(losses, limit+math.Pow(n, -p))
		}
		return losses
	}
	for _, p := range []float64{0.5, 1, 2} {
		losses := power(3, p)
		if got, want := gain(losses[6], losses, false), losses[6]-3; !(math.Abs(got-want) <= 1e-12) {
			t.Errorf("power %v: got %v, want %v", p, got, want)
		}
	}
	for name, c := range map[string]struct {
		losses []float64
		epochs bool
		want   float64
	}{
		"few steps":        {[]float64{9, 8, 7.9, 7.8}, false, 5},
		"few epochs":       {[]float64{9, 5, 4}, true, 1.0 / 3},
		"a plateau before": {[]float64{9, 9, 8.9, 8, 6}, false, 5},
		"a swing":          {[]float64{9, 8, 7, 6, 6.5}, false, 5},
		"no fall":          {[]float64{9, 8, 7, 7, 7.5}, false, 0},
	} {
		if got := gain(5, c.losses, c.epochs); !(math.Abs(got-c.want) <= 1e-12) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}
