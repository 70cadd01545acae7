package main

import "fmt"

// stream emits loops over n elements, a multiple of the lanes: over 4 vectors at a time and then over one. body is called once for
// each loop with the vectors of a round: it emits their loads and stores at the pointers, which then advance.
func (t target) stream(pointers []gp, body func(vectors int)) {
	t.scope(func() {
		n := t.param("n")
		for _, vectors := range []int{4, 1} {
			loop, done := fmt.Sprintf("loop%d", vectors), fmt.Sprintf("done%d", vectors)
			t.line("SUBS $%d, %[2]s, %[2]s", vectors*t.lanes(), n)
			t.jump("BLT", done)
			t.label(loop)
			body(vectors)
			for _, p := range pointers {
				t.line("ADD $%d, %s", vectors*width, p)
			}
			t.line("SUBS $%d, %[2]s, %[2]s", vectors*t.lanes(), n)
			t.jump("BGE", loop)
			t.label(done)
			t.line("ADD $%d, %s", vectors*t.lanes(), n)
		}
	})
	t.end()
}

// loaded returns that many vectors from base on.
func (t target) loaded(base gp, vectors int) []vec {
	v := t.vecs(vectors)
	t.load(base, 0, v...)
	return v
}

func (t target) params(names ...string) []gp {
	r := make([]gp, len(names))
	for i, name := range names {
		r[i] = t.param(name)
	}
	return r
}

// scaled returns a register with the parameter a in all lanes.
func (t target) scaled() vec {
	a := t.vec()
	t.broadcast("a", a)
	return a
}

func (t target) addScaled() {
	t = t.function("addScaled", "computes y[i] = a·x[i] + y[i] for n elements, a multiple of 16.", "func(y, x *T, a T, n int)")
	p, a := t.params("y", "x"), t.scaled()
	t.stream(p, func(vectors int) {
		x, y := t.loaded(p[1], vectors), t.loaded(p[0], vectors)
		for i := range y {
			t.fma(y[i], a, x[i])
		}
		t.store(p[0], 0, y...)
	})
}

func (t target) scaleMul() {
	t = t.function("scaleMul", "computes z[i] = (a·x[i])·y[i] for n elements, a multiple of the lanes.", "func(z, x, y *T, a T, n int)")
	p, a := t.params("z", "x", "y"), t.scaled()
	t.stream(p, func(vectors int) {
		x, y := t.loaded(p[1], vectors), t.loaded(p[2], vectors)
		for i := range x {
			t.mul(x[i], a, x[i])
			t.mul(x[i], x[i], y[i])
		}
		t.store(p[0], 0, x...)
	})
}

func (t target) scaleMulSlope() {
	t = t.function("scaleMulSlope", "computes z[i] = (a·x[i])·(1 − y[i]²) for n elements, a multiple of the lanes.", "func(z, x, y *T, a T, n int)")
	p, a, one := t.params("z", "x", "y"), t.scaled(), t.vec()
	t.one(one)
	t.stream(p, func(vectors int) {
		x, y := t.loaded(p[1], vectors), t.loaded(p[2], vectors)
		for i := range x {
			t.timesSlope(x[i], a, y[i], one)
		}
		t.store(p[0], 0, x...)
	})
}

// one fills v with 1.
func (t target) one(v vec) {
	t.line("FMOV%s $1.0, F%d", t.letter(), v)
	t.spread(v, v)
}

// timesSlope emits x = (a·x)·(1 − y²).
func (t target) timesSlope(x, a, y, one vec) {
	slope := t.vec()
	t.mul(x, a, x)
	t.move(slope, one)
	t.fnma(slope, y, y)
	t.mul(x, x, slope)
}

func (t target) sumScaled() {
	t = t.function("sumScaled", "computes z[i] = a·x[i] + y[i] for n elements, a multiple of the lanes.", "func(z, x, y *T, a T, n int)")
	p, a := t.params("z", "x", "y"), t.scaled()
	t.stream(p, func(vectors int) {
		x, y := t.loaded(p[1], vectors), t.loaded(p[2], vectors)
		for i := range x {
			t.fma(y[i], a, x[i])
		}
		t.store(p[0], 0, y...)
	})
}

// prefetch emits a request for each 64 bytes of n.
func prefetch(f *file) {
	a := f.begin("prefetch", "brings n ≥ 1 bytes into the cache.", "func(p *byte, n int)")
	p, n := a.param("p"), a.param("n")
	a.label("loop")
	a.line("PRFM (%s), PLDL1KEEP", p)
	a.line("ADD $64, %s", p)
	a.line("SUBS $64, %[1]s, %[1]s", n)
	a.jump("BGT", "loop")
	a.end()
}

// addRowSums emits g[i] += Σ_s e[i,s]; the row's last 8 elements, where n is an odd multiple of 8, go to the first 8 chains.
func (t target) addRowSums() {
	t = t.function("addRowSums", "computes sums[i] += Σ_s e[i,s], the sum in 16 interleaved chains; n is a multiple of 8.", "func(sums, e *T, r, n int)")
	sums, e, r, n := t.param("sums"), t.param("e"), t.param("r"), t.gp()
	t.label("row")
	chains := t.zeros(16 / t.lanes())
	t.line("MOVD %s, %s", t.slot("n"), n)
	add := func(chains []vec) {
		for i, v := range t.loaded(e, len(chains)) {
			t.add(chains[i], chains[i], v)
		}
		t.line("ADD $%d, %s", len(chains)*width, e)
	}
	t.line("SUBS $16, %[1]s, %[1]s", n)
	t.jump("BLT", "half")
	t.label("loop")
	add(chains)
	t.line("SUBS $16, %[1]s, %[1]s", n)
	t.jump("BGE", "loop")
	t.label("half")
	t.line("ADDS $16, %[1]s, %[1]s", n)
	t.jump("BEQ", "sum")
	add(chains[:len(chains)/2])
	t.label("sum")
	t.addTo(sums, 0, t.fold(chains))
	t.line("ADD $%d, %s", t.size(), sums)
	t.line("SUBS $1, %[1]s, %[1]s", r)
	t.jump("BNE", "row")
	t.end()
}

// zeros returns registers that hold 0.
func (t target) zeros(n int) []vec {
	v := t.vecs(n)
	for i := range v {
		t.zero(v[i])
	}
	return v
}

// wide is the target of float64 in the same function.
func (t target) wide() target { return target{asm: t.asm, file: t.file, double: true} }

// widened returns n float64 numbers from base + offset.
func (t target) widened(base gp, offset, n int) []vec {
	v := t.vecs(n / t.lanes())
	t.load(base, offset, v...)
	if t.double {
		return v
	}
	var all []vec
	for _, four := range v {
		low, high := t.vec(), t.vec()
		t.widen(four, low, high)
		all = append(all, low, high)
	}
	return all
}

// widen emits the float64 numbers of four float32.
func (t target) widen(four, low, high vec) {
	t.word(0x0e617800, "fcvtl v%d.2d, v%d.2s", low, four)
	t.word(0x4e617800, "fcvtl2 v%d.2d, v%d.4s", high, four)
}

// sumSquares emits the 16 chains of Σ x², or of Σ (x−y)², in float64.
func (t target) sumSquares(difference bool) {
	name, doc, args := "sumSquares", "returns the chains of Σ x[i]² for n elements, a multiple of 16.", []string{"x"}
	if difference {
		name, doc, args = "sumSquaredDifferences", "returns the chains of Σ (x[i]−y[i])² for n elements, a multiple of 16.", []string{"x", "y"}
	}
	signature := "func(x *T, n int) (chains [16]float64)"
	if difference {
		signature = "func(x, y *T, n int) (chains [16]float64)"
	}
	t = t.function(name, doc, signature)
	p, wide := t.params(args...), t.wide()
	chains := wide.zeros(16 / wide.lanes())
	n := t.param("n")
	t.label("loop")
	for first := 0; first < 16; first += 4 {
		x := t.widened(p[0], first*t.size(), 4)
		if difference {
			for i, y := range t.widened(p[1], first*t.size(), 4) {
				wide.sub(x[i], x[i], y)
			}
		}
		for i, v := range x {
			wide.fma(chains[first/wide.lanes()+i], v, v)
		}
	}
	for _, pointer := range p {
		t.line("ADD $%d, %s", 16*t.size(), pointer)
	}
	t.line("SUBS $16, %[1]s, %[1]s", n)
	t.jump("BNE", "loop")
	result := t.gp()
	t.line("MOVD $%s, %s", t.slot("chains"), result)
	t.store(result, 0, chains...)
	t.end()
}

// squaredDistances emits the distances of 8 points side by side from one point, coordinate k in chain k mod 4.
func (t target) squaredDistances() {
	t = t.function("squaredDistances", "computes dst[t,s] = Σ_k (x[t,k,s] − y[k])² for tiles of 8 points, k in 4 interleaved chains.",
		"func(dst *float64, x, y *T, tiles, d int)")
	dst, x, y, tiles, at, left := t.param("dst"), t.param("x"), t.param("y"), t.param("tiles"), t.gp(), t.gp()
	wide := t.wide()
	vectors := 8 / wide.lanes()
	t.label("tile")
	chains := make([][]vec, 4)
	for c := range chains {
		chains[c] = wide.zeros(vectors)
	}
	t.line("MOVD %s, %s", y, at)
	t.line("MOVD %s, %s", t.slot("d"), left)
	// step adds one coordinate.
	step := func(chain []vec) {
		one := t.vec()
		if t.double {
			t.line("VLD1R.P 8(%s), [V%d.D2]", at, one)
		} else {
			t.line("FMOVS.P 4(%s), F%d", at, one)
			t.line("FCVTSD F%d, F%[1]d", one)
			wide.spread(one, one)
		}
		for i, v := range t.widened(x, 0, 8) {
			wide.sub(v, v, one)
			wide.fma(chain[i], v, v)
		}
		t.line("ADD $%d, %s", 8*t.size(), x)
	}
	t.eachFour(left, chains, step)
	for _, v := range t.joined(chains) {
		t.line("FMOVQ.P F%d, %d(%s)", v, width, dst)
	}
	t.line("SUBS $1, %[1]s, %[1]s", tiles)
	t.jump("BNE", "tile")
	t.end()
}

// eachFour emits step for each of left coordinates, in turns for each of 4 chains.
func (t target) eachFour(left gp, chains [][]vec, step func(chain []vec)) {
	t.line("SUBS $4, %[1]s, %[1]s", left)
	t.jump("BLT", "rest")
	t.label("four")
	for _, chain := range chains {
		step(chain)
	}
	t.line("SUBS $4, %[1]s, %[1]s", left)
	t.jump("BGE", "four")
	t.label("rest")
	t.line("ADD $4, %[1]s, %[1]s", left)
	for _, chain := range chains[:3] {
		t.jump(fmt.Sprintf("CBZ %s,", left), "joined")
		step(chain)
		t.line("SUB $1, %[1]s, %[1]s", left)
	}
	t.label("joined")
}

// joined emits (c₀ + c₂) + (c₁ + c₃) of 4 chains in float64.
func (t target) joined(chains [][]vec) []vec {
	wide := t.wide()
	for i := range chains[0] {
		wide.add(chains[0][i], chains[0][i], chains[2][i])
		wide.add(chains[1][i], chains[1][i], chains[3][i])
		wide.add(chains[0][i], chains[0][i], chains[1][i])
	}
	return chains[0]
}

// fromBfloat16 emits the conversion of 16-bit numbers that are the upper halves of float32 numbers. Their absolute values compare as
// integers, and those of numbers that are not finite are the largest.
func (t target) fromBfloat16() {
	t = t.function("fromBfloat16", "converts n bfloat16 numbers, a multiple of 8, and returns the largest absolute values, as bits of float32, of each lane.",
		"func(x *T, data *byte, n int) (largest [8]uint32)")
	x, data, n := t.param("x"), t.param("data"), t.param("n")
	t.useConstants()
	absolute, zero, largest := t.vec(), t.vec(), t.zeros(2)
	t.constant(twice(0x7fffffff), absolute)
	t.zero(zero)
	t.label("loop")
	halves := t.vec()
	t.line("FMOVQ.P 16(%s), F%d", data, halves)
	for i := range largest {
		v, size, low, high := t.vec(), t.vec(), t.vec(), t.vec()
		t.line("VZIP%d V%d.H8, V%d.H8, V%d.H8", i+1, halves, zero, v)
		t.line("VAND V%d.B16, V%d.B16, V%d.B16", absolute, v, size)
		t.line("VUMAX V%d.S4, V%d.S4, V%[2]d.S4", size, largest[i])
		t.widen(v, low, high)
		t.line("FSTPQ.P (F%d, F%d), 32(%s)", low, high, x)
	}
	t.line("SUBS $8, %[1]s, %[1]s", n)
	t.jump("BNE", "loop")
	result := t.gp()
	t.line("MOVD $%s, %s", t.slot("largest"), result)
	t.store(result, 0, largest...)
	t.end()
}

// peakChains is the number of independent chains of the peak loop: enough to cover a latency of 4 cycles on four units.
const peakChains = 24

func (t target) peak() {
	t = t.function("peak", fmt.Sprintf("runs rounds of %d independent vectors of fused multiply-adds.", peakChains), "func(rounds int, x *T)")
	rounds, from, x := t.param("rounds"), t.param("x"), t.vec()
	t.spreadFrom(from, x)
	chains := t.zeros(peakChains)
	t.label("loop")
	for _, v := range chains {
		t.fma(v, x, x)
	}
	t.line("SUBS $1, %[1]s, %[1]s", rounds)
	t.jump("BNE", "loop")
	t.end()
}
