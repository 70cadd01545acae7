package dataset

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"pgregory.net/rapid"
)

func TestSeparatedHoldsItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.IntRange(1, 60).Draw(t, "d")
		n := rapid.IntRange(1, d).Draw(t, "n")
		seed := rapid.Uint64().Draw(t, "seed")
		spec := Spec{Kind: "separated", Samples: n, Width: d, Distance: rapid.Float64Range(1e-3, 10).Draw(t, "distance"), Seed: &seed}
		bound := gramRounding(d)
		if rapid.Bool().Draw(t, "near") {
			c := rapid.Float64Range(0, 4).Draw(t, "c")
			spec.Separation = &c
			bound = math.Exp(-4*c) / (8 * float64(n))
		}
		set, err := Load(spec, "")
		if err != nil {
			t.Fatal(err)
		}
		largest := 0.0
		for i := range n {
			x, y := set.X[i*d:(i+1)*d], set.Y[i*d:(i+1)*d]
			if got := floats.Norm(x, 2); !(math.Abs(got-1) <= gramRounding(d)) {
				t.Fatalf("‖x_%d‖: got %v, want 1", i, got)
			}
			// Subtracting vectors of norm ≤ 1 + distance rounds by that much times ε per entry.
			tol := 0x1p-50 * float64(d) * (1 + spec.Distance)
			if got := floats.Distance(x, y, 2); !(math.Abs(got-spec.Distance) <= tol) {
				t.Fatalf("‖y_%d − x_%d‖: got %v, want %v", i, i, got, spec.Distance)
			}
			for j := range i {
				largest = max(largest, math.Abs(floats.Dot(x, set.X[j*d:(j+1)*d])))
			}
		}
		if !(largest <= bound) {
			t.Fatalf("max |⟨x_i,x_j⟩|: got %g, want at most %g", largest, bound)
		}
		// Near-orthonormal inputs fill the bound: of n(n−1)/2 ≥ 45 uniform products
		// none beyond a tenth of it has probability ≤ 10^−45.
		if spec.Separation != nil && n >= 10 && !(largest >= bound/10) {
			t.Fatalf("max |⟨x_i,x_j⟩|: got %g, want about %g", largest, bound)
		}
	})
}

func TestSeparatedAtTheLimits(t *testing.T) {
	// The frame must not need d² numbers: d = 2^20 would be 8 TiB.
	load(t, Spec{Kind: "separated", Samples: 3, Width: 1 << 20, Distance: 1}, "")
	load(t, Spec{Kind: "separated", Samples: 200, Width: 200, Distance: 1, Separation: new(0.0)}, "")
	// The largest c that Resolve allows here.
	load(t, Spec{Kind: "separated", Samples: 8, Width: 10, Distance: 1, Separation: new(6.52)}, "")
}

// The frame is uniform: each entry of the first vector has mean 0 and second
// moment 1/d, which a QR without the sign fix misses in the mean.
func TestOrthonormalIsUniform(t *testing.T) {
	const d, draws = 4, 4000
	var first, second float64
	for seed := range uint64(draws) {
		set := load(t, Spec{Kind: "separated", Samples: d, Width: d, Distance: 1, Seed: new(seed)}, "")
		first += set.X[0]
		second += set.X[0] * set.X[0]
	}
	// An entry has variance 1/d, its square at most 3/d²·(d/(d+2)) − 1/d² < 2/d²; five deviations.
	if mean, tol := first/draws, 5/math.Sqrt(d*draws); !(math.Abs(mean) <= tol) {
		t.Errorf("mean: got %g, want 0 within %g", mean, tol)
	}
	if mean, tol := second/draws, 5*math.Sqrt(2.0/(d*d*draws)); !(math.Abs(mean-1.0/d) <= tol) {
		t.Errorf("second moment: got %g, want %g within %g", mean, 1.0/d, tol)
	}
}

func TestSeedsDecide(t *testing.T) {
	for _, spec := range []Spec{
		{Kind: "separated", Samples: 3, Width: 5, Distance: 1},
		{Kind: "separated", Samples: 3, Width: 5, Distance: 1, Separation: new(0.5)},
		{Kind: "rotation", Samples: 3, Width: 5, Angle: 1, Test: 2},
		{Kind: "sde", Samples: 3, Width: 5, Noise: 1, Test: 2},
		{Kind: "digits", Samples: 3, Test: 2},
	} {
		a, b := load(t, spec, ""), load(t, spec, "")
		if !slices.Equal(a.X, b.X) || !slices.Equal(a.Y, b.Y) {
			t.Errorf("%s: the same seed gave other samples", spec.Kind)
		}
		spec.Seed = new(uint64(2))
		if c := load(t, spec, ""); slices.Equal(a.X, c.X) {
			t.Errorf("%s: another seed gave the same inputs", spec.Kind)
		}
	}
}
