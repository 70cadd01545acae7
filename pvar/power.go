package pvar

import "math"

// power returns the function d ↦ d^p on d ≥ 0 for the searches. Where p is a small multiple
// of 1/2 it uses products and square roots, with an error of a few ulps; otherwise
// e^(p log d), with about (2 + p·|log d|) ulps at a third of the cost of math.Pow. The sums
// that callers get use math.Pow.
func power(p float64) func(d float64) float64 {
	switch p {
	case 0.75:
		return func(d float64) float64 { r := math.Sqrt(d); return r * math.Sqrt(r) }
	case 1:
		return func(d float64) float64 { return d }
	case 1.25:
		return func(d float64) float64 { return d * math.Sqrt(math.Sqrt(d)) }
	case 1.5:
		return func(d float64) float64 { return d * math.Sqrt(d) }
	case 2:
		return func(d float64) float64 { return d * d }
	case 2.5:
		return func(d float64) float64 { return d * d * math.Sqrt(d) }
	case 3:
		return func(d float64) float64 { return d * d * d }
	case 4:
		return func(d float64) float64 { d *= d; return d * d }
	}
	return func(d float64) float64 { return math.Exp(p * math.Log(d)) } // log 0 = −∞, e^−∞ = 0
}

// crossingBracket returns low ≤ u ≤ high for the u ≥ 0 with (u+h)^p − u^p = c, where
// p > 1, h > 0 and c > h^p; the left side increases in u, so there is one such u.
//
// By the mean value theorem p·h·ξ^(p−1) = c for a ξ between u and u+h. Since ξ^(p−1)
// is the mean of t^(p−1) over [u, u+h], and t^(p−1) is convex for p ≥ 2 and concave
// for p ≤ 2, Jensen's inequality puts ξ above the middle u + h/2 in the first case
// and below it in the second.
func crossingBracket(p, h, c float64) (low, high float64) {
	xi := math.Pow(c/(p*h), 1/(p-1))
	if p >= 2 {
		return max(0, xi-h), max(0, xi-h/2)
	}
	return max(0, xi-h/2), xi
}

// crossing solves the equation of crossingBracket by Newton's method inside the
// bracket: the left side is convex in u for p ≥ 2 and concave for p ≤ 2, so from
// the proper end the iteration is monotone; bisection guards it against rounding.
func crossing(p float64, pow func(float64) float64, h, c, low, high float64) float64 {
	u := high
	if p < 2 {
		u = low
	}
	for range 60 {
		far, near := pow(u+h), pow(u)
		excess := far - near - c
		if excess > 0 {
			high = min(high, u)
		} else {
			low = max(low, u)
		}
		slope := far / (u + h)
		if u > 0 {
			slope -= near / u
		}
		next := u - excess/(p*slope)
		if !(next > low && next < high) {
			next = low + (high-low)/2
		}
		if math.Abs(next-u) <= 1e-14*next {
			return next
		}
		u = next
	}
	return u
}
