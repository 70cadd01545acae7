package scaling

import (
	"math"
	"math/rand/v2"
	"testing"
)

// grid returns points at all combinations of two coordinates, with noise of a seed, of its slope and of each point.
func grid(source *rand.Rand, seeds int, value func(x []float64) float64, height, lean, noise float64) []Point {
	var points []Point
	for seed := range seeds {
		h, l := height*source.NormFloat64(), lean*source.NormFloat64()
		for _, x := range []float64{8, 16, 32, 64} {
			for _, m := range []float64{4, 16, 64} {
				at := []float64{x, m}
				points = append(points, Point{at, []uint64{uint64(seed)}, value(at) * math.Exp(h+l*math.Log(x/22)+noise*source.NormFloat64())})
			}
		}
	}
	return points
}

// TestFitPowersExact wants planted exponents back, also from a design that lacks points and whose seeds differ in
// height.
func TestFitPowersExact(t *testing.T) {
	source := rand.New(rand.NewPCG(1, 2))
	law := func(x []float64) float64 { return 3 * math.Pow(x[0], -0.5) * math.Pow(x[1], 0.25) }
	points := grid(source, 3, law, 1, 0, 0)
	f, err := FitPowers(points[2:])
	if err != nil {
		t.Fatal(err)
	}
	for j, want := range []float64{-0.5, 0.25} {
		e := f.Exponents[j]
		if !(math.Abs(e.Value-want) <= 1e-12) || !(e.High-e.Low <= 1e-11) {
			t.Errorf("coordinate %d: got %+v, want %v", j, e, want)
		}
	}
	if f.Method != ByJackknife {
		t.Errorf("got method %s", f.Method)
	}
}

// TestFitPowersIsFit wants the exponent and interval of Fit for one coordinate and a complete design.
func TestFitPowersIsFit(t *testing.T) {
	source := rand.New(rand.NewPCG(3, 4))
	for _, seeds := range []int{1, 2, 5} {
		var points []Point
		var samples []Sample
		for seed := range seeds {
			for _, depth := range []int{8, 16, 64, 256} {
				v := math.Pow(float64(depth), -0.7) * math.Exp(0.1*source.NormFloat64())
				points = append(points, Point{[]float64{float64(depth)}, []uint64{uint64(seed)}, v})
				samples = append(samples, Sample{depth, uint64(seed), v})
			}
		}
		got, err := FitPowers(points)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Fit(samples)
		if err != nil {
			t.Fatal(err)
		}
		e := got.Exponents[0]
		for _, pair := range [][2]float64{{e.Value, want.Slope}, {e.Low, want.Low}, {e.High, want.High}, {got.Intercept, want.Intercept}, {got.R2, want.R2}} {
			if !(math.Abs(pair[0]-pair[1]) <= 1e-10) {
				t.Errorf("%d seeds: got %+v, want %+v", seeds, got, want)
			}
		}
	}
}

// TestFitPowersRefuses wants coordinates that go together, or do not vary, refused.
func TestFitPowersRefuses(t *testing.T) {
	tied := []Point{{[]float64{1, 2}, []uint64{1}, 1}, {[]float64{2, 4}, []uint64{1}, 2}, {[]float64{4, 8}, []uint64{1}, 3}}
	if _, err := FitPowers(tied); err == nil {
		t.Error("tied coordinates: got no error")
	}
	if _, err := FitPowers([]Point{{[]float64{2}, []uint64{1}, 1}, {[]float64{2}, []uint64{2}, 2}}); err == nil {
		t.Error("one place: got no error")
	}
	if _, err := FitPowers([]Point{{[]float64{2}, []uint64{1}, 0}, {[]float64{3}, []uint64{2}, 2}}); err == nil {
		t.Error("value 0: got no error")
	}
}

// TestCoveragePowers measures how often intervals hold the planted exponents: at 0.95 ± 3·√(0.95·0.05/n) for seeds
// with heights and slopes of their own.
func TestCoveragePowers(t *testing.T) {
	source := rand.New(rand.NewPCG(5, 6))
	const draws = 300
	law := func(x []float64) float64 { return math.Pow(x[0], -1) * math.Pow(x[1], -0.5) }
	for _, seeds := range []int{3, 5} {
		held := [2]int{}
		rejected := 0
		for range draws {
			f, err := FitPowers(grid(source, seeds, law, 0.5, 0.1, 0.05))
			if err != nil {
				t.Fatal(err)
			}
			for j, want := range []float64{-1, -0.5} {
				if e := f.Exponents[j]; e.Low <= want && want <= e.High {
					held[j]++
				}
			}
			if f.LackOfFit.P < 0.05 {
				rejected++
			}
		}
		for j, n := range held {
			if share := float64(n) / draws; !(share >= 0.91 && share <= 0.99) {
				t.Errorf("%d seeds: interval %d holds the exponent in %.3f of draws, want 0.95 ± 0.04", seeds, j, share)
			}
		}
		if share := float64(rejected) / draws; !(share >= 0.01 && share <= 0.09) {
			t.Errorf("%d seeds: the lack of fit of a law that holds is seen in %.3f of draws, want 0.05 ± 0.04", seeds, share)
		}
	}
}

// TestCoveragePairs measures intervals of distances between seeds, which share a seed in many pairs.
func TestCoveragePairs(t *testing.T) {
	source := rand.New(rand.NewPCG(7, 8))
	const draws, dim = 300, 20
	for _, seeds := range []int{3, 4, 6} {
		held := 0
		for range draws {
			var points []Point
			for _, depth := range []float64{16, 64, 256} {
				paths := make([][]float64, seeds)
				for s := range paths {
					for range dim {
						paths[s] = append(paths[s], source.NormFloat64()/math.Sqrt(depth))
					}
				}
				for a := range seeds {
					for b := range a {
						sum := 0.0
						for i := range dim {
							sum += math.Pow(paths[a][i]-paths[b][i], 2)
						}
						points = append(points, Point{[]float64{depth}, []uint64{uint64(a), uint64(b)}, math.Sqrt(sum)})
					}
				}
			}
			f, err := FitPowers(points)
			if err != nil {
				t.Fatal(err)
			}
			if e := f.Exponents[0]; e.Low <= -0.5 && -0.5 <= e.High {
				held++
			}
		}
		// The jackknife overstates the variance of a mean over pairs, most for few seeds.
		if share := float64(held) / draws; !(share >= 0.91) {
			t.Errorf("%d seeds: the interval holds the exponent in %.3f of draws, want 0.95 or more, less 0.04", seeds, share)
		}
	}
}
