package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// A group is a number of vectors that a formula is computed for side by side: each
// operation is emitted for all of them before the next one. That hides latency,
// and one load of a constant serves all.
type group struct {
	target
	count int
	held  map[lanes]reg.VecVirtual // constants that live in registers
}

// pack is one value of a formula: a register for each vector of the group.
type pack []reg.VecVirtual

// lanes is a constant operand: the bits of every lane.
type lanes uint64

func (g group) value(v float64) lanes {
	if g.double {
		return lanes(math.Float64bits(v))
	}
	return lanes(math.Float32bits(float32(v)))
}

// hold puts constants into registers for all groups that share held.
func (g group) hold(constants ...lanes) {
	for _, c := range constants {
		if _, ok := g.held[c]; !ok {
			v := g.vec()
			g.load(g.bits(uint64(c)), v)
			g.held[c] = v
		}
	}
}

// new returns registers for a value.
func (g group) new() pack { return g.vecs(g.count) }

// filled returns a value that starts as a constant.
func (g group) filled(c lanes) pack {
	p := g.new()
	g.each(g.pick(VMOVUPS, VMOVUPD), c, p)
	return p
}

// copied returns a value that starts as another.
func (g group) copied(v pack) pack {
	p := g.new()
	g.each(g.pick(VMOVAPS, VMOVAPD), v, p)
	return p
}

// each emits f for every vector. Operands are packs, one memory operand for each vector,
// constants (the first operand only, unless held) or immediates.
func (g group) each(f emit, operands ...any) {
	resolved := make([]any, len(operands))
	for i, operand := range operands {
		resolved[i] = operand
		c, ok := operand.(lanes)
		if !ok {
			continue
		}
		if v, ok := g.held[c]; ok {
			resolved[i] = v
		} else if g.count == 1 {
			resolved[i] = g.bits(uint64(c))
		} else {
			v := g.vec()
			g.load(g.bits(uint64(c)), v)
			resolved[i] = v
		}
	}
	for vector := range g.count {
		ops := make([]Op, len(resolved))
		for i, operand := range resolved {
			switch o := operand.(type) {
			case pack:
				ops[i] = o[vector]
			case []Mem:
				ops[i] = o[vector]
			case []reg.OpmaskVirtual:
				ops[i] = o[vector]
			default:
				ops[i] = operand.(Op)
			}
		}
		f(ops...)
	}
}

// The operations, destination last, as in Go's assembler: sub(b, a, d) is d = a − b.
func (g group) add(b, a, d any)     { g.each(g.pick(VADDPS, VADDPD), b, a, d) }
func (g group) sub(b, a, d any)     { g.each(g.pick(VSUBPS, VSUBPD), b, a, d) }
func (g group) mul(b, a, d any)     { g.each(g.pick(VMULPS, VMULPD), b, a, d) }
func (g group) div(b, a, d any)     { g.each(g.pick(VDIVPS, VDIVPD), b, a, d) }
func (g group) and(b, a, d any)     { g.each(g.pick(VANDPS, VANDPD), b, a, d) }
func (g group) xor(b, a, d any)     { g.each(g.pick(VXORPS, VXORPD), b, a, d) }
func (g group) or(b, a, d any)      { g.each(g.pick(VORPS, VORPD), b, a, d) }
func (g group) min(x, bound, d any) { g.each(g.pick(VMINPS, VMINPD), x, bound, d) }         // bound < x ? bound : x
func (g group) max(x, bound, d any) { g.each(g.pick(VMAXPS, VMAXPD), x, bound, d) }         // bound > x ? bound : x
func (g group) fma(b, a, d any)     { g.each(g.pick(VFMADD231PS, VFMADD231PD), b, a, d) }   // d += a·b
func (g group) fnma(b, a, d any)    { g.each(g.pick(VFNMADD231PS, VFNMADD231PD), b, a, d) } // d −= a·b
func (g group) fmaTo(c, a, d any)   { g.each(g.pick(VFMADD213PS, VFMADD213PD), c, a, d) }   // d = a·d + c
func (g group) fmsTo(c, a, d any)   { g.each(g.pick(VFMSUB213PS, VFMSUB213PD), c, a, d) }   // d = a·d − c
