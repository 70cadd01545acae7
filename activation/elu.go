package activation

import "math"

// elu is the exponential linear unit: σ(z) = z for z > 0 and e^z − 1 for z ≤ 0.
// σ′ is continuous with Lipschitz constant 1; σ″ jumps at 0 from 1 to 0, and
// sup|σ″| = 1 is its value from the left.
type elu struct{}

func (elu) Name() string { return "elu" }

func (elu) Value(z float64) float64 {
	if z > 0 {
		return z
	}
	return math.Expm1(z)
}

func (elu) Derivatives(z float64) (value, first, second float64) {
	if z > 0 {
		return z, 1, 0
	}
	e := math.Exp(z)
	return math.Expm1(z), e, e
}

func (elu) SupFirst() float64 { return 1 }

func (elu) SupSecond() float64 { return 1 }

func (elu) SupThird() float64 { return math.Inf(1) }

// MinFirst returns e^−z, as σ′ increases.
func (elu) MinFirst(z float64) float64 { return math.Exp(-z) }

func (elu) Smoothness() int { return 1 }
