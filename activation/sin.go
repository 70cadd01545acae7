package activation

import "math"

// sin is the sine: σ′ = cos, σ″ = −sin.
type sin struct{}

func (sin) Name() string { return "sin" }

func (sin) Value(z float64) float64 { return math.Sin(z) }

func (sin) Derivatives(z float64) (value, first, second float64) {
	value, first = math.Sincos(z)
	return value, first, -value
}

func (sin) SupFirst() float64 { return 1 }

func (sin) SupSecond() float64 { return 1 }

func (sin) SupThird() float64 { return 1 }

// MinFirst returns cos z up to π/2, where σ′ changes sign. math.Pi/2 is below π/2, so the
// cosine is positive in the whole branch.
func (sin) MinFirst(z float64) float64 {
	if z > math.Pi/2 {
		return 0
	}
	return math.Cos(z)
}

func (sin) Smoothness() int { return Smooth }
