package kernel

import (
	"math"
	"unsafe"
)

// fma returns x·y + z with one rounding, in either element type.
func fma[T Float](x, y, z T) T {
	// The size is a constant of each instantiation: one branch is compiled.
	if unsafe.Sizeof(x) == 8 {
		return T(math.FMA(float64(x), float64(y), float64(z)))
	}
	return T(fma32(float32(x), float32(y), float32(z)))
}

// fma32 returns x·y + z rounded once to float32.
//
// The product of two float32 is exact in float64 (24 + 24 ≤ 53 bits, and the
// exponent fits). Only their sum s with z is rounded there, and rounding that again
// to float32 is right where roundsOnce says so.
func fma32(x, y, z float32) float32 {
	p := float64(x) * float64(y)
	s := float64(p + float64(z))
	if roundsOnce(s) {
		return float32(s)
	}
	return roundOdd(p, float64(z), s)
}

// roundsOnce reports whether a sum that was rounded to the float64 s is surely
// rounded right when s is rounded to float32. It may not be only if s lies midway
// between two float32: rounding to float64 is monotone and keeps the midpoints, so any
// other s is on the same side of each midpoint as the exact sum. In the normal range
// s is midway iff its 29 low bits are 1 followed by zeros; smaller s are not decided.
func roundsOnce(s float64) bool {
	bits := math.Float64bits(s)
	return bits&(1<<29-1) != 1<<28 && bits<<1 >= (1023-126)<<53
}

// An extent bounds the numbers of an array of float32: each is 0, subnormal for least = −126, or of a magnitude from 2^least on and below 2^(most+1). Arrays of
// float64 need none.
type extent struct{ least, most int }

// extentOf returns the extent of x.
func extentOf[T Float](x []T) extent {
	if unsafe.Sizeof(x[0]) == 8 {
		return extent{}
	}
	least, most := uint32(math.MaxUint32), uint32(0)
	for _, v := range x {
		bits := math.Float32bits(float32(v)) << 1
		least, most = min(least, bits-1), max(most, bits) // of 0 the largest, and the least
	}
	return extent{max(int(least>>24), 1) - 127, int(most>>24) - 127}
}

// plain reports whether nearest rounds sums of products of numbers of two arrays to float32. They are multiples of 2^(least−23), so that sums of products are
// multiples of 2⁻¹⁴⁹, as all float32 are: those below 2⁻¹²⁶ have no more digits than a float32. And none overflows.
func (e extent) plain(f extent) bool {
	return e.least+f.least-46 >= -149 && e.most < 30 && f.most < 30
}

// midway reports whether the float64 of these bits lies midway between two float32: whether its 29 low bits are 1 followed by zeros.
func midway(bits uint64) bool { return bits<<35 == 1<<63 }

// nearest returns the float32 that is nearest to the float64 of these bits, unless that is midway, for sums that are plain.
func nearest(bits uint64) float64 { return math.Float64frombits((bits + 1<<28) &^ (1<<29 - 1)) }

// fmaMidway returns the bits of x·y + z rounded once, for float32 numbers in float64 whose rounded sum is midway.
//
//go:noinline
func fmaMidway(x, y, z float64) uint64 {
	p := float64(x * y)
	return math.Float64bits(float64(roundOdd(p, z, float64(p+z))))
}

// roundOdd returns p + z rounded to float32, where s is p + z rounded to float64. It
// first makes s the sum rounded to odd: of the two neighbours of an inexact sum the
// one with an odd significand. As 53 ≥ 24 + 2, rounding that to float32 equals
// rounding the exact sum (Boldo and Melquiond, "Emulation of a FMA and correctly
// rounded sums", IEEE Trans. Comput. 57, 2008).
//
//go:noinline
func roundOdd(p, z, s float64) float32 {
	t := float64(s - p)
	e := float64(float64(p-float64(s-t)) + float64(z-t)) // p + z = s + e
	bits := math.Float64bits(s)
	if e != 0 && bits&1 == 0 {
		if (e > 0) == (s > 0) {
			bits++
		} else {
			bits--
		}
	}
	return float32(math.Float64frombits(bits))
}

// polynomial returns Σ c[i] xⁱ as E(x²) + x O(x²), each half by fused multiply-adds from
// the highest degree down: as many operations as Horner's scheme in half the
// latency. square is x².
func polynomial[T Float](c []T, x, square T) T {
	top := len(c) - 1
	s, other := c[top], c[top-1]
	// As in horner, fma is written out: its call would cost more than the arithmetic.
	if unsafe.Sizeof(x) == 8 {
		for i := top - 2; i >= 0; i-- {
			s, other = other, T(math.FMA(float64(s), float64(square), float64(c[i])))
		}
	} else {
		for i := top - 2; i >= 0; i-- {
			s, other = other, T(fma32(float32(s), float32(square), float32(c[i])))
		}
	}
	// The last two are O and E, in the order of their lowest coefficients.
	return fma(s, x, other)
}

// horner returns Σ c[i] xⁱ by fused multiply-adds from the highest degree down.
func horner[T Float](c []T, x T) T {
	s := c[len(c)-1]
	if unsafe.Sizeof(x) == 8 {
		for i := len(c) - 2; i >= 0; i-- {
			s = T(math.FMA(float64(s), float64(x), float64(c[i])))
		}
		return s
	}
	for i := len(c) - 2; i >= 0; i-- {
		s = T(fma32(float32(s), float32(x), float32(c[i])))
	}
	return s
}
