package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/deeplimit/deeplimit/internal/kernel/coef"
)

// The activations, operation by operation those of portable_activation.go in
// package kernel.

// activation emits next[i] = σ(u[i]), or fma(a, σ(u[i]), h[i]) where h is not nil,
// and ds[i] = σ′(u[i]) where ds is not nil, for n elements, a multiple of the lanes.
// f, called once before the loop, returns what computes σ and σ′ inside it.
func (t target) activation(name string, f func() func(x reg.VecVirtual) (value, slope reg.VecVirtual)) {
	t.function(name, "computes next[i] = σ(u[i]), or a·σ(u[i]) + h[i] unless h is nil, and ds[i] = σ′(u[i]) unless ds is nil.",
		"func(next, ds, u, h *%[1]s, a %[1]s, n int)")
	next, ds, u, h, n := param("next"), param("ds"), param("u"), param("h"), param("n")
	a := t.vec()
	t.broadcast(slot("a"), a)
	compute := f()
	i := GP64()
	XORQ(i, i)
	at := func(base reg.GPVirtual) Mem { return Mem{Base: base, Index: i, Scale: uint8(t.size())} }
	Label("loop")
	x := t.vec()
	t.load(at(u), x)
	value, slope := compute(x)
	TESTQ(ds, ds)
	JEQ(LabelRef("value"))
	t.store(slope, at(ds))
	Label("value")
	TESTQ(h, h)
	JEQ(LabelRef("store"))
	t.fmaTo(at(h), a, value)
	Label("store")
	t.store(value, at(next))
	ADDQ(Imm(uint64(t.lanes())), i)
	CMPQ(i, n)
	JLT(LabelRef("loop"))
	VZEROUPPER()
	RET()
}

// horner returns Σ c[i] xⁱ.
func (t target) horner(c []float64, x reg.VecVirtual) reg.VecVirtual {
	s := t.vec()
	t.load(t.constant(c[len(c)-1]), s)
	for i := len(c) - 2; i >= 0; i-- {
		t.fmaTo(t.constant(c[i]), x, s)
	}
	return s
}

// signMask is the sign bit of an element.
func (t target) signMask() uint64 {
	if t.double {
		return 1 << 63
	}
	return 1 << 31
}

// shape is what the element type decides in the exponential.
type shape struct {
	exp            []float64
	ln2Hi, ln2Lo   float64
	round          float64 // 1.5·2^(significand bits − 1)
	exponent, bias uint64
}

func (t target) shape() shape {
	if t.double {
		return shape{coef.Exp64[:], coef.Ln2Hi64, coef.Ln2Lo64, 0x1.8p52, 52, 1023}
	}
	return shape{widen(coef.Exp32[:]), coef.Ln2Hi32, coef.Ln2Lo32, 0x1.8p23, 23, 127}
}

func widen(c []float32) []float64 {
	w := make([]float64, len(c))
	for i, v := range c {
		w[i] = float64(v)
	}
	return w
}

// exponential holds the constants of the exponential in registers.
type exponential struct {
	target
	shape
	log2e, rounder reg.VecVirtual
}

func (t target) exponential() exponential {
	s := t.shape()
	return exponential{t, s, t.held(coef.Log2E), t.held(s.round)}
}

// reduce returns p = eʳ − 1 and scale = 2ᵏ of e^w = 2ᵏ eʳ; low, where it is not nil, is
// a vector of which half is taken from r.
func (e exponential) reduce(w, low reg.VecVirtual) (p, scale reg.VecVirtual) {
	shifted, k, r := e.vec(), e.vec(), e.vec()
	e.move(w, shifted)
	e.fmaTo(e.rounder, e.log2e, shifted)
	e.sub(e.rounder, shifted, k)
	e.move(w, r)
	e.fnma(e.constant(e.ln2Hi), k, r)
	e.fnma(e.constant(e.ln2Lo), k, r)
	if low != nil {
		e.fma(e.constant(-0.5), low, r)
	}
	q, square := e.horner(e.exp, r), e.vec()
	e.mul(r, r, square)
	e.fmaTo(r, square, q)
	scale = e.vec()
	bias := e.bits(e.bias << e.exponent)
	if e.double {
		VPSLLQ(Imm(e.exponent), shifted, scale)
		VPADDQ(bias, scale, scale)
	} else {
		VPSLLD(Imm(e.exponent), shifted, scale)
		VPADDD(bias, scale, scale)
	}
	return q, scale
}

func (t target) tanh() {
	t.activation("tanh", func() func(reg.VecVirtual) (reg.VecVirtual, reg.VecVirtual) {
		exp := t.exponential()
		bound := coef.Tanh64
		if !t.double {
			bound = coef.Tanh32
		}
		one, two, limit := t.held(1), t.held(2), t.held(bound)
		return func(x reg.VecVirtual) (reg.VecVirtual, reg.VecVirtual) {
			w := t.vec()
			t.and(t.bits(t.signMask()-1), x, w)
			t.min(w, limit, w)
			t.add(w, w, w)
			p, scale := exp.reduce(w, nil)
			e, d, q := t.vec(), t.vec(), t.vec()
			t.sub(one, scale, e)
			t.fma(scale, p, e)
			t.add(two, e, d)
			if t.double {
				low, inverse, rest := t.vec(), t.vec(), t.vec()
				t.sub(two, d, low)
				t.sub(low, e, low)
				t.div(d, one, inverse)
				t.mul(e, inverse, q)
				t.move(e, rest)
				t.fnma(q, d, rest)
				t.fnma(q, low, rest)
				t.fma(rest, inverse, q)
			} else {
				t.div(d, e, q)
			}
			sign, slope := t.vec(), t.vec()
			t.and(t.bits(t.signMask()), x, sign)
			t.or(sign, q, q)
			t.move(one, slope)
			t.fnma(q, q, slope)
			return q, slope
		}
	})
}

func (t target) gelu() {
	t.activation("gelu", func() func(reg.VecVirtual) (reg.VecVirtual, reg.VecVirtual) {
		exp := t.exponential()
		bound, above, below := coef.GELU64, coef.MillsP64[:], coef.MillsQ64[:]
		if !t.double {
			bound, above, below = coef.GELU32, widen(coef.MillsP32[:]), widen(coef.MillsQ32[:])
		}
		one, limit, minusLimit := t.held(1), t.held(bound), t.held(-bound)
		return func(x reg.VecVirtual) (reg.VecVirtual, reg.VecVirtual) {
			size, y, half, low := t.vec(), t.vec(), t.vec(), t.vec()
			t.and(t.bits(t.signMask()-1), x, size)
			t.min(size, limit, y)
			t.mul(y, y, half)
			t.move(y, low)
			t.fmsTo(half, y, low)
			t.mul(t.constant(-0.5), half, half)
			p, density := exp.reduce(half, low)
			t.fmaTo(density, density, p) // scale·p + scale
			density = t.zeroBeyond(size, limit, p)

			tail := t.horner(above, y)
			t.div(t.horner(below, y), tail, tail)
			t.mul(density, tail, tail)

			phi, bounded, weight := t.vec(), t.vec(), t.vec()
			t.sub(tail, one, phi)
			phi = t.selectBySign(x, tail, phi)
			t.and(t.bits(t.signMask()), x, weight)
			t.or(weight, y, weight)
			t.mul(t.constant(coef.InvSqrt2Pi), weight, weight)
			t.max(x, minusLimit, bounded)
			t.mul(phi, bounded, bounded)
			t.fmaTo(phi, density, weight)
			return bounded, weight
		}
	})
}

// zeroBeyond returns v with 0 where size > limit; a NaN keeps v.
func (t target) zeroBeyond(size, limit, v reg.VecVirtual) reg.VecVirtual {
	const greater, notGreater = 0x1e, 0x1a // GT_OQ, NGT_UQ
	out := t.vec()
	if t.zmm {
		keep := K()
		t.pick(VCMPPS, VCMPPD)(Imm(notGreater), limit, size, keep)
		if t.double {
			VMOVAPD_Z(v, keep, out)
		} else {
			VMOVAPS_Z(v, keep, out)
		}
		return out
	}
	t.pick(VCMPPS, VCMPPD)(Imm(greater), limit, size, out)
	t.pick(VANDNPS, VANDNPD)(v, out, out)
	return out
}

// selectBySign returns negative where the sign bit of x is set, positive elsewhere.
func (t target) selectBySign(x, negative, positive reg.VecVirtual) reg.VecVirtual {
	out := t.vec()
	switch {
	case t.zmm && t.double:
		VPSRAQ(Imm(63), x, out)
		VPTERNLOGQ(Imm(0xca), positive, negative, out)
	case t.zmm:
		VPSRAD(Imm(31), x, out)
		VPTERNLOGD(Imm(0xca), positive, negative, out)
	case t.double:
		VBLENDVPD(x, negative, positive, out)
	default:
		VBLENDVPS(x, negative, positive, out)
	}
	return out
}
