package papers

import (
	"fmt"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/read/proof"
	"github.com/deeplimit/deeplimit/internal/show/report"
	"github.com/deeplimit/deeplimit/scaling"
)

// convergence is the regime of [CRX]: small loss, separated inputs, a smooth activation.
func convergence() Experiment {
	const study, many, source = "convergence", "convergence-seeds", "[CRX]"
	converges := reachesLoss("convergence-edge")
	return Experiment{
		Name: study, Title: "Linear convergence and weights of finite 2-variation", Source: "[CRX], theorems and section on experiments",
		Setup: `Orthonormal inputs, targets at distance 0.3, tanh, d = 10, N = 8, independent initial weights of size L^−(β+½),
gradient descent with step 4·L^(2α−1) down to a loss of 10⁻¹⁰. The paper proves linear convergence and finite 2-variation of the limit
with constants that it does not make explicit; the certificate is deeplimit's own derivation in its spirit
([certificates.md](certificates.md)).

What is claimed of every seed is told over 100 of them at depths 16, 64 and 256: a seed counts if it holds at all three. The step is 0.4 of the edge of stability, which is
near 10·L^(2α−1) ([edge](#edge)). How the share of seeds that converge falls towards the edge is told at depth 64, α = ½, over 200 steps, of which the slowest seed
takes 44 with value 4: at 8 some stall, at the edge itself nearly all.

V_1 of the displacement is bounded for α = ½ and ¾ and grows at α = 1, for a reason: the displacement is of the order L^−β, so the argument of
σ′ in the gradient is z_k = L^−β(Ū h + L^−½ ξ_k h) with layer noise ξ_k, and tanh′ = 1 − z² + … has increments over the layers of the order
L^(−2β−½). Summed over L layers they add L^(½−2β) to V_1: nothing at α = ½, a constant at ¾, L^½ at 1. A bound on V_1 for independent
initial noise needs β ≥ ¼.`,
		Steps: []Step{
			{Command: "run experiments/convergence.yaml --out {runs}/convergence --no-report", Small: "--set 'depths=[16, 64, 256]' --set seeds=3"},
			{Command: "run experiments/convergence-seeds.yaml --out {runs}/convergence-seeds --no-report", Small: "--set 'depths=[8, 16]' --set seeds=72"},
			{Command: "run experiments/convergence-edge.yaml --out {runs}/convergence-edge --no-report", Small: "--set 'depths=[16]' --set seeds=4"},
		},
		Claims: []Claim{
			{
				Key: "linear-rate", Text: "the loss falls linearly to 10⁻¹⁰, R² of log J against the iteration 0.99 or more: share of seeds", Source: source, Want: everySeed,
				Measure: linearFall(many, true),
			},
			{
				Key: "margin", Text: "with a step of up to 0.7 of the edge every seed converges (α = ½, depth 64, 200 steps): share of seeds by value of the step", Source: "deeplimit", Want: everySeed,
				Measure: cases(converges, "value 2", "value 4", "value 5", "value 6", "value 7"),
			},
			{
				Key: "towards-the-edge", Text: "and nearer to the edge not every seed does: share of seeds", Source: "deeplimit", Want: AtMost(0.95),
				Measure: cases(converges, "value 8", "value 9", "value 10", "value 11"),
			},
			{
				Key: "weight-size", Text: "L^β max‖A_k‖_F neither grows nor falls: exponent of max‖A_k‖_F, plus β", Source: source, Want: Around(0, 0.05),
				Measure: eachGroup(study, func(g analyze.Group) Measurement {
					return limitOf(g.GroupPath, "max_frobenius", 1-g.Alpha)
				}),
			},
			{
				Key: "first-variation", Text: "V_1 of L^β A grows like L^½", Source: "size L^−(β+½) of the initial noise", Want: Around(0.5, 0.05),
				Measure: eachGroup(study, func(g analyze.Group) Measurement { return limitOf(g.GroupPath, "variation_1", 0) }),
			},
			{
				Key: "second-variation", Text: "V_2 of L^β A stays bounded: exponent 0", Source: source, Want: Around(0, 0.05),
				Measure: eachGroup(study, func(g analyze.Group) Measurement { return limitOf(g.GroupPath, "variation_2", 0) }),
			},
			{
				Key: "variation-index", Text: "the variation index is at most 2", Source: source, Want: AtMost(2.05),
				Measure: eachGroup(study, func(g analyze.Group) Measurement { return ofIndex(g.VariationIndex) }),
			},
			{
				Key: "displacement", Text: "V_1 of L^β (A(T) − A(0)) stays bounded: exponent at most 0", Source: "[CRX], increments of the gradient over layers", Want: AtMost(0.05),
				Measure: eachGroup(study, func(g analyze.Group) Measurement {
					return limitOf(g.GroupPath, "displacement_variation", 0)
				}),
			},
			{
				Key: "regime", Text: "the weights are a smooth trend and layer noise", Source: "[CCRX], hypothesis 2", Want: Range{1, 1},
				Measure: eachGroup(study, func(g analyze.Group) Measurement { return ofRegime(g.Regime, scaling.SmoothAndNoise) }),
			},
			{
				Key: "certificate", Text: "a certificate of convergence to a global optimum is issued: share of seeds", Source: "[CRX], deeplimit bounds", Want: everySeed,
				Measure: func(b *Bench) ([]Measurement, error) { return certified(b, many) },
			},
		},
		Figures: func(b *Bench) ([]*report.Figure, error) {
			figures, err := b.Figures(study, "loss", "variation")
			return figures[:min(2, len(figures))], err // those of the first α; the others look alike
		},
	}
}

// certified returns the share of the seeds of every group of which all runs have a
// certificate of convergence, with the largest loss at which one was issued, or else the
// hypotheses that the deepest run does not meet.
func certified(b *Bench, study string) ([]Measurement, error) {
	largest, unmet := 0.0, []string(nil)
	ask := func(b *Bench, r *analyze.Run) (answer, error) {
		opened, err := b.Run(study, r.ID)
		if err != nil {
			return no, err
		}
		about, err := proof.Read(opened)
		if err != nil {
			return no, err
		}
		if c := about.Certificate; c != nil {
			largest = max(largest, c.Loss)
		}
		unmet = nil
		for _, h := range about.Hypotheses {
			if !h.Met {
				unmet = append(unmet, h.Name+" ("+h.Got+")")
			}
		}
		return answerOf(about.Certificate != nil), nil
	}
	note := func([]*analyze.Run) string { // of the group that was just asked
		defer func() { largest = 0 }()
		switch {
		case largest > 0:
			return fmt.Sprintf("from a loss of %.2g on", largest)
		case len(unmet) > 0:
			return "not met: " + strings.Join(unmet, ", ")
		}
		return ""
	}
	return shareOfSeeds(study, ask, note)(b)
}
