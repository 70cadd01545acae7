package main

import (
	"fmt"

	"github.com/deeplimit/deeplimit/internal/kernel/coef"
)

// The activations, operation by operation those of portable_activation.go in package kernel.

// A formula emits σ and σ′ of u, which it leaves as it is.
type formula struct {
	compute   func(g group, u pack) (value, slope pack)
	constants func(g group) []lanes // worth holding in registers
	most      int                   // vectors at once, a power of 2
}

// activation emits next[i] = σ(u[i]), or a·σ(u[i]) + h[i] where h is not nil, and ds[i] = σ′(u[i]) where ds is not nil, for n
// elements, a multiple of the lanes.
func (t target) activation(name string, f formula) {
	t = t.function(name, "computes next[i] = σ(u[i]), or a·σ(u[i]) + h[i] unless h is nil, and ds[i] = σ′(u[i]) unless ds is nil.",
		"func(next, ds, u, h *T, a T, n int)")
	next, ds, u, h, n := t.param("next"), t.param("ds"), t.param("u"), t.param("h"), t.param("n")
	slopes, add, a := t.param("ds"), t.param("h"), t.scaled() // 0 for nil
	t.useConstants()
	all := group{t, 1, map[lanes]vec{}}
	all.hold(f.constants(all)...)
	for count := f.most; count > 0; count /= 2 {
		g := group{t, count, all.held}
		label := func(name string) string { return fmt.Sprintf("%s%d", name, count) }
		t.line("SUBS $%d, %[2]s, %[2]s", count*t.lanes(), n)
		t.jump("BLT", label("done"))
		t.label(label("loop"))
		value, slope := f.compute(g, t.loaded(u, count))
		t.jump(fmt.Sprintf("CBZ %s,", slopes), label("value"))
		t.store(ds, 0, slope...)
		t.label(label("value"))
		t.jump(fmt.Sprintf("CBZ %s,", add), label("alone"))
		t.store(next, 0, g.fma(t.loaded(h, count), g.repeated(a), value)...)
		t.jump("JMP", label("next"))
		t.label(label("alone"))
		t.store(next, 0, value...)
		t.label(label("next"))
		for _, pointer := range []gp{next, ds, u, h} {
			t.line("ADD $%d, %s", count*width, pointer)
		}
		t.line("SUBS $%d, %[2]s, %[2]s", count*t.lanes(), n)
		t.jump("BGE", label("loop"))
		t.label(label("done"))
		t.line("ADD $%d, %s", count*t.lanes(), n)
	}
	t.end()
}

// repeated returns one register for all vectors.
func (g group) repeated(v vec) pack {
	p := make(pack, g.count)
	for i := range p {
		p[i] = v
	}
	return p
}

// polynomial returns Σ c[i] xⁱ, as the function of that name in package kernel.
func (g group) polynomial(c []lanes, x, square pack) pack {
	top := len(c) - 1
	s, other := g.filled(c[top]), g.filled(c[top-1])
	for i := top - 2; i >= 0; i-- {
		s, other = other, g.fma(g.filled(c[i]), s, square)
	}
	return g.fma(other, s, x)
}

// coefficients returns the constants of a polynomial.
func coefficients[T float32 | float64](g group, c []T) []lanes {
	list := make([]lanes, len(c))
	for i, v := range c {
		list[i] = g.value(float64(v))
	}
	return list
}

// exponential is what the element type decides in the exponential.
type exponential struct {
	coefficients        []lanes
	ln2Hi, ln2Lo, log2e lanes
	round               lanes // added and taken away, it rounds to an integer
	fraction            int
	bias                lanes
}

func (g group) exponential() exponential {
	log2e := g.value(coef.Log2E)
	if g.double {
		return exponential{coefficients(g, coef.Exp64[:]), g.value(coef.Ln2Hi64), g.value(coef.Ln2Lo64), log2e, g.value(0x1.8p52), 52, 1023 << 52}
	}
	return exponential{coefficients(g, coef.Exp32[:]), g.value(coef.Ln2Hi32), g.value(coef.Ln2Lo32), log2e, g.value(0x1.8p23), 23, lanes(twice(127 << 23))}
}

// reduce returns p = eʳ − 1 and scale = 2ᵏ of e^w = 2ᵏ eʳ; half of low is taken from r, unless it is nil.
func (g group) reduce(w, low pack) (p, scale pack) {
	e := g.exponential()
	scale = g.fma(g.filled(e.round), w, e.log2e)
	k := g.sub(scale, e.round)
	r := g.fnma(g.copied(w), k, e.ln2Hi)
	r = g.fnma(r, k, e.ln2Lo)
	if low != nil {
		r = g.fma(r, low, g.value(-0.5))
	}
	square := g.mul(r, r)
	p = g.polynomial(e.coefficients, r, square)
	return g.fma(r, square, p), g.exponent(scale)
}

// exponent turns round + k into 2ᵏ.
func (g group) exponent(shifted pack) pack {
	e := g.exponential()
	return g.integers(g.shifted(shifted, e.fraction), e.bias)
}

// withSign returns v ≥ 0 with the signs of u.
func (g group) withSign(v, u pack) pack { return g.replace(v, u, g.signOf()) }

var tanh = formula{
	most: 2,
	constants: func(g group) []lanes {
		e := g.exponential()
		list := []lanes{e.round, e.bias, g.chosen(coef.Tanh64, coef.Tanh32), g.value(2 * coef.Log2E), g.value(coef.HalfLn2), g.value(1), g.signOf()}
		if g.double {
			list = append(list, g.value(-coef.HalfLn2Lo), g.value(0.25), g.value(0.5))
		}
		return list
	},
	compute: func(g group, u pack) (pack, pack) {
		q := g.tanh(u)
		return q, g.fnma(g.filled(g.value(1)), q, q)
	},
}

// tanhValue is tanh with σ in the place of σ′.
var tanhValue = formula{
	most: tanh.most, constants: tanh.constants,
	compute: func(g group, u pack) (pack, pack) {
		q := g.tanh(u)
		return q, q
	},
}

func (g group) tanh(u pack) pack {
	e := g.exponential()
	y := g.min(g.abs(u), g.chosen(coef.Tanh64, coef.Tanh32))
	scale := g.fma(g.filled(e.round), y, g.value(2*coef.Log2E))
	k := g.sub(scale, e.round)
	r := g.fnma(y, k, g.value(coef.HalfLn2))
	square := g.mul(r, r)
	c := coefficients(g, coef.TanhP32[:])
	if g.double {
		c = coefficients(g, coef.TanhP64[:])
	}
	t := g.filled(c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		t = g.fma(g.filled(c[i]), t, square)
	}
	cube := g.mul(r, square)
	if g.double {
		t = g.add(r, g.fma(g.mul(k, g.value(-coef.HalfLn2Lo)), t, cube))
	} else {
		t = g.fma(r, t, cube)
	}
	scale = g.exponent(scale)
	a, b := g.sub(scale, g.value(1)), g.add(scale, g.value(1))
	d := g.fma(g.copied(b), a, t)
	if !g.double {
		return g.withSign(g.div(g.fma(a, b, t), d), u)
	}
	near := g.min(g.mul(k, g.value(0.25)), g.value(0.5))
	from := g.fnma(g.copied(a), near, b)
	slope := g.fnma(b, near, a)
	return g.withSign(g.add(near, g.div(g.fma(from, slope, t), d)), u)
}

var gelu = formula{
	most: 2,
	constants: func(g group) []lanes {
		e := g.exponential()
		return []lanes{e.round, e.bias, e.ln2Hi, e.ln2Lo, e.log2e, g.chosen(coef.GELU64, coef.GELU32), g.value(-0.5), g.value(1), g.signOf()}
	},
	compute: func(g group, u pack) (pack, pack) {
		bound, above, below := g.value(coef.GELU64), coefficients(g, coef.MillsP64[:]), coefficients(g, coef.MillsQ64[:])
		minusBound := g.value(-coef.GELU64)
		if !g.double {
			bound, above, below = g.value(coef.GELU32), coefficients(g, coef.MillsP32[:]), coefficients(g, coef.MillsQ32[:])
			minusBound = g.value(-coef.GELU32)
		}
		y := g.min(g.abs(u), bound)
		square := g.mul(y, y)
		tail := g.polynomial(above, y, square)
		tail = g.div(tail, g.polynomial(below, y, square))

		low := g.fma(g.neg(square), y, y)
		p, scale := g.reduce(g.mul(square, g.value(-0.5)), low)
		density := g.fma(g.copied(scale), scale, p)
		density = g.without(density, g.beyond(g.abs(u), bound))
		tail = g.mul(density, tail)

		phi := g.chosenBySign(u, tail, g.sub(g.value(1), tail))
		weight := g.mul(g.withSign(y, u), g.value(coef.InvSqrt2Pi))
		value := g.mul(g.max(u, minusBound), phi)
		return value, g.fma(phi, weight, density)
	},
}
