package kernel

import (
	"math"
	"unsafe"

	"github.com/deeplimit/deeplimit/internal/kernel/coef"
)

// The activations, one element at a time: every tier performs these operations
// in this order. A comparison that a NaN fails leaves the NaN in place.

// function returns x ↦ (σ(x), σ′(x)).
func function[T Float](kind Activation) func(T) (T, T) {
	var zero T
	if unsafe.Sizeof(zero) == 8 {
		return any(functions64[kind]).(func(T) (T, T))
	}
	return any(functions32[kind]).(func(T) (T, T))
}

var (
	functions64 = [...]func(float64) (float64, float64){Tanh: tanh64, GELU: gelu64, TanhValue: tanhValue64}
	functions32 = [...]func(float32) (float32, float32){Tanh: tanh32, GELU: gelu32, TanhValue: tanhValue32}
)

func tanhValue64(x float64) (float64, float64) {
	s, _ := tanh64(x)
	return s, s
}

func tanhValue32(x float32) (float32, float32) {
	s, _ := tanh32(x)
	return s, s
}

// round64 and round32, added to and taken from a small number, leave the nearest
// integer: its bits are the low ones of the sum.
const (
	round64 = 0x1.8p52
	round32 = 0x1.8p23
)

// expm1r64 returns p = eʳ − 1 for |r| ≤ ln2/2, and what its last rounding took off.
func expm1r64(r float64) (p, below float64) {
	square := float64(r * r)
	q := polynomial(coef.Exp64[:], r, square)
	p = math.FMA(square, q, r)
	return p, math.FMA(square, q, float64(r-p))
}

// expm1r32 returns eʳ − 1 for |r| ≤ ln2/2.
func expm1r32(r float32) float32 {
	square := float32(r * r)
	return fma32(square, polynomial(coef.Exp32[:], r, square), r)
}

// tanh64 returns tanh x and 1 − tanh²x.
//
// With e = e^{2|x|} − 1, |tanh x| = e/(e+2). One Newton step removes the rounding
// errors of p, of e + 2 and of the quotient, as e + tail + 2 = d + low. The largest error
// that remains is at 2|x| just above ln2/2, where e^{2|x|} = 2e^r first takes its
// exponent from k = 1: in units of 2⁻⁵⁵, an ulp of the result, e is off by at most 1.5
// from the rounding of r, 1 from its own and 1.5 from the polynomial, its fit and its
// coefficients, which 2/(e+2)² = 0.343 brings to 1.4; the last operation adds ½.
func tanh64(x float64) (float64, float64) {
	y := math.Abs(x)
	if y > coef.Tanh64 {
		y = coef.Tanh64
	}
	w := float64(y + y)
	shifted := math.FMA(w, coef.Log2E, round64)
	k := float64(shifted - round64)
	r := math.FMA(-k, coef.Ln2Hi64, w)
	r = math.FMA(-k, coef.Ln2Lo64, r)
	p, below := expm1r64(r)
	scale := math.Float64frombits(math.Float64bits(shifted)<<52 + 1023<<52) // 2ᵏ
	e := math.FMA(scale, p, float64(scale-1))
	tail := float64(scale * below)

	d := float64(e + 2)
	low := float64(float64(e-float64(d-2)) + tail)
	inverse := float64(1 / d)
	q := float64(e * inverse)
	rest := math.FMA(-q, d, e)
	rest = math.FMA(-q, low, rest)
	rest = float64(rest + tail)
	q = math.FMA(rest, inverse, q)

	s := math.Copysign(q, x)
	return s, math.FMA(-s, s, 1)
}

// tanh32 returns tanh x and 1 − tanh²x. It is tanh64 without the Newton step, as 4 ulp
// are allowed, and with ln 2 in one part: the nearest float32 is off by 0.05·2⁻²⁴ of
// it, which times k and damped by 2/(e+2) stays below 0.02·2⁻²⁴.
func tanh32(x float32) (float32, float32) {
	y := abs32(x)
	if y > coef.Tanh32 {
		y = coef.Tanh32
	}
	w := float32(y + y)
	shifted := fma32(w, coef.Log2E, round32)
	k := float32(shifted - round32)
	p := expm1r32(fma32(-k, math.Ln2, w))
	scale := math.Float32frombits(math.Float32bits(shifted)<<23 + 127<<23)
	e := fma32(scale, p, float32(scale-1))
	q := float32(e / float32(e+2))
	s := math.Float32frombits(math.Float32bits(q) | math.Float32bits(x)&(1<<31))
	return s, fma32(-s, s, 1)
}

// gelu64 returns x Φ(x) and Φ(x) + x φ(x).
//
// With y = |x|, Φ(−y) = e^{−y²/2} M(y) for M the Mills ratio over √(2π), a smooth
// function that one rational approximation covers, and Φ(y) = 1 − Φ(−y): the
// relative error stays small in the tail. y² is kept in two parts, as its rounding
// error times ½ is a relative error of the exponential.
func gelu64(x float64) (float64, float64) {
	y := math.Abs(x)
	if y > coef.GELU64 {
		y = coef.GELU64
	}
	t := float64(y * y)
	low := math.FMA(y, y, -t)
	half := float64(t * -0.5)
	shifted := math.FMA(half, coef.Log2E, round64)
	k := float64(shifted - round64)
	r := math.FMA(-k, coef.Ln2Hi64, half)
	r = math.FMA(-k, coef.Ln2Lo64, r)
	r = math.FMA(low, -0.5, r)
	p, _ := expm1r64(r)
	scale := math.Float64frombits(math.Float64bits(shifted)<<52 + 1023<<52)
	density := math.FMA(scale, p, scale) // e^{−y²/2}
	if math.Abs(x) > coef.GELU64 {
		density = 0
	}
	tail := float64(density * float64(polynomial(coef.MillsP64[:], y, t)/polynomial(coef.MillsQ64[:], y, t)))

	phi := float64(1 - tail)
	if math.Signbit(x) {
		phi = tail
	}
	bounded := x
	if bounded < -coef.GELU64 {
		bounded = -coef.GELU64
	}
	weight := float64(math.Copysign(y, x) * coef.InvSqrt2Pi)
	return float64(bounded * phi), math.FMA(weight, density, phi)
}

// gelu32 is gelu64 in float32.
func gelu32(x float32) (float32, float32) {
	y := abs32(x)
	if y > coef.GELU32 {
		y = coef.GELU32
	}
	t := float32(y * y)
	low := fma32(y, y, -t)
	half := float32(t * -0.5)
	shifted := fma32(half, coef.Log2E, round32)
	k := float32(shifted - round32)
	r := fma32(-k, coef.Ln2Hi32, half)
	r = fma32(-k, coef.Ln2Lo32, r)
	r = fma32(low, -0.5, r)
	p := expm1r32(r)
	scale := math.Float32frombits(math.Float32bits(shifted)<<23 + 127<<23)
	density := fma32(scale, p, scale)
	if abs32(x) > coef.GELU32 {
		density = 0
	}
	tail := float32(density * float32(polynomial(coef.MillsP32[:], y, t)/polynomial(coef.MillsQ32[:], y, t)))

	sign := math.Float32bits(x) & (1 << 31)
	phi := float32(1 - tail)
	if sign != 0 {
		phi = tail
	}
	bounded := x
	if bounded < -coef.GELU32 {
		bounded = -coef.GELU32
	}
	weight := float32(math.Float32frombits(math.Float32bits(y)|sign) * coef.InvSqrt2Pi)
	return float32(bounded * phi), fma32(weight, density, phi)
}

// abs32 returns |x|.
func abs32(x float32) float32 { return math.Float32frombits(math.Float32bits(x) &^ (1 << 31)) }
