package main

import "fmt"

// product emits c[i,s] = start + Σ_j a(i,j) b[j,s] by register blocks, j in order.
//
// All strides are in bytes: a(i,j) is at a + i·lda + j·ka, b[j,·] at b + j·ldb, c[i,·] at c + i·ldc; lda or ka is the size of
// an element. mode is the start: 0 for zero, 1 for bias[i], 2 for the old c. Rows of b have room for whole vectors.
//
// A multiplication by one lane of a register saves the loads that spread a(i,j) over a vector: where ka is the
// size, a register holds entries of one row for several j, where lda is, those of several rows for one j.
func (t target) product() {
	t = t.function("product", "computes c[i,s] = start + Σ_j a(i,j) b[j,s], j in order; see product.go of the generator.",
		"func(c, a, b, bias *T, rows, k, cols, lda, ka, ldb, ldc, mode int)")
	p := productWriter{
		target: t, c: t.param("c"), a: t.param("a"), bias: t.param("bias"), rows: t.param("rows"),
		lda: t.param("lda"), ka: t.param("ka"), ldb: t.param("ldb"), ldc: t.param("ldc"),
		b: t.slot("b"), k: t.slot("k"), cols: t.slot("cols"),
	}
	t.line("CMP $%d, %s", t.size(), p.ka)
	t.jump("BNE", "across")
	p.along = true
	p.rowBlocks("along")
	t.line("RET")
	t.label("across")
	p.along = false
	p.rowBlocks("across")
	t.end()
}

// mostRows is the most rows of a block: 8 of 2 vectors, or 4 of 4, which take fewer loads in float64.
func (t target) mostRows() int {
	if t.double {
		return 4
	}
	return 8
}

// productWriter holds the registers that live through a product.
type productWriter struct {
	target
	c, a, bias, rows, lda, ka, ldb, ldc gp     // those of the rows that remain
	b, k, cols                          string // where these are
	along                               bool   // ka is the size of an element
	from                                start
	whole                               bool // cols is a multiple of 8
}

// start is what the sums start from.
type start int

const (
	asMode start = iota // what the parameter mode says
	zero
	old
)

// rowBlocks emits the loop over blocks of rows, each over all columns. Rows beyond a multiple of the most are split evenly, so
// that no block is too thin to hide the latency of its chains.
func (p productWriter) rowBlocks(label string) {
	most, next, few, done := p.mostRows(), label+"_next", label+"_few", label+"_done"
	rows := func(r int) string { return fmt.Sprintf("%s_rows%d", label, r) }
	p.label(next)
	p.jump(fmt.Sprintf("CBZ %s,", p.rows), done)
	p.scope(func() {
		left := p.gp()
		p.line("MOVD %s, %s", p.rows, left)
		p.line("CMP $%d, %s", 2*most, left)
		p.jump("BGE", rows(most))
		p.line("CMP $%d, %s", most, left)
		p.jump("BLE", few)
		p.line("ADD $1, %s", left)
		p.line("LSR $1, %s", left)
		p.label(few)
		for r := most; r > 1; r-- {
			p.line("CMP $%d, %s", r, left)
			p.jump("BEQ", rows(r))
		}
	})
	for r := 1; r <= most; r++ {
		p.label(rows(r))
		p.scope(func() { p.columns(rows(r), r) })
		p.scope(func() {
			count, bytes := p.gp(), p.gp()
			p.line("MOVD $%d, %s", r, count)
			p.line("MUL %s, %s, %s", count, p.lda, bytes)
			p.line("ADD %s, %s", bytes, p.a)
			p.line("MUL %s, %s, %s", count, p.ldc, bytes)
			p.line("ADD %s, %s", bytes, p.c)
			if p.from == asMode {
				p.line("ADD $%d, %s", r*p.size(), p.bias)
			}
			p.line("SUB %s, %s", count, p.rows)
		})
		p.jump("JMP", next)
	}
	p.label(done)
}

// columns emits the loop over the columns of r rows: 4 vectors at a time where r leaves registers for them, else 2.
func (p productWriter) columns(label string, r int) {
	c, b, left := p.gp(), p.gp(), p.gp()
	p.line("MOVD %s, %s", p.c, c)
	p.line("MOVD %s, %s", p.b, b)
	p.line("MOVD %s, %s", p.cols, left)
	vectors := 2
	if r <= 4 {
		vectors = 4
	}
	for widest := vectors; vectors > 0; vectors /= 2 {
		if p.whole && vectors*p.lanes() < 8 {
			return
		}
		block, less := fmt.Sprintf("%s_vectors%d", label, vectors), fmt.Sprintf("%s_less%d", label, vectors)
		p.label(block)
		p.line("CMP $%d, %s", vectors*p.lanes(), left)
		p.jump("BLT", less)
		p.scope(func() { p.block(block, r, vectors, c, b, "") })
		p.line("ADD $%d, %s", vectors*width, c)
		p.line("ADD $%d, %s", vectors*width, b)
		p.line("SUB $%d, %s", vectors*p.lanes(), left)
		if vectors == widest {
			p.jump("JMP", block)
		}
		p.label(less)
	}
	end := label + "_end"
	p.jump(fmt.Sprintf("CBZ %s,", left), end)
	p.scope(func() { p.block(label+"_part", r, 1, c, b, left) })
	p.label(end)
}

// block emits r rows of that many vectors of columns, or of the first part columns of one vector.
func (p productWriter) block(label string, r, vectors int, c, b gp, part gp) {
	acc := make([][]vec, r)
	for i := range acc {
		acc[i] = p.asm.block(vectors)
	}
	source := [2][]vec{p.asm.block(vectors), p.asm.block(vectors)}
	weights := newWeights(p, r)
	cursor, count := p.gp(), p.gp()
	p.begin(label, acc, c, cursor, part)
	weights.start()
	p.line("MOVD %s, %s", b, cursor)
	p.line("MOVD %s, %s", p.k, count)
	loop, tail, single, store := label+"_loop", label+"_tail", label+"_single", label+"_store"
	multiply := func(j int) {
		column := source[j%2]
		p.loadStep(cursor, p.ldb, column)
		weights.loadColumn(j)
		for i := range acc {
			for v, sum := range acc[i] {
				weights.fma(sum, column[v], i, j)
			}
		}
	}
	p.line("SUBS $%d, %[2]s, %[2]s", weights.step(), count)
	p.jump("BLT", tail)
	p.label(loop)
	weights.load()
	for j := range weights.step() {
		multiply(j)
	}
	p.line("SUBS $%d, %[2]s, %[2]s", weights.step(), count)
	p.jump("BGE", loop)
	p.label(tail)
	p.line("ADDS $%d, %[2]s, %[2]s", weights.step(), count)
	p.jump("BEQ", store)
	p.label(single)
	weights.loadOne()
	multiply(0)
	p.line("SUBS $1, %[1]s, %[1]s", count)
	p.jump("BNE", single)
	p.label(store)
	p.line("MOVD %s, %s", c, cursor)
	p.finish(label, acc, cursor, part)
}

// begin fills the sums with what they start from.
func (p productWriter) begin(label string, acc [][]vec, c, cursor, part gp) {
	bias, previous, ready := label+"_bias", label+"_old", label+"_ready"
	if p.from == asMode {
		p.line("MOVD %s, %s", p.slot("mode"), cursor)
		p.line("CMP $1, %s", cursor)
		p.jump("BEQ", bias)
		p.jump("BGT", previous)
	}
	if p.from != old {
		for _, row := range acc {
			for _, v := range row {
				p.zero(v)
			}
		}
	}
	if p.from == asMode {
		p.jump("JMP", ready)
		p.label(bias)
		p.line("MOVD %s, %s", p.bias, cursor)
		for _, row := range acc {
			p.line("VLD1R.P %d(%s), [V%d.%s]", p.size(), cursor, row[0], p.shape())
			for _, v := range row[1:] {
				p.move(v, row[0])
			}
		}
		p.jump("JMP", ready)
		p.label(previous)
	}
	if p.from != zero {
		p.line("MOVD %s, %s", c, cursor)
		p.loadSums(previous, acc, cursor, part)
	}
	p.label(ready)
}

// loadSums loads the old c.
func (p productWriter) loadSums(label string, acc [][]vec, cursor, part gp) {
	if part == "" {
		for _, row := range acc {
			p.loadStep(cursor, p.ldc, row)
		}
		return
	}
	p.parts(label, part, func(columns int) {
		for _, row := range acc {
			p.part(columns, row[0], cursor, "FMOVD (%[1]s), F%[2]d", "FMOVS (%[1]s), F%[2]d", "VLD1 (%[1]s), V%[2]d.S[2]")
			p.line("ADD %s, %s", p.ldc, cursor)
		}
	})
}

// finish writes the sums.
func (p productWriter) finish(label string, acc [][]vec, cursor, part gp) {
	if part == "" {
		for _, row := range acc {
			p.storeStep(cursor, p.ldc, row)
		}
		return
	}
	p.parts(label+"_store", part, func(columns int) {
		for _, row := range acc {
			p.part(columns, row[0], cursor, "FMOVD F%[2]d, (%[1]s)", "FMOVS F%[2]d, (%[1]s)", "VST1 V%[2]d.S[2], (%[1]s)")
			p.line("ADD %s, %s", p.ldc, cursor)
		}
	})
}

// parts emits body for each number of columns that is less than a vector.
func (p productWriter) parts(label string, part gp, body func(columns int)) {
	done := label + "_done"
	for columns := 1; columns < p.lanes(); columns++ {
		more := fmt.Sprintf("%s_more%d", label, columns)
		if columns+1 < p.lanes() {
			p.line("CMP $%d, %s", columns, part)
			p.jump("BNE", more)
		}
		body(columns)
		if columns+1 < p.lanes() {
			p.jump("JMP", done)
			p.label(more)
		}
	}
	p.label(done)
}

// part moves that many elements between v and the address at: by an instruction for 8 bytes, one for the first 4 and one for the third 4.
func (p productWriter) part(columns int, v vec, at gp, eight, four, third string) {
	switch {
	case p.double || columns == 2:
		p.line(eight, at, v)
	case columns == 1:
		p.line(four, at, v)
	default:
		p.line(eight, at, v)
		p.scope(func() {
			behind := p.gp()
			p.line("ADD $8, %s, %s", at, behind)
			p.line(third, behind, v)
		})
	}
}

// weights are the a(i,j) of a block.
type weights struct {
	productWriter
	rows     int
	pointers []gp       // along: to the next entry of each row; across: to the next j
	entries  [][]vec    // along: of each row
	pieces   [2][]piece // across: of one j and the next
}

// A piece is a part of the rows' entries for one j.
type piece struct {
	v             vec
	first, length int
}

func newWeights(p productWriter, rows int) *weights {
	w := &weights{productWriter: p, rows: rows}
	if p.along {
		w.pointers = p.gps(rows)
		for range rows {
			w.entries = append(w.entries, p.asm.block(w.step()/p.lanes()))
		}
		return w
	}
	w.pointers = p.gps(1)
	for turn := range w.pieces {
		length := p.lanes()
		for first := 0; first < rows; {
			for first+length > rows {
				length /= 2
			}
			w.pieces[turn] = append(w.pieces[turn], piece{p.asm.block(1)[0], first, length})
			first += length
		}
	}
	return w
}

// step is how many j a round takes.
func (w *weights) step() int { return 4 }

// start points to the first j.
func (w *weights) start() {
	w.line("MOVD %s, %s", w.a, w.pointers[0])
	for i := 1; i < len(w.pointers); i++ {
		w.line("ADD %s, %s, %s", w.lda, w.pointers[i-1], w.pointers[i])
	}
}

// load loads the entries of step j along rows, loadOne those of one j; across, loadColumn does so for each j.
func (w *weights) load() {
	for i, v := range w.entries {
		if len(v) == 1 {
			w.line("FMOVQ.P %d(%s), F%d", width, w.pointers[i], v[0])
		} else {
			w.line("FLDPQ.P %d(%s), (F%d, F%d)", 2*width, w.pointers[i], v[0], v[1])
		}
	}
}

func (w *weights) loadOne() {
	for i, v := range w.entries {
		w.line("FMOV%s.P %d(%s), F%d", w.letter(), w.size(), w.pointers[i], v[0])
	}
}

func (w *weights) loadColumn(j int) {
	if !w.along && w.rows%w.lanes() == 0 {
		var whole []vec
		for _, p := range w.pieces[j%2] {
			whole = append(whole, p.v)
		}
		w.loadStep(w.pointers[0], w.ka, whole)
		return
	}
	for _, p := range w.pieces[j%2] {
		register := map[int]string{4: "S", 8: "D", 16: "Q"}[p.length*w.size()]
		w.line("FMOV%s %d(%s), F%d", register, p.first*w.size(), w.pointers[0], p.v)
	}
	if !w.along {
		w.line("ADD %s, %s", w.ka, w.pointers[0])
	}
}

// fma adds a(i,j) times column to sum.
func (w *weights) fma(sum, column vec, i, j int) {
	if w.along {
		w.fmaLane(sum, column, w.entries[i][j/w.lanes()], j%w.lanes())
		return
	}
	for _, p := range w.pieces[j%2] {
		if p.first <= i && i < p.first+p.length {
			w.fmaLane(sum, column, p.v, i-p.first)
		}
	}
}
