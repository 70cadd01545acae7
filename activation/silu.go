package activation

// silu is the sigmoid linear unit σ(z) = z s(z), s the logistic function, c = 1 − s:
//
//	σ′ = s (1 + zc),  σ″ = sc (2 + z(c − s)).
//
// sup|σ″| = 1/2 is attained at 0. σ′ is extremal where z(s − c) = z tanh(z/2) = 2;
// with t = tanh(z/2) = 2/z, s = (1+t)/2 and c = (1−t)/2 its value there is
// (1 + 2/z)/2 · z/2 = (z + 2)/4.
type silu struct{}

// siluPeak is the positive root of z tanh(z/2) = 2.
const siluPeak = 2.3993572805154676678327396972823

func (silu) Name() string { return "silu" }

func (silu) Value(z float64) float64 {
	s, _ := logistic(z)
	return z * s
}

func (silu) Derivatives(z float64) (value, first, second float64) {
	s, c := logistic(z)
	return z * s, s + z*s*c, s * c * (2 + z*(c-s))
}

func (silu) SupFirst() float64 { return (siluPeak + 2) / 4 }

func (silu) SupSecond() float64 { return 0.5 }

func (silu) SupThird() float64 { return 0.3081815157964794 }

// MinFirst returns σ′(−z) while that is positive. σ′ rises between its extrema
// −z* and z* = siluPeak, stays above 1 beyond, and is negative left of its only
// zero near −1.28. As for gelu, the minimum over [−z, z] is at −z or σ′ vanishes inside.
func (f silu) MinFirst(z float64) float64 {
	_, first, _ := f.Derivatives(-z)
	return max(0, first)
}

func (silu) Smoothness() int { return Smooth }
