package curvature_test

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/curvature"
)

// The ends of the spectrum of the second difference of 50 points, whose eigenvalues are
// 2 − 2cos(jπ/51).
func ExampleFind() {
	n := 50
	difference := func(dst, v []float64) error {
		for i := range v {
			dst[i] = 2 * v[i]
			if i > 0 {
				dst[i] -= v[i-1]
			}
			if i < n-1 {
				dst[i] -= v[i+1]
			}
		}
		return nil
	}
	found, err := curvature.Find(n, difference, curvature.Options{})
	if err != nil {
		panic(err)
	}
	exact := 2 - 2*math.Cos(50*math.Pi/51)
	fmt.Printf("largest %.4f, exactly %.4f, converged: %v\n", found.Largest.Value, exact, found.Largest.Converged)
	fmt.Printf("smallest %.5f\n", found.Smallest.Value)
	// Output:
	// largest 3.9962, exactly 3.9962, converged: true
	// smallest 0.00379
}

// An eigenvalue is written with the digits that its residual leaves.
func ExampleText() {
	fmt.Println(curvature.Text(1.2345678, 1e-4, 6))
	fmt.Println(curvature.Text(3e-12, 2e-9, 6))
	// Output:
	// 1.235
	// 0 ± 3e-09
}
