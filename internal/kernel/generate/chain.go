package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// mostChained is the most rows of tanhLayers: as many as there are registers for.
const mostChained = 12

// tanhLayers emits the way of 8 columns through several layers of d ≤ 12 rows, where a row
// is one vector: s = tanh(W h), next = a·s + h, which is the h of the layer after. A layer's
// W are the d² entries behind those of the one before; next and s advance by their
// steps, in bytes. A layer takes about as long as the calls that it would take otherwise.
func (t target) tanhLayers() {
	if t.lanes() != 8 {
		return
	}
	t.function("tanhLayers", "computes s = tanh(W h), next = a·s + h and goes on with h = next, for 8 columns, d ≤ 12 rows and layers ≥ 1.",
		"func(next, s, w, h *%[1]s, a %[1]s, d, layers, nextStep, sStep int)")
	next, s, w, h, d := param("next"), param("s"), param("w"), param("h"), param("d")
	a := t.vec()
	t.broadcast(slot("a"), a)
	held := map[lanes]reg.VecVirtual{}
	if t.zmm {
		all := group{t, 1, held}
		all.hold(tanh.constants(all)...)
	}
	p := &productWriter{target: t, lda: GP64(), lda3: GP64(), lda5: GP64()}
	MOVQ(d, p.lda)
	SHLQ(Imm(uint64(log2(t.size()))), p.lda)
	LEAQ(Mem{Base: p.lda, Index: p.lda, Scale: 2}, p.lda3)
	LEAQ(Mem{Base: p.lda, Index: p.lda, Scale: 4}, p.lda5)

	Label("layer")
	byRows(d, func(label string, rows int) { p.chained(label, rows, s, w, h, d) })
	i, left := GP64(), GP64()
	XORQ(i, i)
	MOVQ(d, left)
	for count := 2; count > 0; count-- {
		g := group{t, count, held}
		at := func(base reg.GPVirtual) []Mem {
			m := make([]Mem, count)
			for v := range m {
				m[v] = Mem{Base: base, Index: i, Scale: 1, Disp: v * t.width()}
			}
			return m
		}
		loop, done := fmt.Sprintf("activate%d", count), fmt.Sprintf("activated%d", count)
		SUBQ(Imm(uint64(count)), left)
		JLT(LabelRef(done))
		Label(loop)
		value := tanh.value(g, at(s))
		g.each(t.pick(VMOVUPS, VMOVUPD), value, at(s))
		for v, m := range at(h) {
			t.fmaTo(m, a, value[v])
		}
		g.each(t.pick(VMOVUPS, VMOVUPD), value, at(next))
		ADDQ(Imm(uint64(count*t.width())), i)
		SUBQ(Imm(uint64(count)), left)
		JGE(LabelRef(loop))
		Label(done)
		ADDQ(Imm(uint64(count)), left)
	}

	weights := GP64()
	MOVQ(p.lda, weights)
	IMULQ(d, weights)
	ADDQ(weights, w)
	MOVQ(next, h)
	ADDQ(slot("nextStep"), next)
	ADDQ(slot("sStep"), s)
	DECQ(slot("layers"))
	JNE(LabelRef("layer"))
	VZEROUPPER()
	RET()
}

// byRows emits a block of code for each number of rows, one of which is run.
func byRows(d reg.GPVirtual, block func(label string, rows int)) {
	for rows := mostChained; rows > 1; rows-- {
		CMPQ(d, Imm(uint64(rows)))
		JEQ(LabelRef(fmt.Sprintf("rows%d", rows)))
	}
	for rows := 1; rows <= mostChained; rows++ {
		Label(fmt.Sprintf("rows%d", rows))
		block(fmt.Sprintf("rows%d_loop", rows), rows)
		JMP(LabelRef("after"))
	}
	Label("after")
}

// tanhAdjoints emits the way back of the adjoint p of 8 columns through such layers, from the
// last to the first: e = (a·p)·(1 − s²), p += Wᵀ e. e, w and s point to the last layer.
func (t target) tanhAdjoints() {
	if t.lanes() != 8 {
		return
	}
	t.function("tanhAdjoints", "computes e = (a·p)·(1 − s²), p += Wᵀ e and goes on with the layer before, for 8 columns, d ≤ 12 rows and layers ≥ 1.",
		"func(e, p, w, s *%[1]s, a %[1]s, d, layers int)")
	e, p, w, s, d := param("e"), param("p"), param("w"), param("s"), param("d")
	g := group{target: t, count: 1}
	a, one := t.vec(), t.vec()
	t.broadcast(slot("a"), a)
	t.load(t.bits(uint64(g.value(1))), one)
	lda, tile, weights := GP64(), GP64(), GP64()
	MOVQ(d, lda)
	SHLQ(Imm(uint64(log2(t.size()))), lda)
	MOVQ(d, tile)
	SHLQ(Imm(uint64(log2(t.width()))), tile)
	MOVQ(lda, weights)
	IMULQ(d, weights)

	Label("layer")
	i := GP64()
	XORQ(i, i)
	Label("slope")
	at := func(base reg.GPVirtual) Mem { return Mem{Base: base, Index: i, Scale: 1} }
	v, value, slope := t.vec(), t.vec(), t.vec()
	t.mul(at(p), a, v)
	t.load(at(s), value)
	t.move(one, slope)
	t.pick(VFNMADD231PS, VFNMADD231PD)(value, value, slope)
	t.mul(slope, v, v)
	t.store(v, at(e))
	ADDQ(Imm(uint64(t.width())), i)
	CMPQ(i, tile)
	JLT(LabelRef("slope"))

	byRows(d, func(label string, rows int) { t.transposed(label, rows, p, w, e, d, lda) })
	SUBQ(tile, e)
	SUBQ(tile, s)
	SUBQ(weights, w)
	DECQ(slot("layers"))
	JNE(LabelRef("layer"))
	VZEROUPPER()
	RET()
}

// transposed emits p += Wᵀ e for that many rows of one vector, i in order.
func (t target) transposed(label string, rows int, p, w, e, d, lda reg.GPVirtual) {
	acc := t.vecs(rows)
	for j, v := range acc {
		t.load(Mem{Base: p, Disp: j * t.width()}, v)
	}
	a, source, count := GP64(), GP64(), GP64()
	MOVQ(w, a)
	MOVQ(e, source)
	MOVQ(d, count)
	column, weight := t.vec(), t.vec()
	Label(label)
	t.load(Mem{Base: source}, column)
	for j, v := range acc {
		m := Mem{Base: a, Disp: j * t.size()}
		if t.zmm {
			t.fmaScalar(m, column, v)
			continue
		}
		t.broadcast(m, weight)
		t.fma(column, weight, v)
	}
	ADDQ(Imm(uint64(t.width())), source)
	ADDQ(lda, a)
	DECQ(count)
	JNE(LabelRef(label))
	for j, v := range acc {
		t.store(v, Mem{Base: p, Disp: j * t.width()})
	}
}

// chained emits z = W h for that many rows of one vector, j in order.
func (p *productWriter) chained(label string, rows int, z, w, h, d reg.GPVirtual) {
	acc := p.vecs(rows)
	for _, v := range acc {
		p.zero(v)
	}
	a, six, source, count := GP64(), GP64(), GP64(), GP64()
	MOVQ(w, a)
	if rows > 6 {
		LEAQ(Mem{Base: w, Index: p.lda3, Scale: 2}, six)
	}
	MOVQ(h, source)
	MOVQ(d, count)
	column, weight := p.vec(), p.vec()
	Label(label)
	p.load(Mem{Base: source}, column)
	for i, v := range acc {
		m := p.row(a, six, i)
		if p.zmm {
			p.fmaScalar(m, column, v)
			continue
		}
		p.broadcast(m, weight)
		p.fma(column, weight, v)
	}
	ADDQ(Imm(uint64(p.width())), source)
	ADDQ(Imm(uint64(p.size())), a)
	if rows > 6 {
		ADDQ(Imm(uint64(p.size())), six)
	}
	DECQ(count)
	JNE(LabelRef(label))
	for i, v := range acc {
		p.store(v, Mem{Base: z, Disp: i * p.width()})
	}
}
