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
	functions64 = [...]func(float64) (float64, float64){
		Tanh: tanh64, GELU: gelu64, Sin: sin[float64], SiLU: silu[float64], Softplus: softplus[float64], ELU: elu[float64],
		Sigmoid: sigmoid[float64], CentredSigmoid: centredSigmoid[float64], ReLU: relu[float64], Identity: identity[float64], TanhValue: tanhValue64,
	}
	functions32 = [...]func(float32) (float32, float32){
		Tanh: tanh32, GELU: gelu32, Sin: sin[float32], SiLU: silu[float32], Softplus: softplus[float32], ELU: elu[float32],
		Sigmoid: sigmoid[float32], CentredSigmoid: centredSigmoid[float32], ReLU: relu[float32], Identity: identity[float32], TanhValue: tanhValue32,
	}
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

// expm1r64 returns eʳ − 1 for |r| ≤ ln2/2.
func expm1r64(r float64) float64 {
	square := float64(r * r)
	return math.FMA(square, polynomial(coef.Exp64[:], r, square), r)
}

// expm1r32 returns eʳ − 1 for |r| ≤ ln2/2.
func expm1r32(r float32) float32 {
	square := float32(r * r)
	return fma32(square, polynomial(coef.Exp32[:], r, square), r)
}

// tanh64 returns tanh x and 1 − tanh²x.
//
// With |x| = k·ln2/2 + r, |r| ≤ ln2/4, and t = tanh r, an odd polynomial, the addition
// theorem gives |tanh x| = (a + tb)/(b + ta) for a = 2ᵏ − 1, b = 2ᵏ + 1, both exact. It is
// computed as c + (a − cb + t(b − ca))/(b + ta) with c near the result: 0, ¼ or ½ for
// k = 0, 1 or more. The quotient is small then and hardly passes its errors on.
// For k = 1, where they count most, r is exact. In units of 2⁻⁵⁵, an ulp of the result where it is below ¼,
// there: the rounding of t, ½, comes through as it is, that of the numerator adds 0.2, that
// of the denominator 0.2, the quotient ¼, the last sum ½; in all 1.7, more than elsewhere.
func tanh64(x float64) (float64, float64) {
	y := math.Abs(x)
	if y > coef.Tanh64 {
		y = coef.Tanh64
	}
	shifted := math.FMA(y, 2*coef.Log2E, round64)
	k := float64(shifted - round64)
	r := math.FMA(-k, coef.HalfLn2, y)
	square := float64(r * r)
	low := float64(k * -coef.HalfLn2Lo)
	t := float64(r + math.FMA(horner(coef.TanhP64[:], square), float64(r*square), low))
	scale := math.Float64frombits(math.Float64bits(shifted)<<52 + 1023<<52) // 2ᵏ
	a, b := float64(scale-1), float64(scale+1)
	c := min(float64(k*0.25), 0.5)
	q := float64(c + float64(math.FMA(math.FMA(-c, a, b), t, math.FMA(-c, b, a))/math.FMA(a, t, b)))

	s := math.Copysign(q, x)
	return s, math.FMA(-s, s, 1)
}

// tanh32 returns tanh x and 1 − tanh²x. It is tanh64 with c = 0 and ln 2 in one part, as 4 ulp
// are allowed.
func tanh32(x float32) (float32, float32) {
	y := abs32(x)
	if y > coef.Tanh32 {
		y = coef.Tanh32
	}
	shifted := fma32(y, 2*coef.Log2E, round32)
	k := float32(shifted - round32)
	r := fma32(-k, coef.HalfLn2, y)
	square := float32(r * r)
	t := fma32(horner(coef.TanhP32[:], square), float32(r*square), r)
	scale := math.Float32frombits(math.Float32bits(shifted)<<23 + 127<<23)
	a, b := float32(scale-1), float32(scale+1)
	q := float32(fma32(b, t, a) / fma32(a, t, b))
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
	p := expm1r64(r)
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
