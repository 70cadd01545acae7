package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// columns emits a function of 8 columns (kernel.Lanes) at a time of arrays of r rows: sums over the rows in
// float64, then a pass that has a factor or a difference for each column.
type columns struct {
	target
	wide   target // float64, for sums
	narrow target // the element type in vectors of 8 elements at most, for the pass
	stride reg.GPVirtual
	rows   reg.GPVirtual
}

func (t target) columns() columns {
	c := columns{target: t, wide: target{double: true, zmm: t.zmm}, narrow: target{double: t.double, zmm: t.double && t.zmm}}
	c.stride, c.rows = param("n"), param("r")
	if t.double {
		SHLQ(Imm(3), c.stride)
	} else {
		SHLQ(Imm(2), c.stride)
	}
	return c
}

// each emits the loop over groups of columns; the bases begin at each group's first row.
func (c columns) each(body func(), bases ...reg.GPVirtual) {
	groups := param("n")
	SHRQ(Imm(3), groups)
	Label("group")
	body()
	for _, base := range bases {
		ADDQ(Imm(uint64(8*c.size())), base)
	}
	DECQ(groups)
	JNE(LabelRef("group"))
}

// row loads a part of a row in float64.
func (c columns) row(base reg.GPVirtual, part int, v reg.VecVirtual) {
	m := Mem{Base: base, Disp: part * c.wide.lanes() * c.size()}
	if c.double {
		c.wide.load(m, v)
	} else {
		VCVTPS2PD(m, v)
	}
}

// sums emits Σ_j a[j]·b[j], Σ_j a[j]² where b is a and Σ_j a[j] where b is nil, in 4 chains.
func (c columns) sums(a, b reg.GPVirtual) []reg.VecVirtual {
	parts := 8 / c.wide.lanes()
	chains := make([][]reg.VecVirtual, 4)
	for i := range chains {
		chains[i] = c.wide.vecs(parts)
		for _, v := range chains[i] {
			c.wide.zero(v)
		}
	}
	left, right, count := GP64(), GP64(), GP64()
	MOVQ(a, left)
	if b != a && b != nil {
		MOVQ(b, right)
	}
	add := func(chain []reg.VecVirtual) {
		for part, sum := range chain {
			v := c.wide.vec()
			c.row(left, part, v)
			switch b {
			case nil:
				c.wide.add(v, sum, sum)
			case a:
				c.wide.fma(v, v, sum)
			default:
				w := c.wide.vec()
				c.row(right, part, w)
				c.wide.fma(w, v, sum)
			}
		}
		ADDQ(c.stride, left)
		if b != a && b != nil {
			ADDQ(c.stride, right)
		}
	}
	MOVQ(c.rows, count)
	Label("four")
	CMPQ(count, Imm(4))
	JLT(LabelRef("rest"))
	for _, chain := range chains {
		add(chain)
	}
	SUBQ(Imm(4), count)
	JMP(LabelRef("four"))
	Label("rest")
	for _, chain := range chains[:3] {
		TESTQ(count, count)
		JEQ(LabelRef("sum"))
		add(chain)
		DECQ(count)
	}
	Label("sum")
	for part := range parts {
		c.wide.add(chains[2][part], chains[0][part], chains[0][part])
		c.wide.add(chains[3][part], chains[1][part], chains[1][part])
		c.wide.add(chains[1][part], chains[0][part], chains[0][part])
	}
	return chains[0]
}

// mean divides sums by the number of rows.
func (c columns) mean(sums []reg.VecVirtual, count reg.VecVirtual) {
	for _, v := range sums {
		VDIVPD(count, v, v)
	}
}

// rounded returns float64 values in the element type.
func (c columns) rounded(values []reg.VecVirtual) []reg.VecVirtual {
	if c.double {
		return values
	}
	all := YMM()
	if c.zmm {
		VCVTPD2PS(values[0], all)
		return []reg.VecVirtual{all}
	}
	high := XMM()
	VCVTPD2PSY(values[0], all.AsX())
	VCVTPD2PSY(values[1], high)
	VINSERTF128(Imm(1), high, all, all)
	return []reg.VecVirtual{all}
}

// pass emits a loop over the rows with body called for each vector of a row.
func (c columns) pass(body func(part int, at func(base reg.GPVirtual) Mem), bases ...reg.GPVirtual) {
	count, cursor := GP64(), map[reg.GPVirtual]reg.GPVirtual{}
	for _, base := range bases {
		cursor[base] = GP64()
		MOVQ(base, cursor[base])
	}
	MOVQ(c.rows, count)
	Label("pass")
	for part := range 8 / c.narrow.lanes() {
		body(part, func(base reg.GPVirtual) Mem { return Mem{Base: cursor[base], Disp: part * c.narrow.width()} })
	}
	for _, base := range bases {
		ADDQ(c.stride, cursor[base])
	}
	DECQ(count)
	JNE(LabelRef("pass"))
}

// broadcastDouble returns a float64 parameter in every lane.
func (c columns) broadcastDouble(name string) reg.VecVirtual {
	v := c.wide.vec()
	VBROADCASTSD(slot(name), v)
	return v
}

func (t target) centre() {
	t.function("centre", "computes x = h − the means of its columns, of r rows; n is a multiple of 8.", "func(x, h *%s, count float64, r, n int)")
	c := t.columns()
	x, h, count := param("x"), param("h"), c.broadcastDouble("count")
	c.each(func() {
		sums := c.sums(h, nil)
		c.mean(sums, count)
		means := c.rounded(sums)
		c.pass(func(part int, at func(reg.GPVirtual) Mem) {
			v := c.narrow.vec()
			c.narrow.load(at(h), v)
			c.narrow.sub(means[part], v, v)
			c.narrow.store(v, at(x))
		}, x, h)
	}, x, h)
	VZEROUPPER()
	RET()
}

func (t target) normalise() {
	t.function("normalise", "computes x = h times inverse, 1 over the root mean square of each column; n is a multiple of 8.",
		"func(x, inverse, h *%s, count, epsilon float64, r, n int)")
	c := t.columns()
	x, inverse, h := param("x"), param("inverse"), param("h")
	count, epsilon, one := c.broadcastDouble("count"), c.broadcastDouble("epsilon"), c.wide.vec()
	c.wide.load(c.wide.bits(0x3ff0000000000000), one)
	c.each(func() {
		sums := c.sums(h, h)
		c.mean(sums, count)
		for _, v := range sums {
			VADDPD(epsilon, v, v)
			VSQRTPD(v, v)
			VDIVPD(v, one, v)
		}
		factors := c.rounded(sums)
		for part, v := range factors {
			c.narrow.store(v, Mem{Base: inverse, Disp: part * c.narrow.width()})
		}
		c.pass(func(part int, at func(reg.GPVirtual) Mem) {
			v := c.narrow.vec()
			c.narrow.mul(at(h), factors[part], v)
			c.narrow.store(v, at(x))
		}, x, h)
	}, x, inverse, h)
	VZEROUPPER()
	RET()
}

func (t target) addNormalised() {
	t.function("addNormalised", "adds inverse·(y − x t) to p, t the mean of x y over each column; n is a multiple of 8.",
		"func(p, y, x, inverse *%s, count float64, r, n int)")
	c := t.columns()
	p, y, x, inverse, count := param("p"), param("y"), param("x"), param("inverse"), c.broadcastDouble("count")
	c.each(func() {
		sums := c.sums(x, y)
		c.mean(sums, count)
		along := c.rounded(sums)
		factors := c.narrow.vecs(8 / c.narrow.lanes())
		for part, v := range factors {
			c.narrow.load(Mem{Base: inverse, Disp: part * c.narrow.width()}, v)
		}
		c.pass(func(part int, at func(reg.GPVirtual) Mem) {
			v := c.narrow.vec()
			c.narrow.load(at(y), v)
			c.narrow.pick(VFNMADD231PS, VFNMADD231PD)(at(x), along[part], v)
			c.narrow.fmaTo(at(p), factors[part], v)
			c.narrow.store(v, at(p))
		}, p, y, x)
	}, p, y, x, inverse)
	VZEROUPPER()
	RET()
}
