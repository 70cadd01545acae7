package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

const smoothBits = 400

func bigOf(x float64) *big.Float { return new(big.Float).SetPrec(smoothBits).SetFloat64(x) }

func bigSum(x, y *big.Float) *big.Float  { return new(big.Float).SetPrec(smoothBits).Add(x, y) }
func bigProd(x, y *big.Float) *big.Float { return new(big.Float).SetPrec(smoothBits).Mul(x, y) }
func bigQuo(x, y *big.Float) *big.Float  { return new(big.Float).SetPrec(smoothBits).Quo(x, y) }
func bigNeg(x *big.Float) *big.Float     { return new(big.Float).SetPrec(smoothBits).Neg(x) }

// bigLog returns log a for a in [1/2, 2], by Halley's rule, which triples the digits, twice.
func bigLog(a *big.Float) *big.Float {
	f, _ := a.Float64()
	y := bigOf(math.Log(f))
	for range 2 {
		e := bigExp(y, smoothBits)
		y = bigSum(y, bigProd(bigOf(2), bigQuo(bigSum(a, bigNeg(e)), bigSum(a, e))))
	}
	return y
}

// bigSinCos returns sin x and cos x for |x| < 2²⁰ by their series, after x is reduced by multiples of 2π.
func bigSinCos(x float64) (sin, cos *big.Float) {
	root := bigSqrt2Pi(smoothBits)
	circle := bigProd(root, root)
	turns, _ := bigQuo(bigOf(x), circle).Float64()
	r := bigSum(bigOf(x), bigNeg(bigProd(bigOf(math.Round(turns)), circle)))
	term := bigOf(1)
	sin, cos = bigOf(0), bigOf(0)
	for k := range 120 {
		signed := term
		if k%4 >= 2 {
			signed = bigNeg(term)
		}
		if k%2 == 0 {
			cos = bigSum(cos, signed)
		} else {
			sin = bigSum(sin, signed)
		}
		term = bigQuo(bigProd(term, r), bigOf(float64(k+1)))
	}
	return sin, cos
}

// bigLogistic returns 1/(1 + e^−x).
func bigLogistic(x float64) *big.Float {
	return bigQuo(bigOf(1), bigSum(bigOf(1), bigExp(bigOf(-x), smoothBits)))
}

// references are σ and σ′ to far more digits than the kernels have.
var references = map[Activation]func(x float64) (value, slope *big.Float){
	Sin: bigSinCosPair,
	SiLU: func(x float64) (*big.Float, *big.Float) {
		s := bigLogistic(x)
		other := bigSum(bigOf(1), bigNeg(s))
		return bigProd(bigOf(x), s), bigProd(s, bigSum(bigOf(1), bigProd(bigOf(x), other)))
	},
	Softplus: func(x float64) (*big.Float, *big.Float) {
		half := bigProd(bigOf(0.5), bigSum(bigOf(1), bigExp(bigOf(-math.Abs(x)), smoothBits)))
		return bigSum(bigOf(max(x, 0)), bigLog(half)), bigLogistic(x)
	},
	ELU: func(x float64) (*big.Float, *big.Float) {
		if x > 0 {
			return bigOf(x), bigOf(1)
		}
		e := bigExp(bigOf(x), smoothBits)
		return bigSum(e, bigOf(-1)), e
	},
	Sigmoid: func(x float64) (*big.Float, *big.Float) {
		s := bigLogistic(x)
		return s, bigProd(s, bigSum(bigOf(1), bigNeg(s)))
	},
	CentredSigmoid: func(x float64) (*big.Float, *big.Float) {
		s := bigLogistic(x)
		return bigSum(s, bigOf(-0.5)), bigProd(s, bigSum(bigOf(1), bigNeg(s)))
	},
}

func bigSinCosPair(x float64) (*big.Float, *big.Float) { return bigSinCos(x) }

// TestSmoothError holds the activations to the errors of their documentation, in the range where they are not
// constant or linear to the precision.
func TestSmoothError(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	worst := map[string]float64{}
	for kind, reference := range references {
		reach, single := 700.0, 86.0
		if kind == Sin {
			reach, single = 1<<20, 1<<10
		}
		record := func(name string, x, got float64) {
			name = fmt.Sprintf("%s of %d", name, kind)
			worst[name] = max(worst[name], got)
			if !(got <= 4) {
				t.Errorf("%s at %v: error %.3f units, want at most 4", name, x, got)
			}
		}
		var arguments []float64
		for range 400 {
			x := math.Ldexp(1+r.Float64(), -r.IntN(60)+int(math.Log2(reach))-1)
			arguments = append(arguments, x, -x, r.NormFloat64()*3, math.Round(r.Float64()*40)*math.Pi/2)
		}
		for _, x := range arguments {
			value, slope := reference(x)
			s, ds := functions64[kind](x)
			record("value", x, ulps(s, value, 53, -1074))
			record("slope", x, ulps(ds, slope, 53, -53))
			y := float32(x)
			if !(math.Abs(x) <= single) {
				continue
			}
			value, slope = reference(float64(y))
			s32, ds32 := functions32[kind](y)
			record("value in float32", x, ulps(float64(s32), value, 24, -149))
			record("slope in float32", x, ulps(float64(ds32), slope, 24, -24))
		}
	}
	t.Logf("largest errors: %v", worst)
}

// TestSmoothSpecialValues wants limits at infinity, the values at 0, and a NaN for a NaN.
func TestSmoothSpecialValues(t *testing.T) {
	inf, ln2, nan := math.Inf(1), math.Ln2, math.NaN()
	for kind, want := range map[Activation][3][2]float64{ // at −∞, 0, ∞
		Sin:            {{nan, nan}, {0, 1}, {nan, nan}},
		SiLU:           {{0, 0}, {0, 0.5}, {inf, 1}},
		Softplus:       {{-ln2, 0}, {0, 0.5}, {inf, 1}},
		ELU:            {{-1, 0}, {0, 1}, {inf, 1}},
		Sigmoid:        {{0, 0}, {0.5, 0.25}, {1, 0}},
		CentredSigmoid: {{-0.5, 0}, {0, 0.25}, {0.5, 0}},
		ReLU:           {{0, 0}, {0, 0}, {inf, 1}},
		Identity:       {{-inf, 1}, {0, 1}, {inf, 1}},
	} {
		near := func(got, want float64) bool {
			return got == want || math.Abs(got-want) <= 1e-7 || got != got && want != want
		}
		for i, x := range []float64{-inf, 0, inf} {
			s, ds := functions64[kind](x)
			if !near(s, want[i][0]) || !near(ds, want[i][1]) || x == 0 && s != want[1][0] {
				t.Errorf("activation %d at %v: got %v, %v, want %v", kind, x, s, ds, want[i])
			}
			s32, ds32 := functions32[kind](float32(x))
			if !near(float64(s32), want[i][0]) || !near(float64(ds32), want[i][1]) || x == 0 && float64(s32) != want[1][0] {
				t.Errorf("activation %d at %v in float32: got %v, %v, want %v", kind, x, s32, ds32, want[i])
			}
		}
		if s, _ := functions64[kind](nan); s == s {
			t.Errorf("activation %d at a NaN: got %v", kind, s)
		}
		if s, _ := functions32[kind](float32(nan)); s == s {
			t.Errorf("activation %d at a NaN in float32: got %v", kind, s)
		}
	}
}

// TestSinBounded wants sines within [−1, 1] and finite slopes at all finite numbers.
func TestSinBounded(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	for range 100_000 {
		x := math.Ldexp(r.NormFloat64(), r.IntN(2000)-1000)
		s, c := functions64[Sin](x)
		if !(math.Abs(s) <= 1.1) || !(math.Abs(c) <= 1.1) {
			t.Fatalf("sin and cos of %v: got %v, %v", x, s, c)
		}
		if s32, c32 := functions32[Sin](float32(x)); float32(x)-float32(x) == 0 && (!(abs32(s32) <= 1.1) || !(abs32(c32) <= 1.1)) {
			t.Fatalf("sin and cos of %v in float32: got %v, %v", x, s32, c32)
		}
	}
}
