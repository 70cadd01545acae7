package papers

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
)

// edge is ours: the step size that gradient descent bears, against depth.
func edge() Experiment {
	// exponents returns 1 − 2α plus the exponent of each group.
	exponents := func(of func(analyze.EdgeGroup) *analyze.Slope) func(*Bench) ([]Measurement, error) {
		return func(b *Bench) ([]Measurement, error) {
			var found analyze.Edge
			if err := b.Output(0, &found); err != nil {
				return nil, err
			}
			var list []Measurement
			for _, g := range found.Groups {
				m := ofSlope(of(g), 1-2*g.Alpha)
				m.Case = fmt.Sprintf("alpha %g", g.Alpha)
				list = append(list, m)
			}
			return list, nil
		}
	}
	return Experiment{
		Name: "edge", Title: "Step size at the edge of stability", Source: "deeplimit",
		Setup: `Orthonormal inputs, tanh, as in convergence. The edge is the step size up to which, at all step sizes tried 1 % apart, the loss
never regains more than a tenth of what it has lost in 200 steps of gradient descent; beside it 2/λ_max of the Hessian at the initial weights, by Lanczos.
The Hessian is of the order δ²L = L^(1−2α). It is what the step-size rule of every study here rests on.`,
		Steps: []Step{{Command: "edge experiments/edge.yaml --json", Small: "--set 'depths=[16, 64]' --set seeds=3"}},
		Claims: []Claim{
			{
				Key: "measured", Text: "the step size up to which descent is stable grows like L^(2α−1): exponent, less 2α − 1", Source: "theory", Want: Around(0, 0.05),
				Measure: exponents(func(g analyze.EdgeGroup) *analyze.Slope { return g.Measured }),
			},
			{
				Key: "sharpness", Text: "and so does 2/λ_max", Source: "theory", Want: Around(0, 0.05),
				Measure: exponents(func(g analyze.EdgeGroup) *analyze.Slope { return g.Bound }),
			},
			{
				Key: "ratio", Text: "the curvature at the start foretells the edge: edge over 2/λ_max, geometric mean over depths, mean over seeds", Source: "descent on a quadratic", Want: Range{0.8, 1.25},
				Measure: func(b *Bench) ([]Measurement, error) {
					var found analyze.Edge
					if err := b.Output(0, &found); err != nil {
						return nil, err
					}
					var list []Measurement
					for _, g := range found.Groups {
						m := ratio(found.Runs, g.Group)
						m.Case = fmt.Sprintf("alpha %g", g.Alpha)
						list = append(list, m)
					}
					return list, nil
				},
			},
		},
		Figures: func(b *Bench) ([]*report.Figure, error) {
			var found analyze.Edge
			if err := b.Output(0, &found); err != nil {
				return nil, err
			}
			f, err := report.EdgeFigure(&found, report.Paper)
			return []*report.Figure{f}, err
		},
	}
}

// ratio returns the mean over seeds of edge over 2/λ_max.
func ratio(runs []analyze.EdgeRun, group string) Measurement {
	logs := map[uint64][]float64{}
	for _, r := range runs {
		switch {
		case r.Group != group:
		case r.Bound == nil:
			return missing("run " + r.ID + " has no positive curvature")
		default:
			logs[r.Seed] = append(logs[r.Seed], math.Log(r.Stable / *r.Bound))
		}
	}
	var ratios []float64
	for _, seed := range slices.Sorted(maps.Keys(logs)) {
		ratios = append(ratios, math.Exp(stat.Mean(logs[seed], nil)))
	}
	return meanOf(ratios)
}
