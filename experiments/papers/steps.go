package papers

import (
	"fmt"
	"math"
	"strings"

	"github.com/deeplimit/deeplimit/internal/ask/compare"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
)

// stepTransfer is the question which step at which depth, and what several papers answer.
func stepTransfer() Experiment {
	const rotation, decay, epsilon, linear, noise = 0, 1, 2, 3, 5 // steps
	regret := func(rule string, step int, keep func(*analyze.TuneGroup) bool) func(*Bench) ([]Measurement, error) {
		return eachTuned(step, func(g *analyze.TuneGroup) (Measurement, bool) {
			if !keep(g) {
				return Measurement{}, false
			}
			return deepestRegret(g, rule), true
		})
	}
	adam := func(g *analyze.TuneGroup) bool { return strings.HasPrefix(g.Method, "adam") }
	half := func(layers string) func(*analyze.TuneGroup) bool {
		return func(g *analyze.TuneGroup) bool {
			return adam(g) && *g.Alpha == 0.5 && g.Settings["network.block"] == layers
		}
	}
	return Experiment{
		Name: "step-transfer", Title: "Which step at which depth", Source: "[YYZH], [BNLHP], [DZN], [C]",
		Setup: `The best step of every depth, and how it moves, by ` + "`deeplimit tune`" + ` ([tune.md](tune.md)): exponents are those of the collapse of whole curves of the last loss against
the step; a step is moved from the shallowest depth to the deepest by a rule, and what it loses there is J(moved)/J(best) − 1. Five methods, α of ½, ¾ and 1, blocks of one layer (inner),
two layers (mlp) and two with a layer norm before; weights with entries of one size at every depth. The teacher is a rotation; decay and ε are those of
digits, λ chosen on samples held out. The papers train transformers and convolutional networks of some ten to a hundred layers for thousands of steps; here a training is 30 to 60 steps of a small network.`,
		Steps: []Step{
			{
				Command: "tune experiments/step-transfer.yaml --json --precision 1.2 --out {runs}/step-transfer", Partial: true,
				Small: "--precision 1.6 --set 'depths=[4, 16]' --set seeds=2 --set train.stop.iterations=10 --set 'grid.train.method=[adam]' --set 'grid.network.alpha=[0.5, 1]' --set 'zip=[{network.block: inner}, {network.block: mlp}]'",
			},
			{
				Command: "tune experiments/step-transfer-decay.yaml --json --over train.weight-decay --measure validation-loss --precision 1.3 --out {runs}/step-transfer-decay", Partial: true,
				Small: "--precision 1.6 --set 'depths=[4, 16]' --set seeds=2 --set 'grid.network.alpha=[0.5]' --set data.samples=20 --set data.validation=20 --set train.stop.iterations=10",
			},
			{
				Command: "tune experiments/step-transfer-decay.yaml --json --over train.epsilon --measure loss --precision 1.3 --out {runs}/step-transfer-epsilon", Partial: true,
				Small: "--precision 1.6 --set 'depths=[4, 16]' --set seeds=2 --set 'grid.network.alpha=[0.5]' --set data.samples=20 --set data.validation=20 --set train.stop.iterations=10",
			},
			{
				Command: "coordinate-check experiments/step-transfer-linear.yaml --json",
				Small:   "--set 'depths=[8, 32]'",
			},
			{
				Command: "run experiments/step-transfer-noise.yaml --out {runs}/step-transfer-noise --no-report",
				Small:   "--set 'depths=[4, 8, 16, 128]' --set seeds=3",
			},
			{Command: "compare {runs}/step-transfer-noise --of outputs --to deepest --json"},
		},
		Claims: []Claim{
			{
				Key: "law", Text: "the best step moves with depth by 2α − 1 along the gradient, α − 1 normalised: exponent less that", Source: "[YYZH], [BNLHP], [DZN]; [step-size.md](step-size.md)", Want: Around(0, 0.05),
				Measure: eachTuned(rotation, lessLaw),
			},
			{
				Key: "constant", Text: "a step that stays as it is does not transfer at α = ½ with adam: regret", Source: "[DZN]", Want: AtLeast(0.1),
				Measure: regret("constant", rotation, func(g *analyze.TuneGroup) bool { return adam(g) && *g.Alpha == 0.5 }),
			},
			{
				Key: "depth-mup-one", Text: "Depth-μP's step transfers where a block has one layer: regret", Source: "[YYZH]", Want: AtMost(0.1),
				Measure: regret("depth-mup", rotation, half("inner")),
			},
			{
				Key: "depth-mup-two", Text: "Depth-μP's step does not transfer where a block has two layers: regret", Source: "[YYZH], [DZN]", Want: AtLeast(0.1),
				Measure: regret("depth-mup", rotation, half("mlp")),
			},
			{
				Key: "complete-p", Text: "CompleteP's step, η m^(α−1), transfers at α = 1: regret", Source: "[DZN]", Want: AtMost(0.1),
				Measure: regret("complete-p", rotation, func(g *analyze.TuneGroup) bool { return adam(g) && *g.Alpha == 1 }),
			},
			{
				Key: "decay", Text: "the best weight decay of adamw stays where it is (CompleteP leaves λ unscaled): exponent", Source: "[DZN], table 1", Want: Around(0, 0.1),
				Measure: eachTuned(decay, shift(0)),
			},
			{
				Key: "epsilon", Text: "the best ε of adamw falls like L^−α: exponent plus α", Source: "[DZN], table 1", Want: Around(0, 0.1),
				Measure: eachTuned(epsilon, func(g *analyze.TuneGroup) (Measurement, bool) { return shift(*g.Alpha)(g) }),
			},
			{
				Key: "linear-half", Text: "at α = ½ blocks become linear in their weights as depth grows: exponent of the distance from the linearisation", Source: "[DZN]", Want: AtMost(-0.1),
				Measure: blocksLinear(linear, 0.5),
			},
			{
				Key: "linear-one", Text: "at α = 1 blocks do not become linear: exponent of the same", Source: "[DZN]", Want: Around(0, 0.1),
				Measure: blocksLinear(linear, 1),
			},
			{
				Key: "limit-draws", Text: "with weights drawn for each layer, sgd comes near its limit like L^−½, as 1/√(LM) outweighs 1/L: exponent of the distance of outputs to those of depth 2048", Source: "[C]", Want: Around(-0.5, 0.15),
				Measure: toLimit(noise, "false"),
			},
			{
				Key: "limit-tied", Text: "with one draw of the weights for all layers, like 1/L: exponent of the same", Source: "[C]", Want: Around(-1, 0.15),
				Measure: toLimit(noise, "true"),
			},
		},
		Figures: func(b *Bench) ([]*report.Figure, error) {
			return b.Figures("step-transfer-decay", "tune")
		},
	}
}

// eachTuned measures every group that a tune found, but those of which of returns false.
func eachTuned(step int, of func(*analyze.TuneGroup) (Measurement, bool)) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		var found analyze.Tune
		if err := b.Output(step, &found); err != nil {
			return nil, err
		}
		var list []Measurement
		data := map[string]bool{}
		for i := range found.Groups {
			data[found.Groups[i].Data] = true
		}
		for i := range found.Groups {
			g := &found.Groups[i]
			m, ok := of(g)
			if !ok {
				continue
			}
			if m.Case = settingsText(g.Settings); len(data) > 1 {
				m.Case = g.Data + ", " + m.Case
			}
			list = append(list, m)
		}
		if list == nil {
			return []Measurement{missing("not in this size")}, nil
		}
		return list, nil
	}
}

// shift returns the measure of the exponent plus by.
func shift(by float64) func(*analyze.TuneGroup) (Measurement, bool) {
	return func(g *analyze.TuneGroup) (Measurement, bool) {
		m := ofSlope(g.Exponent, by)
		switch {
		case g.Exponent == nil:
			m.Note = strings.Join(g.Notes, "; ")
		case g.Apart:
			m.Note = "left and right flank move apart"
		}
		return m, true
	}
}

// lessLaw measures the exponent less the law's.
func lessLaw(g *analyze.TuneGroup) (Measurement, bool) { return shift(-*g.Law)(g) }

// deepestRegret measures what a rule's value loses at the deepest.
func deepestRegret(g *analyze.TuneGroup, rule string) Measurement {
	m := missing("no regret of " + rule)
	to := 0
	for _, r := range g.Regret {
		if r.Rule != rule || r.To < to {
			continue
		}
		to = r.To
		switch {
		case r.Diverged > 0:
			m = Measurement{Value: math.Inf(1), Low: math.MaxFloat64, High: math.Inf(1), Note: fmt.Sprintf("diverges with %d seeds", r.Diverged)}
		case r.Value == nil || r.Low == nil || r.High == nil:
			m = missing("no interval")
		default:
			m = Measurement{Value: *r.Value, Low: *r.Low, High: *r.High}
		}
	}
	return m
}

// blocksLinear measures the exponent in depth of the distance of blocks from their linearisation after the last iteration.
func blocksLinear(step int, alpha float64) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		var found analyze.Coordinates
		if err := b.Output(step, &found); err != nil {
			return nil, err
		}
		last := map[string]Measurement{}
		var order []string
		for i := range found.Quantities {
			q := &found.Quantities[i]
			if q.Name != "block-linearisation" || q.Alpha != alpha {
				continue
			}
			name := settingsText(q.Settings)
			if _, seen := last[name]; !seen {
				order = append(order, name)
			}
			m := ofSlope(q.Exponent, 0)
			m.Case = name
			last[name] = m // iterations ascend
		}
		var list []Measurement
		for _, name := range order {
			list = append(list, last[name])
		}
		return list, nil
	}
}

// toLimit measures the exponent in depth of the distance to the deepest of runs whose layers start tied or not.
func toLimit(step int, tied string) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		var found compare.Result
		if err := b.Output(step, &found); err != nil {
			return nil, err
		}
		for _, e := range found.Exponents {
			if e.In != "depth" || e.At["initial.tied"] != tied {
				continue
			}
			if e.Low == nil || e.High == nil {
				return []Measurement{missing(e.Warning)}, nil
			}
			return []Measurement{{Value: e.Exponent, Low: *e.Low, High: *e.High}}, nil
		}
		return []Measurement{missing("no exponent")}, nil
	}
}
