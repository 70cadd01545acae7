package papers

import (
	"cmp"
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
	"github.com/deeplimit/deeplimit/scaling"
)

// learnedScaling is the scaling with depth that training chooses in [CCRX].
func learnedScaling() Experiment {
	const ode, mnist = "learned-scaling", "learned-scaling-mnist"
	claims := func(study, suffix, where string) []Claim {
		only := func(activation string, of func(analyze.Group) Measurement) func(*Bench) ([]Measurement, error) {
			return oneGroup(study, "network.activation", activation, of)
		}
		return []Claim{
			{
				Key: "sum" + suffix, Text: where + "tanh, one δ: α + β = 1, where δ ∝ L^−α and max‖A_k‖_F ∝ L^−β: exponent of their product", Source: "the sum of L layers of size δ‖A‖ stays of order one; [CCRX]", Want: Around(-1, 0.1),
				Measure: only("tanh", func(g analyze.Group) Measurement {
					m := limitOf(g.GroupPath, "delta_max_frobenius", 0)
					m.Note += "; δ " + exponentText(g, "delta") + ", A " + exponentText(g, "max_frobenius") + ", b " + biasText(g)
					return m
				}),
			},
			{
				Key: "continuous" + suffix, Text: where + "tanh, one δ: neighbouring layers agree more and more: exponent of max‖A_{k+1} − A_k‖ is below −½", Source: "[CCRX], hypothesis 1", Want: AtMost(-0.5),
				Measure: only("tanh", func(g analyze.Group) Measurement { return limitOf(g.GroupPath, "max_increment", 0) }),
			},
			{
				Key: "smooth" + suffix, Text: where + "tanh, one δ: the regime is smooth, that of an ordinary differential equation", Source: "[CCRX]", Want: Range{1, 1},
				Measure: only("tanh", func(g analyze.Group) Measurement { return ofRegime(g.Regime, scaling.SmoothLimit) }),
			},
			{
				Key: "noise" + suffix, Text: where + "relu, a δ for each layer: neighbouring layers do not: the same exponent is above −¼", Source: "[CCRX]", Want: AtLeast(-0.25),
				Measure: only("relu", func(g analyze.Group) Measurement { return limitOf(g.GroupPath, "max_increment", 0) }),
			},
			{
				Key: "independent" + suffix, Text: where + "relu, a δ for each layer: the layers carry independent noise: second differences of A do not grow with the lag at the largest depth: exponent 0",
				Source: "[CCRX]", Want: Around(0, 0.1),
				Measure: only("relu", func(g analyze.Group) Measurement { return accumulation(g) }),
			},
		}
	}
	return Experiment{
		Name: ode, Title: "The scaling with depth that training chooses", Source: "[CCRX], sections on synthetic data and MNIST",
		Setup: `Block σ(A h + b) with trained δ, Adam, batches of 32. Teacher z ← z + 100^−½ tanh(sin(5πt) z + cos(5πt)), 100 steps, d = 10,
1024 inputs of unit norm, down to a mean square over entries of 10⁻³ (J = 5·10⁻³, half the sum over the 10 entries); and 1,024 images of MNIST at width 25,
one-hot, squared loss. Depths 8 … 512 by factors of 2 (8 … 256 for MNIST) against 3 … 1000 by 1.26, at most 60 epochs against 200; δ of a layer starts from
1/L, there from a normal number of that size. The thresholds −½ and −¼ are ours and were set after a pilot at smaller size: the paper
reads its regimes off figures.`,
		Steps: []Step{
			{Command: "run experiments/learned-scaling.yaml --out {runs}/learned-scaling --no-report", Small: "--set 'depths=[8, 16, 32]' --set train.stop.iterations=640"},
			{Command: "run experiments/learned-scaling-mnist.yaml --out {runs}/learned-scaling-mnist --no-report", Small: "--set 'depths=[8, 16, 32]' --set train.stop.iterations=320 --set data.samples=256"},
		},
		Claims: append(claims(ode, "", ""), claims(mnist, "-mnist", "MNIST, ")...),
		Figures: func(b *Bench) ([]*report.Figure, error) {
			figures, err := b.Figures(ode, "norms", "weights")
			return only(figures, "norms-ode-activation-tanh-residual-shared", "weights-ode-activation-tanh-residual-shared", "weights-ode-activation-relu-residual-layered"), err
		},
	}
}

// oneGroup returns a Measure of the group whose setting at path has the value.
func oneGroup(study, path, value string, of func(analyze.Group) Measurement) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		result, err := b.Result(study)
		if err != nil {
			return nil, err
		}
		for _, g := range result.Groups {
			if g.Settings[path] == value {
				return []Measurement{of(g)}, nil
			}
		}
		return nil, fmt.Errorf("papers: %s: got no group with %s %s", study, path, value)
	}
}

// accumulation returns how second differences grow with the lag, the mean over seeds
// with Student's interval.
func accumulation(g analyze.Group) Measurement {
	e := g.Regime.Evidence
	if e.MaxIncrement.Method == "" {
		return missing("no increments: " + g.Regime.Why)
	}
	n := float64(len(g.Seeds))
	if n < 2 {
		return missing("one seed")
	}
	half := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.975) * e.AccumulationSpread / math.Sqrt(n)
	return Measurement{
		Value: e.Accumulation, Low: e.Accumulation - half, High: e.Accumulation + half,
		Note: "limit " + cmp.Or(string(g.Regime.Verdict), "not settled") + ": " + g.Regime.Why,
	}
}

// exponentText writes an exponent of a group with its interval.
func exponentText(g analyze.Group, name string) string { return slopeText(named(g.Exponents, name)) }

// biasText writes the exponent of max‖b_k‖.
func biasText(g analyze.Group) string {
	return slopeText(named(g.Parts["b"].Exponents, "max_frobenius"))
}

func slopeText(s *analyze.Slope) string {
	if s == nil {
		return "none"
	}
	return strings.ReplaceAll(s.String(), "-", "−")
}
