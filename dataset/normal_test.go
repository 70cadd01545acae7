package dataset

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// TestNormal wants inputs and targets with the moments of independent standard normal
// numbers: each estimate below has a standard deviation of at most √2/√n, and five of
// them is the bound.
func TestNormal(t *testing.T) {
	spec, err := Spec{Kind: "normal", Width: 16, Samples: 1000}.Resolve(1)
	if err != nil {
		t.Fatal(err)
	}
	set, err := Load(spec, "")
	if err != nil {
		t.Fatal(err)
	}
	n := spec.Samples * spec.Width
	if len(set.X) != n || len(set.Y) != n || set.Inputs != 16 || set.Outputs != 16 || set.Test != nil {
		t.Fatalf("got %d and %d numbers, dimensions %d and %d, test %v", len(set.X), len(set.Y), set.Inputs, set.Outputs, set.Test)
	}
	bound := 5 * math.Sqrt(2/float64(n))
	for name, c := range map[string]struct{ got, want float64 }{
		"mean of inputs":      {stat.Mean(set.X, nil), 0},
		"mean of targets":     {stat.Mean(set.Y, nil), 0},
		"variance of inputs":  {stat.Variance(set.X, nil), 1},
		"variance of targets": {stat.Variance(set.Y, nil), 1},
		"correlation":         {stat.Correlation(set.X, set.Y, nil), 0},
	} {
		if !(math.Abs(c.got-c.want) <= bound) {
			t.Errorf("%s: got %v, want %v ± %.3g", name, c.got, c.want, bound)
		}
	}
}
