// Package half converts the 16-bit and 8-bit floats of checkpoints.
package half

import "math"

// Float64 returns the IEEE 754 binary16 number with these bits, exactly, with subnormal
// numbers, the sign of zero and NaN.
func Float64(bits uint16) float64 {
	exponent, fraction := int(bits>>10)&0x1f, float64(bits&0x3ff)
	var v float64
	switch exponent {
	case 0:
		v = math.Ldexp(fraction, -24)
	case 0x1f:
		v = math.Inf(1)
		if fraction != 0 {
			v = math.NaN()
		}
	default:
		v = math.Ldexp(1024+fraction, exponent-25)
	}
	if bits>>15 != 0 {
		v = -v
	}
	return v
}

// FromBfloat16 returns the bfloat16 number with these bits, exactly: they are the upper half
// of a float32 number.
func FromBfloat16(bits uint16) float64 {
	return float64(math.Float32frombits(uint32(bits) << 16))
}

// FromE5M2 returns the 8-bit number with five bits of exponent, exactly: the upper half of a binary16 number.
func FromE5M2(bits byte) float64 { return Float64(uint16(bits) << 8) }

// FromE4M3 returns the 8-bit number with four bits of exponent of the Open Compute Project (e4m3fn), exactly: it has no
// infinities, and NaN where all bits but the sign are set.
func FromE4M3(bits byte) float64 {
	exponent, fraction := int(bits>>3)&0xf, float64(bits&7)
	v := math.Ldexp(8+fraction, exponent-10)
	switch {
	case bits&0x7f == 0x7f:
		v = math.NaN()
	case exponent == 0:
		v = math.Ldexp(fraction, -9)
	}
	if bits>>7 != 0 {
		v = -v
	}
	return v
}
