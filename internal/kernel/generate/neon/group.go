package main

// A group is a number of vectors that a formula is computed for side by side: each operation is emitted for all of them before
// the next one. That hides latency, and one load of a constant serves all.
type group struct {
	target
	count int
	held  map[lanes]vec // constants that live in registers
}

// pack is one value of a formula: a register for each vector of the group.
type pack []vec

// lanes is a constant: the bits of a vector's halves.
type lanes uint64

func (g group) value(v float64) lanes { return lanes(g.bits(v)) }

// chosen returns the constant of the element type.
func (g group) chosen(double, single float64) lanes {
	if g.double {
		return g.value(double)
	}
	return g.value(single)
}

// hold puts constants into registers for all groups that share held.
func (g group) hold(constants ...lanes) {
	for _, c := range constants {
		if _, ok := g.held[c]; !ok {
			g.held[c] = g.vec()
			g.constant(uint64(c), g.held[c])
		}
	}
}

// new returns registers for a value, filled those that start as a constant, copied those that start as another value.
func (g group) new() pack { return g.vecs(g.count) }

func (g group) filled(c lanes) pack {
	p := g.new()
	for _, v := range p {
		if held, ok := g.held[c]; ok {
			g.move(v, held)
		} else {
			g.constant(uint64(c), v)
		}
	}
	return p
}

func (g group) copied(v pack) pack {
	p := g.new()
	for i := range p {
		g.move(p[i], v[i])
	}
	return p
}

// operand returns a pack, or a constant as one that is only read.
func (g group) operand(x any) pack {
	c, ok := x.(lanes)
	if !ok {
		return x.(pack)
	}
	v, ok := g.held[c]
	if !ok {
		v = g.vec()
		g.constant(uint64(c), v)
	}
	p := make(pack, g.count)
	for i := range p {
		p[i] = v
	}
	return p
}

// each emits f for every vector of new registers and two operands, packs or constants.
func (g group) each(f func(d, a, b vec), a, b any) pack {
	d, x, y := g.new(), g.operand(a), g.operand(b)
	for i := range d {
		f(d[i], x[i], y[i])
	}
	return d
}

// The operations return new registers, but for fma and fnma, which change their first operand and return it.
func (g group) add(a, b any) pack { return g.each(g.target.add, a, b) }
func (g group) sub(a, b any) pack { return g.each(g.target.sub, a, b) }
func (g group) mul(a, b any) pack { return g.each(g.target.mul, a, b) }
func (g group) div(a, b any) pack { return g.each(g.target.div, a, b) }

// min and max take a NaN for a NaN, and a bound that is not 0, of which the processor's take the sign into account.
func (g group) min(a, bound any) pack {
	return g.each(func(d, a, b vec) { g.binary("fmin", 0x4ea0f400, d, a, b) }, a, bound)
}

func (g group) max(a, bound any) pack {
	return g.each(func(d, a, b vec) { g.binary("fmax", 0x4e20f400, d, a, b) }, a, bound)
}

func (g group) fma(sum pack, a, b any) pack { // sum + a·b
	x, y := g.operand(a), g.operand(b)
	for i := range sum {
		g.target.fma(sum[i], x[i], y[i])
	}
	return sum
}

func (g group) fnma(sum pack, a, b any) pack { // sum − a·b
	x, y := g.operand(a), g.operand(b)
	for i := range sum {
		g.target.fnma(sum[i], x[i], y[i])
	}
	return sum
}

// single emits f for every vector of new registers and one operand.
func (g group) single(f func(d, a vec), a pack) pack {
	return g.each(func(d, a, _ vec) { f(d, a) }, a, a)
}

func (g group) abs(a pack) pack {
	return g.single(func(d, a vec) { g.unary("fabs", 0x4ea0f800, d, a) }, a)
}

func (g group) neg(a pack) pack {
	return g.single(func(d, a vec) { g.unary("fneg", 0x6ea0f800, d, a) }, a)
}

// The rest works on bits. above, below and beyond return ones where a > 0, where a < 0 and where a > b, zeros elsewhere and at a NaN.
func (g group) above(a pack) pack {
	return g.single(func(d, a vec) { g.unary0("fcmgt", 0x4ea0c800, d, a) }, a)
}

func (g group) below(a pack) pack {
	return g.single(func(d, a vec) { g.unary0("fcmlt", 0x4ea0e800, d, a) }, a)
}

func (g group) beyond(a, b any) pack {
	return g.each(func(d, a, b vec) { g.binary("fcmgt", 0x6ea0e400, d, a, b) }, a, b)
}

// negative returns ones where the sign bit of a is set.
func (g group) negative(a pack) pack {
	return g.single(func(d, a vec) { g.word(g.typed(0x4ea0a800), "cmlt v%d."+g.dots()+", v%d."+g.dots()+", #0", d, a) }, a)
}

func (g group) and(a, b any) pack {
	return g.each(func(d, a, b vec) { g.line("VAND V%d.B16, V%d.B16, V%d.B16", b, a, d) }, a, b)
}

func (g group) xor(a, b any) pack {
	return g.each(func(d, a, b vec) { g.line("VEOR V%d.B16, V%d.B16, V%d.B16", b, a, d) }, a, b)
}

// without returns a where mask is zeros, 0 where it is ones.
func (g group) without(a, mask pack) pack {
	return g.each(func(d, a, b vec) { g.word(0x4e601c00, "bic v%d.16b, v%d.16b, v%d.16b", d, a, b) }, a, mask)
}

// replace writes the bits of a into v where those of mask are set, and returns v.
func (g group) replace(v pack, a, mask any) pack {
	x, m := g.operand(a), g.operand(mask)
	for i := range v {
		g.line("VBIT V%d.B16, V%d.B16, V%d.B16", m[i], x[i], v[i])
	}
	return v
}

// chosenBySign returns a where the sign bit of u is set, b elsewhere.
func (g group) chosenBySign(u, a, b pack) pack {
	return g.replace(g.copied(b), a, g.negative(u))
}

// shifted returns the bits of a, n places to the left.
func (g group) shifted(a pack, n int) pack {
	return g.single(func(d, a vec) { g.line("VSHL $%d, V%d.%[4]s, V%[3]d.%[4]s", n, a, d, g.shape()) }, a)
}

// integers returns the sum of a and b as integers.
func (g group) integers(a, b any) pack {
	return g.each(func(d, a, b vec) { g.line("VADD V%d.%[4]s, V%[2]d.%[4]s, V%[3]d.%[4]s", b, a, d, g.shape()) }, a, b)
}

// signOf is the sign bit of each element.
func (g group) signOf() lanes { return lanes(g.sign()) }
