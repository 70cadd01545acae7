package activation

import "math"

// relu is max(0, z), with σ′(0) = 0. σ′ jumps, so sup|σ″| is +Inf; the σ″
// returned is that of the linear pieces, 0.
type relu struct{}

func (relu) Name() string { return "relu" }

// Value returns max(0, z); NaN stays NaN.
func (relu) Value(z float64) float64 { return max(0, z) }

func (relu) Derivatives(z float64) (value, first, second float64) {
	if z > 0 {
		return z, 1, 0
	}
	return max(0, z), 0, 0
}

func (relu) SupFirst() float64 { return 1 }

func (relu) SupSecond() float64 { return math.Inf(1) }

func (relu) SupThird() float64 { return math.Inf(1) }

// MinFirst returns 0: σ′ is 0 at 0, which every interval holds.
func (relu) MinFirst(float64) float64 { return 0 }

func (relu) Smoothness() int { return 0 }
