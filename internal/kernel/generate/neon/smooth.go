package main

import "github.com/deeplimit/deeplimit/internal/kernel/coef"

// The other activations, operation by operation those of portable_smooth.go in package kernel.
var smooth = []struct {
	name string
	formula
}{
	{"sin", formula{most: 2, constants: none, compute: sin}},
	{"silu", formula{most: 2, constants: exponentials, compute: silu}},
	{"softplus", formula{most: 2, constants: exponentials, compute: softplus}},
	{"elu", formula{most: 2, constants: exponentials, compute: elu}},
	{"sigmoid", formula{most: 2, constants: exponentials, compute: sigmoid}},
	{"centredSigmoid", formula{most: 2, constants: tanh.constants, compute: centredSigmoid}},
	{"relu", formula{most: 4, constants: ones, compute: relu}},
	{"identity", formula{most: 4, constants: ones, compute: identity}},
}

func none(group) []lanes { return nil }

func ones(g group) []lanes { return []lanes{g.value(1)} }

func exponentials(g group) []lanes {
	e := g.exponential()
	return []lanes{e.round, e.bias, e.ln2Hi, e.ln2Lo, e.log2e, g.expBound(1), g.value(1)}
}

func (g group) expBound(sign float64) lanes {
	return g.chosen(sign*coef.ExpBound64, sign*coef.ExpBound32)
}

// least0 and most0 return 0 where a > 0, and where a < 0, else a: −0 and a NaN too.
func (g group) least0(a pack) pack { return g.without(a, g.above(a)) }
func (g group) most0(a pack) pack  { return g.without(a, g.below(a)) }

// logistic returns the larger and the smaller of s = 1/(1 + e^−u) and 1 − s, and p and 2ᵏ of e^−|u|.
func (g group) logistic(u pack) (large, small, p, scale pack) {
	p, scale = g.reduce(g.neg(g.min(g.abs(u), g.expBound(1))), nil)
	e := g.fma(g.copied(scale), scale, p)
	large = g.div(g.value(1), g.add(g.value(1), e))
	return large, g.mul(e, large), p, scale
}

func sigmoid(g group, u pack) (pack, pack) {
	large, small, _, _ := g.logistic(u)
	return g.chosenBySign(u, small, large), g.mul(large, small)
}

func centredSigmoid(g group, u pack) (pack, pack) {
	q := g.mul(g.tanh(g.mul(u, g.value(0.5))), g.value(0.5))
	return q, g.fnma(g.filled(g.value(0.25)), q, q)
}

func silu(g group, u pack) (pack, pack) {
	large, small, _, _ := g.logistic(u)
	s, other := g.chosenBySign(u, small, large), g.chosenBySign(u, large, small)
	weight := g.xor(g.min(g.abs(u), g.expBound(1)), g.and(u, g.signOf()))
	slope := g.mul(s, g.fma(g.filled(g.value(1)), weight, other))
	return g.mul(g.max(u, g.expBound(-1)), s), slope
}

func softplus(g group, u pack) (pack, pack) {
	large, small, p, scale := g.logistic(u)
	slope := g.chosenBySign(u, small, large)
	f := g.mul(g.value(0.5), g.fma(g.sub(scale, g.value(1)), scale, p))
	z := g.div(f, g.add(g.value(2), f))
	square := g.mul(z, z)
	coefficientsOf := coefficients(g, coef.Log64[:])
	if !g.double {
		coefficientsOf = coefficients(g, coef.Log32[:])
	}
	log := g.polynomial(coefficientsOf, square, g.mul(square, square))
	log = g.fma(g.add(z, z), log, g.mul(z, square))
	return g.add(g.most0(u), log), slope
}

func elu(g group, u pack) (pack, pack) {
	p, scale := g.reduce(g.max(g.least0(u), g.expBound(-1)), nil)
	below := g.fma(g.sub(scale, g.value(1)), scale, p)
	return g.add(g.most0(u), below), g.fma(g.copied(scale), scale, p)
}

func sin(g group, u pack) (pack, pack) {
	sines, cosines := coefficients(g, coef.Sin64[:]), coefficients(g, coef.Cos64[:])
	if !g.double {
		sines, cosines = coefficients(g, coef.Sin32[:]), coefficients(g, coef.Cos32[:])
	}
	y := g.add(g.min(g.abs(u), g.chosen(coef.SinBound64, coef.SinBound32)), g.sub(u, u)) // infinity has no sine
	e := g.exponential()
	shifted := g.fma(g.filled(e.round), y, g.value(coef.InvPi))
	k := g.sub(shifted, e.round)
	r := g.fnma(y, k, g.chosen(coef.Pi64, coef.Pi32))
	r = g.fnma(r, k, g.chosen(coef.PiMid64, coef.PiMid32))
	r = g.fnma(r, k, g.chosen(coef.PiLow64, coef.PiLow32))
	odd := g.shifted(shifted, 8*g.size()-1) // the sign of (−1)ᵏ
	square := g.mul(r, r)
	fourth := g.mul(square, square)
	cosine := g.fma(g.filled(g.value(-0.5)), g.polynomial(cosines, square, fourth), square)
	cosine = g.fma(g.filled(g.value(1)), cosine, square)
	cube := g.mul(r, square)
	sine := g.fma(r, g.polynomial(sines, square, fourth), cube)
	return g.xor(g.xor(sine, odd), g.and(u, g.signOf())), g.xor(cosine, odd)
}

func relu(g group, u pack) (pack, pack) { return g.most0(u), g.and(g.above(u), g.value(1)) }

func identity(g group, u pack) (pack, pack) { return u, g.filled(g.value(1)) }
