package analyze

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/runfolder"
	_ "github.com/deeplimit/deeplimit/test/fixedseed"
)

// randomWeights returns weights of noise around a smooth path times c, with the noise as initial weights.
func randomWeights(rng *rand.Rand, depth int, c float64) runfolder.Weights {
	a, initial := make([]float64, depth*4), make([]float64, depth*4)
	for i := range a {
		initial[i] = c * rng.NormFloat64() / float64(depth)
		a[i] = initial[i] + c*math.Sin(float64(i)/float64(depth))/math.Sqrt(float64(depth))
	}
	tensor := func(data []float64) runfolder.Tensor {
		return runfolder.Tensor{DType: "F64", Shape: []int{depth, 2, 2}, Data: data}
	}
	return runfolder.Weights{Tensors: map[string]runfolder.Tensor{"A": tensor(a), "A_initial": tensor(initial)}}
}

// TestPathNumbersScale wants every norm, and every root of a p-variation, to scale with the weights, for factors
// at which sums of squares or powers leave float64.
func TestPathNumbersScale(t *testing.T) {
	exponents := []float64{1, 1.5, 2, 3}
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		c := math.Pow(10, rapid.Float64Range(-300, 300).Draw(t, "log c"))
		depth := rapid.IntRange(20, 40).Draw(t, "depth")
		at := func(c float64) PathNumbers {
			n, _, err := pathNumbers(randomWeights(rand.New(rand.NewPCG(seed, 1)), depth, c), "A", 0.5, exponents)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		one, far := at(1), at(c)
		near := func(name string, got, want float64) {
			if !(math.Abs(got-want) <= 1e-12*math.Abs(want)) {
				t.Fatalf("c = %v: %s: got %v, want %v", c, name, got, want)
			}
		}
		near("max_frobenius", far.MaxFrobenius, c*one.MaxFrobenius)
		near("displacement", far.Displacement, c*one.Displacement)
		near("max_increment", far.MaxIncrement, c*one.MaxIncrement)
		near("root_sum_squares", far.RootSumSquares, c*one.RootSumSquares)
		near("displacement_variation", far.DisplacementVariation, c*one.DisplacementVariation)
		if !(math.Abs(far.Hoelder-one.Hoelder) <= 1e-9) || !(math.Abs(far.HoelderUniform-one.HoelderUniform) <= 1e-9) {
			t.Fatalf("c = %v: got Hölder exponents %v and %v, want %v and %v", c, far.Hoelder, far.HoelderUniform, one.Hoelder, one.HoelderUniform)
		}
		for _, p := range exponents {
			text := exponentText(p)
			want, _ := one.root(text, p)
			got, outside := far.root(text, p)
			near("root of V_"+text, got, c*want)
			if outside != math.IsNaN(far.PVariation[text]) {
				t.Fatalf("c = %v: V_%s is %v, with a root: %t", c, text, far.PVariation[text], outside)
			}
		}
		quadratic := math.Sqrt(far.QuadraticVariation)
		if far.QuadraticVariationRoot != nil {
			quadratic = *far.QuadraticVariationRoot
		}
		near("root of the quadratic variation", quadratic, c*math.Sqrt(one.QuadraticVariation))
		if _, err := json.Marshal(&Run{PathNumbers: far, Parts: map[string]PathNumbers{"A": far}}); err != nil {
			t.Fatal(err)
		}
	})
}

// TestExponentsScale wants the slopes of weights of 1e-200 to be those of weights of 1.
func TestExponentsScale(t *testing.T) {
	at := func(c float64) GroupPath {
		var runs []Run
		for _, depth := range []int{16, 32, 64} {
			for seed := range uint64(3) {
				n, _, err := pathNumbers(randomWeights(rand.New(rand.NewPCG(seed, uint64(depth))), depth, c), "A", 0.5, []float64{1.5, 2, 3})
				if err != nil {
					t.Fatal(err)
				}
				runs = append(runs, Run{Depth: depth, Seed: seed, PathNumbers: n, Parts: map[string]PathNumbers{"A": n}})
			}
		}
		g := Group{}
		path := g.exponents(runs, "A", true)
		if len(g.Notes) > 0 {
			t.Errorf("c = %v: notes %q", c, g.Notes)
		}
		return path
	}
	one := at(1)
	for _, c := range []float64{1e-250, 1e-200, 1e-110, 1e110, 1e200} {
		far := at(c)
		for p, want := range one.VariationSlope {
			got, ok := far.VariationSlope[p]
			shift := exponentOf(p) * math.Log(c)
			if !ok || !(math.Abs(got.Slope-want.Slope) <= 1e-9 && math.Abs(got.High-want.High) <= 1e-9 && math.Abs(got.Intercept-want.Intercept-shift) <= 1e-9) {
				t.Errorf("c = %v: V_%s: got %+v, want %+v", c, p, got, want)
			}
		}
	}
}
