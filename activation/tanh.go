package activation

import "math"

// tanh is the hyperbolic tangent: σ′ = 1 − σ² = sech², σ″ = −2σσ′. sup|σ″| = 4/(3√3)
// is attained where σ² = 1/3.
type tanh struct{}

func (tanh) Name() string { return "tanh" }

func (tanh) Value(z float64) float64 { return math.Tanh(z) }

// Derivatives takes σ′ from 1 − σ² only while that does not cancel.
func (f tanh) Derivatives(z float64) (value, first, second float64) {
	value = math.Tanh(z)
	if math.Abs(z) < 1 {
		first = 1 - value*value
	} else {
		first = f.MinFirst(math.Abs(z))
	}
	return value, first, -2 * value * first
}

func (tanh) SupFirst() float64 { return 1 }

func (tanh) SupSecond() float64 { return 4 / (3 * math.Sqrt(3)) }

func (tanh) SupThird() float64 { return 2 }

// MinFirst returns sech² z as 4e/(1+e)² with e = exp(−2z), which neither cancels nor overflows.
func (tanh) MinFirst(z float64) float64 {
	e := math.Exp(-2 * z)
	return 4 * e / ((1 + e) * (1 + e))
}

func (tanh) Smoothness() int { return Smooth }
