package activation

import "math"

// gelu is the exact Gaussian error linear unit σ(z) = z Φ(z), Φ and φ the
// distribution function and density of the standard normal law:
//
//	σ′ = Φ + zφ,  σ″ = (2 − z²) φ,  σ‴ = (z³ − 4z) φ.
//
// σ′ is extremal at z = ±√2, where it is 1/2 ± (erf(1)/2 + e^−1/√π); |σ″| is
// extremal at z = 0 (value 2φ(0) = √(2/π)) and at z = ±2 (value 2φ(2), smaller).
type gelu struct{}

func (gelu) Name() string { return "gelu" }

func (gelu) Value(z float64) float64 { return z * normalCDF(z) }

// Derivatives multiplies φ by z twice and never squares z, so that no finite z gives Inf·0.
func (gelu) Derivatives(z float64) (value, first, second float64) {
	cdf, pdf := normalCDF(z), math.Exp(-z*z/2)/math.Sqrt(2*math.Pi)
	return z * cdf, cdf + z*pdf, 2*pdf - z*(z*pdf)
}

func (gelu) SupFirst() float64 { return (1+math.Erf(1))/2 + 1/(math.E*math.Sqrt(math.Pi)) }

func (gelu) SupSecond() float64 { return math.Sqrt(2 / math.Pi) }

func (gelu) SupThird() float64 { return 0.7787696350557325 }

// MinFirst returns σ′(−z) while that is positive. σ′ rises on (−√2, √2), stays
// above 1 beyond, and is negative left of its only zero near −0.75. So the minimum
// over [−z, z] lies at −z, and its sign says whether σ′ vanishes inside.
func (f gelu) MinFirst(z float64) float64 {
	_, first, _ := f.Derivatives(-z)
	return max(0, first)
}

func (gelu) Smoothness() int { return Smooth }

// normalCDF returns Φ(z), through erfc so that the lower tail keeps its digits.
func normalCDF(z float64) float64 { return math.Erfc(-z/math.Sqrt2) / 2 }
