package analyze

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deeplimit/deeplimit/scaling"
)

// curvesOver returns a group of runs at depths 8, 32 and 128 with log measure f of the logarithm of value·√depth, and a little noise.
func curvesOver(f func(x float64) float64) *TuneGroup {
	r := rand.New(rand.NewPCG(3, 0))
	g := &TuneGroup{}
	for _, depth := range []int{8, 32, 128} {
		for seed := range uint64(4) {
			for k := -24; k <= 12; k++ {
				x := 0.7 * float64(k)
				v := math.Exp(x) / math.Sqrt(float64(depth))
				g.Runs = append(g.Runs, TuneRun{Depth: depth, Seed: seed, Field: v, Value: v, Measure: new(math.Exp(f(x) + 0.01*r.NormFloat64()))})
			}
		}
	}
	return g
}

// TestFlank wants the exponent of the side on which a measure rises where it is level on the other, and where it begins to.
func TestFlank(t *testing.T) {
	rises := func(x float64) float64 { return 2 * math.Log1p(math.Exp(x)) }
	for side, f := range map[string]func(float64) float64{
		RightFlank: rises,
		LeftFlank:  func(x float64) float64 { return rises(-x) },
	} {
		g := curvesOver(f)
		g.Fit()
		if g.Flank == nil || g.Flank.Side != side {
			t.Fatalf("%s: got %+v, want that flank", side, g.Flank)
		}
		if len(g.Best) != 0 || len(g.Budget) != 0 {
			t.Errorf("%s: got best values %v and %v, want none", side, g.Best, g.Budget)
		}
		if e := g.Exponent; e == nil || !(e.Low <= -0.5 && -0.5 <= e.High && e.High-e.Low <= 0.25) {
			t.Errorf("%s: got exponent %v, want −½ in a narrow interval", side, g.Exponent)
		}
		if (side == RightFlank) != (g.Right != nil) || (side == LeftFlank) != (g.Left != nil) {
			t.Errorf("%s: got left %v and right %v, want one", side, g.Left, g.Right)
		}
		// A tenth above its least is where 2 log(1 + e^x) is log 1.1.
		edge := math.Log(math.Sqrt(1.1) - 1)
		if side == LeftFlank {
			edge = -edge
		}
		for _, e := range g.Flank.Edges {
			if want := math.Exp(edge) / math.Sqrt(float64(e.Depth)); !(math.Abs(math.Log(e.Value/want)) <= 0.4) {
				t.Errorf("%s, depth %d: got the edge at %v, want %v", side, e.Depth, e.Value, want)
			}
		}
	}
}

// TestEdges wants the edge of a seed beyond the last dip, half-way to where training diverges, and none of a seed that does not rise.
func TestEdges(t *testing.T) {
	g := &TuneGroup{}
	for seed, measures := range [][]float64{{1, 1, 0.9, 1.3, 1, 1.21}, {1, 1, 1, 1, 1, math.Inf(1)}, {1, 1, 1, 1, 1, 1}} {
		for k, m := range measures {
			r := TuneRun{Depth: 8, Seed: uint64(seed), Value: math.Pow(10, float64(k))}
			if !math.IsInf(m, 1) {
				r.Measure = &m
			}
			g.Runs = append(g.Runs, r)
		}
	}
	found := g.edges(RightFlank, scaling.Bowl{Depth: 8, NearHigh: 3000}) // level up to 100
	if len(found) != 2 || found[0].Seed != 0 || found[1].Seed != 1 {
		t.Fatalf("got %v, want edges of seeds 0 and 1", found)
	}
	level := math.Log(0.9) / 3
	for i, want := range []float64{4 + (level+math.Log(1.1))/math.Log(1.21), 4.5} {
		if got := math.Log10(found[i].Value); !(math.Abs(got-want) <= 1e-9) {
			t.Errorf("seed %d: got the edge at 10^%v, want 10^%v", i, got, want)
		}
	}
}

// TestNoFlank wants a bowl, however flat, and a measure that does not change, to have none.
func TestNoFlank(t *testing.T) {
	for name, f := range map[string]func(float64) float64{
		"bowl":      func(x float64) float64 { return 0.1 * x * x },
		"flat bowl": func(x float64) float64 { return 1e-4 * x * x * x * x },
		"shallow":   func(x float64) float64 { return max(0.05*math.Tanh(-x), 0.5*x) },
		"level":     func(float64) float64 { return 0 },
	} {
		g := curvesOver(f)
		g.Fit()
		if g.Flank != nil {
			t.Errorf("%s: got %+v, want none", name, g.Flank)
		}
	}
}
