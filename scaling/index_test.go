package scaling

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deeplimit/deeplimit/pvar"
)

// variationsOf returns V_p of every path by p.
func variationsOf(t *testing.T, paths []DepthPath, ps ...float64) map[float64][]Sample {
	t.Helper()
	out := map[float64][]Sample{}
	for _, path := range paths {
		vs, err := pvar.Compute(path.Path, ps...)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range vs {
			out[v.P] = append(out[v.P], Sample{path.Depth, path.Seed, v.Value})
		}
	}
	return out
}

// TestVariationIndex reads the index of planted paths off their p-variation.
func TestVariationIndex(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	for _, kind := range plantedKinds {
		if kind.index == 0 {
			continue
		}
		paths := kind.study(rng, []int{32, 64, 128, 256, 512}, 4, 9)
		x, err := VariationIndex(variationsOf(t, paths, 1, 1.5, 2, 2.5, 3, 4))
		if err != nil {
			t.Errorf("%s: %v", kind.name, err)
			continue
		}
		if !(math.Abs(x.Index/kind.index-1) <= 0.1) || x.Warning != "" || x.P != 1 || !(x.Low <= x.Index && x.Index <= x.High) {
			t.Errorf("%s: got %+v, want index %v", kind.name, x, kind.index)
		}
	}
}

// TestIndexCoverage: the interval holds 1/H in 95 % of studies of fractional Brownian values.
func TestIndexCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(10, 10))
	const studies = 500 // binomial standard deviation 1 %
	for _, hurst := range []float64{0.3, 0.5, 0.7} {
		covered := 0
		draw := fractional(hurst)
		for range studies {
			var samples []Sample
			for seed := range uint64(4) {
				for _, depth := range []int{16, 32, 64, 128, 256} {
					samples = append(samples, Sample{depth, seed, measure(draw(rng, depth, 4)).variation})
				}
			}
			x, err := VariationIndex(map[float64][]Sample{1: samples})
			if err != nil {
				t.Fatal(err)
			}
			if x.Low <= 1/hurst && 1/hurst <= x.High {
				covered++
			}
		}
		if share := float64(covered) / studies; !(share >= 0.92 && share <= 0.98) {
			t.Errorf("H = %v: the 95 %% interval holds 1/H in %.1f %% of studies", hurst, 100*share)
		}
	}
}

func TestVariationIndexErrors(t *testing.T) {
	growing := []Sample{{16, 1, 16}, {64, 1, 64}, {256, 1, 256}}
	for _, c := range []struct {
		variations map[float64][]Sample
		want       string
	}{
		{nil, "scaling: variation index: got p in [], want one or more, all at least 1"},
		{map[float64][]Sample{0.5: growing}, "scaling: variation index: got p in [0.5], want one or more, all at least 1"},
		{map[float64][]Sample{1: {{16, 1, 16}, {64, 1, 80}, {256, 1, 400}}}, "scaling: variation index: V_p grows like L^1.14 at p = 1: got no finite index, want a slope below 1"},
		{map[float64][]Sample{1: {{1, 3, 16}}}, "scaling: variation index: seed 3: got depth 1, want at least 2"},
		{map[float64][]Sample{1: {{16, 3, 0}}}, "scaling: variation index: p = 1: scaling: fit: depth 16, seed 3: got value 0, want a positive finite number"},
	} {
		if _, err := VariationIndex(c.variations); err == nil || err.Error() != c.want {
			t.Errorf("got error %v, want %s", err, c.want)
		}
	}
	// Slopes of 0.5 and 0.9 leave an interval that reaches 1.
	x, err := VariationIndex(map[float64][]Sample{1: {{16, 1, 4}, {256, 1, 16}, {16, 2, 4}, {256, 2, 4 * math.Pow(16, 0.9)}}})
	if err != nil || !math.IsInf(x.High, 1) || x.Low != 1 {
		t.Errorf("wide interval: got %+v, %v", x, err)
	}
}
