package papers

import (
	"fmt"
	"slices"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
	"github.com/deeplimit/deeplimit/scaling"
)

// transfer is ours: what a network trained at one depth is worth at another.
func transfer() Experiment {
	return Experiment{
		Name: "transfer", Title: "Transfer to other depths", Source: "deeplimit",
		Setup: `Networks of 32 and 64 layers are trained as in convergence, α = ½, down to a loss of 10⁻¹⁰. The smooth trend of their weights, extrapolated in
1/L, gives a network of 2 to 64 times the depth, whose loss is computed without training; then it is trained on by the same rule, beside one
from scratch. The second study trains depths 64 to 512 down to 10⁻¹⁴, to see at which rate the loss of the rebuilt
networks falls: the weights of L Euler steps are O(1/L) from their limit, which enters the loss squared.`,
		Steps: []Step{
			{
				Command: "run experiments/transfer.yaml --out {runs}/transfer --no-report",
				Small:   "--set seeds=3",
			},
			{
				Command: "transfer {runs}/transfer --train",
				Full:    "--depth 128,256,512,1024,2048,4096",
				Small:   "--depth 256,512",
			},
			{
				Command: "run experiments/transfer-limit.yaml --out {runs}/transfer-limit --no-report",
				Small:   "--set 'depths=[32, 64, 128]'",
			},
			{
				Command: "transfer {runs}/transfer-limit",
				Full:    "--depth 1024,2048,4096",
				Small:   "--depth 256,512",
			},
		},
		Claims: []Claim{
			{
				Key: "untrained-loss", Text: "without training the rebuilt network has at most 10⁻⁴ of the loss at random weights: share of seeds", Source: "deeplimit", Want: everySeed,
				Measure: perDepth("transfer", func(losses []analyze.TransferLoss) Measurement {
					worst, hits := 0.0, 0
					for _, l := range losses {
						if l.Training == nil || l.Training.Scratch == nil || l.Training.Scratch.First == nil || l.Trend == nil {
							return missing("a loss that is not finite")
						}
						ratio := *l.Trend / *l.Training.Scratch.First
						if worst = max(worst, ratio); ratio <= 1e-4 {
							hits++
						}
					}
					m := share(hits, 0, len(losses))
					m.Note += fmt.Sprintf("; largest ratio %.2g", worst)
					return m
				}),
			},
			{
				Key: "saved", Text: "training from it to the same loss saves half of the iterations or more: share saved, mean over seeds", Source: "deeplimit", Want: AtLeast(0.5),
				Measure: perDepth("transfer", func(losses []analyze.TransferLoss) Measurement {
					var shares []float64
					for _, l := range losses {
						if l.Training == nil || l.Training.Scratch == nil || l.Training.Rebuilt.Stop != "loss" || l.Training.Scratch.Stop != "loss" {
							return missing("a training that did not reach the loss")
						}
						shares = append(shares, 1-float64(l.Training.Rebuilt.Iterations)/float64(l.Training.Scratch.Iterations))
					}
					return meanOf(shares)
				}),
			},
			{
				Key: "trend-rate", Text: "the loss of the rebuilt trend, less that of the trained run, falls like L^−2", Source: "Euler steps", Want: Around(-2, 0.5),
				Measure: eachGroup("transfer-limit", func(g analyze.Group) Measurement {
					return ofTransfer(g, "trend", func(t *analyze.Transfer) *analyze.Slope { return t.Trend })
				}),
			},
			{
				Key: "redrawn-rate", Text: "and so does that with initial weights drawn anew, when all depths share their noise", Source: "Euler steps", Want: Around(-2, 0.1),
				Measure: coupledOnly("transfer-limit", func(g analyze.Group) Measurement {
					return ofTransfer(g, "redrawn", func(t *analyze.Transfer) *analyze.Slope { return t.Redrawn })
				}),
			},
			{
				Key: "distance", Text: "paths of depths L and 2L are then of order 1/L apart: exponents of the integral distance", Source: "Euler steps", Want: Around(-1, 0.1),
				Measure: coupledOnly("transfer-limit", func(g analyze.Group) Measurement {
					if g.Limit == nil {
						return missing("no distances")
					}
					return ofSlope(g.Limit.Integral, 0)
				}),
			},
		},
		Figures: func(b *Bench) ([]*report.Figure, error) {
			training, err := b.Figures("transfer", "training")
			if err != nil {
				return nil, err
			}
			limit, err := b.Figures("transfer-limit", "transfer")
			return append(training, limit...), err
		},
	}
}

// perDepth returns a Measure that takes one number from the losses at each depth that the
// one group of a study was transferred to.
func perDepth(study string, of func([]analyze.TransferLoss) Measurement) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		result, err := b.Result(study)
		if err != nil {
			return nil, err
		}
		if len(result.Groups) != 1 || result.Groups[0].Transfer == nil {
			return nil, fmt.Errorf("papers: %s: got %d groups, want one that was transferred", study, len(result.Groups))
		}
		losses := result.Groups[0].Transfer.Losses // by depth
		var found []Measurement
		for from, to := 0, 0; from < len(losses); from = to {
			for to = from + 1; to < len(losses) && losses[to].Depth == losses[from].Depth; {
				to++
			}
			m := of(losses[from:to])
			m.Case = fmt.Sprintf("depth %d", losses[from].Depth)
			found = append(found, m)
		}
		return found, nil
	}
}

// coupledOnly is eachGroup over the groups whose depths share their initial noise.
func coupledOnly(study string, of func(analyze.Group) Measurement) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		result, err := b.Result(study)
		if err != nil {
			return nil, err
		}
		var found []Measurement
		for _, g := range slices.DeleteFunc(byCase(result), func(g analyze.Group) bool { return !g.Coupled }) {
			m := of(g)
			m.Case = caseOf(result, g)
			found = append(found, m)
		}
		return found, nil
	}
}

// ofTransfer returns an exponent of a group that was transferred, by its key.
func ofTransfer(g analyze.Group, key string, window func(*analyze.Transfer) *analyze.Slope) Measurement {
	if g.Transfer == nil {
		return missing("not transferred")
	}
	if x, ok := g.Transfer.LimitExponents[key]; ok {
		return ofLimit(&x, window(g.Transfer), 0)
	}
	return ofLimit(nil, window(g.Transfer), 0)
}

// meanOf returns the mean of one value for each seed with its interval (Student's t).
func meanOf(values []float64) Measurement {
	mean, half := scaling.MeanInterval(values, 0.95)
	return Measurement{Value: mean, Low: mean - half, High: mean + half, Note: fmt.Sprintf("%d seeds", len(values))}
}
