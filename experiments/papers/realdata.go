package papers

import (
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
)

// realData is what [CRX] calls practical settings: data that meet no hypothesis.
func realData() Experiment {
	const study, source = "real-data", "[CRX], practical settings"
	return Experiment{
		Name: study, Title: "The same on real data", Source: source,
		Setup: `100 samples each of digits, MNIST, Fashion-MNIST and diabetes, embedded to width 24 by a fixed orthonormal map, squared loss, α = ½, 500
steps of gradient descent or of SGD with batches of 32, tanh or ReLU. The claims are those of convergence, and the theorems do not cover
these data: N > d, and inputs that are far from orthogonal.

Three seeds cannot tell what every seed does, but they can tell that it is not so: with all three the interval of the share begins at 0.29, with none it ends at 0.71.

The rate is fitted to the losses over all samples: those of every step of gradient descent, of every epoch of SGD. Where they stop falling, or
scatter about a floor, before a tenth of J(0), no linear part can be told from the approach to that floor, and there is no rate: so it is
with most of SGD, whose step size stays constant. Step size 1 is below the edge of stability at the start (` + "`deeplimit edge experiments/real-data.yaml --set 'grid.train.method=[gd]' --set 'depths=[16]'`" + `),
and is not why the fits of tanh are bent: descents that no step raises are bent too, as the loss slows down towards a positive value instead of
falling at a constant rate, and at depth 16 a quarter of the step size for four times as many steps (` + "`--set train.step.value=0.25 --set train.stop.iterations=2000`" + `) bends them alike.
ReLU on diabetes does come to the edge late in training: its loss oscillates, as the figure shows, which costs deep runs their rate.`,
		Steps: []Step{
			{Command: "data fetch mnist"},
			{Command: "data fetch fashion-mnist", FullOnly: true},
			{
				Command: "run experiments/real-data.yaml --out {runs}/real-data --no-report",
				Small:   "--set 'depths=[8, 32]' --set seeds=2 --set train.stop.iterations=50 --set 'data=[{kind: mnist, samples: 40, standardize: false}, {kind: diabetes, samples: 40}]'",
			},
		},
		Claims: []Claim{
			{
				Key: "linear-rate", Column: "linear fall", Text: "the loss falls linearly, R² of log J against the iteration 0.99 or more over the lower half of the fall: share of seeds", Source: source, Want: everySeed,
				Measure: linearFall(study, false),
			},
			{
				Key: "weight-size", Column: "weight size", Text: "exponent of max‖A_k‖_F, plus β", Source: source, Want: Around(0, 0.05),
				Measure: eachGroup(study, func(g analyze.Group) Measurement {
					return limitOf(g.GroupPath, "max_frobenius", 1-g.Alpha)
				}),
			},
			{
				Key: "second-variation", Column: "V_2", Text: "V_2 of L^β A stays bounded: exponent 0", Source: source, Want: Around(0, 0.05),
				Measure: eachGroup(study, func(g analyze.Group) Measurement { return limitOf(g.GroupPath, "variation_2", 0) }),
			},
			{
				Key: "displacement", Column: "V_1 of the displacement", Text: "V_1 of L^β (A(T) − A(0)) stays bounded: exponent at most 0", Source: source, Want: AtMost(0.05),
				Measure: eachGroup(study, func(g analyze.Group) Measurement {
					return limitOf(g.GroupPath, "displacement_variation", 0)
				}),
			},
			{
				Key: "certificate", Column: "certificate", Text: "a certificate of convergence is issued: share of seeds", Source: "[CRX], deeplimit bounds", Want: everySeed,
				Measure: func(b *Bench) ([]Measurement, error) { return certified(b, study) },
			},
		},
		Figures: func(b *Bench) ([]*report.Figure, error) {
			figures, err := b.Figures(study, "loss")
			return only(figures, "diabetes-activation-relu-method-gd", "diabetes-activation-tanh-method-gd", "loss-mnist-activation-tanh-method-gd"), err
		},
	}
}
