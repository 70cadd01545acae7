package main

// The updates of methods, operation by operation those of portable_update.go in package kernel, for n elements, a multiple of the lanes.

// factors loads that many numbers of the array c, each into all lanes.
func (t target) factors(n int) []vec {
	v := t.vecs(n)
	t.scope(func() {
		c := t.param("c")
		for i := range v {
			t.line("VLD1R.P %d(%s), [V%d.%s]", t.size(), c, v[i], t.shape())
		}
	})
	return v
}

func (t target) scale() {
	t = t.function("scale", "computes z[i] = a·x[i] for n elements, a multiple of the lanes.", "func(z, x *T, a T, n int)")
	p, a := t.params("z", "x"), t.scaled()
	t.stream(p, func(vectors int) {
		x := t.loaded(p[1], vectors)
		for _, v := range x {
			t.mul(v, a, v)
		}
		t.store(p[0], 0, x...)
	})
}

// velocity emits v = μ·v + g and returns v and g.
func (t target) velocity(at, slopes gp, mu vec, vectors int) (v, g []vec) {
	v, g = t.loaded(at, vectors), t.loaded(slopes, vectors)
	for i := range v {
		t.mul(v[i], mu, v[i])
		t.add(v[i], v[i], g[i])
	}
	t.store(at, 0, v...)
	return v, g
}

func (t target) momentum() {
	t = t.function("momentum", "computes v = c[1]·v + grad, y = c[0]·v + y.", "func(y, v, grad, c *T, n int)")
	p, c := t.params("y", "v", "grad"), t.factors(2)
	t.stream(p, func(vectors int) {
		v, _ := t.velocity(p[1], p[2], c[1], vectors)
		y := t.loaded(p[0], vectors)
		for i := range y {
			t.fma(y[i], c[0], v[i])
		}
		t.store(p[0], 0, y...)
	})
}

func (t target) nesterov() {
	t = t.function("nesterov", "computes v = c[1]·v + grad, y = y − c[0]·(c[1]·v + grad).", "func(y, v, grad, c *T, n int)")
	p, c := t.params("y", "v", "grad"), t.factors(2)
	t.stream(p, func(vectors int) {
		v, g := t.velocity(p[1], p[2], c[1], vectors)
		for i := range v {
			t.mul(v[i], v[i], c[1])
			t.add(v[i], v[i], g[i])
			t.mul(v[i], v[i], c[0])
		}
		t.takeFrom(p[0], v)
	})
}

// takeFrom emits y −= step.
func (t target) takeFrom(at gp, step []vec) {
	y := t.loaded(at, len(step))
	for i := range y {
		t.sub(y[i], y[i], step[i])
	}
	t.store(at, 0, y...)
}

// mean emits m = b·m + other·g, each product rounded.
func (t target) mean(m, b, other, g vec) {
	part := t.vec()
	t.mul(m, m, b)
	t.mul(part, g, other)
	t.add(m, m, part)
}

func (t target) adam() {
	t = t.function("adam", "computes a step of Adam; see adam in package kernel.", "func(y, m, s, grad, c *T, n int)")
	p, c := t.params("y", "m", "s", "grad"), t.factors(8)
	size, epsilon, correct1, correct2 := c[0], c[1], c[2], c[3]
	t.stream(p, func(vectors int) {
		m, s, g := t.loaded(p[1], vectors), t.loaded(p[2], vectors), t.loaded(p[3], vectors)
		for i, slope := range g {
			t.mean(m[i], c[4], c[5], slope)
			part := t.vec()
			t.mul(s[i], s[i], c[6])
			t.mul(part, slope, c[7])
			t.mul(part, part, slope)
			t.add(s[i], s[i], part)
		}
		t.store(p[1], 0, m...)
		t.store(p[2], 0, s...)
		for i := range m {
			t.mul(s[i], s[i], correct2)
			t.sqrt(s[i], s[i])
			t.add(s[i], s[i], epsilon)
			t.mul(m[i], m[i], correct1)
			t.mul(m[i], m[i], size)
			t.div(m[i], m[i], s[i])
		}
		t.takeFrom(p[0], m)
	})
}

// signs returns what againstSign needs: the sign bit.
func (t target) signs() vec {
	v := t.vec()
	t.useConstants()
	t.constant(t.sign(), v)
	return v
}

// againstSign emits y −= a with the sign of v, and y −= v where v is 0 or a NaN.
func (t target) againstSign(at gp, a, sign vec, v []vec) {
	for _, x := range v {
		ordered, step := t.vec(), t.vec()
		t.unary0("fcmeq", 0x4ea0d800, step, x) // x = 0
		t.binary("fcmeq", 0x4e20e400, ordered, x, x)
		t.line("VEOR V%d.B16, V%d.B16, V%[2]d.B16", step, ordered) // ordered and not 0
		t.move(step, sign)
		t.line("VBSL V%d.B16, V%d.B16, V%d.B16", a, x, step) // the sign of x, the rest of a
		t.line("VBIT V%d.B16, V%d.B16, V%d.B16", ordered, step, x)
	}
	t.takeFrom(at, v)
}

// unary0 emits a comparison with 0.
func (t target) unary0(name string, code uint32, d, n vec) {
	t.word(t.typed(code), name+" v%d."+t.dots()+", v%d."+t.dots()+", #0.0", d, n)
}

func (t target) signDescent() {
	t = t.function("signDescent", "computes y −= c[0]·sign(grad), y −= grad where grad is 0 or a NaN.", "func(y, grad, c *T, n int)")
	p, c, sign := t.params("y", "grad"), t.factors(1), t.signs()
	t.stream(p, func(vectors int) { t.againstSign(p[0], c[0], sign, t.loaded(p[1], vectors)) })
}

func (t target) lion() {
	t = t.function("lion", "computes y −= c[0]·sign(c[1]·m + c[2]·grad), as signDescent, m = c[3]·m + c[4]·grad.", "func(y, m, grad, c *T, n int)")
	p, c, sign := t.params("y", "m", "grad"), t.factors(5), t.signs()
	t.stream(p, func(vectors int) {
		m, g := t.loaded(p[1], vectors), t.loaded(p[2], vectors)
		direction := t.vecs(vectors)
		for i := range m {
			t.mul(direction[i], m[i], c[1])
			part := t.vec()
			t.mul(part, g[i], c[2])
			t.add(direction[i], direction[i], part)
			t.mean(m[i], c[3], c[4], g[i])
		}
		t.store(p[1], 0, m...)
		t.againstSign(p[0], c[0], sign, direction)
	})
}
