package kernel

import (
	"math"
	"unsafe"

	"github.com/deeplimit/deeplimit/internal/kernel/coef"
)

// The other activations in portable Go, in either element type: see portable_activation.go.

// numbers are the constants of an element type.
type numbers[T Float] struct {
	round                          T // round64 or round32
	exp, sin, cos, log             []T
	ln2Hi, ln2Lo, pi, piMid, piLow T
	expBound, sinBound             T
}

var (
	numbers64 = numbers[float64]{
		round64, coef.Exp64[:], coef.Sin64[:], coef.Cos64[:], coef.Log64[:],
		coef.Ln2Hi64, coef.Ln2Lo64, coef.Pi64, coef.PiMid64, coef.PiLow64, coef.ExpBound64, coef.SinBound64,
	}
	numbers32 = numbers[float32]{
		round32, coef.Exp32[:], coef.Sin32[:], coef.Cos32[:], coef.Log32[:],
		coef.Ln2Hi32, coef.Ln2Lo32, coef.Pi32, coef.PiMid32, coef.PiLow32, coef.ExpBound32, coef.SinBound32,
	}
)

func numbersOf[T Float]() *numbers[T] {
	if n, ok := any(&numbers64).(*numbers[T]); ok {
		return n
	}
	return any(&numbers32).(*numbers[T])
}

// magnitude returns |x|.
func magnitude[T Float](x T) T { return T(math.Abs(float64(x))) }

// negative says whether the sign bit of x is set.
func negative[T Float](x T) bool { return math.Signbit(float64(x)) }

// flipped returns x with its sign bit changed where flip is set.
func flipped[T Float](x T, flip bool) T {
	if flip {
		return -x
	}
	return x
}

// least and most return bound where it is below x, or above it, else x, a NaN too.
func least[T Float](x, bound T) T {
	if bound < x {
		return bound
	}
	return x
}

func most[T Float](x, bound T) T {
	if bound > x {
		return bound
	}
	return x
}

// exponential returns p and 2ᵏ of e^w = 2ᵏ(1 + p), for w in [−expBound, 0].
func exponential[T Float](w T) (p, scale T) {
	n := numbersOf[T]()
	shifted := fma(w, coef.Log2E, n.round)
	k := T(shifted - n.round)
	r := fma(-k, n.ln2Hi, w)
	r = fma(-k, n.ln2Lo, r)
	square := T(r * r)
	p = fma(square, polynomial(n.exp, r, square), r)
	if unsafe.Sizeof(w) == 8 {
		return p, T(math.Float64frombits(math.Float64bits(float64(shifted))<<52 + 1023<<52))
	}
	return p, T(math.Float32frombits(math.Float32bits(float32(shifted))<<23 + 127<<23))
}

// logistic returns s = 1/(1 + e^−x), 1 − s, and p and 2ᵏ of e^−|x|. Beyond expBound |x| is taken as that.
func logistic[T Float](x T) (s, other, p, scale T) {
	p, scale = exponential(-least(magnitude(x), numbersOf[T]().expBound))
	e := fma(scale, p, scale)
	large := T(1 / T(1+e))
	small := T(e * large)
	if negative(x) {
		return small, large, p, scale
	}
	return large, small, p, scale
}

// sigmoid returns s and s(1 − s).
func sigmoid[T Float](x T) (T, T) {
	s, other, _, _ := logistic(x)
	return s, T(s * other)
}

// centredSigmoid returns q = tanh(x/2)/2 and 1/4 − q².
func centredSigmoid[T Float](x T) (T, T) {
	var t T
	if unsafe.Sizeof(x) == 8 {
		value, _ := tanh64(float64(x) * 0.5)
		t = T(value)
	} else {
		value, _ := tanh32(float32(x) * 0.5)
		t = T(value)
	}
	q := T(t * 0.5)
	return q, fma(-q, q, 0.25)
}

// silu returns x s and s(1 + x(1 − s)).
func silu[T Float](x T) (T, T) {
	bound := numbersOf[T]().expBound
	s, other, _, _ := logistic(x)
	weight := flipped(least(magnitude(x), bound), negative(x))
	return T(most(x, -bound) * s), T(s * fma(weight, other, 1))
}

// softplus returns log(1 + eˣ) − log 2 = max(x, 0) + log(1 + f), f = (e^−|x| − 1)/2, and s. As f is precise near 0, so
// is the value.
func softplus[T Float](x T) (T, T) {
	s, _, p, scale := logistic(x)
	f := T(0.5 * fma(scale, p, T(scale-1)))
	z := T(f / T(2+f))
	square := T(z * z)
	log := fma(polynomial(numbersOf[T]().log, square, T(square*square)), T(z*square), T(z+z))
	return T(most(x, 0) + log), s
}

// elu returns x and 1, or eˣ − 1 and eˣ for x ≤ 0.
func elu[T Float](x T) (T, T) {
	p, scale := exponential(most(least(x, 0), -numbersOf[T]().expBound))
	return T(most(x, 0) + fma(scale, p, T(scale-1))), fma(scale, p, scale)
}

// sin returns sin x and cos x. With |x| = kπ + r, |r| ≤ π/2, they are (−1)ᵏ sin r, with the sign of x, and (−1)ᵏ cos r. π has
// three parts, so that r is right to the rounding of 1 for all |x| up to sinBound, beyond which |x| is taken as that.
func sin[T Float](x T) (T, T) {
	n := numbersOf[T]()
	y := T(least(magnitude(x), n.sinBound) + T(x-x)) // infinity has no sine
	shifted := fma(y, coef.InvPi, n.round)
	k := T(shifted - n.round)
	r := fma(-k, n.pi, y)
	r = fma(-k, n.piMid, r)
	r = fma(-k, n.piLow, r)
	square := T(r * r)
	fourth := T(square * square)
	s := fma(polynomial(n.sin, square, fourth), T(r*square), r)
	c := fma(fma(polynomial(n.cos, square, fourth), square, -0.5), square, 1)
	odd := false
	if unsafe.Sizeof(x) == 8 {
		odd = math.Float64bits(float64(shifted))&1 != 0
	} else {
		odd = math.Float32bits(float32(shifted))&1 != 0
	}
	return flipped(s, odd != negative(x)), flipped(c, odd)
}

// relu returns max(0, x) and whether x > 0.
func relu[T Float](x T) (T, T) {
	if x > 0 {
		return x, 1
	}
	return most(x, 0), 0
}

func identity[T Float](x T) (T, T) { return x, 1 }
