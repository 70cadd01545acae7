package dataset

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// Inputs and targets have the mean ½ and the variance 1/12 of the uniform law, to five
// standard errors, and stay in [0,1].
func TestUniform(t *testing.T) {
	const n, d = 4000, 5
	set := load(t, Spec{Kind: "uniform", Samples: n, Width: d, Test: 3}, "")
	if set.Inputs != d || set.Outputs != 1 || set.Test.Samples != 3 || len(set.Test.Y) != 3 {
		t.Fatalf("got %d inputs, %d outputs and test set %+v, want %d, 1 and three samples", set.Inputs, set.Outputs, set.Test, d)
	}
	for name, v := range map[string][]float64{"inputs": set.X, "targets": set.Y} {
		mean, variance := stat.MeanVariance(v, nil)
		size := float64(len(v))
		if tol := 5 * math.Sqrt(1/(12*size)); !(math.Abs(mean-0.5) <= tol) {
			t.Errorf("%s: mean: got %v, want ½ within %g", name, mean, tol)
		}
		// The fourth central moment of the law is 1/80.
		if tol := 5 * math.Sqrt((1.0/80-1.0/144)/size); !(math.Abs(variance-1.0/12) <= tol) {
			t.Errorf("%s: variance: got %v, want 1/12 within %g", name, variance, tol)
		}
		for _, x := range v {
			if !(0 <= x && x < 1) {
				t.Fatalf("%s: got %v, want a number in [0,1)", name, x)
			}
		}
	}
	inputs, outputs, err := Dimensions(Spec{Kind: "uniform", Samples: n, Width: d}, "")
	if inputs != d || outputs != 1 || err != nil {
		t.Errorf("Dimensions: got %d, %d, %v, want %d, 1", inputs, outputs, err, d)
	}
}
