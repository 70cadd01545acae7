package scaling

import (
	"math"
	"math/rand/v2"
	"testing"
)

// planeTrials returns trials of f, a function of the logarithms of two settings, at cells of a lattice, with noise that differs
// between seeds and trials.
func planeTrials(r *rand.Rand, f func(a, b float64) float64, factor float64, cells [][2]int, seeds int, noise float64) []PlaneTrial {
	var out []PlaneTrial
	heights := make([]float64, seeds)
	for s := range heights {
		heights[s] = r.NormFloat64()
	}
	for _, c := range cells {
		a, b := float64(c[0])*math.Log(factor), float64(c[1])*math.Log(factor)
		for s := range seeds {
			out = append(out, PlaneTrial{
				Depth: 4, Seed: uint64(s), Settings: [2]float64{math.Exp(a), math.Exp(b)}, Measure: math.Exp(f(a, b) + heights[s] + noise*r.NormFloat64()),
			})
		}
	}
	return out
}

// square returns the cells from −n to n by step either way.
func square(n, step int) [][2]int {
	var out [][2]int
	for a := -n; a <= n; a += step {
		for b := -n; b <= n; b += step {
			out = append(out, [2]int{a, b})
		}
	}
	return out
}

// TestFitPlane wants the best of a bowl, the valley of one in which the product or the ratio alone counts, and intervals
// that are open where nothing beyond was tried.
func TestFitPlane(t *testing.T) {
	for _, c := range []struct {
		name, valley string
		f            func(a, b float64) float64
		open         bool
	}{
		{"round", "", func(a, b float64) float64 { return a*a + b*b }, false},
		{"long", "", func(a, b float64) float64 { return a*a + b*b/50 }, false},
		{"product", ValleyProduct, func(a, b float64) float64 { return (a + b) * (a + b) }, true},
		{"ratio", ValleyRatio, func(a, b float64) float64 { return (a - b) * (a - b) }, true},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		p, err := FitPlane(planeTrials(r, c.f, 1.5, square(8, 1), 4, 1e-3), 1.5)
		if err != nil {
			t.Fatal(err)
		}
		if p.Valley() != c.valley {
			t.Errorf("%s: got valley %q, want %q: %+v", c.name, p.Valley(), c.valley, p)
		}
		if value := c.f(math.Log(p.Tried[0]), math.Log(p.Tried[1])); !(value <= 1e-12) {
			t.Errorf("%s: got best %v with %g above the least", c.name, p.Tried, value)
		}
		for f := range 2 {
			if open := math.IsNaN(p.Low[f]) || math.IsInf(p.High[f], 1); open != c.open {
				t.Errorf("%s: setting %d: got interval [%v, %v], want open %v", c.name, f, p.Low[f], p.High[f], c.open)
			}
			if !c.open && !(p.Low[f] < 1 && 1 < p.High[f]) {
				t.Errorf("%s: setting %d: got interval [%v, %v], want 1 in it", c.name, f, p.Low[f], p.High[f])
			}
		}
	}
}

// TestFitPlaneOfOneSeed wants no interval from one seed, and a word on what is no plane.
func TestFitPlaneOfOneSeed(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	trials := planeTrials(r, func(a, b float64) float64 { return a*a + b*b }, 1.5, square(2, 1), 1, 0)
	p, err := FitPlane(trials, 1.5)
	if err != nil || !math.IsNaN(p.Low[0]) || !math.IsNaN(p.High[1]) {
		t.Errorf("got %+v and error %v, want no interval", p, err)
	}
	if _, err := FitPlane(append(trials, trials[3]), 1.5); err == nil {
		t.Error("got no error of two trials of one pair")
	}
	if _, err := FitPlane(nil, 1.5); err == nil {
		t.Error("got no error without trials")
	}
	for i := range trials {
		trials[i].Measure = math.Inf(1)
	}
	if _, err := FitPlane(trials, 1.5); err == nil {
		t.Error("got no error where all diverged")
	}
}
