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
	for rows := mostChained; rows > 1; rows-- {
		CMPQ(d, Imm(uint64(rows)))
		JEQ(LabelRef(fmt.Sprintf("rows%d", rows)))
	}
	for rows := 1; rows <= mostChained; rows++ {
		Label(fmt.Sprintf("rows%d", rows))
		p.chained(fmt.Sprintf("rows%d_loop", rows), rows, s, w, h, d)
		JMP(LabelRef("activate"))
	}

	Label("activate")
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
