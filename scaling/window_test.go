package scaling

import (
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/pvar"
)

// The 95 % interval of a slope over the depths there are misses the exponent of the limit: the first table of
// docs/statistics.md, with fewer draws than its 200.
func TestSlopesMissTheLimit(t *testing.T) {
	const draws, dim = 30, 4
	variation := func(p float64) func(x pvar.Points) float64 {
		return func(x pvar.Points) float64 {
			v, err := pvar.Compute(x, p)
			if err != nil {
				t.Fatal(err)
			}
			return v[0].Value
		}
	}
	size := func(x pvar.Points) float64 {
		square := 0.0
		for _, v := range x.Data {
			square += v * v
		}
		return math.Sqrt(square)
	}
	few, wide := []int{16, 32, 64, 128}, []int{16, 64, 256}
	for _, c := range []struct {
		family string
		depths []int
		seeds  int
		value  func(x pvar.Points) float64
		limit  float64
		most   float64 // of the coverage over 200 draws, and two standard deviations of that over 30
	}{
		{"smooth × e^(c/L), 0.05 at 16", few, 3, size, 0.5, 0.39},
		{"smooth × e^(c/L), 0.2 at 16", few, 3, size, 0.5, 0.1},
		{"smooth", few, 3, variation(1), 0, 0.37},
		{"fractional 0.5", wide, 5, variation(1), 0.5, 0.95},
		{"fractional 0.3", wide, 5, variation(1), 0.7, 0.97},
		{"fractional 0.5", few, 3, variation(2), 0, 0.93},
		{"fractional 0.5", wide, 5, variation(2), 0, 0.58},
		{"smooth + 0.3 noise", few, 3, variation(1), 0.5, 0.58},
	} {
		held := 0
		for draw := range uint64(draws) {
			paths, _ := drawn(t, c.family, 1000*draw, c.depths, c.seeds, dim, 0)
			var samples []Sample
			for _, p := range paths {
				samples = append(samples, Sample{p.Depth, p.Seed, c.value(p.Path)})
			}
			slope, err := Fit(samples)
			if err != nil {
				t.Fatal(err)
			}
			if slope.Low <= c.limit && c.limit <= slope.High {
				held++
			}
		}
		if share := float64(held) / draws; !(share <= c.most) {
			t.Errorf("%s, depths %v: got %.2f of intervals that hold the limit %g, want %.2f at most", c.family, c.depths, share, c.limit, c.most)
		}
	}
}
