package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// block is a register block: rows of C times vectors of columns. The lanes of the
// last vector are masked where masked is set.
type block struct {
	rows, vectors int
	masked        bool
}

// product emits c[i,s] = start + Σ_j a(i,j) b[j,s] by register blocks, j in order.
//
// All strides are in bytes: a(i,j) is at a + i·lda + j·ka, b[j,·] at b + j·ldb,
// c[i,·] at c + i·ldc. mode is the start: 0 for zero, 1 for bias[i], 2 for the old c.
//
// AVX2 has no fast masked store. A last vector that would hang over the edge is
// moved left onto columns of the vector beside it in the same block: both start
// from the old c, compute the same bits, and are stored after both were loaded.
// That takes cols ≥ lanes; for fewer there are masked blocks.
func (t target) product() {
	t.function("product", "computes c[i,s] = start + Σ_j a(i,j) b[j,s], j in order; see product.go of the generator.",
		"func(c, a, b, bias *%s, rows, k, cols, lda, ka, ldb, ldc, mode int)")
	p := &productWriter{target: t, a: param("a"), lda: param("lda"), ldb: param("ldb"), ka: param("ka"), rows: slot("rows")}
	p.lda3, p.lda5 = GP64(), GP64()
	p.multiply()
	cols := param("cols")
	if t.zmm {
		p.tail = K()
		shift, ones := GP64(), GP64()
		MOVQ(cols, shift)
		ANDQ(Imm(uint64(t.lanes()-1)), shift)
		MOVQ(U32(1), ones)
		SHLXQ(shift, ones, ones)
		DECQ(ones)
		KMOVW(ones.As32(), p.tail)
		p.rowBlocks("wide", 12, 0)
		VZEROUPPER()
		RET()
		return
	}
	CMPQ(cols, Imm(uint64(t.lanes())))
	JE(LabelRef("narrow"))
	JLT(LabelRef("masked"))
	p.rowBlocks("wide", 6, 0)
	VZEROUPPER()
	RET()
	Label("narrow")
	p.rowBlocks("narrow", 12, 1)
	VZEROUPPER()
	RET()
	Label("masked")
	p.lanemask = t.vec()
	index := GP64()
	LEAQ(t.maskTable(), index)
	MOVQ(slot("cols"), cols)
	SHLQ(Imm(uint64(log2(t.size()))), cols)
	SUBQ(cols, index)
	VMOVUPS(Mem{Base: index, Disp: t.width()}, p.lanemask)
	p.rowBlocks("masked", 6, 1)
	VZEROUPPER()
	RET()
}

// maskTable is a vector of ones followed by a vector of zeros: read n elements
// before the zeros, it masks the first n lanes.
func (t target) maskTable() Mem {
	const name = "firstlanes"
	if m, ok := constants[name]; ok {
		return m
	}
	m := GLOBL(name, attr.RODATA|attr.NOPTR)
	for offset := 0; offset < 64; offset += 8 {
		if offset < 32 {
			DATA(offset, U64(^uint64(0)))
		} else {
			DATA(offset, U64(0))
		}
	}
	constants[name] = m
	return m
}

func log2(n int) (k int) {
	for ; n > 1; n /= 2 {
		k++
	}
	return k
}

// productWriter holds the registers that live through a product.
type productWriter struct {
	target
	a                        reg.GPVirtual // first row of the row block
	lda, lda3, lda5, ldb, ka reg.GPVirtual
	rows                     Mem // rows that remain, in the parameter's place
	tail                     reg.OpmaskVirtual
	lanemask                 reg.VecVirtual
}

// multiply sets lda3 and lda5 from lda.
func (p *productWriter) multiply() {
	LEAQ(Mem{Base: p.lda, Index: p.lda, Scale: 2}, p.lda3)
	LEAQ(Mem{Base: p.lda, Index: p.lda, Scale: 4}, p.lda5)
}

// rowBlocks emits the loop over blocks of at most most rows, each over all columns.
// Rows beyond a multiple of most are split evenly, so that no block is too thin to
// hide the latency of its chains. fixed is the number of vectors, 0 where it varies.
func (p *productWriter) rowBlocks(label string, most, fixed int) {
	next, done := label+"_next", label+"_done"
	Label(next)
	left := GP64()
	MOVQ(p.rows, left)
	CMPQ(left, Imm(0))
	JLE(LabelRef(done))
	CMPQ(left, Imm(uint64(2*most)))
	JGE(LabelRef(fmt.Sprintf("%s_rows%d", label, most)))
	CMPQ(left, Imm(uint64(most)))
	JLE(LabelRef(label + "_few"))
	INCQ(left)
	SHRQ(Imm(1), left)
	Label(label + "_few")
	for r := most; r > 1; r-- {
		CMPQ(left, Imm(uint64(r)))
		JE(LabelRef(fmt.Sprintf("%s_rows%d", label, r)))
	}
	for r := 1; r <= most; r++ {
		Label(fmt.Sprintf("%s_rows%d", label, r))
		p.columns(fmt.Sprintf("%s%d", label, r), r, fixed)
		p.advance(r)
		JMP(LabelRef(next))
	}
	Label(done)
}

// advance moves on by r rows.
func (p *productWriter) advance(r int) {
	step := GP64()
	IMUL3Q(U32(r), p.lda, step)
	ADDQ(step, p.a)
	MOVQ(slot("ldc"), step)
	IMUL3Q(U32(r), step, step)
	ADDQ(step, slot("c"))
	ADDQ(Imm(uint64(r*p.size())), slot("bias"))
	SUBQ(Imm(uint64(r)), p.rows)
}

// columns emits the loop over the columns of r rows.
func (p *productWriter) columns(label string, r, fixed int) {
	x := GP64() // byte offset of the column
	XORQ(x, x)
	second := GP64() // byte offset of the second vector from the first
	if fixed == 1 {
		p.block(label, block{r, 1, p.lanemask != nil}, x, second)
		return
	}
	size, lanes := p.size(), p.lanes()
	left := GP64()
	MOVQ(slot("cols"), left)
	loop, two, one, edge, end := label+"_columns", label+"_two", label+"_one", label+"_edge", label+"_end"
	Label(loop)
	CMPQ(left, Imm(uint64(2*lanes)))
	JLT(LabelRef(edge))
	if !p.zmm {
		JE(LabelRef(two))
		CMPQ(left, Imm(uint64(3*lanes)))
		JLT(LabelRef(one))
	}
	Label(two)
	MOVQ(U32(p.width()), second)
	p.block(label+"_full2", block{r, 2, false}, x, second)
	ADDQ(Imm(uint64(2*p.width())), x)
	SUBQ(Imm(uint64(2*lanes)), left)
	JMP(LabelRef(loop))
	Label(edge)
	CMPQ(left, Imm(uint64(lanes)))
	if p.zmm {
		JE(LabelRef(one))
		JLT(LabelRef(label + "_thin"))
		MOVQ(U32(p.width()), second)
		p.block(label+"_tail2", block{r, 2, true}, x, second)
		JMP(LabelRef(end))
		Label(label + "_thin")
		CMPQ(left, Imm(0))
		JE(LabelRef(end))
		p.block(label+"_tail1", block{r, 1, true}, x, second)
		JMP(LabelRef(end))
		Label(one)
		p.block(label+"_full1", block{r, 1, false}, x, second)
		Label(end)
		return
	}
	JE(LabelRef(one))
	JLT(LabelRef(end))
	// lanes < left < 2·lanes: the second vector ends at the last column.
	LEAQ(Mem{Base: left, Disp: -lanes}, second)
	SHLQ(Imm(uint64(log2(size))), second)
	SUBQ(Imm(uint64(2*lanes)), left) // ends the loop after this block
	p.block(label+"_over2", block{r, 2, false}, x, second)
	JMP(LabelRef(end))
	Label(one)
	p.block(label+"_full1", block{r, 1, false}, x, second)
	ADDQ(Imm(uint64(p.width())), x)
	SUBQ(Imm(uint64(lanes)), left)
	JMP(LabelRef(loop))
	Label(end)
}

// row returns the address of a(i, ·) for the pointers to rows 0 and 6 of a block.
func (p *productWriter) row(base, six reg.GPVirtual, i int) Mem {
	if i >= 6 {
		base, i = six, i-6
	}
	switch i {
	case 0:
		return Mem{Base: base}
	case 3:
		return Mem{Base: base, Index: p.lda3, Scale: 1}
	case 5:
		return Mem{Base: base, Index: p.lda5, Scale: 1}
	}
	return Mem{Base: base, Index: p.lda, Scale: uint8(i)}
}

// block emits one register block at byte offset x of the columns.
func (p *productWriter) block(label string, b block, x, second reg.GPVirtual) {
	acc := p.vecs(b.rows * b.vectors)
	at := func(base reg.GPVirtual, v int) Mem {
		if v == 0 {
			return Mem{Base: base}
		}
		return Mem{Base: base, Index: second, Scale: 1}
	}
	masked := func(v int) bool { return b.masked && v == b.vectors-1 }
	load := func(m Mem, v int, d reg.VecVirtual) {
		switch {
		case !masked(v):
			p.load(m, d)
		case p.zmm && p.double:
			VMOVUPD_Z(m, p.tail, d)
		case p.zmm:
			VMOVUPS_Z(m, p.tail, d)
		case p.double:
			VMASKMOVPD(m, p.lanemask, d)
		default:
			VMASKMOVPS(m, p.lanemask, d)
		}
	}
	store := func(v int, s reg.VecVirtual, m Mem) {
		switch {
		case !masked(v):
			p.store(s, m)
		case p.zmm:
			p.pick(VMOVUPS, VMOVUPD)(s, p.tail, m)
		case p.double:
			VMASKMOVPD(s, p.lanemask, m)
		default:
			VMASKMOVPS(s, p.lanemask, m)
		}
	}
	// eachRow calls f with the address of every vector of C.
	eachRow := func(f func(i, v int, m Mem)) {
		pointer, ldc := GP64(), GP64()
		MOVQ(slot("c"), pointer)
		ADDQ(x, pointer)
		MOVQ(slot("ldc"), ldc)
		for i := range b.rows {
			for v := range b.vectors {
				f(i, v, at(pointer, v))
			}
			if i+1 < b.rows {
				ADDQ(ldc, pointer)
			}
		}
	}

	bias, old, start := label+"_bias", label+"_old", label+"_start"
	CMPQ(slot("mode"), Imm(1))
	JE(LabelRef(bias))
	JGT(LabelRef(old))
	for _, v := range acc {
		p.zero(v)
	}
	JMP(LabelRef(start))
	Label(bias)
	pointer := param("bias")
	for i := range b.rows {
		p.broadcast(Mem{Base: pointer, Disp: i * p.size()}, acc[i*b.vectors])
		if b.vectors == 2 {
			p.move(acc[2*i], acc[2*i+1])
		}
	}
	JMP(LabelRef(start))
	Label(old)
	eachRow(func(i, v int, m Mem) { load(m, v, acc[i*b.vectors+v]) })
	Label(start)

	a, six := GP64(), GP64()
	MOVQ(p.a, a)
	if b.rows > 6 {
		LEAQ(Mem{Base: p.a, Index: p.lda3, Scale: 2}, six)
	}
	source := param("b")
	ADDQ(x, source)
	count := param("k")
	h := p.vecs(b.vectors)
	w := p.vec()
	loop := label + "_loop"
	Label(loop)
	for v := range h {
		load(at(source, v), v, h[v])
	}
	for i := range b.rows {
		m := p.row(a, six, i)
		if p.zmm && b.vectors == 1 {
			p.fmaScalar(m, h[0], acc[i])
			continue
		}
		p.broadcast(m, w)
		for v := range h {
			p.fma(h[v], w, acc[i*b.vectors+v])
		}
	}
	ADDQ(p.ldb, source)
	ADDQ(p.ka, a)
	if b.rows > 6 {
		ADDQ(p.ka, six)
	}
	DECQ(count)
	JNE(LabelRef(loop))

	eachRow(func(i, v int, m Mem) { store(v, acc[i*b.vectors+v], m) })
}
