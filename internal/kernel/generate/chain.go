package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// mostChained is the most rows of tanhLayers: as many as AVX2 has registers for.
const mostChained = 12

// tanhLayers emits the way of a tile through several layers of d ≤ 12 rows of ld bytes, whole
// vectors: s = tanh(W h), next = a·s + h, which is the h of the layer after. A layer's
// W are the d² entries behind those of the one before; next and s advance by their
// steps, in bytes.
//
// Where narrow is set a row is one vector, whatever ld: then all offsets are constants, which
// counts, as so narrow a tile has nothing else to do while it waits for an address.
func (t target) tanhLayers(narrow bool) {
	t.function(chainName("tanhLayers", narrow), "computes s = tanh(W h), next = a·s + h and goes on with h = next, for d ≤ 12 rows of ld bytes, whole vectors, and layers ≥ 1.",
		"func(next, s, w, h *%[1]s, a %[1]s, d, ld, layers, nextStep, sStep int)")
	next, s, w, h := param("next"), param("s"), param("w"), param("h")
	a := t.vec()
	t.broadcast(slot("a"), a)
	held := map[lanes]reg.VecVirtual{}
	if t.zmm {
		all := group{t, 1, held}
		all.hold(tanh.constants(all)...)
	}
	p := &productWriter{target: t, lda: param("d"), lda3: GP64(), lda5: GP64()}
	SHLQ(Imm(uint64(log2(t.size()))), p.lda)
	p.multiply()

	Label("layer")
	byRows(func(label string, rows int) {
		t.byVectors(label, narrow, func(label string, x reg.Register) { p.chained(label, rows, x, s, w, h) })
	})
	i, left := GP64(), GP64()
	XORQ(i, i)
	MOVQ(slot("d"), left)
	IMULQ(slot("ld"), left)
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
		SUBQ(Imm(uint64(count*t.width())), left)
		JLT(LabelRef(done))
		Label(loop)
		value := tanh.value(g, at(s))
		g.each(t.pick(VMOVUPS, VMOVUPD), value, at(s))
		for v, m := range at(h) {
			t.fmaTo(m, a, value[v])
		}
		g.each(t.pick(VMOVUPS, VMOVUPD), value, at(next))
		ADDQ(Imm(uint64(count*t.width())), i)
		SUBQ(Imm(uint64(count*t.width())), left)
		JGE(LabelRef(loop))
		Label(done)
		ADDQ(Imm(uint64(count*t.width())), left)
	}

	weights := GP64()
	MOVQ(p.lda, weights)
	IMULQ(slot("d"), weights)
	ADDQ(weights, w)
	MOVQ(next, h)
	ADDQ(slot("nextStep"), next)
	ADDQ(slot("sStep"), s)
	DECQ(slot("layers"))
	JNE(LabelRef("layer"))
	VZEROUPPER()
	RET()
}

// chainName returns the name of a function for rows of any or of one vector.
func chainName(name string, narrow bool) string {
	if narrow {
		return name + "Narrow"
	}
	return name
}

// byRows emits a block of code for each number of rows, d of which is run.
func byRows(block func(label string, rows int)) {
	d := GP64()
	MOVQ(slot("d"), d)
	choose(d, "rows", mostChained, "after", block)
}

// choose emits a block of code for each number from 1 to most, that of value being run, and
// the label after, where they meet.
func choose(value reg.GPVirtual, name string, most int, after string, block func(label string, number int)) {
	label := func(number int) string { return fmt.Sprintf("%s%d", name, number) }
	for number := most; number > 1; number-- {
		CMPQ(value, Imm(uint64(number)))
		JEQ(LabelRef(label(number)))
	}
	for number := 1; number <= most; number++ {
		Label(label(number))
		block(label(number), number)
		JMP(LabelRef(after))
	}
	Label(after)
}

// byVectors emits a loop over the vectors of a row of ld bytes; x is the byte offset, nil
// for the only vector.
func (t target) byVectors(label string, narrow bool, block func(label string, x reg.Register)) {
	if narrow {
		block(label+"_loop", nil)
		return
	}
	x := GP64()
	XORQ(x, x)
	Label(label + "_vector")
	block(label+"_loop", x)
	ADDQ(Imm(uint64(t.width())), x)
	CMPQ(x, slot("ld"))
	JLT(LabelRef(label + "_vector"))
}

// start points to the vector at x of the first row, nextRow to that of the next.
func (t target) start(base reg.GPVirtual, x reg.Register, pointer reg.GPVirtual) {
	if x == nil {
		MOVQ(base, pointer)
		return
	}
	LEAQ(Mem{Base: base, Index: x, Scale: 1}, pointer)
}

func (t target) nextRow(x reg.Register, pointer reg.GPVirtual) {
	if x == nil {
		ADDQ(Imm(uint64(t.width())), pointer)
		return
	}
	ADDQ(slot("ld"), pointer)
}

// eachRow calls f with the address of the vector at x of each row.
func (t target) eachRow(base reg.GPVirtual, x reg.Register, rows int, f func(i int, m Mem)) {
	if x == nil {
		for i := range rows {
			f(i, Mem{Base: base, Disp: i * t.width()})
		}
		return
	}
	pointer := GP64()
	t.start(base, x, pointer)
	for i := range rows {
		f(i, Mem{Base: pointer})
		if i+1 < rows {
			t.nextRow(x, pointer)
		}
	}
}

// tanhAdjoints emits the way back of the adjoint p of a tile through such layers, from the
// last to the first: e = (a·p)·(1 − s²), p += Wᵀ e. e, w and s point to the last layer.
func (t target) tanhAdjoints(narrow bool) {
	t.function(chainName("tanhAdjoints", narrow), "computes e = (a·p)·(1 − s²), p += Wᵀ e and goes on with the layer before, for d ≤ 12 rows of ld bytes, whole vectors, and layers ≥ 1.",
		"func(e, p, w, s *%[1]s, a %[1]s, d, ld, layers int)")
	e, p, w, s := param("e"), param("p"), param("w"), param("s")
	g := group{target: t, count: 1}
	a, one := t.vec(), t.vec()
	t.broadcast(slot("a"), a)
	t.load(t.bits(uint64(g.value(1))), one)
	lda, tile := param("d"), param("d")
	SHLQ(Imm(uint64(log2(t.size()))), lda)
	IMULQ(slot("ld"), tile)

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

	byRows(func(label string, rows int) {
		t.byVectors(label, narrow, func(label string, x reg.Register) { t.transposed(label, rows, x, p, w, e, lda) })
	})
	weights := GP64()
	MOVQ(lda, weights)
	IMULQ(slot("d"), weights)
	SUBQ(tile, e)
	SUBQ(tile, s)
	SUBQ(weights, w)
	DECQ(slot("layers"))
	JNE(LabelRef("layer"))
	VZEROUPPER()
	RET()
}

// transposed emits p += Wᵀ e for that many rows of the vector at x, i in order.
func (t target) transposed(label string, rows int, x reg.Register, p, w, e, lda reg.GPVirtual) {
	acc := t.vecs(rows)
	t.eachRow(p, x, rows, func(j int, m Mem) { t.load(m, acc[j]) })
	a, source, count := GP64(), GP64(), GP64()
	MOVQ(w, a)
	t.start(e, x, source)
	MOVQ(slot("d"), count)
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
	t.nextRow(x, source)
	ADDQ(lda, a)
	DECQ(count)
	JNE(LabelRef(label))
	t.eachRow(p, x, rows, func(j int, m Mem) { t.store(acc[j], m) })
}

// chained emits z = W h for that many rows of the vector at x, j in order.
func (p *productWriter) chained(label string, rows int, x reg.Register, z, w, h reg.GPVirtual) {
	acc := p.vecs(rows)
	for _, v := range acc {
		p.zero(v)
	}
	a, six, source, count := GP64(), GP64(), GP64(), GP64()
	MOVQ(w, a)
	if rows > 6 {
		LEAQ(Mem{Base: w, Index: p.lda3, Scale: 2}, six)
	}
	p.start(h, x, source)
	MOVQ(slot("d"), count)
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
	p.nextRow(x, source)
	ADDQ(Imm(uint64(p.size())), a)
	if rows > 6 {
		ADDQ(Imm(uint64(p.size())), six)
	}
	DECQ(count)
	JNE(LabelRef(label))
	p.eachRow(z, x, rows, func(i int, m Mem) { p.store(acc[i], m) })
}
