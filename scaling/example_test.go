package scaling_test

import (
	"fmt"
	"math"

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
