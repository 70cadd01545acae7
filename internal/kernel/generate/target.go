package main

import (
	"fmt"

	"github.com/mmcloughlin/avo/attr"
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A target is one tier for one element type. Its methods emit the instruction of
// that type and vector width.
type target struct {
	double bool // float64
	zmm    bool // AVX-512
}

var targets = []target{{}, {double: true}, {zmm: true}, {double: true, zmm: true}}

// name returns the function name of a kernel, such as tanhAVX2F32.
func (t target) name(kernel string) string {
	tier, element := "AVX2", "F32"
	if t.zmm {
		tier = "AVX512"
	}
	if t.double {
		element = "F64"
	}
	return kernel + tier + element
}

// element is the Go type.
func (t target) element() string {
	if t.double {
		return "float64"
	}
	return "float32"
}

// function starts a function whose signature is written with T for the element type.
func (t target) function(kernel, doc, format string) {
	TEXT(t.name(kernel), attr.NOSPLIT, fmt.Sprintf(format, t.element()))
	Pragma("noescape")
	Doc(t.name(kernel) + " " + doc)
}

// size is the bytes of an element, width those of a vector, lanes the elements of a vector.
func (t target) size() int {
	if t.double {
		return 8
	}
	return 4
}

func (t target) width() int {
	if t.zmm {
		return 64
	}
	return 32
}

func (t target) lanes() int { return t.width() / t.size() }

// vec allocates a vector register.
func (t target) vec() reg.VecVirtual {
	if t.zmm {
		return ZMM()
	}
	return YMM()
}

func (t target) vecs(n int) []reg.VecVirtual {
	v := make([]reg.VecVirtual, n)
	for i := range v {
		v[i] = t.vec()
	}
	return v
}

type emit = func(...Op)

// pick returns the instruction of the element type.
func (t target) pick(single, double emit) emit {
	if t.double {
		return double
	}
	return single
}

// The operands are in the order of Go's assembler: the destination is last, and
// sub(b, a, d) is d = a − b.
func (t target) load(m Op, v Op)      { t.pick(VMOVUPS, VMOVUPD)(m, v) }
func (t target) store(v Op, m Op)     { t.pick(VMOVUPS, VMOVUPD)(v, m) }
func (t target) move(v, d Op)         { t.pick(VMOVAPS, VMOVAPD)(v, d) }
func (t target) add(b, a, d Op)       { t.pick(VADDPS, VADDPD)(b, a, d) }
func (t target) sub(b, a, d Op)       { t.pick(VSUBPS, VSUBPD)(b, a, d) }
func (t target) mul(b, a, d Op)       { t.pick(VMULPS, VMULPD)(b, a, d) }
func (t target) fma(b, a, d Op)       { t.pick(VFMADD231PS, VFMADD231PD)(b, a, d) }
func (t target) fmaTo(c, a, d Op)     { t.pick(VFMADD213PS, VFMADD213PD)(c, a, d) } // d = a·d + c
func (t target) broadcast(m, v Op)    { t.pick(VBROADCASTSS, VBROADCASTSD)(m, v) }
func (t target) fmaScalar(m, a, d Op) { t.pick(VFMADD231PS_BCST, VFMADD231PD_BCST)(m, a, d) }

// zero clears a register.
func (t target) zero(v reg.VecVirtual) { VXORPS(v, v, v) }

// constants remembers what has been laid down in this file.
var constants = map[string]Mem{}

// bits returns 64 bytes of memory that hold the pattern in every lane.
func (t target) bits(pattern uint64) Mem {
	name := fmt.Sprintf("lanes%dx%x", 8*t.size(), pattern)
	if m, ok := constants[name]; ok {
		return m
	}
	m := GLOBL(name, attr.RODATA|attr.NOPTR)
	for offset := 0; offset < 64; offset += t.size() {
		if t.double {
			DATA(offset, U64(pattern))
		} else {
			DATA(offset, U32(pattern))
		}
	}
	constants[name] = m
	return m
}

// param loads a pointer or integer parameter.
func param(name string) reg.GPVirtual {
	r := GP64()
	Load(Param(name), r)
	return r
}

// slot is the memory of a parameter, for values that find no register.
func slot(name string) Mem {
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}
