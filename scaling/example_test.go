package scaling_test

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/scaling"
)

// The exponent of a quantity that three seeds measured at four depths.
func ExampleFit() {
	var samples []scaling.Sample
	for seed, factor := range []float64{0.9, 1, 1.1} {
		for _, depth := range []int{16, 32, 64, 128} {
			value := factor * math.Pow(float64(depth), -0.5+0.01*float64(seed))
			samples = append(samples, scaling.Sample{Depth: depth, Seed: uint64(seed + 1), Value: value})
		}
	}
	fit, err := scaling.Fit(samples)
	if err != nil {
		panic(err)
	}
	fmt.Printf("slope %.2f [%.2f, %.2f] from %s\n", fit.Slope, fit.Low, fit.High, fit.Method)
	// Output:
	// slope -0.49 [-0.51, -0.47] from seeds
}

// The variation index of random walks with steps of size L^−½, which is 2.
func ExampleVariationIndex() {
	variations := map[float64][]scaling.Sample{}
	for seed := range uint64(5) {
		for _, depth := range []int{64, 256, 1024} {
			rng := rand.New(rand.NewPCG(seed, uint64(depth)))
			walk := make([]float64, depth)
			for k := range depth - 1 {
				walk[k+1] = walk[k] + rng.NormFloat64()/math.Sqrt(float64(depth))
			}
			found, err := pvar.Compute(pvar.Scalars(walk), 1, 2)
			if err != nil {
				panic(err)
			}
			for _, v := range found {
				variations[v.P] = append(variations[v.P], scaling.Sample{Depth: depth, Seed: seed, Value: v.Value})
			}
		}
	}
	index, err := scaling.VariationIndex(variations)
	if err != nil {
		panic(err)
	}
	fmt.Printf("index %v, read from p = %g\n", index, index.P)
	// Output:
	// index 1.98 [1.87, 2.09], read from p = 1
}

// The limit of smooth paths with independent noise of size L^−½ on every layer.
func ExampleRegime() {
	var paths []scaling.DepthPath
	for seed := range uint64(3) {
		for _, depth := range []int{64, 128, 256, 512} {
			rng := rand.New(rand.NewPCG(seed, uint64(depth)))
			path := make([]float64, depth)
			for k := range path {
				path[k] = math.Sin(float64(k)/float64(depth)) + rng.NormFloat64()/math.Sqrt(float64(depth))
			}
			paths = append(paths, scaling.DepthPath{Depth: depth, Seed: seed, Path: pvar.Scalars(path)})
		}
	}
	verdict, err := scaling.Regime(paths)
	if err != nil {
		panic(err)
	}
	fmt.Printf("%s: %s, exponent %v\n", verdict.Kind, verdict.Rule, verdict.Evidence.NoiseVariation)
	// Output:
	// diffusive: independent noise of steady quadratic variation, exponent 0.02 [-0.16, 0.20]
}
