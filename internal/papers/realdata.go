package papers

import (
	"github.com/deeplimit/deeplimit/analyze"
	"github.com/deeplimit/deeplimit/report"
)

// realData is what [CRX] calls practical settings: data that meet no hypothesis.
func realData() Experiment {
	const study, source = "real-data", "[CRX], practical settings"
	return Experiment{
		Name: study, Title: "The same on real data", Source: source,
		Setup: `100 samples each of digits, MNIST, Fashion-MNIST and diabetes, embedded to width 24 by a fixed orthonormal map, squared loss, α = ½, 500
steps of gradient descent or of SGD with batches of 32, tanh or ReLU. The claims are those of convergence, and the theorems do not cover
these data: N > d, and inputs that are far from orthogonal.`,
		Steps: []Step{
			{Command: "data fetch mnist"},
			{Command: "data fetch fashion-mnist", FullOnly: true},
			{
				Command: "run papers/real-data.yaml --out {runs}/real-data --no-report",
				Small:   "--set 'depths=[8, 32]' --set seeds=2 --set train.stop.iterations=50 --set 'data=[{kind: mnist, samples: 40, standardize: false}, {kind: diabetes, samples: 40}]'",
			},
		},
		Claims: []Claim{
			{
				Key: "linear-rate", Text: "the loss falls linearly: smallest R² of log J against the iteration, over the lower half of the fall", Source: source, Want: AtLeast(0.99),
				Measure: worstRun(study, rSquared),
			},
			{
				Key: "weight-size", Text: "exponent of max‖A_k‖_F, plus β", Source: source, Want: Around(0, 0.05),
				Measure: eachGroup(study, func(g analyze.Group) Measurement {
					return ofSlope(named(g.Exponents, "max_frobenius"), 1-g.Alpha)
				}),
			},
			{
				Key: "second-variation", Text: "V_2 of L^β A stays bounded: exponent 0", Source: source, Want: Around(0, 0.05),
				Measure: eachGroup(study, func(g analyze.Group) Measurement { return ofSlope(named(g.VariationSlope, "2"), 0) }),
			},
			{
				Key: "displacement", Text: "V_1 of L^β (A(T) − A(0)) stays bounded: exponent at most 0", Source: source, Want: AtMost(0.05),
				Measure: eachGroup(study, func(g analyze.Group) Measurement {
					return ofSlope(named(g.Exponents, "displacement_variation"), 0)
				}),
			},
			{
				Key: "certificate", Text: "a certificate of convergence is issued: share of runs", Source: "[CRX], deeplimit bounds", Want: Range{1, 1},
				Measure: func(b *Bench) ([]Measurement, error) { return certified(b, study) },
			},
		},
		Figures: func(b *Bench) ([]*report.Figure, error) {
			figures, err := b.Figures(study, "loss")
			return figures[:min(2, len(figures))], err
		},
	}
}
