package pvar

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestVariationIndex takes paths whose index is known by a formula.
func TestVariationIndex(t *testing.T) {
	const n = 4097
	rng := rand.New(rand.NewPCG(5, 9))
	line, sine, jumps, noise := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range line {
		s := float64(i) / (n - 1)
		line[i], sine[i], noise[i] = s, math.Sin(7*s), rng.NormFloat64()
		jumps[i] = s + math.Floor(3.3*s)
	}
	for name, c := range map[string]struct {
		path            []float64
		want, tolerance float64
	}{
		"line": {line, 1, 1e-9},
		// Averages over where the sum begins change by the ends alone, a 32nd of the path at most.
		"sine":  {sine, 1, 0.01},
		"jumps": {jumps, 1, 0.01},
		"noise": {noise, math.Inf(1), 0},
	} {
		got, err := VariationIndex(Scalars(c.path))
		if err != nil || got.Index != c.want && !(math.Abs(got.Index-c.want) <= c.tolerance) {
			t.Errorf("%s: got %v, %v, want %v", name, got.Index, err, c.want)
		}
		if got.Low > got.Index || got.High < got.Index {
			t.Errorf("%s: got the interval [%v, %v] about %v", name, got.Low, got.High, got.Index)
		}
	}
	scaled := make([]float64, n)
	walk := brownian(n, 1).Data
	for i, x := range walk {
		scaled[i] = 1e200 * x
	}
	one, err := VariationIndex(Scalars(walk))
	if err != nil {
		t.Fatal(err)
	}
	other, err := VariationIndex(Scalars(scaled))
	if err != nil || !(math.Abs(one.Index-other.Index) <= 1e-6) {
		t.Errorf("scaled: got %v, %v, want %v", other.Index, err, one.Index)
	}
}

// TestVariationIndexOfWalks takes random walks, of index 2: the mean estimate is near it and most intervals hold it.
func TestVariationIndexOfWalks(t *testing.T) {
	const draws, n = 100, 1025
	rng := rand.New(rand.NewPCG(3, 4))
	mean, held := 0.0, 0
	for range draws {
		walk := make([]float64, n)
		for i := 1; i < n; i++ {
			walk[i] = walk[i-1] + rng.NormFloat64()
		}
		x, err := VariationIndex(Scalars(walk))
		if err != nil {
			t.Fatal(err)
		}
		mean += x.Index / draws
		if x.Low <= 2 && 2 <= x.High {
			held++
		}
	}
	if !(math.Abs(mean-2) <= 0.05) {
		t.Errorf("mean: got %v, want 2", mean)
	}
	t.Logf("mean %.3f, %d of %d intervals hold 2", mean, held, draws)
	// 95 % would be 95, with a standard deviation of 2; 185 of 200 are measured.
	if held < 85 {
		t.Errorf("intervals that hold 2: got %d of %d, want 85 at least", held, draws)
	}
}

func TestVariationIndexRefuses(t *testing.T) {
	short, still, back := make([]float64, 32), make([]float64, 64), make([]float64, 64)
	for i := range back {
		back[i] = float64(i % 2)
	}
	bad := make([]float64, 64)
	bad[3] = math.Inf(1)
	for want, path := range map[string][]float64{
		"got 32 points, want 33":          short,
		"lag 1: got increments of size 0": still,
		"lag 2: got increments of size 0": back,
		"point 3":                         bad,
	} {
		if _, err := VariationIndex(Scalars(path)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want %q", err, want)
		}
	}
}
