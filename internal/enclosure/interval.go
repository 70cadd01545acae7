// Package enclosure evaluates activation functions with a proven error: every number is an interval of float64 that
// certainly holds the real one. Only IEEE 754's rounding of + − · / is relied on, no function of a library.
package enclosure

import "math"

// An Interval holds the real numbers from Lo to Hi. Each operation moves the ends of its result one unit in the last place
// outwards, which covers the rounding of one operation.
type Interval struct{ Lo, Hi float64 }

// everything is the interval of a number about which nothing is known.
var everything = Interval{math.Inf(-1), math.Inf(1)}

func exact(x float64) Interval { return Interval{x, x} }

// outward returns the interval from lo to hi, each moved by a unit; everything where one is NaN.
func outward(lo, hi float64) Interval {
	if !(lo <= hi) {
		return everything
	}
	return Interval{-above(-lo), above(hi)}
}

// above is math.Nextafter towards +∞ for a number that is not NaN, short enough to be inlined.
func above(x float64) float64 {
	switch bits := math.Float64bits(x); {
	case x > math.MaxFloat64:
		return x
	case x > 0:
		return math.Float64frombits(bits + 1)
	case x < 0:
		return math.Float64frombits(bits - 1)
	}
	return math.SmallestNonzeroFloat64
}

func (a Interval) add(b Interval) Interval { return outward(a.Lo+b.Lo, a.Hi+b.Hi) }
func (a Interval) sub(b Interval) Interval { return outward(a.Lo-b.Hi, a.Hi-b.Lo) }
func (a Interval) neg() Interval           { return Interval{-a.Hi, -a.Lo} }

func (a Interval) mul(b Interval) Interval {
	if a.Lo >= 0 && b.Lo >= 0 {
		return outward(a.Lo*b.Lo, a.Hi*b.Hi)
	}
	p, q, r, s := a.Lo*b.Lo, a.Lo*b.Hi, a.Hi*b.Lo, a.Hi*b.Hi
	if math.IsNaN(p + q + r + s) { // 0·∞
		return everything
	}
	return outward(min(p, q, r, s), max(p, q, r, s))
}

// over returns a / b for b > 0.
func (a Interval) over(b Interval) Interval {
	if !(b.Lo > 0) {
		return everything
	}
	p, q, r, s := a.Lo/b.Lo, a.Lo/b.Hi, a.Hi/b.Lo, a.Hi/b.Hi
	return outward(min(p, q, r, s), max(p, q, r, s))
}

// within returns the part of a between lo and hi, bounds that are known otherwise.
func (a Interval) within(lo, hi float64) Interval { return Interval{max(a.Lo, lo), min(a.Hi, hi)} }

// Distance returns a bound of |x − y| for the real number x in a.
func (a Interval) Distance(y float64) float64 {
	d := max(y-a.Lo, a.Hi-y)
	if math.IsNaN(d) {
		return math.Inf(1)
	}
	return above(max(d, 0))
}
