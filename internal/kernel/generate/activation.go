package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/deeplimit/deeplimit/internal/kernel/coef"
)

// The activations, operation by operation those of portable_activation.go in
// package kernel.

// A formula emits σ and σ′ of the vectors at u, which is read again where it is needed
// again, as registers are what limits the vectors at once.
type formula struct {
	compute   func(g group, u []Mem) (value, slope pack)
	value     func(g group, u []Mem) pack // σ alone, where there is use for it
	constants func(g group) []lanes       // worth holding in registers, if there are 32
	most      map[bool]int                // vectors at once, with 16 and with 32 registers
}

// activation emits next[i] = σ(u[i]), or a·σ(u[i]) + h[i] where h is not nil, and
// ds[i] = σ′(u[i]) where ds is not nil, for n elements, a multiple of the lanes.
func (t target) activation(name string, f formula) {
	t.function(name, "computes next[i] = σ(u[i]), or a·σ(u[i]) + h[i] unless h is nil, and ds[i] = σ′(u[i]) unless ds is nil.",
		"func(next, ds, u, h *%[1]s, a %[1]s, n int)")
	next, ds, u, h, n := param("next"), param("ds"), param("u"), param("h"), param("n")
	a := t.vec()
	t.broadcast(slot("a"), a)
	held := map[lanes]reg.VecVirtual{}
	if t.zmm {
		all := group{t, 1, held}
		all.hold(f.constants(all)...)
	}
	i := GP64()
	XORQ(i, i)
	for count := f.most[t.zmm]; count > 0; count /= 2 {
		g := group{t, count, held}
		at := func(base reg.GPVirtual) []Mem {
			m := make([]Mem, count)
			for v := range m {
				m[v] = Mem{Base: base, Index: i, Scale: uint8(t.size()), Disp: v * t.width()}
			}
			return m
		}
		label := func(name string) string { return fmt.Sprintf("%s%d", name, count) }
		step := count * t.lanes()
		SUBQ(Imm(uint64(step)), n)
		JLT(LabelRef(label("done")))
		Label(label("loop"))
		value, slope := f.compute(g, at(u))
		TESTQ(ds, ds)
		JEQ(LabelRef(label("value")))
		g.each(t.pick(VMOVUPS, VMOVUPD), slope, at(ds))
		Label(label("value"))
		TESTQ(h, h)
		JEQ(LabelRef(label("store")))
		for v, m := range at(h) {
			t.fmaTo(m, a, value[v])
		}
		Label(label("store"))
		g.each(t.pick(VMOVUPS, VMOVUPD), value, at(next))
		ADDQ(Imm(uint64(step)), i)
		SUBQ(Imm(uint64(step)), n)
		JGE(LabelRef(label("loop")))
		Label(label("done"))
		ADDQ(Imm(uint64(step)), n)
	}
	VZEROUPPER()
	RET()
}

// inPlaceOfSlope returns f with σ in the place of σ′.
func (f formula) inPlaceOfSlope() formula {
	compute := f.value
	f.compute = func(g group, u []Mem) (pack, pack) {
		v := compute(g, u)
		return v, v
	}
	return f
}

// polynomial returns Σ c[i] xⁱ, as the function of that name in package kernel.
func (g group) polynomial(c []lanes, x, square pack) pack {
	top := len(c) - 1
	s, other := g.filled(c[top]), g.filled(c[top-1])
	for i := top - 2; i >= 0; i-- {
		g.fmaTo(c[i], square, s)
		s, other = other, s
	}
	g.fmaTo(other, x, s)
	return s
}

// coefficients returns the constants of a polynomial.
func coefficients[T float32 | float64](g group, c []T) []lanes {
	list := make([]lanes, len(c))
	for i, v := range c {
		list[i] = g.value(float64(v))
	}
	return list
}

// sign is the sign bit of an element.
func (g group) sign() lanes {
	if g.double {
		return 1 << 63
	}
	return 1 << 31
}

// masked returns the bits of mask of the vectors at u.
func (g group) masked(u []Mem, mask lanes) pack {
	v := g.filled(mask)
	g.and(u, v, v)
	return v
}

// exponential is what the element type decides in the exponential.
type exponential struct {
	coefficients        []lanes
	ln2Hi, ln2Lo, log2e lanes
	round               lanes // added and taken away, it rounds to an integer
	fraction            uint64
	bias                lanes
}

func (g group) exponential() exponential {
	log2e := g.value(coef.Log2E)
	if g.double {
		return exponential{coefficients(g, coef.Exp64[:]), g.value(coef.Ln2Hi64), g.value(coef.Ln2Lo64), log2e, g.value(0x1.8p52), 52, 1023 << 52}
	}
	return exponential{coefficients(g, coef.Exp32[:]), g.value(coef.Ln2Hi32), g.value(coef.Ln2Lo32), log2e, g.value(0x1.8p23), 23, 127 << 23}
}

// constants returns all of them.
func (e exponential) constants() []lanes {
	return append([]lanes{e.ln2Hi, e.ln2Lo, e.log2e, e.round, e.bias}, e.coefficients...)
}

// reduce returns p = eʳ − 1 and scale = 2ᵏ of e^w = 2ᵏ eʳ; half of low is taken from r, unless it is nil.
func (g group) reduce(e exponential, w, low pack) (p, scale pack) {
	shifted := g.filled(e.log2e)
	g.fmaTo(e.round, w, shifted)
	k, r := g.new(), g.copied(w)
	g.sub(e.round, shifted, k)
	g.fnma(e.ln2Hi, k, r)
	g.fnma(e.ln2Lo, k, r)
	if low != nil {
		g.fma(g.value(-0.5), low, r)
	}
	square := g.new()
	g.mul(r, r, square)
	p = g.polynomial(e.coefficients, r, square)
	g.fmaTo(r, square, p)
	g.exponent(e, shifted)
	return p, shifted
}

// exponent turns round + k into 2ᵏ.
func (g group) exponent(e exponential, shifted pack) {
	g.each(g.pick(VPSLLD, VPSLLQ), Imm(e.fraction), shifted, shifted)
	g.each(g.pick(VPADDD, VPADDQ), e.bias, shifted, shifted)
}

var tanh = formula{
	most: map[bool]int{false: 2, true: 2},
	constants: func(g group) []lanes {
		c, e := g.tanhConstants(), g.exponential()
		list := append([]lanes{e.round, e.bias, c.twiceLog2E, g.value(coef.HalfLn2), g.value(1)}, c.coefficients...)
		if g.double {
			list = append(list, c.low, g.value(0.25), g.value(0.5))
		}
		return list
	},
	value: func(g group, u []Mem) pack { return g.tanh(g.masked(u, g.sign()-1), u) },
	compute: func(g group, u []Mem) (pack, pack) {
		q := g.tanh(g.masked(u, g.sign()-1), u)
		slope := g.filled(g.value(1))
		g.fnma(q, q, slope)
		return q, slope
	},
}

// tanhConstants is what the element type decides in tanh.
type tanhConstants struct {
	bound           float64
	coefficients    []lanes
	twiceLog2E, low lanes // low is minus what half of ln 2 lacks
}

func (g group) tanhConstants() tanhConstants {
	low, twice := g.value(-coef.HalfLn2Lo), g.value(2*coef.Log2E)
	if g.double {
		return tanhConstants{coef.Tanh64, coefficients(g, coef.TanhP64[:]), twice, low}
	}
	return tanhConstants{coef.Tanh32, coefficients(g, coef.TanhP32[:]), twice, low}
}

// tanh returns tanh of size with the signs of the vectors at u.
func (g group) tanh(size pack, u []Mem) pack {
	c, e := g.tanhConstants(), g.exponential()
	r := g.filled(g.value(c.bound))
	g.min(size, r, r)
	scale := g.filled(c.twiceLog2E)
	g.fmaTo(e.round, r, scale)
	k := g.new()
	g.sub(e.round, scale, k)
	g.fnma(g.value(coef.HalfLn2), k, r)
	square, cube := g.new(), g.new()
	g.mul(r, r, square)
	t := g.filled(c.coefficients[len(c.coefficients)-1])
	for i := len(c.coefficients) - 2; i >= 0; i-- {
		g.fmaTo(c.coefficients[i], square, t)
	}
	g.mul(r, square, cube)
	if g.double {
		low := square
		g.mul(c.low, k, low)
		g.fmaTo(low, cube, t)
		g.add(r, t, t)
	} else {
		g.fmaTo(r, cube, t)
	}
	g.exponent(e, scale)
	a, b := g.new(), scale
	g.sub(g.value(1), scale, a)
	g.add(g.value(1), scale, b)
	d := g.copied(a)
	g.fmaTo(b, t, d)
	if !g.double {
		g.fmaTo(a, t, b)
		g.div(d, b, b)
	} else {
		g.mul(g.value(0.25), k, k)
		g.min(g.value(0.5), k, k)
		from, slope := g.copied(a), g.copied(b)
		g.fnma(k, b, from)
		g.fnma(k, a, slope)
		g.fmaTo(from, t, slope)
		g.div(d, slope, b)
		g.add(k, b, b)
	}
	g.or(g.masked(u, g.sign()), b, b)
	return b
}

var gelu = formula{
	most: map[bool]int{false: 2, true: 2},
	constants: func(g group) []lanes {
		return g.exponential().constants()
	},
	compute: func(g group, u []Mem) (pack, pack) {
		bound, above, below := g.value(coef.GELU64), coefficients(g, coef.MillsP64[:]), coefficients(g, coef.MillsQ64[:])
		minusBound := g.value(-coef.GELU64)
		if !g.double {
			bound, above, below = g.value(coef.GELU32), coefficients(g, coef.MillsP32[:]), coefficients(g, coef.MillsQ32[:])
			minusBound = g.value(-coef.GELU32)
		}
		size, y, square := g.masked(u, g.sign()-1), g.filled(bound), g.new()
		g.min(size, y, y)
		g.mul(y, y, square)
		tail := g.polynomial(above, y, square)
		g.div(g.polynomial(below, y, square), tail, tail)

		low, half := g.copied(y), g.filled(g.value(-0.5))
		g.fmsTo(square, y, low)
		g.mul(square, half, half)
		density, scale := g.reduce(g.exponential(), half, low)
		g.fmaTo(scale, scale, density)
		weight := y
		if !g.zmm { // what 16 registers cannot hold is computed again
			size, weight = g.masked(u, g.sign()-1), g.filled(bound)
			g.min(size, weight, weight)
		}
		density = g.zeroBeyond(size, bound, density)
		g.mul(density, tail, tail)

		phi := g.filled(g.value(1))
		g.sub(tail, phi, phi)
		phi = g.selectBySign(u, tail, phi)
		g.or(g.masked(u, g.sign()), weight, weight)
		g.mul(g.value(coef.InvSqrt2Pi), weight, weight)
		g.fmaTo(phi, density, weight)
		value := g.filled(minusBound)
		g.max(u, value, value)
		g.mul(phi, value, value)
		return value, weight
	},
}

// zeroBeyond returns v with 0 where size > limit; a NaN keeps v.
func (g group) zeroBeyond(size pack, limit lanes, v pack) pack {
	const greater, notGreater = 0x1e, 0x1a // GT_OQ, NGT_UQ
	if !g.zmm {
		g.each(g.pick(VCMPPS, VCMPPD), Imm(greater), limit, size, size)
		g.each(g.pick(VANDNPS, VANDNPD), v, size, size)
		return size
	}
	keep := make([]reg.OpmaskVirtual, g.count)
	for i := range keep {
		keep[i] = K()
	}
	g.each(g.pick(VCMPPS, VCMPPD), Imm(notGreater), limit, size, keep)
	g.each(g.pick(
		func(ops ...Op) { VMOVAPS_Z(ops[0], ops[1], ops[2]) },
		func(ops ...Op) { VMOVAPD_Z(ops[0], ops[1], ops[2]) },
	), v, keep, size)
	return size
}

// selectBySign returns negative where the sign bit of the vector at u is set, positive
// elsewhere.
func (g group) selectBySign(u []Mem, negative, positive pack) pack {
	out := g.new()
	g.each(g.pick(VMOVUPS, VMOVUPD), u, out)
	if g.zmm {
		last := uint64(8*g.size() - 1)
		g.each(g.pick(VPSRAD, VPSRAQ), Imm(last), out, out)
		g.each(g.pick(VPTERNLOGD, VPTERNLOGQ), Imm(0xca), positive, negative, out) // out ? negative : positive
		return out
	}
	g.each(g.pick(
		func(ops ...Op) { VBLENDVPS(ops[0], ops[1], ops[2], ops[3]) },
		func(ops ...Op) { VBLENDVPD(ops[0], ops[1], ops[2], ops[3]) },
	), out, negative, positive, out)
	return out
}
