package main

// tanhLayers emits the way of a tile through several layers of d ≤ 12 rows of ld bytes, of a multiple of 8 numbers: s = tanh(W h), next =
// a·s + h, which is the h of the layer after. A layer's W are the d² entries behind those of the one before; next and s
// advance by their steps, in bytes. Constants are loaded again in each layer, as the product needs all registers.
func (t target) tanhLayers() {
	t = t.function("tanhLayers", "computes s = tanh(W h), next = a·s + h and goes on with h = next, for d ≤ 12 rows of ld bytes, a multiple of 8 numbers, and layers ≥ 1.",
		"func(next, s, w, h *T, a T, d, ld, layers, nextStep, sStep int)")
	next, s, w, h, cols := t.param("next"), t.param("s"), t.param("w"), t.param("h"), t.param("ld")
	t.line("LSR $%d, %s", t.shift(), cols)
	p := t.layerProduct(string(h), cols)
	p.along, p.from = true, zero
	t.line("LSL $%d, %s, %s", t.shift(), p.rows, p.lda)
	t.useConstants()

	t.label("layer")
	p.run("along", s, w)
	t.scope(func() {
		g := group{t, 2, map[lanes]vec{}}
		g.hold(tanh.constants(g)...)
		a, left := t.scaled(), t.tileBytes(p.ldb)
		from, state, to := t.gp(), t.gp(), t.gp()
		t.line("MOVD %s, %s", s, state)
		t.line("MOVD %s, %s", h, from)
		t.line("MOVD %s, %s", next, to)
		t.label("activate")
		value := g.tanh(t.loaded(state, g.count))
		t.store(state, 0, value...)
		t.store(to, 0, g.fma(t.loaded(from, g.count), g.repeated(a), value)...)
		t.advance(left, "activate", g.count*width, state, from, to)
	})
	t.scope(func() {
		step := t.param("nextStep")
		t.line("MOVD %s, %s", next, h)
		t.line("ADD %s, %s", step, next)
		t.line("MOVD %s, %s", t.slot("sStep"), step)
		t.line("ADD %s, %s", step, s)
		t.squareBytes(step)
		t.line("ADD %s, %s", step, w)
	})
	t.countLayers()
}

// tanhAdjoints emits the way back of the adjoint p of a tile through such layers, from the last to the first: e = (a·p)·(1 − s²), p += Wᵀ e. e,
// w and s point to the last layer.
func (t target) tanhAdjoints() {
	t = t.function("tanhAdjoints", "computes e = (a·p)·(1 − s²), p += Wᵀ e and goes on with the layer before, for d ≤ 12 rows of ld bytes, a multiple of 8 numbers, and layers ≥ 1.",
		"func(e, p, w, s *T, a T, d, ld, layers int)")
	e, adjoint, w, s, cols := t.param("e"), t.param("p"), t.param("w"), t.param("s"), t.param("ld")
	t.line("LSR $%d, %s", t.shift(), cols)
	p := t.layerProduct(string(e), cols)
	p.from = old
	t.line("MOVD $%d, %s", t.size(), p.lda)
	p.ka = t.gp()
	t.line("LSL $%d, %s, %s", t.shift(), p.rows, p.ka)

	t.label("layer")
	t.scope(func() {
		a, one, left := t.scaled(), t.vec(), t.tileBytes(p.ldb)
		t.one(one)
		from, state, to := t.gp(), t.gp(), t.gp()
		t.line("MOVD %s, %s", adjoint, from)
		t.line("MOVD %s, %s", s, state)
		t.line("MOVD %s, %s", e, to)
		t.label("slope")
		x, y := t.loaded(from, 2), t.loaded(state, 2)
		for i := range x {
			t.timesSlope(x[i], a, y[i], one)
		}
		t.store(to, 0, x...)
		t.advance(left, "slope", 2*width, from, state, to)
	})
	p.run("across", adjoint, w)
	t.scope(func() {
		bytes := t.tileBytes(p.ldb)
		t.line("SUB %s, %s", bytes, e)
		t.line("SUB %s, %s", bytes, s)
		t.squareBytes(bytes)
		t.line("SUB %s, %s", bytes, w)
	})
	t.countLayers()
}

// layerProduct returns the product of a layer's d rows by b.
func (t target) layerProduct(b string, cols gp) productWriter {
	p := productWriter{target: t, c: t.gp(), a: t.gp(), rows: t.param("d"), lda: t.gp(), ldb: t.param("ld"), b: b, k: t.slot("d"), cols: string(cols), whole: true}
	p.ldc = p.ldb
	return p
}

// run emits the product into c of the weights at a.
func (p productWriter) run(label string, c, a gp) {
	p.line("MOVD %s, %s", c, p.c)
	p.line("MOVD %s, %s", a, p.a)
	p.line("MOVD %s, %s", p.slot("d"), p.rows)
	p.rowBlocks(label)
}

// tileBytes returns d times the bytes of a row.
func (t target) tileBytes(ld gp) gp {
	bytes := t.param("d")
	t.line("MUL %s, %s", ld, bytes)
	return bytes
}

// squareBytes sets r to the bytes of a layer's weights.
func (t target) squareBytes(r gp) {
	t.line("MOVD %s, %s", t.slot("d"), r)
	t.line("MUL %[1]s, %[1]s", r)
	t.line("LSL $%d, %s", t.shift(), r)
}

// advance moves the pointers on and repeats until no bytes are left.
func (t target) advance(left gp, label string, bytes int, pointers ...gp) {
	for _, p := range pointers {
		t.line("ADD $%d, %s", bytes, p)
	}
	t.line("SUBS $%d, %[2]s, %[2]s", bytes, left)
	t.jump("BNE", label)
}

// countLayers repeats for each layer, whose number is counted in the parameter's place.
func (t target) countLayers() {
	t.scope(func() {
		layers := t.param("layers")
		t.line("SUBS $1, %[1]s, %[1]s", layers)
		t.line("MOVD %s, %s", layers, t.slot("layers"))
		t.jump("BNE", "layer")
	})
	t.end()
}
