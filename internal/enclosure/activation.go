package enclosure

import "math"

// Derivatives returns σ(z), σ′(z) and σ″(z) of the activation of that name; ok is false where it is not known. Their widths
// are a few units of rounding of 1 (of z for gelu and silu), which is no relative precision in the tails.
func Derivatives(name string, z float64) (value, first, second Interval, ok bool) {
	f, ok := functions[name]
	if !ok || math.IsNaN(z) || math.IsInf(z, 0) {
		return everything, everything, everything, false
	}
	value, first, second = f(z)
	return value, first, second, true
}

var functions = map[string]func(z float64) (value, first, second Interval){
	"tanh":            tanh,
	"sin":             sin,
	"sigmoid":         sigmoid,
	"centred-sigmoid": centredSigmoid,
	"softplus":        softplus,
	"silu":            silu,
	"gelu":            gelu,
	"identity":        func(z float64) (value, first, second Interval) { return exact(z), exact(1), exact(0) },
}

// logistic returns s = 1/(1 + e^−z) and c = 1 − s.
func logistic(z float64) (s, c Interval) {
	e := exp(-math.Abs(z))
	sum := exact(1).add(e)
	large, small := exact(1).over(sum).within(0, 1), e.over(sum).within(0, 1)
	if z < 0 {
		return small, large
	}
	return large, small
}

// tanh z = (1 − e)/(1 + e) with e = e^−2|z|, and its σ′ = 4e/(1 + e)².
func tanh(z float64) (value, first, second Interval) {
	e := exp(-2 * math.Abs(z))
	sum := exact(1).add(e)
	value = exact(1).sub(e).over(sum).within(0, 1)
	first = exact(4).mul(e).over(sum.mul(sum)).within(0, 1)
	if z < 0 {
		value = value.neg()
	}
	return value, first, exact(-2).mul(value.mul(first))
}

func sin(z float64) (value, first, second Interval) {
	s, c := sinCos(z)
	return s, c, s.neg()
}

func sigmoid(z float64) (value, first, second Interval) {
	s, c := logistic(z)
	return s, s.mul(c), s.mul(c).mul(c.sub(s))
}

func centredSigmoid(z float64) (value, first, second Interval) {
	s, first, second := sigmoid(z)
	return s.sub(exact(0.5)), first, second
}

// softplus is log(1 + e^z) − log 2 = log((1 + e^−|z|)/2) + max(z, 0).
func softplus(z float64) (value, first, second Interval) {
	s, c := logistic(z)
	value = log(exact(1).add(exp(-math.Abs(z))).mul(exact(0.5)).within(0.5, 1))
	return value.add(exact(max(z, 0))), s, s.mul(c)
}

func silu(z float64) (value, first, second Interval) {
	s, c := logistic(z)
	x := exact(z)
	slope := s.mul(c)
	return x.mul(s), s.add(x.mul(slope)), slope.mul(exact(2).add(x.mul(c.sub(s))))
}

// gelu beyond farNormal has |z|(1 − Φ(|z|)) ≤ φ(9) < 2⁻⁵⁹, |z|φ(z) < 2⁻⁵⁶ and z²φ(z) < 2⁻⁵³, all of which fall in |z|.
func gelu(z float64) (value, first, second Interval) {
	if math.Abs(z) > farNormal {
		value, first = Interval{-0x1p-59, 0}, Interval{-0x1p-56, 0x1p-56}
		if z > 0 {
			value, first = exact(z).add(value), exact(1).add(first)
		}
		return value, first, Interval{-0x1p-53, 0}
	}
	cdf, pdf := normal(z)
	x := exact(z)
	return x.mul(cdf), cdf.add(x.mul(pdf)), exact(2).sub(x.mul(x)).mul(pdf)
}
