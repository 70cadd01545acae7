package pvar_test

import (
	"fmt"

	"github.com/deeplimit/deeplimit/pvar"
)

// The exact 1- and 2-variation of a slice, with the partitions that attain them.
func ExampleCompute() {
	path := pvar.Scalars([]float64{0, 1, 3, 2, 2.5, 0})
	variations, err := pvar.Compute(path, 1, 2)
	if err != nil {
		panic(err)
	}
	for _, v := range variations {
		fmt.Printf("V_%g = %g at %v, norm %.4f\n", v.P, v.Value, v.Partition, v.Norm)
	}
	// Output:
	// V_1 = 7 at [0 1 2 3 4 5], norm 7.0000
	// V_2 = 18 at [0 2 5], norm 4.2426
}

// A path of 2×2 matrices, measured in the spectral norm.
func ExampleComputeIn() {
	path := pvar.Points{Dim: 4, Data: []float64{
		0, 0, 0, 0,
		3, 0, 0, 4, // diag(3, 4)
		3, 0, 0, 0, // diag(3, 0)
	}}
	variations, err := pvar.ComputeIn(pvar.Spectral(2, 2), path, 2)
	if err != nil {
		panic(err)
	}
	fmt.Printf("V_2 = %g at %v\n", variations[0].Value, variations[0].Partition)
	// Output:
	// V_2 = 32 at [0 1 2]
}

// The exponent h in ‖x_{i+m} − x_i‖ ∝ m^h of a straight line is 1.
func ExampleHoelder() {
	line := make([]float64, 65)
	for i := range line {
		line[i] = float64(i) / 64
	}
	r, err := pvar.Hoelder(pvar.Scalars(line))
	if err != nil {
		panic(err)
	}
	fmt.Printf("h = %.3f\n", r.Mean)
	// Output:
	// h = 1.000
}
