package papers

import (
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
	"github.com/deeplimit/deeplimit/scaling"
)

// paths is ours: trained weights are as rough as the initial ones.
func paths() Experiment {
	return Experiment{
		Name: "paths", Title: "Trained paths keep the roughness they start with", Source: "deeplimit, after [CCRX]",
		Setup: `As in convergence at α = ½, with other initial weights: a smooth function of k/L, and the values of a fractional Brownian path of Hurst
exponent 0.3.`,
		Steps: []Step{
			{Command: "run experiments/paths-smooth.yaml --out {runs}/paths-smooth --no-report", Small: "--set 'depths=[16, 64, 256]' --set seeds=3"},
			{Command: "run experiments/paths-rough.yaml --out {runs}/paths-rough --no-report", Small: "--set 'depths=[16, 64, 256]' --set seeds=2"},
		},
		Claims: []Claim{
			{
				Key: "smooth-variation", Text: "smooth: V_1 stays bounded, exponent 0", Source: "theory", Want: Around(0, 0.05),
				Measure: eachGroup("paths-smooth", func(g analyze.Group) Measurement { return limitOf(g.GroupPath, "variation_1", 0) }),
			},
			{
				Key: "smooth-index", Text: "smooth: the variation index is 1", Source: "theory", Want: Range{0.99, 1.01},
				Measure: eachGroup("paths-smooth", func(g analyze.Group) Measurement { return ofIndex(g.VariationIndex) }),
			},
			{
				Key: "smooth-regime", Text: "smooth: the regime is smooth", Source: "[CCRX], hypothesis 1", Want: Range{1, 1},
				Measure: eachGroup("paths-smooth", func(g analyze.Group) Measurement { return ofRegime(g.Regime, scaling.SmoothLimit) }),
			},
			{
				Key: "smooth-distance", Text: "smooth: consecutive depths are of order 1/L apart", Source: "theory", Want: Around(-1, 0.1),
				Measure: eachGroup("paths-smooth", func(g analyze.Group) Measurement {
					if g.Limit == nil {
						return missing("no distances")
					}
					return ofSlope(g.Limit.Integral, 0)
				}),
			},
			{
				Key: "rough-index", Text: "rough: the variation index is 1/0.3 = 3.33 ± 0.25", Source: "fractional Brownian motion", Want: Around(1/0.3, 0.25),
				Measure: eachGroup("paths-rough", func(g analyze.Group) Measurement { return ofIndex(g.VariationIndex) }),
			},
			{
				Key: "rough-regime", Text: "rough: the regime is rough", Source: "[CCRX], hypothesis 1", Want: Range{1, 1},
				Measure: eachGroup("paths-rough", func(g analyze.Group) Measurement { return ofRegime(g.Regime, scaling.RoughLimit) }),
			},
		},
		Figures: func(b *Bench) ([]*report.Figure, error) {
			smooth, err := b.Figures("paths-smooth", "weights")
			if err != nil {
				return nil, err
			}
			rough, err := b.Figures("paths-rough", "weights")
			return append(smooth, rough...), err
		},
	}
}
