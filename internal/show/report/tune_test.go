package report

import (
	"math"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// sampleTune has bowls that move with L^½ and rise with depth, and shorter trainings whose best is a larger value.
func sampleTune() *analyze.TuneGroup {
	alpha, law := 0.75, 0.5
	g := &analyze.TuneGroup{Data: "planted", Method: "gd", Alpha: &alpha, Over: "train.step.value", Measure: "loss", Law: &law, Regret: []analyze.TuneRegret{}}
	for _, depth := range []int{8, 32, 128} {
		for k := -6; k <= 6; k++ {
			for seed := range uint64(3) {
				x := float64(k) / 2
				value := 2 * math.Sqrt(float64(depth)) * math.Exp(x)
				r := analyze.TuneRun{Depth: depth, Seed: seed, Field: 2 * math.Exp(x), Value: value, Iterations: 64}
				at := func(part float64) float64 {
					y := x - 0.02*float64(seed) - 0.3*(1-part)
					return 1e-3 * float64(depth) / 8 / part * math.Exp(y*y)
				}
				if k < 5 {
					loss := at(1)
					r.Measure = &loss
				}
				for _, part := range []float64{0.0625, 0.125, 0.25, 0.5, 1} {
					r.Losses = append(r.Losses, analyze.TuneLoss{Iteration: int(64 * part), Loss: at(part)})
				}
				g.Runs = append(g.Runs, r)
			}
		}
	}
	g.Fit()
	for _, depth := range []int{32, 128} {
		g.AddRegret("constant", 0, 8, depth)
		g.AddRegret("law", law, 8, depth)
	}
	g.Judge()
	return g
}

// samplePlane has bowls over two values whose first best value moves with L^½, and of which one depth sees the product alone.
func samplePlane() (*analyze.TunePlane, *analyze.TuneGroup) {
	alpha, law := 0.75, 0.5
	p := &analyze.TunePlane{Data: "planted", Method: "adamw", Alpha: &alpha, Over: [2]string{"train.step.value", "train.weight-decay"}, Measure: "loss"}
	for _, depth := range []int{8, 32} {
		for a := -5; a <= 5; a++ {
			for b := -5; b <= 5; b++ {
				for seed := range uint64(3) {
					x, y := float64(a)/2, float64(b)/2
					r := analyze.TunePlaneRun{TuneRun: analyze.TuneRun{Depth: depth, Seed: seed, Iterations: 9}}
					r.Values = [2]float64{math.Sqrt(float64(depth)) * math.Exp(x), math.Exp(y)}
					r.Fields = [2]float64{math.Exp(x), math.Exp(y)}
					loss := math.Exp(x*x + y*y + 0.05*float64(seed)*x)
					if depth == 32 {
						loss = math.Exp((x+y)*(x+y) + 1e-3*float64(seed))
					}
					if a < 5 {
						r.Measure = &loss
					}
					p.Runs = append(p.Runs, r)
				}
			}
		}
	}
	p.Fit(math.Exp(0.5))
	p.AddRegret("law", [2]float64{law, 0}, 8, 32)
	p.Judge()
	second := &analyze.TuneGroup{Data: p.Data, Method: p.Method, Alpha: &alpha, Over: p.Over[1], With: p.Over[0], Measure: p.Measure}
	second.TakePlane(p, 1, nil, nil)
	return p, second
}

// TestPlaneFigure wants the best pair, the valley of the deeper network, and the interval that it leaves open.
func TestPlaneFigure(t *testing.T) {
	p, second := samplePlane()
	if v := p.Best[1].Valley; v != "product" || p.Best[0].Valley != "" || len(p.Notes) != 1 || p.Best[1].Low[0] != nil {
		t.Errorf("got %+v and notes %q, want a valley of the product at depth 32 alone", p.Best, p.Notes)
	}
	if b := p.Best[0]; b.Values[1] != 1 || !(*b.Low[1] < 1 && 1 < *b.High[1]) {
		t.Errorf("got %+v, want 1 as the best second value", b)
	}
	if len(second.Best) != 2 || second.Best[0].Value != 1 && !(math.Abs(second.Best[0].Value-1) <= 0.1) {
		t.Errorf("got %+v, want the section about 1", second.Best)
	}
	if len(p.Regret) != 1 || p.Verdict != analyze.Transfers || second.Verdict != p.Verdict || second.Regret[0].Exponent != 0 {
		t.Errorf("got %+v and verdict %s, want a regret of the law that transfers", p.Regret, p.Verdict)
	}
	f := planeFigure(group{slug: "s", plane: p}, Paper)
	if !strings.Contains(f.Caption, "Cross: the best pair of depth 8") {
		t.Errorf("got caption %q, want the cross explained", f.Caption)
	}
	p.Regret[0].Rule = "constant"
	if caption := planeFigure(group{slug: "s", plane: p}, Paper).Caption; strings.Contains(caption, "Cross") {
		t.Errorf("got caption %q, want no cross where there is no law", caption)
	}
	if rows := len(f.Data.Rows); rows != 2+len(p.Runs) || len(f.panels[0]) != 2 {
		t.Errorf("got %d rows of data, want one for each best and run", rows)
	}
}

// TestTuneFigures wants a marker for every best value, and what a value loses that does not move.
func TestTuneFigures(t *testing.T) {
	g := sampleTune()
	if g.Exponent == nil || !(math.Abs(g.Exponent.Slope-0.5) <= 0.02) || g.Verdict != analyze.Transfers {
		t.Errorf("got exponent %v and verdict %s, want ½ and transfers", g.Exponent, g.Verdict)
	}
	if f := tuneFigure(group{slug: "s"}, Paper); f != nil {
		t.Error("got a figure without a search")
	}
	f := tuneFigure(group{slug: "s", tune: g}, Paper)
	if rows := len(f.Data.Rows); rows != 3+len(g.Runs)+len(g.Budget) || len(g.Budget) == 0 {
		t.Errorf("got %d rows of data, want one for each best, run and budget", rows)
	}
	regret := regretFigure(group{slug: "s", tune: g}, Paper)
	if len(regret.Data.Rows) != 4 || regret.Data.Rows[1][8] != analyze.DoesNot {
		t.Errorf("got %v, want a regret of constant that does not transfer", regret.Data.Rows)
	}
}

// sampleCoordinates has a change that is flat, and one that is not.
func sampleCoordinates() *analyze.Coordinates {
	var runs []analyze.CoordinateRun
	for _, depth := range []int{8, 32, 128} {
		for seed := range uint64(2) {
			r := analyze.CoordinateRun{Group: "g", Data: "planted", Method: "gd", Alpha: 1, Depth: depth, Seed: seed}
			for _, t := range []int{1, 2} {
				noise := 1 + 0.01*float64(seed)
				r.Coordinates = append(
					r.Coordinates,
					analyze.Coordinate{Name: "last-state", Iteration: t, Value: 0.1 * float64(t) * noise},
					analyze.Coordinate{Name: "update-norm", Part: "V", Iteration: t, Value: float64(t) / float64(depth) * noise},
					analyze.Coordinate{Name: "tangent", Iteration: t, Value: math.NaN()},
				)
			}
			runs = append(runs, r)
		}
	}
	return analyze.NewCoordinates("s", runs)
}

// TestCoordinates wants what is flat told from what is not, with what mends it, and nothing said of what is not known.
func TestCoordinates(t *testing.T) {
	c := sampleCoordinates()
	if len(c.Quantities) != 6 {
		t.Fatalf("got %d quantities, want 6", len(c.Quantities))
	}
	for _, q := range c.Quantities {
		switch q.Name {
		case "last-state":
			if q.Flat == nil || !*q.Flat || q.Knob != "" {
				t.Errorf("%+v: want it flat", q)
			}
		case "update-norm":
			if q.Flat == nil || *q.Flat || q.Knob == "" || q.Symbol() != "L^(1−α)‖ΔV_k‖₂" {
				t.Errorf("%+v: want it not flat, with a knob", q)
			}
		default:
			if q.Flat != nil || q.Exponent != nil || q.Values[0].Value != nil {
				t.Errorf("%+v: want nothing of what is not known", q)
			}
		}
	}
	for _, f := range CoordinateFigures(c, Paper) {
		golden(t, f)
	}
}
