package runfolder

import (
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/internal/rescale"
)

// TestPathScales wants norms to scale with the path, however small or large it is, and no square that
// float64 cannot hold to pass for 0.
func TestPathScales(t *testing.T) {
	p := path345()
	for _, e := range []int{-1000, -660, -520, -300, 300, 520, 1000} {
		q := p
		q.Data = rescale.By(p.Data, e)
		for _, c := range []struct {
			name      string
			got, want float64
		}{
			{"max_frobenius", q.MaxFrobenius(), p.MaxFrobenius()},
			{"root_sum_squares", q.RootSumSquares(), p.RootSumSquares()},
			{"max_increment", q.MaxIncrement(), p.MaxIncrement()},
			{"root quadratic variation", q.RootQuadraticVariation(), math.Sqrt(p.QuadraticVariation())},
		} {
			if want := math.Ldexp(c.want, e); !(math.Abs(c.got-want) <= 1e-14*want) {
				t.Errorf("2^%d: %s: got %v, want %v", e, c.name, c.got, want)
			}
		}
		switch got := q.QuadraticVariation(); {
		case e < -515 && !math.IsNaN(got), e > 510 && !math.IsInf(got, 1):
			t.Errorf("2^%d: quadratic variation: got %v, want NaN or +Inf", e, got)
		case e > -500 && e < 500 && got != math.Ldexp(p.QuadraticVariation(), 2*e):
			t.Errorf("2^%d: quadratic variation: got %v", e, got)
		}
	}
}
