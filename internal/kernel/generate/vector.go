package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// stream emits a loop over n elements, a multiple of step, with body called for the
// element offset of each vector of a step.
func (t target) stream(step int, body func(at func(base reg.GPVirtual) Mem)) {
	i, n := GP64(), param("n")
	XORQ(i, i)
	Label("loop")
	for offset := 0; offset < step; offset += t.lanes() {
		body(func(base reg.GPVirtual) Mem {
			return Mem{Base: base, Index: i, Scale: uint8(t.size()), Disp: offset * t.size()}
		})
	}
	ADDQ(Imm(uint64(step)), i)
	CMPQ(i, n)
	JLT(LabelRef("loop"))
}

func (t target) addScaled() {
	t.function("addScaled", "computes y[i] = a·x[i] + y[i] for n elements, a multiple of 16.", "func(y, x *%[1]s, a %[1]s, n int)")
	y, x, a := param("y"), param("x"), t.vec()
	t.broadcast(slot("a"), a)
	t.stream(16, func(at func(reg.GPVirtual) Mem) {
		v := t.vec()
		t.load(at(x), v)
		t.fmaTo(at(y), a, v)
		t.store(v, at(y))
	})
	VZEROUPPER()
	RET()
}

func (t target) scaleMul() {
	t.function("scaleMul", "computes z[i] = (a·x[i])·y[i] for n elements, a multiple of the lanes.", "func(z, x, y *%[1]s, a %[1]s, n int)")
	z, x, y, a := param("z"), param("x"), param("y"), t.vec()
	t.broadcast(slot("a"), a)
	t.stream(t.lanes(), func(at func(reg.GPVirtual) Mem) {
		v := t.vec()
		t.mul(at(x), a, v)
		t.mul(at(y), v, v)
		t.store(v, at(z))
	})
	VZEROUPPER()
	RET()
}

// scaleMulSlope emits ScaleMulSlope; the two chains of operations are independent.
func (t target) scaleMulSlope() {
	t.function("scaleMulSlope", "computes z[i] = (a·x[i])·(1 − y[i]²) for n elements, a multiple of the lanes.", "func(z, x, y *%[1]s, a %[1]s, n int)")
	z, x, y, a := param("z"), param("x"), param("y"), t.vec()
	t.broadcast(slot("a"), a)
	g := group{target: t, count: 1}
	one := t.vec()
	t.load(t.bits(uint64(g.value(1))), one)
	t.stream(t.lanes(), func(at func(reg.GPVirtual) Mem) {
		v, s, slope := t.vec(), t.vec(), t.vec()
		t.mul(at(x), a, v)
		t.load(at(y), s)
		t.move(one, slope)
		t.pick(VFNMADD231PS, VFNMADD231PD)(s, s, slope)
		t.mul(slope, v, v)
		t.store(v, at(z))
	})
	VZEROUPPER()
	RET()
}

// sumScaled emits z = a·x + y.
func (t target) sumScaled() {
	t.function("sumScaled", "computes z[i] = a·x[i] + y[i] for n elements, a multiple of the lanes.", "func(z, x, y *%[1]s, a %[1]s, n int)")
	z, x, y, a := param("z"), param("x"), param("y"), t.vec()
	t.broadcast(slot("a"), a)
	t.stream(t.lanes(), func(at func(reg.GPVirtual) Mem) {
		v := t.vec()
		t.load(at(x), v)
		t.fmaTo(at(y), a, v)
		t.store(v, at(z))
	})
	VZEROUPPER()
	RET()
}

// prefetch emits a request for each cache line of n bytes.
func prefetch() {
	TEXT("prefetch", attr.NOSPLIT, "func(p *byte, n int)")
	Pragma("noescape")
	Doc("prefetch brings n ≥ 1 bytes into the cache.")
	p, n := param("p"), param("n")
	Label("loop")
	PREFETCHT0(Mem{Base: p})
	ADDQ(Imm(64), p)
	SUBQ(Imm(64), n)
	JGT(LabelRef("loop"))
	RET()
}

// fold emits the tree over the 16 chains in v and returns the vector whose first lane
// is the sum.
func (t target) fold(v []reg.VecVirtual) reg.Register {
	for len(v) > 1 {
		half := len(v) / 2
		for i := range half {
			t.add(v[i+half], v[i], v[i])
		}
		v = v[:half]
	}
	whole, other := v[0], YMM()
	if t.zmm {
		VEXTRACTF64X4(Imm(1), whole, other)
		t.add(other, whole.AsY(), whole.AsY())
	}
	sum := whole.AsX()
	VEXTRACTF128(Imm(1), whole.AsY(), other.AsX())
	t.add(other.AsX(), sum, sum)
	if !t.double {
		VSHUFPS(Imm(0x4e), sum, sum, other.AsX())
		t.add(other.AsX(), sum, sum)
		VSHUFPS(Imm(0xb1), sum, sum, other.AsX())
	} else {
		VSHUFPD(Imm(1), sum, sum, other.AsX())
	}
	t.add(other.AsX(), sum, sum)
	return sum
}

// addRowSums emits g[i] += Σ_s e[i,s]; the row's last 8 elements, where n is an odd multiple
// of 8, go to the first 8 chains.
func (t target) addRowSums() {
	t.function("addRowSums", "computes sums[i] += Σ_s e[i,s], the sum in 16 interleaved chains; n is a multiple of 8.",
		"func(sums, e *%s, r, n int)")
	sums, e, r := param("sums"), param("e"), param("r")
	count := 16 / t.lanes()
	v := t.vecs(count)
	Label("row")
	for _, c := range v {
		t.zero(c)
	}
	n := param("n")
	Label("loop")
	CMPQ(n, Imm(16))
	JLT(LabelRef("half"))
	for i, c := range v {
		t.add(Mem{Base: e, Disp: i * t.width()}, c, c)
	}
	ADDQ(U32(uint32(16*t.size())), e)
	SUBQ(Imm(16), n)
	JMP(LabelRef("loop"))
	Label("half")
	TESTQ(n, n)
	JEQ(LabelRef("sum"))
	if t.zmm && !t.double {
		// 8 floats fill half a register: the other half adds +0, which changes no chain, as
		// none of them can be −0.
		rest := YMM()
		VMOVUPS(Mem{Base: e}, rest)
		t.add(rest.AsZ(), v[0], v[0])
	} else {
		for i := range count / 2 {
			t.add(Mem{Base: e, Disp: i * t.width()}, v[i], v[i])
		}
	}
	ADDQ(U32(uint32(8*t.size())), e)
	Label("sum")
	sum := t.fold(v)
	if t.double {
		VADDSD(Mem{Base: sums}, sum, sum)
		VMOVSD(sum, Mem{Base: sums})
	} else {
		VADDSS(Mem{Base: sums}, sum, sum)
		VMOVSS(sum, Mem{Base: sums})
	}
	ADDQ(Imm(uint64(t.size())), sums)
	DECQ(r)
	JNE(LabelRef("row"))
	VZEROUPPER()
	RET()
}

// sumSquares emits the 16 chains of Σ x², or of Σ (x−y)², in float64.
func (t target) sumSquares(difference bool) {
	wide := target{double: true, zmm: t.zmm}
	name, doc, args := "sumSquares", "returns the chains of Σ x[i]² for n elements, a multiple of 16.", "x"
	if difference {
		name, doc, args = "sumSquaredDifferences", "returns the chains of Σ (x[i]−y[i])² for n elements, a multiple of 16.", "x, y"
	}
	t.function(name, doc, "func("+args+" *%s, n int) (chains [16]float64)")
	x := param("x")
	var y reg.GPVirtual
	if difference {
		y = param("y")
	}
	v := wide.vecs(16 / wide.lanes())
	for _, c := range v {
		wide.zero(c)
	}
	i, n := GP64(), param("n")
	XORQ(i, i)
	convert := func(base reg.GPVirtual, part int, d reg.VecVirtual) {
		m := Mem{Base: base, Index: i, Scale: uint8(t.size()), Disp: part * wide.lanes() * t.size()}
		if t.double {
			wide.load(m, d)
		} else {
			VCVTPS2PD(m, d)
		}
	}
	Label("loop")
	for part := range v {
		d := wide.vec()
		convert(x, part, d)
		if difference {
			other := wide.vec()
			convert(y, part, other)
			wide.sub(other, d, d)
		}
		wide.fma(d, d, v[part])
	}
	ADDQ(Imm(16), i)
	CMPQ(i, n)
	JLT(LabelRef("loop"))
	chains, err := ReturnIndex(0).Index(0).Resolve()
	if err != nil {
		panic(err)
	}
	result := GP64()
	LEAQ(chains.Addr, result)
	for i := range v {
		wide.store(v[i], Mem{Base: result, Disp: i * wide.width()})
	}
	VZEROUPPER()
	RET()
}

// squaredDistances emits the distances of 8 points side by side from one point, coordinate k in
// chain k mod 4, so that a single tile keeps enough independent sums in flight.
func (t target) squaredDistances() {
	wide := target{double: true, zmm: t.zmm}
	t.function("squaredDistances", "computes dst[t,s] = Σ_k (x[t,k,s] − y[k])² for tiles of 8 points, k in 4 interleaved chains.",
		"func(dst *float64, x, y *%[1]s, tiles, d int)")
	dst, x, y, tiles := param("dst"), param("x"), param("y"), param("tiles")
	vectors := 8 / wide.lanes()
	at := GP64()
	var chains [4][]reg.VecVirtual
	for c := range chains {
		chains[c] = wide.vecs(vectors)
	}
	// step adds coordinate c of those at hand to chain c.
	step := func(c int) {
		one := wide.vec()
		m := Mem{Base: at, Disp: c * t.size()}
		if t.double {
			wide.broadcast(m, one)
		} else {
			VCVTSS2SD(m, one.AsX(), one.AsX())
			VBROADCASTSD(one.AsX(), one)
		}
		for part, sum := range chains[c] {
			v := wide.vec()
			from := Mem{Base: x, Disp: (c*8 + part*wide.lanes()) * t.size()}
			if t.double {
				wide.sub(from, one, v) // y − x, whose square is that of x − y
			} else {
				VCVTPS2PD(from, v)
				wide.sub(v, one, v)
			}
			wide.fma(v, v, sum)
		}
	}
	Label("tile")
	MOVQ(y, at)
	for _, chain := range chains {
		for _, sum := range chain {
			wide.zero(sum)
		}
	}
	left := GP64()
	Load(Param("d"), left)
	Label("four")
	CMPQ(left, Imm(4))
	JLT(LabelRef("rest"))
	for c := range chains {
		step(c)
	}
	ADDQ(Imm(uint64(4*t.size())), at)
	ADDQ(U32(uint32(32*t.size())), x)
	SUBQ(Imm(4), left)
	JMP(LabelRef("four"))
	Label("rest")
	for c := range 3 {
		CMPQ(left, Imm(uint64(c)))
		JEQ(LabelRef(fmt.Sprintf("rest%d", c)))
		step(c)
	}
	for c := 2; c >= 0; c-- {
		ADDQ(U32(uint32(8*t.size())), x)
		Label(fmt.Sprintf("rest%d", c))
	}
	for part := range vectors {
		wide.add(chains[2][part], chains[0][part], chains[0][part])
		wide.add(chains[3][part], chains[1][part], chains[1][part])
		wide.add(chains[1][part], chains[0][part], chains[0][part])
		wide.store(chains[0][part], Mem{Base: dst, Disp: part * wide.width()})
	}
	ADDQ(Imm(64), dst)
	DECQ(tiles)
	JNE(LabelRef("tile"))
	VZEROUPPER()
	RET()
}

// fromBfloat16 emits the conversion of 16-bit numbers that are the upper halves of float32 numbers. Their absolute values compare as
// integers, and those of numbers that are not finite are the largest.
func (t target) fromBfloat16() {
	t.function("fromBfloat16", "converts n bfloat16 numbers, a multiple of 8, and returns the largest absolute values, as bits of float32, of each lane.",
		"func(x *%s, data *byte, n int) (largest [8]uint32)")
	single := func() reg.VecVirtual { // of as many float32 as a vector has float64
		if t.zmm {
			return YMM()
		}
		return XMM()
	}
	x, data := param("x"), param("data")
	absolute := single()
	VMOVDQU(target{}.bits(0x7fffffff), absolute)
	largest := make([]reg.VecVirtual, 8/t.lanes())
	for part := range largest {
		largest[part] = single()
		VPXOR(largest[part], largest[part], largest[part])
	}
	i, n := GP64(), param("n")
	XORQ(i, i)
	Label("loop")
	for part := range largest {
		v, size, wide := single(), single(), t.vec()
		VPMOVZXWD(Mem{Base: data, Index: i, Scale: 2, Disp: part * t.lanes() * 2}, v)
		VPSLLD(Imm(16), v, v)
		VPAND(absolute, v, size)
		VPMAXUD(size, largest[part], largest[part])
		VCVTPS2PD(v, wide)
		t.store(wide, Mem{Base: x, Index: i, Scale: 8, Disp: part * t.width()})
	}
	ADDQ(Imm(8), i)
	CMPQ(i, n)
	JLT(LabelRef("loop"))
	lanes, err := ReturnIndex(0).Index(0).Resolve()
	if err != nil {
		panic(err)
	}
	result := GP64()
	LEAQ(lanes.Addr, result)
	for part, v := range largest {
		VMOVDQU(v, Mem{Base: result, Disp: part * t.width() / 2})
	}
	VZEROUPPER()
	RET()
}

// peakChains is the number of independent chains of the peak loop: enough to cover a
// latency of 4 or 5 cycles on two units.
const peakChains = 12

func (t target) peak() {
	t.function("peak", "runs rounds of 12 independent vectors of fused multiply-adds.", "func(rounds int, x *%s)")
	rounds, x := param("rounds"), t.vec()
	t.broadcast(Mem{Base: param("x")}, x)
	v := t.vecs(peakChains)
	for _, c := range v {
		t.zero(c)
	}
	Label("loop")
	for _, c := range v {
		t.fmaTo(x, x, c)
	}
	DECQ(rounds)
	JNE(LabelRef("loop"))
	VZEROUPPER()
	RET()
}
