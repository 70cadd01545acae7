package papers

import (
	"fmt"
	"maps"
	"slices"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
	"github.com/deeplimit/deeplimit/scaling"
)

// limit is figure 1 of [MWSB]: weights converge to a smooth function of the layer index.
func limit() Experiment {
	const study = "limit"
	return Experiment{
		Name: study, Title: "Convergence of the weights in depth", Source: "[MWSB], figure 1",
		Setup: `Block mlp with GELU, α = 1, d = 16, hidden width 32, 100 normal inputs and targets, one standard normal W for all layers,
V = 0, 49 steps of gradient descent with step 0.01·L on the mean square over all entries (which is 0.00125·L on deeplimit's J), in float64.
Distances are in L² over k/L, to the network of 16384 layers. In float32 the distance of W is known to flatten by rounding.`,
		Steps: []Step{{
			Command: "run experiments/limit.yaml --out {runs}/limit --no-report",
			Small:   "--set 'depths=[4, 8, 16, 32, 64, 1024]' --set data.samples=20 --set train.stop.iterations=20",
		}},
		Claims: []Claim{
			{
				Key: "distance", Text: "the distance of V and of W to the deepest network falls like 1/L", Source: "[MWSB], figure 1", Want: Around(-1, 0.05),
				Measure: eachPart(study, func(path analyze.GroupPath) Measurement {
					if path.Limit == nil {
						return missing("no distances")
					}
					return ofSlope(path.Limit.ToDeepest, 0)
				}),
			},
			{
				Key: "increment", Text: "the largest increment falls like 1/L", Source: "[MWSB], Lipschitz paths", Want: Around(-1, 0.05),
				Measure: eachPart(study, func(path analyze.GroupPath) Measurement {
					return limitOf(path, "max_increment", 0)
				}),
			},
			{
				Key: "regime", Text: "the limit is a smooth function of k/L", Source: "[MWSB]", Want: Range{1, 1},
				Measure: eachPart(study, func(path analyze.GroupPath) Measurement { return ofRegime(path.Regime, scaling.SmoothLimit) }),
			},
		},
		Figures: func(b *Bench) ([]*report.Figure, error) { return b.Figures(study, "deepest") },
	}
}

// eachPart returns a Measure that takes one number from every part of the weights of
// the one group of a study.
func eachPart(study string, of func(analyze.GroupPath) Measurement) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		result, err := b.Result(study)
		if err != nil {
			return nil, err
		}
		if len(result.Groups) != 1 {
			return nil, fmt.Errorf("papers: %s: got %d groups, want one", study, len(result.Groups))
		}
		var found []Measurement
		for _, part := range slices.Sorted(maps.Keys(result.Groups[0].Parts)) {
			m := of(result.Groups[0].Parts[part])
			m.Case = part
			found = append(found, m)
		}
		return found, nil
	}
}
