package tangent

import (
	"math"
)

// This file bounds rounding errors (docs/certificates.md, section 16). Errors are absolute and of norms, sums and products
// of non-negative numbers, so that a relative 10⁻³ covers how they are rounded themselves.

// unit is the unit roundoff of float64.
const unit = 0x1p-53

// A roundoff bounds the errors of float64 arithmetic, with any order of summation and fused or not. With u = 0 it says that there
// are none: every bound then is the number that the formula gives.
type roundoff struct{ u float64 }

// gamma returns a bound of nu/(1 − nu) for somewhat more than n operations, the part of a sum of absolute values that they may be off by.
func (r roundoff) gamma(n int) float64 {
	e := float64(n+12) * r.u
	return 1.001 * e / (1 - e)
}

// up covers the rounding of a dozen operations on non-negative numbers.
func (r roundoff) up(v float64) float64 { return v * (1 + 16*r.u) }

// wide covers that of an error bound, and what may have underflowed in it: a norm loses at most 2⁻⁵⁰⁰, as squares below 2⁻¹⁰⁷⁴ count as 0.
func (r roundoff) wide(v float64) float64 {
	if r.u == 0 {
		return 0
	}
	return 1.001*v + 0x1p-400
}

// definite returns the relative part of the trace of a matrix (n,n) that its least eigenvalue is above the negative of, if Cholesky's algorithm completes
// after a shift of its diagonal (Demmel, Rump).
func (r roundoff) definite(n int) float64 {
	g := r.gamma(n + 1)
	return g/(1-g) + 4*r.u
}

// boundTop returns a bound of the largest eigenvalue of a symmetric matrix (n,n) with upper triangle at(i) from near, which is close to
// it; NaN where none was found. It overwrites c.
func (r roundoff) boundTop(at func(i int) []float64, n int, near float64, c *cholesky) float64 {
	if near == 0 || !(near > 0x1p-300 && near < 0x1p300) {
		return math.NaN()
	}
	for margin := 8 * float64(n*n+8) * r.u; margin < 0.1; margin *= 30 {
		shift, trace := near*(1+margin), 0.0
		c.begin(n)
		for i := range n {
			row := c.row(i)
			for j, v := range at(i)[i:] {
				row[j] = -v
			}
			row[0] += shift
			trace += math.Abs(row[0])
		}
		if c.factorises() {
			return r.up(shift + r.definite(n)*r.up(trace)*1.001)
		}
	}
	return math.NaN()
}
