package activation

import "math"

// softplus is the smooth ramp shifted through the origin, σ(z) = log(1 + e^z) − log 2:
// σ′ = s, the logistic function, σ″ = s(1 − s). sup|σ′| = 1 is the limit at +∞;
// sup|σ″| = 1/4 is attained at 0.
type softplus struct{}

func (softplus) Name() string { return "softplus" }

// Value uses log(1 + e^z) − log 2 = log1p(expm1(z)/2), which keeps the digits near the zero
// of σ. For large z it uses the same formula at −z and adds z, which does not overflow.
func (softplus) Value(z float64) float64 {
	if z > 1 {
		return z + math.Log1p(math.Expm1(-z)/2)
	}
	return math.Log1p(math.Expm1(z) / 2)
}

func (f softplus) Derivatives(z float64) (value, first, second float64) {
	s, c := logistic(z)
	return f.Value(z), s, s * c
}

func (softplus) SupFirst() float64 { return 1 }

func (softplus) SupSecond() float64 { return 0.25 }

func (softplus) SupThird() float64 { return 1 / (6 * math.Sqrt(3)) }

// MinFirst returns s(−z), as σ′ increases.
func (softplus) MinFirst(z float64) float64 {
	s, _ := logistic(-z)
	return s
}

func (softplus) Smoothness() int { return Smooth }
