package papers

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
)

// stepData is the same question on data.
func stepData() Experiment {
	const tuned, epsilon = 2, 3 // steps
	flat := Around(0, 0.1)
	return Experiment{
		Name: "step-data", Title: "Which step at which depth, on data", Source: "[YYZH], [BNLHP], [DZN]",
		Setup: `The exponents of step-transfer on digits, MNIST and Fashion-MNIST in mini-batches: 128 samples of each at width 16, batches of 16, 48 iterations with a step that falls linearly
to 0, block mlp with and without a norm before. The step is chosen by the loss of 128 samples held out. Exponents are wanted within ± 0.1, a factor 1.3 over these depths: the losses held out are flat. The ε of adamw is that of
step-transfer, on the images.

The step of the law loses less than a tenth on all three sets, but where with sgd, α = 1 and no norm some of 14 seeds diverge on images at depth 128: the best step of depth 8 lies close to where training diverges. What depends on the data: a constant
step of adam at α = ½ without a norm loses 0.13 [0.09, 0.16] on digits, 0.02 and 0.05 on MNIST and Fashion-MNIST, whose losses held out are flat after 48 iterations; and behind a norm at α = 1 exponents on images are below the law by 0.15 to 0.44, on digits
by 0.03 to 0.09. ε of adamw moves like L^−1 at α = 1 on the images, and at α = ½ faster than L^−½, on all three sets by about 0.2.`,
		Steps: []Step{
			{Command: "data fetch mnist", FullOnly: true},
			{Command: "data fetch fashion-mnist", FullOnly: true},
			{
				Command: "tune experiments/step-transfer-data.yaml --json --precision 1.3 --out {runs}/step-transfer-data", Partial: true,
				Small: "--set 'data={kind: digits, samples: 20, validation: 20}' --set 'depths=[4, 8, 16]' --set seeds=2 --set train.stop.iterations=10 --set 'grid.train.method=[sgd, adam]' --set 'grid.network.alpha=[1]' --precision 1.6",
			},
			{
				Command: "tune experiments/step-transfer-decay.yaml --json --over train.epsilon --measure loss --precision 1.3 --out {runs}/step-data-epsilon", Partial: true,
				Full:  "--set seeds=6 --set 'data=[{kind: mnist, samples: 60, validation: 300}, {kind: fashion-mnist, samples: 60, validation: 300}]'",
				Small: "--precision 1.6 --set 'depths=[4, 16]' --set seeds=2 --set 'grid.network.alpha=[1]' --set data.samples=20 --set data.validation=20 --set train.stop.iterations=10",
			},
		},
		Claims: append([]Claim{
			{
				Key: "law", Column: "exponent", Text: "the best step moves with depth by 2α − 1 along the gradient, α − 1 normalised: exponent less that", Source: laws, Want: flat,
				Measure: eachTuned(tuned, lessLaw(whole, flat)),
			},
			{
				Key: "law-deeper", Column: "without depth 8", Text: "the same without the shallowest depth", Source: laws, Want: flat,
				Measure: eachTuned(tuned, lessLaw(deeper, flat)),
			},
			{
				Key: "data", Column: "less that of digits", Text: "it does not depend on the data: exponent less that on digits", Source: laws, Want: flat,
				Measure: func(b *Bench) ([]Measurement, error) { return besideDigits(b, tuned) },
			},
			{
				Key: "law-regret", Column: "regret of the law", Text: "the step that is best at the shallowest depth, moved by the law, transfers to the deepest: regret of the loss held out", Source: laws, Want: AtMost(0.1),
				Measure: eachTuned(tuned, func(g *analyze.TuneGroup) (Measurement, bool) { return deepestRegret(g, "law"), true }),
			},
			{
				Key: "constant", Column: "of a constant step", Text: "a step that stays as it is does not, where the law has another exponent than 0: regret", Source: "[YYZH], [DZN]", Want: AtLeast(0.1),
				Measure: eachTuned(tuned, func(g *analyze.TuneGroup) (Measurement, bool) { return deepestRegret(g, "constant"), *g.Law != 0 }),
			},
		}, epsilonClaims(epsilon)...),
		Figures: func(b *Bench) ([]*report.Figure, error) {
			figures, err := b.Figures("step-data-epsilon", "tune")
			return slices.DeleteFunc(figures, func(f *report.Figure) bool { return !strings.Contains(f.Name, "-fashion-mnist-alpha-1-") }), err
		},
	}
}

// besideDigits measures how far exponents are from those on digits, of the same network and method. Samples, weights and batches of
// both are drawn apart.
func besideDigits(b *Bench, step int) ([]Measurement, error) {
	var found analyze.Tune
	if err := b.Output(step, &found); err != nil {
		return nil, err
	}
	measure := eachTuned(step, func(g *analyze.TuneGroup) (Measurement, bool) {
		if g.Data == "digits" {
			return Measurement{}, false
		}
		i := slices.IndexFunc(found.Groups, func(other analyze.TuneGroup) bool {
			return other.Data == "digits" && settingsText(other.Settings) == settingsText(g.Settings)
		})
		if i < 0 {
			return missing("not on digits"), true
		}
		here, there := ofSlope(g.Exponent, 0), ofSlope(found.Groups[i].Exponent, 0)
		if math.IsNaN(here.Value) || math.IsNaN(there.Value) {
			return missing(strings.Join(g.Notes, "; ")), true
		}
		difference, half := here.Value-there.Value, math.Hypot(here.High-here.Low, there.High-there.Low)/2
		return Measurement{Value: difference, Low: difference - half, High: difference + half, Note: fmt.Sprintf("%s there", digits(there.Value))}, true
	})
	return measure(b)
}
