package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/deeplimit/deeplimit/internal/kernel/coef"
)

// The other activations, operation by operation those of portable_smooth.go in package kernel.
var smooth = []struct {
	name string
	formula
}{
	{"sin", formula{most: pairs, constants: none, compute: sin}},
	{"silu", formula{most: pairs, constants: exponentials, compute: silu}},
	{"softplus", formula{most: map[bool]int{false: 1, true: 2}, constants: exponentials, compute: softplus}},
	{"elu", formula{most: pairs, constants: exponentials, compute: elu}},
	{"sigmoid", formula{most: pairs, constants: exponentials, compute: sigmoid}},
	{"centredSigmoid", formula{most: pairs, constants: tanh.constants, compute: centredSigmoid}},
	{"relu", formula{most: map[bool]int{false: 4, true: 4}, constants: none, compute: relu}},
	{"identity", formula{most: map[bool]int{false: 4, true: 4}, constants: none, compute: identity}},
}

var pairs = map[bool]int{false: 2, true: 2}

func none(group) []lanes { return nil }

func exponentials(g group) []lanes { return g.exponential().constants() }

// chosen returns the constant of the element type.
func (g group) chosen(double, single float64) lanes {
	if g.double {
		return g.value(double)
	}
	return g.value(single)
}

func (g group) expBound(sign float64) lanes {
	return g.chosen(sign*coef.ExpBound64, sign*coef.ExpBound32)
}

// sizeWithin returns the lesser of |u| and bound.
func (g group) sizeWithin(u []Mem, bound lanes) pack {
	y := g.filled(bound)
	g.min(g.masked(u, g.sign()-1), y, y)
	return y
}

// signed returns v with its signs changed where those of the vectors at u are set.
func (g group) signed(v pack, u []Mem) pack {
	g.xor(g.masked(u, g.sign()), v, v)
	return v
}

// logistic returns the larger and the smaller of s = 1/(1 + e^−u) and 1 − s, and p and 2ᵏ of e^−|u|.
func (g group) logistic(u []Mem) (large, small, p, scale pack) {
	w := g.sizeWithin(u, g.expBound(1))
	g.xor(g.filled(g.sign()), w, w)
	p, scale = g.reduce(g.exponential(), w, nil)
	small = g.copied(p)
	g.fmaTo(scale, scale, small)
	large = g.filled(g.value(1))
	sum := g.new()
	g.add(large, small, sum)
	g.div(sum, large, large)
	g.mul(large, small, small)
	return large, small, p, scale
}

func sigmoid(g group, u []Mem) (pack, pack) {
	large, small, _, _ := g.logistic(u)
	slope := g.new()
	g.mul(large, small, slope)
	return g.selectBySign(u, small, large), slope
}

func centredSigmoid(g group, u []Mem) (pack, pack) {
	half := g.masked(u, g.sign()-1)
	g.mul(g.value(0.5), half, half)
	q := g.tanh(half, u)
	g.mul(g.value(0.5), q, q)
	slope := g.filled(g.value(0.25))
	g.fnma(q, q, slope)
	return q, slope
}

func silu(g group, u []Mem) (pack, pack) {
	large, small, _, _ := g.logistic(u)
	s := g.selectBySign(u, small, large)
	other := g.selectBySign(u, large, small)
	weight := g.signed(g.sizeWithin(u, g.expBound(1)), u)
	g.fmaTo(g.value(1), other, weight)
	g.mul(s, weight, weight)
	value := g.filled(g.expBound(-1))
	g.max(u, value, value)
	g.mul(s, value, value)
	return value, weight
}

func softplus(g group, u []Mem) (pack, pack) {
	large, small, p, scale := g.logistic(u)
	slope := g.selectBySign(u, small, large)
	f := g.new()
	g.sub(g.value(1), scale, f)
	g.fmaTo(f, scale, p)
	g.mul(g.value(0.5), p, f)
	z := g.new()
	g.add(g.value(2), f, z)
	g.div(z, f, z)
	square, fourth := g.new(), g.new()
	g.mul(z, z, square)
	g.mul(square, square, fourth)
	coefficientsOf := coefficients(g, coef.Log64[:])
	if !g.double {
		coefficientsOf = coefficients(g, coef.Log32[:])
	}
	log := g.polynomial(coefficientsOf, square, fourth)
	g.mul(z, square, square)
	g.add(z, z, z)
	g.fmaTo(z, square, log)
	value := g.zeros()
	g.max(u, value, value)
	g.add(log, value, value)
	return value, slope
}

func elu(g group, u []Mem) (pack, pack) {
	w, bound := g.zeros(), g.filled(g.expBound(-1))
	g.min(u, w, w)
	g.max(w, bound, w)
	p, scale := g.reduce(g.exponential(), w, nil)
	value, slope := g.new(), g.copied(p)
	g.sub(g.value(1), scale, value)
	g.fmaTo(scale, scale, slope)
	g.fmaTo(value, scale, p)
	g.max(u, g.zeros(), value)
	g.add(p, value, value)
	return value, slope
}

func sin(g group, u []Mem) (pack, pack) {
	pi := []lanes{g.chosen(coef.Pi64, coef.Pi32), g.chosen(coef.PiMid64, coef.PiMid32), g.chosen(coef.PiLow64, coef.PiLow32)}
	sines, cosines := coefficients(g, coef.Sin64[:]), coefficients(g, coef.Cos64[:])
	if !g.double {
		sines, cosines = coefficients(g, coef.Sin32[:]), coefficients(g, coef.Cos32[:])
	}
	r, nothing := g.sizeWithin(u, g.chosen(coef.SinBound64, coef.SinBound32)), g.loaded(u)
	g.sub(nothing, nothing, nothing)
	g.add(nothing, r, r)
	e := g.exponential()
	shifted, k := g.filled(g.value(coef.InvPi)), g.new()
	g.fmaTo(e.round, r, shifted)
	g.sub(e.round, shifted, k)
	for _, part := range pi {
		g.fnma(part, k, r)
	}
	g.each(g.pick(VPSLLD, VPSLLQ), Imm(uint64(8*g.size()-1)), shifted, shifted) // the sign of (−1)ᵏ
	square, fourth := g.new(), g.new()
	g.mul(r, r, square)
	g.mul(square, square, fourth)
	cosine := g.polynomial(cosines, square, fourth)
	g.fmaTo(g.value(-0.5), square, cosine)
	g.fmaTo(g.value(1), square, cosine)
	g.xor(shifted, cosine, cosine)
	sine := g.polynomial(sines, square, fourth)
	g.mul(r, square, square)
	g.fmaTo(r, square, sine)
	g.xor(shifted, sine, sine)
	return g.signed(sine, u), cosine
}

func relu(g group, u []Mem) (pack, pack) {
	value := g.zeros()
	slope := g.onesAbove(value, u)
	g.max(u, value, value)
	return value, slope
}

func identity(g group, u []Mem) (pack, pack) { return g.loaded(u), g.filled(g.value(1)) }

// zeros returns a value of zeros.
func (g group) zeros() pack {
	v := g.new()
	for _, r := range v {
		g.zero(r)
	}
	return v
}

// loaded returns the vectors at u.
func (g group) loaded(u []Mem) pack {
	v := g.new()
	g.each(g.pick(VMOVUPS, VMOVUPD), u, v)
	return v
}

// onesAbove returns 1 where u > limit, 0 elsewhere and where it is a NaN.
func (g group) onesAbove(limit pack, u []Mem) pack {
	const less = 0x11 // LT_OQ
	one := g.filled(g.value(1))
	if !g.zmm {
		above := g.new()
		g.each(g.pick(VCMPPS, VCMPPD), Imm(less), u, limit, above)
		g.and(above, one, one)
		return one
	}
	above := make([]reg.OpmaskVirtual, g.count)
	for i := range above {
		above[i] = K()
	}
	g.each(g.pick(VCMPPS, VCMPPD), Imm(less), u, limit, above)
	g.each(g.pick(
		func(ops ...Op) { VMOVAPS_Z(ops[0], ops[1], ops[2]) },
		func(ops ...Op) { VMOVAPD_Z(ops[0], ops[1], ops[2]) },
	), one, above, one)
	return one
}
