package papers

import (
	"fmt"
	"math"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
)

// start is the untrained network of [MFBV].
func start() Experiment {
	const source = "exact, see `resnet.ExpectedStart`; [MFBV], figures 1 and 3"
	const independent, smooth, histogram = 0, 1, 2 // the steps
	const (                                        // the groups of the first two
		quarter, half, one      = "alpha 0.25", "alpha 0.5", "alpha 1"
		below, critical, beyond = "exponent 0, alpha 0.5", "exponent 0, alpha 1", "exponent 1, alpha 1"
	)
	return Experiment{
		Name: "start", Title: "What an untrained network does to lengths", Source: "[MFBV], figures 1 to 5",
		Setup: `Block V σ(W h), relu, no bias, inputs uniform on [0,1]^64, one output; width 40, or 100 for the distribution; p_k = ∂J/∂h_k.
With independent entries of variance 1/width the mean of ‖h_L‖²/‖h_0‖², and that of ‖p_0‖²/‖p_L‖², is (1 + ½L^(−2α))^L at every width. Smooth
weights are Gaussian processes of k/L with ℓ² = 0.01 and variance 1/width; the paper's code takes increments of such processes, scaled to that variance.
The exponent 2 of its figures is α = 1 with V scaled by another 1/L. 400 and 50 draws against 50, 1,000 against 10⁴ for the
distribution (--draws 10000 gives that); embedding and readout are orthonormal, uniform there.`,
		Steps: []Step{
			{Command: "probe experiments/start.yaml --out {runs}/start --no-report --json", Small: "--set 'depths=[10, 30, 100]' --draws 200"},
			{Command: "probe experiments/start-smooth.yaml --out {runs}/start-smooth --no-report --json", Small: "--set 'depths=[10, 30, 100]' --draws 20"},
			{Command: "probe experiments/start-histogram.yaml --out {runs}/start-histogram --no-report --json", Small: "--set 'depths=[30]' --draws 500"},
		},
		Claims: []Claim{
			{
				Key: "explosion", Text: "α = ¼: lengths explode as (1 + ½L^−½)^L: logarithm of the mean at the largest depth, over that of the closed form", Source: source, Want: Around(1, 0.05),
				Measure: deepest(independent, quarter, bothWays, func(s analyze.Spread) Measurement { return over(s, math.Log) }),
			},
			{
				Key: "order-one", Text: "α = ½: lengths stay of order one and tend to e^½: mean at the largest depth, over the closed form", Source: source, Want: Around(1, 0.05),
				Measure: deepest(independent, half, bothWays, func(s analyze.Spread) Measurement {
					return over(s, func(v float64) float64 { return v })
				}),
			},
			{
				Key: "identity", Text: "α = 1: the network is the identity in the limit: E‖h_L − h_0‖²/‖h_0‖² falls like 1/L, and so does that of p", Source: source, Want: Around(-1, 0.05),
				Measure: inDepth(independent, one, "change", "backward_change"),
			},
			{
				Key: "smooth-explosion", Text: "smooth weights, exponent ½: lengths explode: mean of log ‖h_L‖²/‖h_0‖² (and of p) at the largest depth, at least four times the ½ of independent weights",
				Source: "[MFBV], figures 4 and 5", Want: AtLeast(2),
				Measure: deepest(smooth, below, bothWays, meanOfLogs),
			},
			{
				Key: "smooth-critical", Text: "smooth weights, exponent 1: order one at every depth: exponent of E‖h_L − h_0‖²/‖h_0‖² (and of p) is 0", Source: "[MFBV], figures 4 and 5; an ordinary differential equation", Want: Around(0, 0.05),
				Measure: inDepth(smooth, critical, "change", "backward_change"),
			},
			{
				Key: "smooth-identity", Text: "smooth weights, exponent 2: the identity: the same exponent is −2", Source: "[MFBV], figures 4 and 5; L steps of size L^−2", Want: Around(-2, 0.05),
				Measure: inDepth(smooth, beyond, "change", "backward_change"),
			},
			{
				Key: "distribution", Text: "at α = ½ the squared lengths are near a log-normal law: sup|F_n − F|, with the band of Dvoretzky, Kiefer, Wolfowitz and Massart",
				Source: "[MFBV], figure 2 shows the histogram; the law is that of a product of many factors", Want: AtMost(0.08),
				Measure: deepest(histogram, "", bothWays, nil),
			},
		},
		Figures: func(b *Bench) ([]*report.Figure, error) {
			var figures []*report.Figure
			for _, name := range []string{"start", "start-smooth", "start-histogram"} {
				found, err := analyze.Starts(b.Dir(name)) // with the draws, which JSON leaves out
				if err != nil {
					return nil, err
				}
				drawn, err := report.StartFigures(b.ctx, found, report.Options{})
				if err != nil {
					return nil, err
				}
				for _, f := range drawn {
					wanted := map[string]string{"start": "start-ratio", "start-smooth": "start-change", "start-histogram": "start-histogram"}[name]
					if strings.HasPrefix(f.Name, wanted) && (name == "start-histogram" || f.Name == wanted) {
						figures = append(figures, f)
					}
				}
			}
			return figures, nil
		},
	}
}

// bothWays are the quantities of a start from either end.
var bothWays = []string{"forward", "backward"}

// startGroup returns the group of a step's result with these settings, by the last word
// of each; "" stands for a study with one group.
func startGroup(b *Bench, step int, label string) (analyze.StartGroup, error) {
	var found analyze.StartResult
	if err := b.Output(step, &found); err != nil {
		return analyze.StartGroup{}, err
	}
	for _, g := range found.Groups {
		if settingsText(g.Settings) == label {
			return g, nil
		}
	}
	return analyze.StartGroup{}, fmt.Errorf("papers: step %d: got no group %q", step+1, label)
}

// deepest returns a Measure of a group's quantities at its largest depth; a nil of means
// the distance to the log-normal law.
func deepest(step int, label string, quantities []string, of func(analyze.Spread) Measurement) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		g, err := startGroup(b, step, label)
		if err != nil {
			return nil, err
		}
		last := g.Starts[len(g.Starts)-1]
		var list []Measurement
		for _, q := range quantities {
			s, ok := last.Spreads[q]
			m := missing("a draw is not finite")
			switch {
			case ok && of != nil:
				m = of(s)
			case ok && s.Log != nil:
				band := math.Sqrt(math.Log(2/0.05) / (2 * float64(last.Draws)))
				m = Measurement{Value: s.Log.Distance, Low: max(0, s.Log.Distance-band), High: s.Log.Distance + band}
			}
			m.Case = q
			if m.Note == "" {
				m.Note = fmt.Sprintf("depth %d, %d draws", last.Depth, last.Draws)
			}
			list = append(list, m)
		}
		return list, nil
	}
}

// inDepth returns a Measure of the exponents of a group's quantities.
func inDepth(step int, label string, quantities ...string) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		g, err := startGroup(b, step, label)
		if err != nil {
			return nil, err
		}
		var list []Measurement
		for _, q := range quantities {
			m := ofSlope(named(g.Exponents, q), 0)
			m.Case = q
			list = append(list, m)
		}
		return list, nil
	}
}

// over returns the mean with its interval, all on a scale where the expectation is 1.
func over(s analyze.Spread, scale func(float64) float64) Measurement {
	unit := scale(*s.Expected)
	return Measurement{Value: scale(s.Mean) / unit, Low: scale(s.Low) / unit, High: scale(s.High) / unit}
}

// meanOfLogs returns the mean of the logarithms.
func meanOfLogs(s analyze.Spread) Measurement {
	if s.Log == nil {
		return missing("a draw is zero")
	}
	return Measurement{Value: s.Log.Mean, Low: s.Log.MeanLow, High: s.Log.MeanHigh}
}
