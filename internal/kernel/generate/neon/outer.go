package main

import "fmt"

// interleavedOuter emits g[i,j] += Σ_s e[i,s] h[j,s] with a cache line of interleaved chains for each entry: the lanes run
// over s, so that nothing is transposed and no lane is idle where c is no multiple of the lanes. An entry takes 4
// vectors, so that a block is 2 rows of at most 3 columns.
func (t target) interleavedOuter() {
	t = t.function("interleavedOuter", "computes g[i,j] += Σ_s e[i,s] h[j,s] in 64/size interleaved chains of s; n is a multiple of 8.",
		"func(sums, e, h *T, r, c, n int)")
	o := outerWriter{target: t, g: t.param("sums"), h: t.param("h"), left: t.param("c"), ld: t.param("n"), ldg: t.param("c")}
	t.line("LSL $%d, %s", t.shift(), o.ld)
	t.line("LSL $%d, %s", t.shift(), o.ldg)
	const most = 3
	for columns := most; columns > 0; columns-- {
		block, fewer := fmt.Sprintf("columns%d", columns), fmt.Sprintf("fewer%d", columns)
		t.label(block)
		t.line("CMP $%d, %s", columns, o.left)
		t.jump("BLT", fewer)
		t.scope(func() { o.rowsOf(block, columns) })
		for range columns {
			t.line("ADD %s, %s", o.ld, o.h)
		}
		t.line("ADD $%d, %s", columns*t.size(), o.g)
		t.line("SUB $%d, %s", columns, o.left)
		if columns == most {
			t.jump("JMP", block)
		}
		t.label(fewer)
	}
	t.end()
}

// outerWriter holds the registers that live through interleavedOuter: g and h of the columns that are left, and the bytes of
// a row of e and h, and of g.
type outerWriter struct {
	target
	g, h, left, ld, ldg gp
}

// rowsOf emits the loop over the rows of one block of columns.
func (o outerWriter) rowsOf(label string, columns int) {
	rows, g, e := o.param("r"), o.gp(), o.param("e")
	o.line("MOVD %s, %s", o.g, g)
	pair, one, done := label+"_pair", label+"_one", label+"_done"
	o.label(pair)
	o.line("CMP $2, %s", rows)
	o.jump("BLT", one)
	o.scope(func() { o.entries(pair, 2, columns, g, e) })
	o.line("SUB $2, %s", rows)
	o.jump("JMP", pair)
	o.label(one)
	o.jump(fmt.Sprintf("CBZ %s,", rows), done)
	o.scope(func() { o.entries(one, 1, columns, g, e) })
	o.label(done)
}

// entries emits one block of g, and moves g and e on by its rows.
func (o outerWriter) entries(label string, rows, columns int, g, e gp) {
	const parts = 64 / width
	acc := make([][]vec, rows*columns)
	for i := range acc {
		acc[i] = o.vecs(parts)
		for _, v := range acc[i] {
			o.zero(v)
		}
	}
	x, y, left := o.gps(rows), o.gps(columns), o.param("n")
	for i, pointer := range x {
		o.line("MOVD %s, %s", e, pointer)
		o.line("ADD %s, %s", o.ld, e)
		if i == 0 {
			o.line("MOVD %s, %s", o.h, y[0])
		}
	}
	for j := 1; j < columns; j++ {
		o.line("ADD %s, %s, %s", o.ld, y[j-1], y[j])
	}
	// pair adds the products of two vectors of s.
	pair := func(part int) {
		a := make([][]vec, rows)
		for i := range a {
			a[i] = o.vecs(2)
			o.line("FLDPQ.P %d(%s), (F%d, F%d)", 2*width, x[i], a[i][0], a[i][1])
		}
		for j := range columns {
			b := o.vecs(2)
			o.line("FLDPQ.P %d(%s), (F%d, F%d)", 2*width, y[j], b[0], b[1])
			for i := range a {
				for k, v := range b {
					o.fma(acc[i*columns+j][part+k], a[i][k], v)
				}
			}
		}
	}
	chains := 64 / o.size()
	loop, half, sum := label+"_loop", label+"_half", label+"_sum"
	if !o.double { // 8 floats are half the chains
		o.line("SUBS $%d, %[2]s, %[2]s", chains, left)
		o.jump("BLT", half)
	}
	o.label(loop)
	for part := 0; part < parts; part += 2 {
		pair(part)
	}
	o.line("SUBS $%d, %[2]s, %[2]s", chains, left)
	if o.double {
		o.jump("BNE", loop)
	} else {
		o.jump("BGE", loop)
		o.label(half)
		o.line("ADDS $%d, %[2]s, %[2]s", chains, left)
		o.jump("BEQ", sum)
		pair(0)
		o.label(sum)
	}
	for i := range rows {
		for j := range columns {
			o.addTo(g, j*o.size(), o.fold(acc[i*columns+j]))
		}
		o.line("ADD %s, %s", o.ldg, g)
	}
}

// fold emits the tree over the chains in v and returns the vector whose first lane is the sum.
func (t target) fold(v []vec) vec {
	for len(v) > 1 {
		half := len(v) / 2
		for i := range half {
			t.add(v[i], v[i], v[i+half])
		}
		v = v[:half]
	}
	if t.double {
		t.word(0x7e70d800, "faddp d%d, v%d.2d", v[0], v[0])
		return v[0]
	}
	upper := t.vec()
	t.line("VEXT $8, V%d.B16, V%[1]d.B16, V%d.B16", v[0], upper)
	t.add(v[0], v[0], upper)
	t.word(0x7e30d800, "faddp s%d, v%d.2s", v[0], v[0])
	return v[0]
}

// addTo adds the first lane of sum to the element at base + offset.
func (t target) addTo(base gp, offset int, sum vec) {
	old := t.vec()
	t.line("FMOV%s %d(%s), F%d", t.letter(), offset, base, old)
	t.line("FADD%s F%d, F%d, F%[3]d", t.letter(), sum, old)
	t.line("FMOV%s F%d, %d(%s)", t.letter(), old, offset, base)
}
