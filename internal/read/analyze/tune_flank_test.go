package analyze

import (
	"math"
	"math/rand/v2"
	"testing"
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
		if e := g.Exponent; e == nil || !(e.Low <= -0.5 && -0.5 <= e.High && e.High-e.Low <= 0.2) {
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
