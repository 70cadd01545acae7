package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// transpose emits dst[s,j] = src[j,s] for rows rows of n columns, n a multiple of 8, with
// strides in bytes: src[j,·] at src + j·lds, dst[s,·] at dst + s·ldd. It takes as many
// rows at once as a vector has lanes; the last block overlaps the one before. Where
// there are fewer rows than lanes the last one stands for those that lack, so that
// a row of dst has room for a whole vector.
func (t target) transpose() {
	t.function("transpose", "computes dst[s,j] = src[j,s], see product.go of the generator.",
		"func(dst, src *%s, lds, ldd, rows, n int)")
	size, lanes := t.size(), t.lanes()
	Label("block")
	source := make([]reg.GPVirtual, lanes)
	source[0] = param("src")
	lds, left := param("lds"), param("rows")
	for j := 1; j < lanes; j++ {
		source[j] = GP64()
		MOVQ(source[j-1], source[j])
		moved := GP64()
		LEAQ(Mem{Base: source[j-1], Index: lds, Scale: 1}, moved)
		CMPQ(left, Imm(uint64(j)))
		CMOVQGT(moved, source[j])
	}
	dst, ldd, n := param("dst"), param("ldd"), param("n")
	SHLQ(Imm(uint64(log2(size))), n)
	s := GP64()
	XORQ(s, s)
	Label("loop")
	at := func(j, byteOffset int) Mem {
		return Mem{Base: source[j], Index: s, Scale: 1, Disp: byteOffset}
	}
	// pair returns 16 bytes of row j and of row j + lanes/2 in one register.
	pair := func(j, byteOffset int) reg.VecVirtual {
		v := YMM()
		VMOVUPS(at(j, byteOffset), v.AsX())
		VINSERTF128(Imm(1), at(j+lanes/2, byteOffset), v, v)
		return v
	}
	put := func(v reg.VecVirtual) {
		VMOVUPS(v, Mem{Base: dst})
		ADDQ(ldd, dst)
	}
	if t.double {
		// Two columns of all four rows give two rows of the result.
		for offset := 0; offset < 32; offset += 16 {
			p, q := pair(0, offset), pair(1, offset) // rows 0|2, rows 1|3
			low, high := YMM(), YMM()
			VUNPCKLPD(q, p, low)
			VUNPCKHPD(q, p, high)
			put(low)
			put(high)
		}
	} else {
		// Four columns of all eight rows give four rows of the result.
		for offset := 0; offset < 32; offset += 16 {
			v := []reg.VecVirtual{pair(0, offset), pair(1, offset), pair(2, offset), pair(3, offset)}
			low01, high01, low23, high23 := YMM(), YMM(), YMM(), YMM()
			VUNPCKLPS(v[1], v[0], low01)
			VUNPCKHPS(v[1], v[0], high01)
			VUNPCKLPS(v[3], v[2], low23)
			VUNPCKHPS(v[3], v[2], high23)
			for _, half := range [][2]reg.VecVirtual{{low01, low23}, {high01, high23}} {
				even, odd := YMM(), YMM()
				VUNPCKLPD(half[1], half[0], even)
				VUNPCKHPD(half[1], half[0], odd)
				put(even)
				put(odd)
			}
		}
	}
	ADDQ(Imm(32), s)
	CMPQ(s, n)
	JLT(LabelRef("loop"))

	step, rest := GP64(), param("rows")
	SUBQ(Imm(uint64(lanes)), rest)
	JLE(LabelRef("done"))
	MOVQ(U32(lanes), step)
	CMPQ(rest, step)
	JGE(LabelRef("next"))
	XCHGQ(rest, step)
	Label("next")
	MOVQ(rest, slot("rows"))
	MOVQ(step, rest)
	SHLQ(Imm(uint64(log2(size))), rest)
	ADDQ(rest, slot("dst"))
	IMULQ(slot("lds"), step)
	ADDQ(step, slot("src"))
	JMP(LabelRef("block"))
	Label("done")
	VZEROUPPER()
	RET()
}
