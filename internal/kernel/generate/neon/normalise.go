package main

// columns emits a function of 8 columns (kernel.Lanes) at a time of arrays of r rows: sums over the rows in float64, then a pass that
// has a factor or a difference for each column.
type columns struct {
	target
	stride, rows, count gp
}

func (t target) columns() columns {
	c := columns{t, t.param("n"), t.param("r"), t.gp()}
	t.line("LSL $%d, %s", t.shift(), c.stride)
	return c
}

// each emits the loop over groups of columns; the bases begin at each group's first row.
func (c columns) each(bases []gp, body func()) {
	groups := c.param("n")
	c.line("LSR $3, %s", groups)
	c.label("group")
	c.scope(body)
	for _, base := range bases {
		c.line("ADD $%d, %s", 8*c.size(), base)
	}
	c.line("SUBS $1, %[1]s, %[1]s", groups)
	c.jump("BNE", "group")
	c.end()
}

// means emits Σ_j a[j]·b[j], Σ_j a[j]² where b is a and Σ_j a[j] where b is "", in 4 chains, over the number of rows.
func (c columns) means(a, b gp, count vec) []vec {
	wide := c.wide()
	chains := make([][]vec, 4)
	for i := range chains {
		chains[i] = wide.zeros(8 / wide.lanes())
	}
	var sums []vec
	c.scope(func() {
		left, right := c.gp(), c.gp()
		c.line("MOVD %s, %s", a, left)
		if b != a && b != "" {
			c.line("MOVD %s, %s", b, right)
		}
		c.line("MOVD %s, %s", c.rows, c.count)
		c.eachFour(c.count, chains, func(chain []vec) {
			x, y := c.widened(left, 0, 8), []vec(nil)
			c.line("ADD %s, %s", c.stride, left)
			if b != a && b != "" {
				y = c.widened(right, 0, 8)
				c.line("ADD %s, %s", c.stride, right)
			}
			for i, sum := range chain {
				switch {
				case b == "":
					wide.add(sum, sum, x[i])
				case b == a:
					wide.fma(sum, x[i], x[i])
				default:
					wide.fma(sum, x[i], y[i])
				}
			}
		})
		sums = c.joined(chains)
	})
	for _, v := range sums {
		wide.div(v, v, count)
	}
	return sums
}

// rounded returns float64 values in the element type.
func (c columns) rounded(values []vec) []vec {
	if c.double {
		return values
	}
	all := c.vecs(len(values) / 2)
	for i, v := range all {
		c.word(0x0e616800, "fcvtn v%d.2s, v%d.2d", v, values[2*i])
		c.word(0x4e616800, "fcvtn2 v%d.4s, v%d.2d", v, values[2*i+1])
	}
	return all
}

// pass emits a loop over the rows with body called for the addresses in a row.
func (c columns) pass(bases []gp, body func(at []gp)) {
	c.scope(func() {
		at := c.gps(len(bases))
		for i, base := range bases {
			c.line("MOVD %s, %s", base, at[i])
		}
		c.line("MOVD %s, %s", c.rows, c.count)
		c.label("pass")
		body(at)
		for _, pointer := range at {
			c.line("ADD %s, %s", c.stride, pointer)
		}
		c.line("SUBS $1, %[1]s, %[1]s", c.count)
		c.jump("BNE", "pass")
	})
}

// number returns a float64 parameter in every lane.
func (c columns) number(name string) vec {
	v := c.vec()
	c.wide().broadcast(name, v)
	return v
}

func (t target) centre() {
	t = t.function("centre", "computes x = h − the means of its columns, of r rows; n is a multiple of 8.", "func(x, h *T, count float64, r, n int)")
	c := t.columns()
	p, count := t.params("x", "h"), c.number("count")
	c.each(p, func() {
		means := c.rounded(c.means(p[1], "", count))
		c.pass(p, func(at []gp) {
			h := t.loaded(at[1], len(means))
			for i := range h {
				t.sub(h[i], h[i], means[i])
			}
			t.store(at[0], 0, h...)
		})
	})
}

func (t target) normalise() {
	t = t.function("normalise", "computes x = h times inverse, 1 over the root mean square of each column; n is a multiple of 8.",
		"func(x, inverse, h *T, count, epsilon float64, r, n int)")
	c, wide := t.columns(), t.wide()
	p, inverse, count, epsilon, one := t.params("x", "h"), t.param("inverse"), c.number("count"), c.number("epsilon"), t.vec()
	wide.one(one)
	c.each(append(p, inverse), func() {
		squares := c.means(p[1], p[1], count)
		for _, v := range squares {
			wide.add(v, v, epsilon)
			wide.sqrt(v, v)
			wide.div(v, one, v)
		}
		factors := c.rounded(squares)
		t.store(inverse, 0, factors...)
		c.pass(p, func(at []gp) {
			h := t.loaded(at[1], len(factors))
			for i := range h {
				t.mul(h[i], h[i], factors[i])
			}
			t.store(at[0], 0, h...)
		})
	})
}

func (t target) addNormalised() {
	t = t.function("addNormalised", "adds inverse·(y − x t) to p, t the mean of x y over each column; n is a multiple of 8.",
		"func(p, y, x, inverse *T, count float64, r, n int)")
	c := t.columns()
	p, inverse, count := t.params("p", "y", "x"), t.param("inverse"), c.number("count")
	c.each(append(p, inverse), func() {
		along := c.rounded(c.means(p[2], p[1], count))
		factors := t.loaded(inverse, len(along))
		c.pass(p, func(at []gp) {
			sum, y, x := t.loaded(at[0], len(along)), t.loaded(at[1], len(along)), t.loaded(at[2], len(along))
			for i := range sum {
				t.fnma(y[i], x[i], along[i])
				t.fma(sum[i], factors[i], y[i])
			}
			t.store(at[0], 0, sum...)
		})
	})
}
