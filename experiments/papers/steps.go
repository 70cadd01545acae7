package papers

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/ask/compare"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
	"github.com/deeplimit/deeplimit/scaling"
)

// laws are the sources of the law of the step, and lawful how far an exponent may be from it.
const laws = "[YYZH], [BNLHP], [DZN]; [step-size.md](step-size.md)"

var lawful = Around(0, 0.05)

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
	every := func(*analyze.TuneGroup) bool { return true }
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
two layers (mlp) and two with a norm before; weights with entries of one size at every depth. The teacher is a rotation; decay and ε are those of
digits, λ chosen on samples held out. The papers train transformers and convolutional networks of some ten to a hundred layers for thousands of steps; here a training is 30 to 60 steps of a small network.

Where an exponent is off the law, the notes below the table have it from each depth to the next. At α = ½ it is off up to depth 128 and not told from the law beyond: with adam and block mlp by −0.22 ± 0.10 from depth 8 to 32, −0.20 ± 0.16 to 128 and
0.04 ± 0.11 to 512, while with one layer it is off by −0.015 ± 0.035 over all depths. At α = ¾ with adam it shrinks too, and behind a norm −0.12 ± 0.07 is left. With gd, α = 1 and block mlp it does not shrink, 0.13 ± 0.10, 0.13 ± 0.05, 0.16 ± 0.04:
the right flank, stability, moves by the law (off by −0.05 ± 0.04) and the left one faster (0.18 ± 0.02), so that no one exponent describes the curves. A regret from depth 8 to 512 counts all of that: the law loses less than a tenth in 13 of 45 cases, a constant step more in 27 of 30.
Regrets that stay open do so as log J(moved)/J(best) of single seeds scatters by 0.3 and more, which leaves ± 0.15 and more of 16 seeds.`,
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
		Claims: slices.Concat([]Claim{
			{
				Key: "law", Column: "exponent", Text: "the best step moves with depth by 2α − 1 along the gradient, α − 1 normalised: exponent less that", Source: laws, Want: lawful,
				Measure: eachTuned(rotation, lessLaw(whole, lawful)),
			},
			{
				Key: "law-deeper", Column: "without depth 8", Text: "the same without the shallowest depth", Source: laws, Want: lawful,
				Measure: eachTuned(rotation, lessLaw(deeper, lawful)),
			},
			{
				Key: "law-regret", Column: "regret of the law", Text: "the step that is best at the shallowest depth, moved by the law, transfers to the deepest: regret", Source: laws, Want: AtMost(0.1),
				Measure: regret("law", rotation, every),
			},
			{
				Key: "constant", Column: "of a constant step", Text: "a step that stays as it is does not, where the law has another exponent than 0: regret", Source: "[YYZH], [DZN]", Want: AtLeast(0.1),
				Measure: regret("constant", rotation, func(g *analyze.TuneGroup) bool { return *g.Law != 0 }),
			},
			{
				Key: "drift", Text: "what is off the law is an effect of shallow depths: mean distance of exponents from the law between the two deepest depths, less that between the two shallowest", Source: "deeplimit", Want: AtMost(0),
				Measure: drift(rotation),
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
		}, epsilonClaims(epsilon), []Claim{
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
		}),
		Figures: func(b *Bench) ([]*report.Figure, error) {
			return b.Figures("step-transfer-decay", "tune")
		},
	}
}

// epsilonClaims are those about adamw's ε, of which a tune has been asked.
func epsilonClaims(step int) []Claim {
	return []Claim{
		{
			Key: "epsilon", Text: "what ε of adamw does no harm falls like L^−α: exponent plus α", Source: "[DZN], table 1", Want: Around(0, 0.1),
			Measure: eachTuned(step, func(g *analyze.TuneGroup) (Measurement, bool) { return shift(*g.Alpha)(g) }),
		},
		{
			Key: "epsilon-moves", Text: "it falls with depth, so that an ε which stays as it is does harm at last: exponent", Source: "[DZN]", Want: AtMost(-0.1),
			Measure: eachTuned(step, shift(0)),
		},
		{
			Key: "epsilon-deeper", Text: "exponent plus α without the shallowest depth", Source: "[DZN], table 1", Want: Around(0, 0.1),
			Measure: eachTuned(step, func(g *analyze.TuneGroup) (Measurement, bool) { return ofSlope(g.Deeper, *g.Alpha), true }),
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
		var notes []string
		switch {
		case g.Exponent == nil:
			notes = g.Notes
		case g.Flank != nil:
			notes = append(notes, "no minimum: of the "+g.Flank.Side+" flank")
		case g.Apart:
			notes = append(notes, "left and right flank move apart")
		}
		m.Note = strings.Join(notes, "; ")
		return m, true
	}
}

// whole and deeper return the exponents of a group over all depths, and without the shallowest.
func whole(g *analyze.TuneGroup) *analyze.Slope  { return g.Exponent }
func deeper(g *analyze.TuneGroup) *analyze.Slope { return g.Deeper }

// lessLaw measures an exponent less the law's, and says in a clause why it is open.
func lessLaw(of func(*analyze.TuneGroup) *analyze.Slope, want Range) func(*analyze.TuneGroup) (Measurement, bool) {
	return func(g *analyze.TuneGroup) (Measurement, bool) {
		m := ofSlope(of(g), -*g.Law)
		verdict := want.Judge(m)
		switch {
		case of(g) == nil:
			m.Note = strings.Join(g.Notes, "; ")
		case verdict == CannotTell && m.High-m.Low > want.High-want.Low:
			m.Note = "open: seeds differ in the place of their curves by so much that the interval is wider than the range"
		case verdict == CannotTell:
			m.Note = "open: the interval holds an end of the range"
		case verdict == NotReproduced:
			m.Note = offLaw(g)
		}
		return m, true
	}
}

// offLaw says where a group is off the law: by depths, and by flanks where these move apart.
func offLaw(g *analyze.TuneGroup) string {
	var parts []string
	for _, w := range g.Windows {
		parts = append(parts, fmt.Sprintf("%d to %d %s", w.From, w.To, lessText(&w.Exponent, *g.Law)))
	}
	if g.Apart {
		parts = append(parts, "left flank "+lessText(g.Left, *g.Law), "right "+lessText(g.Right, *g.Law))
	}
	return strings.Join(parts, ", ")
}

// lessText writes an exponent less the law's, with the half width of its interval.
func lessText(s *analyze.Slope, law float64) string {
	return strings.ReplaceAll(fmt.Sprintf("%.2f ± %.2f", s.Slope-law, (s.High-s.Low)/2), "-", "−")
}

// drift measures by how much exponents are nearer to the law between the two deepest depths than between the two shallowest: the mean
// over the groups of an α, with Student's t.
func drift(step int) func(*Bench) ([]Measurement, error) {
	return func(b *Bench) ([]Measurement, error) {
		var found analyze.Tune
		if err := b.Output(step, &found); err != nil {
			return nil, err
		}
		gained, order := map[float64][]float64{}, []float64{}
		for i := range found.Groups {
			g := &found.Groups[i]
			if len(g.Windows) < 2 {
				continue
			}
			if gained[*g.Alpha] == nil {
				order = append(order, *g.Alpha)
			}
			off := func(w scaling.Window) float64 { return math.Abs(w.Exponent.Slope - *g.Law) }
			gained[*g.Alpha] = append(gained[*g.Alpha], off(g.Windows[len(g.Windows)-1])-off(g.Windows[0]))
		}
		var list []Measurement
		for _, alpha := range order {
			mean, half := scaling.MeanInterval(gained[alpha], 0.95)
			list = append(list, Measurement{Case: fmt.Sprintf("alpha %g", alpha), Value: mean, Low: mean - half, High: mean + half, Note: fmt.Sprintf("%d methods and blocks", len(gained[alpha]))})
		}
		if list == nil {
			return []Measurement{missing("not in this size")}, nil
		}
		return list, nil
	}
}

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
			m = Measurement{Value: math.Inf(1), Low: math.Inf(1), High: math.Inf(1), Note: "diverges with " + plain.Count(r.Diverged, "seed")}
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
