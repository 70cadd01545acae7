package main

import (
	"fmt"
	"math"
	"strings"
)

// A target is one element type. Its methods emit the instruction of that type on vectors of 16 bytes.
type target struct {
	*asm
	file   *file
	double bool // float64
}

// name returns the function name of a kernel, such as tanhNEONF32.
func (t target) name(kernel string) string {
	if t.double {
		return kernel + "NEONF64"
	}
	return kernel + "NEONF32"
}

// element is the Go type.
func (t target) element() string {
	if t.double {
		return "float64"
	}
	return "float32"
}

// function starts a function whose signature is written with T for the element type.
func (t target) function(kernel, doc, signature string) target {
	signature = strings.ReplaceAll(signature, "*T", "*"+t.element())
	t.asm = t.file.begin(t.name(kernel), doc, strings.ReplaceAll(signature, " T", " "+t.element()))
	return t
}

// size is the bytes of an element, lanes the elements of a vector.
func (t target) size() int {
	if t.double {
		return 8
	}
	return 4
}

const width = 16

func (t target) lanes() int { return width / t.size() }

// shape is a vector's elements as Go's assembler has them, dots as the processor's manual has them.
func (t target) shape() string {
	if t.double {
		return "D2"
	}
	return "S4"
}

func (t target) dots() string {
	if t.double {
		return "2d"
	}
	return "4s"
}

// letter is that of an element.
func (t target) letter() string {
	if t.double {
		return "D"
	}
	return "S"
}

// shift is log2 of size.
func (t target) shift() int {
	if t.double {
		return 3
	}
	return 2
}

// bits returns the pattern of a number in 8 bytes.
func (t target) bits(x float64) uint64 {
	if t.double {
		return math.Float64bits(x)
	}
	return twice(uint64(math.Float32bits(float32(x))))
}

// twice repeats 4 bytes.
func twice(pattern uint64) uint64 { return pattern | pattern<<32 }

// sign is the sign bit of each element.
func (t target) sign() uint64 {
	if t.double {
		return 1 << 63
	}
	return twice(1 << 31)
}

// binary and unary emit an instruction that Go's assembler lacks, given its encoding for four float32; that for two float64 has bit 22 set.
func (t target) binary(name string, code uint32, d, n, m vec) {
	t.word(t.typed(code), fmt.Sprintf("%s v%%d.%[2]s, v%%d.%[2]s, v%%d.%[2]s", name, t.dots()), d, n, m)
}

func (t target) unary(name string, code uint32, d, n vec) {
	t.word(t.typed(code), fmt.Sprintf("%s v%%d.%[2]s, v%%d.%[2]s", name, t.dots()), d, n)
}

func (t target) typed(code uint32) uint32 {
	if t.double {
		return code | 1<<22
	}
	return code
}

// The destination comes first, as in the formulas: sub(d, a, b) is d = a − b.
func (t target) add(d, a, b vec)    { t.binary("fadd", 0x4e20d400, d, a, b) }
func (t target) sub(d, a, b vec)    { t.binary("fsub", 0x4ea0d400, d, a, b) }
func (t target) mul(d, a, b vec)    { t.binary("fmul", 0x6e20dc00, d, a, b) }
func (t target) div(d, a, b vec)    { t.binary("fdiv", 0x6e20fc00, d, a, b) }
func (t target) sqrt(d, a vec)      { t.unary("fsqrt", 0x6ea1f800, d, a) }
func (t target) zero(v vec)         { t.line("VEOR V%[1]d.B16, V%[1]d.B16, V%[1]d.B16", v) }
func (t target) move(d, a vec)      { t.line("VMOV V%d.B16, V%d.B16", a, d) }
func (t target) spread(d, from vec) { t.line("VDUP V%d.%s[0], V%d.%s", from, t.letter(), d, t.shape()) }

// fma emits d += a·b, fnma d −= a·b.
func (t target) fma(d, a, b vec)  { t.fused("VFMLA", d, a, b) }
func (t target) fnma(d, a, b vec) { t.fused("VFMLS", d, a, b) }

func (t target) fused(name string, d, a, b vec) {
	t.line(name+" V%d.%[4]s, V%[2]d.%[4]s, V%[3]d.%[4]s", b, a, d, t.shape())
}

// fmaLane emits d += a·b[lane].
func (t target) fmaLane(d, a, b vec, lane int) {
	code, comment := uint32(0x4f801000), "fmla v%%d.4s, v%%d.4s, v%%d.s[%d]"
	if t.double {
		code, comment = 0x4fc01000|uint32(lane)<<11, "fmla v%%d.2d, v%%d.2d, v%%d.d[%d]"
	} else {
		code |= uint32(lane>>1)<<11 | uint32(lane&1)<<21
	}
	t.word(code, fmt.Sprintf(comment, lane), d, a, b)
}

// broadcast loads a parameter of the element type into all lanes.
func (t target) broadcast(parameter string, v vec) {
	t.line("FMOV%s %s, F%d", t.letter(), t.slot(parameter), v)
	t.spread(v, v)
}

// spreadFrom loads the element at base into all lanes.
func (t target) spreadFrom(base gp, v vec) { t.line("VLD1R (%s), [V%d.%s]", base, v, t.shape()) }

// load and store move whole vectors from and to base + offset, two at a time.
func (t target) load(base gp, offset int, v ...vec) {
	t.transfer(base, offset, v, "FLDPQ %d(%s), (F%d, F%d)", "FMOVQ %d(%s), F%d")
}

func (t target) store(base gp, offset int, v ...vec) {
	t.transfer(base, offset, v, "FSTPQ (F%[3]d, F%[4]d), %[1]d(%[2]s)", "FMOVQ F%[3]d, %[1]d(%[2]s)")
}

func (t target) transfer(base gp, offset int, v []vec, pair, one string) {
	for ; len(v) > 1; v = v[2:] {
		t.line(pair, offset, base, v[0], v[1])
		offset += 2 * width
	}
	if len(v) == 1 {
		t.line(one, offset, base, v[0])
	}
}

// loadStep and storeStep move up to four consecutive registers from and to base, which advances by the register by.
func (t target) loadStep(base, by gp, v []vec) {
	t.line("VLD1.P (%s)(%s), "+t.list(v), operands(base, by, v)...)
}

func (t target) storeStep(base, by gp, v []vec) {
	t.line("VST1.P "+t.list(v)+", (%s)(%s)", append(vecOperands(v), base, by)...)
}

func operands(base, by gp, v []vec) []any { return append([]any{base, by}, vecOperands(v)...) }

func vecOperands(v []vec) []any {
	list := make([]any, len(v))
	for i := range v {
		list[i] = v[i]
	}
	return list
}

// list is a list of n registers for a format.
func (t target) list(v []vec) string {
	return "[" + strings.TrimSuffix(strings.Repeat("V%d."+t.shape()+", ", len(v)), ", ") + "]"
}
