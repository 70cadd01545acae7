package analyze

import (
	"math"
	"testing"
)

// TestReading: the interval alone decides.
func TestReading(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
	}{
		{0.4, 0.6, Grows},
		{0.02, 0.08, GrowsSlowly},
		{0.05, 0.3, Grows},
		{-0.03, 0.07, NoTrend},
		{-0.6, -0.4, Falls},
		{math.NaN(), math.NaN(), Unknown},
	} {
		if got := Reading(Estimate{Value: (c.low + c.high) / 2, Low: c.low, High: c.high}); got != c.want {
			t.Errorf("[%v, %v]: got %q, want %q", c.low, c.high, got, c.want)
		}
	}
}
