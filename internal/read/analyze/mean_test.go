package analyze

import (
	"math"
	"testing"
)

// TestMeans wants means with Student intervals: two values d apart have the half width
// 12.706 d/2.
func TestMeans(t *testing.T) {
	displacement := 0.5
	limit := Limit{Distances: []LimitDistance{
		{Depth: 8, Next: 16, Seed: 1, Integral: 1, Displacement: &displacement},
		{Depth: 8, Next: 16, Seed: 2, Integral: 1.1},
		{Depth: 16, Next: 32, Seed: 1, Integral: 0.25},
	}}
	means := limit.Means()
	if len(means) != 2 || means[0].Depth != 8 || means[1].Next != 32 {
		t.Fatalf("got %+v, want depths 8 and 16, 16 and 32", means)
	}
	first := means[0].Integral
	if half := 12.7062 * 0.05; !(math.Abs(first.Value-1.05) <= 1e-15) || !(math.Abs(first.High-1.05-half) <= 1e-5) || !(math.Abs(1.05-half-first.Low) <= 1e-5) {
		t.Errorf("got %+v, want 1.05 ± %v", first, half)
	}
	for want, got := range map[string]string{
		"1.05 [0.415, 1.69]": first.Size(digits), "0.5 [no interval]": means[0].Displacement.Size(digits), "0.25 [no interval]": means[1].Integral.Size(digits),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if means[1].Displacement != nil {
		t.Errorf("got %v, want no displacement", means[1].Displacement)
	}
}
