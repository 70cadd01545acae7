package certify

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/rescale"
)

// An interval encloses a non-negative number: lo ≤ x ≤ hi, 0 ≤ lo, hi possibly
// +Inf. Every operation computes both ends in float64 and moves each one unit in
// the last place outwards, which is directed rounding: IEEE 754 rounds +, −, ·, /
// and √ to nearest, so the true end lies within that unit.
//
// All bounds are built from non-negative numbers, so no operation needs to handle signs. +Inf
// stands for a finite number beyond float64, so 0·Inf is 0.
type interval struct{ lo, hi float64 }

// elementary bounds the error of exp and of the activation functions, in units in the last
// place. Go's math.Exp, Tanh, Erfc and Sincos have errors below one unit; the other operations
// of an activation add a few.
const elementary = 16

func exact(x float64) interval { return interval{x, x} }

// within encloses a number known to a relative error e ≥ 0.
func within(x, e float64) interval {
	return interval{x, x}.mul(interval{down(max(0, 1-e)), up(1 + e)})
}

// about encloses a number known to an absolute error e ≥ 0.
func about(x, e float64) interval {
	return interval{down(max(0, x-e)), up(x + e)}
}

// up and down are math.Nextafter for x ≥ 0, short enough to be inlined; adding 0
// makes +0 of −0.
func up(x float64) float64 {
	if x <= math.MaxFloat64 {
		return math.Float64frombits(math.Float64bits(x+0) + 1)
	}
	return x
}

// down keeps 0, the lower end of every quantity here.
func down(x float64) float64 {
	if x > 0 {
		return math.Float64frombits(math.Float64bits(x) - 1)
	}
	return x
}

func (x interval) add(y interval) interval { return interval{down(x.lo + y.lo), up(x.hi + y.hi)} }

// minus returns max(0, x − y).
func (x interval) minus(y interval) interval {
	lo, hi := max(0, x.lo-y.hi), x.hi-y.lo
	if !(hi > 0) {
		return interval{}
	}
	return interval{down(lo), up(hi)}
}

func (x interval) mul(y interval) interval {
	return interval{down(product(x.lo, y.lo)), up(product(x.hi, y.hi))}
}

func product(x, y float64) float64 {
	if x == 0 || y == 0 {
		return 0
	}
	return x * y
}

// over returns x / y; its upper end is +Inf where y may be 0.
func (x interval) over(y interval) interval {
	q := interval{0, math.Inf(1)}
	if y.hi > 0 && !math.IsInf(y.hi, 1) {
		q.lo = down(x.lo / y.hi)
	}
	if y.lo > 0 {
		q.hi = up(x.hi / y.lo)
	}
	return q
}

func (x interval) sqrt() interval { return interval{down(math.Sqrt(x.lo)), up(math.Sqrt(x.hi))} }

func (x interval) exp() interval {
	const e = elementary * 0x1p-52
	return interval{down(math.Exp(x.lo) * (1 - e)), up(math.Exp(x.hi) * (1 + e))}
}

func (x interval) square() interval { return x.mul(x) }

// hypot returns √(x² + y²) for numbers of any size.
func (x interval) hypot(y interval) interval {
	e := rescale.Exponent(max(x.hi, y.hi))
	if e == 0 || math.IsInf(max(x.hi, y.hi), 1) {
		return x.square().add(y.square()).sqrt()
	}
	scale := func(x interval, e int) interval { return interval{down(math.Ldexp(x.lo, e)), up(math.Ldexp(x.hi, e))} }
	x, y = scale(x, -e), scale(y, -e)
	return scale(x.square().add(y.square()).sqrt(), e)
}

func (x interval) max(y interval) interval { return interval{max(x.lo, y.lo), max(x.hi, y.hi)} }
func (x interval) min(y interval) interval { return interval{min(x.lo, y.lo), min(x.hi, y.hi)} }

// middle returns the value to show for x, that of ordinary arithmetic up to rounding.
func (x interval) middle() float64 {
	if math.IsInf(x.hi, 1) {
		return x.hi
	}
	return x.lo + (x.hi-x.lo)/2
}

// hypot1 returns √(x² + 1) if one is true, and x otherwise: the norm of a vector
// of norm x with a one appended.
func (x interval) hypot1(one bool) interval {
	if !one {
		return x
	}
	return x.square().add(exact(1)).sqrt()
}
