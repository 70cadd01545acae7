package activation

import "math"

// tanh is the hyperbolic tangent: σ′ = 1 − σ², σ″ = −2σσ′. sup|σ″| = 4/(3√3) is
// attained where σ² = 1/3.
type tanh struct{}

func (tanh) Name() string { return "tanh" }

func (tanh) Value(z float64) float64 { return math.Tanh(z) }

func (tanh) Derivatives(z float64) (value, first, second float64) {
	value = math.Tanh(z)
	first = 1 - value*value
	return value, first, -2 * value * first
}

func (tanh) SupFirst() float64 { return 1 }

func (tanh) SupSecond() float64 { return 4 / (3 * math.Sqrt(3)) }

// MinFirst returns sech² z, computed as 1/cosh² so that it does not cancel for large z.
func (tanh) MinFirst(z float64) float64 {
	c := math.Cosh(z)
	return 1 / (c * c)
}

func (tanh) Smoothness() int { return Smooth }
