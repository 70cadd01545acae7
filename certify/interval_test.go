package certify_test

import (
	"math"
	"math/big"
	"testing"

	"github.com/deeplimit/deeplimit/certify"
	"pgregory.net/rapid"
)

// precise is far more than twice the precision of float64.
const precise = 400

func bigFloat(x float64) *big.Float { return new(big.Float).SetPrec(precise).SetFloat64(x) }

// bigExp returns e^x for 0 ≤ x ≤ 700 by its series at x/2^12, squared 12 times.
func bigExp(x *big.Float) *big.Float {
	r := new(big.Float).SetPrec(precise).SetMantExp(x, -12)
	sum, term := bigFloat(1), bigFloat(1)
	for n := 1; n < 80; n++ {
		term.Mul(term, r)
		term.Quo(term, bigFloat(float64(n)))
		sum.Add(sum, term)
	}
	for range 12 {
		sum.Mul(sum, sum)
	}
	return sum
}

// TestIntervalsEnclose draws two intervals and a point in each: the exact result
// for the points lies in the interval that each operation returns, and where the
// operands are single numbers the result is a few units wide.
func TestIntervalsEnclose(t *testing.T) {
	exact := map[string]func(x, y *big.Float) *big.Float{
		"add": func(x, y *big.Float) *big.Float { return bigFloat(0).Add(x, y) },
		"minus": func(x, y *big.Float) *big.Float {
			if d := bigFloat(0).Sub(x, y); d.Sign() > 0 {
				return d
			}
			return bigFloat(0)
		},
		"mul":  func(x, y *big.Float) *big.Float { return bigFloat(0).Mul(x, y) },
		"over": func(x, y *big.Float) *big.Float { return bigFloat(0).Quo(x, y) },
		"sqrt": func(x, _ *big.Float) *big.Float { return bigFloat(0).Sqrt(x) },
		"exp":  func(x, _ *big.Float) *big.Float { return bigExp(x) },
		"hypot": func(x, y *big.Float) *big.Float {
			square := bigFloat(0).Mul(x, x)
			return bigFloat(0).Sqrt(square.Add(square, bigFloat(0).Mul(y, y)))
		},
	}
	draw := func(t *rapid.T, name string) ([2]float64, float64) {
		lo := math.Pow(10, rapid.Float64Range(-12, 2.8).Draw(t, name))
		width := rapid.SampledFrom([]float64{0, 1e-15, 1e-6, 1}).Draw(t, name+" width")
		hi := lo * (1 + width)
		return [2]float64{lo, hi}, min(hi, lo+rapid.Float64Range(0, 1).Draw(t, name+" point")*(hi-lo))
	}
	for name, operation := range certify.Operations {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				x, px := draw(t, "x")
				y, py := draw(t, "y")
				got := operation(x, y)
				want := exact[name](bigFloat(px), bigFloat(py))
				if math.IsInf(got[1], 1) && name == "exp" {
					got[1] = math.MaxFloat64
					want = bigFloat(math.MaxFloat64)
				}
				if !(bigFloat(got[0]).Cmp(want) <= 0 && bigFloat(got[1]).Cmp(want) >= 0) {
					t.Fatalf("%v, %v: [%v, %v] misses %v", x, y, got[0], got[1], want)
				}
				if x[0] == x[1] && y[0] == y[1] && name != "minus" && !((got[1]-got[0])/got[1] <= 40*0x1p-52) {
					t.Fatalf("%v, %v: [%v, %v] is too wide", x, y, got[0], got[1])
				}
			})
		})
	}
}

// TestIntervalsAtTheEdges: nothing is lost to overflow, underflow or 0·∞.
func TestIntervalsAtTheEdges(t *testing.T) {
	huge, tiny := math.MaxFloat64, math.SmallestNonzeroFloat64
	inf := math.Inf(1)
	for _, c := range []struct {
		operation string
		x, y      [2]float64
		lo, hi    float64 // the result must reach from at most lo to at least hi
	}{
		{"mul", [2]float64{huge, huge}, [2]float64{2, 2}, huge, inf},
		{"mul", [2]float64{tiny, tiny}, [2]float64{0.5, 0.5}, 0, tiny},
		{"mul", [2]float64{0, 0}, [2]float64{1, inf}, 0, 0},
		{"add", [2]float64{huge, huge}, [2]float64{huge, huge}, huge, inf},
		{"over", [2]float64{1, 1}, [2]float64{0, 1}, 1, inf},
		{"over", [2]float64{1, 1}, [2]float64{1, inf}, 0, 1},
		{"minus", [2]float64{1, 1}, [2]float64{1, 1}, 0, 0},
		{"minus", [2]float64{1, 3}, [2]float64{2, 2}, 0, 1},
		{"exp", [2]float64{1000, 1000}, [2]float64{}, huge, inf},
	} {
		got := certify.Operations[c.operation](c.x, c.y)
		if !(0 <= got[0] && got[0] <= c.lo && got[1] >= c.hi) {
			t.Errorf("%s %v %v = %v, want it to hold [%v, %v]", c.operation, c.x, c.y, got, c.lo, c.hi)
		}
	}
}

// TestHypotScales wants the root of a sum of squares of any size to enclose the exact one, a few units wide.
func TestHypotScales(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := rapid.IntRange(-1000, 1000).Draw(t, "exponent")
		x := math.Ldexp(rapid.Float64Range(0.5, 1).Draw(t, "x"), e)
		y := math.Ldexp(rapid.Float64Range(0, 1).Draw(t, "y"), e-rapid.IntRange(0, 60).Draw(t, "smaller"))
		got := certify.Operations["hypot"]([2]float64{x, x}, [2]float64{y, y})
		square := bigFloat(0).Mul(bigFloat(x), bigFloat(x))
		want := bigFloat(0).Sqrt(square.Add(square, bigFloat(0).Mul(bigFloat(y), bigFloat(y))))
		if bigFloat(got[0]).Cmp(want) > 0 || bigFloat(got[1]).Cmp(want) < 0 || !(got[1]-got[0] <= 0x1p-48*got[1]) {
			t.Fatalf("√(%v² + %v²): got %v, want %v inside", x, y, got, want)
		}
	})
}

// TestTinyWeights has weights whose squares float64 takes for 0: no bound is violated, and none is far above what the
// weights' size allows.
func TestTinyWeights(t *testing.T) {
	for _, block := range []string{"inner", "outer", "mlp"} {
		for _, bias := range []bool{false, true} {
			n := draw(shape{block: block, activation: "tanh", L: 4, d: 3, N: 2, m: 3, out: 3, alpha: 0.5, amplitude: 1e-200, scale: 1, error: 0.1, bias: bias, seed: 5})
			it, err := certify.New(n.problem(), n.measureStep(1e-3))
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range it.Bounds() {
				if b.Verdict == certify.Violated {
					t.Errorf("%s, bias %t: %+v", block, bias, b)
				}
				if b.Name == "gradient-increments" && block != "mlp" && !bias && !(b.Value <= 1e-190) {
					t.Errorf("%s: increments of the gradient bounded by %v, want at most the weights' size", block, b.Value)
				}
			}
		}
	}
}
