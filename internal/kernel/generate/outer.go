package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// interleavedOuter emits g[i,j] += Σ_s e[i,s] h[j,s] with a cache line of interleaved
// chains for each entry: the lanes run over s, so that nothing is transposed and no lane
// is idle where c is no multiple of the lanes. The price is a sum over the lanes for
// each entry, which runs beside the multiply-adds of the next ones.
//
// An entry of a block takes 64 bytes of registers: with AVX-512 that leaves 2 rows of at most
// 10 columns, with AVX2 2 rows of at most 3.
func (t target) interleavedOuter() {
	t.function("interleavedOuter", "computes g[i,j] += Σ_s e[i,s] h[j,s] in 64/size interleaved chains of s; n is a multiple of 8.",
		"func(sums, e, h *%[1]s, r, c, n int)")
	o := &outerWriter{productWriter: productWriter{target: t, lda: GP64(), lda3: GP64(), lda5: GP64()}, chains: 64 / t.size()}
	most := 3
	if t.zmm {
		most = 10
		o.tail = K()
		half := GP32()
		MOVL(U32(1<<8-1), half)
		KMOVW(half, o.tail)
	}
	o.g, o.h = param("sums"), param("h")
	n := param("n")
	MOVQ(n, o.lda)
	SHLQ(Imm(uint64(log2(t.size()))), o.lda)
	o.multiply()
	left := param("c")
	Label("columns")
	// Columns that remain beyond a block are split evenly.
	width, even := GP64(), GP64()
	MOVQ(left, width)
	if t.zmm {
		CMPQ(left, Imm(uint64(most)))
		JLE(LabelRef("chosen"))
		LEAQ(Mem{Base: left, Disp: 1}, width)
		SHRQ(Imm(1), width)
	}
	Label("chosen")
	MOVQ(U32(most), even)
	CMPQ(width, even)
	CMOVQGT(even, width)
	SUBQ(width, left)
	choose(width, "columns", most, "next", func(label string, columns int) {
		o.rowsOf(label, columns)
		skip := GP64()
		IMUL3Q(U32(columns), o.lda, skip)
		ADDQ(skip, o.h)
		ADDQ(Imm(uint64(columns*t.size())), o.g)
	})
	TESTQ(left, left)
	JNE(LabelRef("columns"))
	VZEROUPPER()
	RET()
}

// outerWriter holds the registers that live through interleavedOuter; lda is the bytes
// of a row of e and h.
type outerWriter struct {
	productWriter
	chains int
	g, h   reg.GPVirtual // column block of the first row of g, first row of h
}

// rowsOf emits the loop over the rows of one block of columns.
func (o *outerWriter) rowsOf(label string, columns int) {
	rows, g, e, ldg := param("r"), GP64(), param("e"), param("c")
	MOVQ(o.g, g)
	SHLQ(Imm(uint64(log2(o.size()))), ldg)
	pair, one, done := label+"_pair", label+"_one", label+"_done"
	Label(pair)
	CMPQ(rows, Imm(2))
	JLT(LabelRef(one))
	o.entries(pair, 2, columns, g, e, ldg)
	LEAQ(Mem{Base: g, Index: ldg, Scale: 2}, g)
	LEAQ(Mem{Base: e, Index: o.lda, Scale: 2}, e)
	SUBQ(Imm(2), rows)
	JMP(LabelRef(pair))
	Label(one)
	TESTQ(rows, rows)
	JEQ(LabelRef(done))
	o.entries(one, 1, columns, g, e, ldg)
	Label(done)
}

// entries emits one block of g.
func (o *outerWriter) entries(label string, rows, columns int, g, e, ldg reg.GPVirtual) {
	parts := o.chains / o.lanes() // vectors of an entry
	acc := make([][]reg.VecVirtual, rows*columns)
	for i := range acc {
		acc[i] = o.vecs(parts)
		for _, v := range acc[i] {
			o.zero(v)
		}
	}
	row, column, six, left := GP64(), GP64(), GP64(), GP64()
	MOVQ(e, row)
	MOVQ(o.h, column)
	if columns > 6 {
		LEAQ(Mem{Base: column, Index: o.lda3, Scale: 2}, six)
	}
	MOVQ(slot("n"), left)
	x, y := o.vecs(rows), o.vec()
	step := func(part int, load func(m Mem, v reg.VecVirtual)) {
		at := func(m Mem) Mem {
			m.Disp += part * o.width()
			return m
		}
		for i, v := range x {
			load(at(o.row(row, row, i)), v)
		}
		for j := range columns {
			load(at(o.row(column, six, j)), y)
			for i, v := range x {
				o.fma(y, v, acc[i*columns+j][part])
			}
		}
	}
	whole := func(m Mem, v reg.VecVirtual) { o.load(m, v) }
	loop, half, sum := label+"_loop", label+"_half", label+"_sum"
	if !o.double { // 8 floats are half the chains
		SUBQ(Imm(uint64(o.chains)), left)
		JLT(LabelRef(half))
	}
	Label(loop)
	for part := range parts {
		step(part, whole)
	}
	for _, pointer := range []reg.GPVirtual{row, column, six} {
		if pointer != six || columns > 6 {
			ADDQ(Imm(64), pointer)
		}
	}
	SUBQ(Imm(uint64(o.chains)), left)
	if o.double {
		JNE(LabelRef(loop))
	} else {
		JGE(LabelRef(loop))
		Label(half)
		ADDQ(Imm(uint64(o.chains)), left)
		JEQ(LabelRef(sum))
		if o.zmm {
			step(0, func(m Mem, v reg.VecVirtual) { VMOVUPS_Z(m, o.tail, v) })
		} else {
			step(0, whole)
		}
		Label(sum)
	}
	to := GP64()
	MOVQ(g, to)
	for i := range rows {
		if i > 0 {
			ADDQ(ldg, to)
		}
		o.addSums(to, acc[i*columns:(i+1)*columns])
	}
}

// addSums adds the sum of each entry's chains to consecutive elements of g.
func (o *outerWriter) addSums(g reg.GPVirtual, entries [][]reg.VecVirtual) {
	if !o.zmm {
		for j, chains := range entries {
			sum, m := o.fold(chains), Mem{Base: g, Disp: j * o.size()}
			if o.double {
				VADDSD(m, sum, sum)
				VMOVSD(sum, m)
			} else {
				VADDSS(m, sum, sum)
				VMOVSS(sum, m)
			}
		}
		return
	}
	for first := 0; first < len(entries); first += o.lanes() {
		last := min(first+o.lanes(), len(entries))
		v := make([]reg.VecVirtual, last-first)
		for i := range v {
			v[i] = entries[first+i][0]
		}
		sums, mask, bits := o.foldAll(v), K(), GP32()
		MOVL(U32(1<<len(v)-1), bits)
		KMOVW(bits, mask)
		m, old := Mem{Base: g, Disp: first * o.size()}, o.vec()
		o.pick(func(op ...Op) { VMOVUPS_Z(op[0], op[1], op[2]) }, func(op ...Op) { VMOVUPD_Z(op[0], op[1], op[2]) })(m, mask, old)
		o.add(old, sums, sums)
		o.pick(VMOVUPS, VMOVUPD)(sums, mask, m)
	}
}

// foldAll emits the trees over the chains of up to as many vectors as a vector has lanes and
// returns one vector: lane q holds the sum of v[q]. Each level adds one half of the
// chains of two vectors to the other, chain i to chain i + half, and leaves both in one.
func (o *outerWriter) foldAll(v []reg.VecVirtual) reg.VecVirtual {
	// distance is how far apart in v the vectors are that a level joins: after the level
	// over halves and that over quarters, a quarter of the result is a vector's; then
	// the levels within quarters follow.
	type level struct {
		distance  int
		low, high uint64
		shuffle   emit
	}
	across := func(op ...Op) { VSHUFF64X2(op[0], op[1], op[2], op[3]) }
	levels := []level{{4, 0x44, 0xee, across}, {8, 0x88, 0xdd, across}, {1, 0x44, 0xee, shufflePS}, {2, 0x88, 0xdd, shufflePS}}
	if o.double {
		levels = []level{{2, 0x44, 0xee, across}, {4, 0x88, 0xdd, across}, {1, 0x00, 0xff, shufflePD}}
	}
	at := make([]reg.VecVirtual, o.lanes())
	copy(at, v)
	for _, l := range levels {
		for q := range at {
			if q&l.distance != 0 || at[q] == nil && at[q|l.distance] == nil {
				continue
			}
			a, b := at[q], at[q|l.distance]
			if b == nil {
				b = a
			}
			low, high := o.vec(), o.vec()
			l.shuffle(Imm(l.low), b, a, low)
			l.shuffle(Imm(l.high), b, a, high)
			o.add(high, low, low)
			at[q], at[q|l.distance] = low, nil
		}
	}
	return at[0]
}

func shufflePS(op ...Op) { VSHUFPS(op[0], op[1], op[2], op[3]) }
func shufflePD(op ...Op) { VSHUFPD(op[0], op[1], op[2], op[3]) }
