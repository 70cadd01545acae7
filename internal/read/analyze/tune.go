package analyze

import (
	"cmp"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/scaling"
)

// Tune is what `deeplimit tune --json` prints and tune.json holds: which value of a setting is best at each depth, and
// how it moves with depth.
type Tune struct {
	Study     string      `json:"study"`
	Precision float64     `json:"precision"` // factor between neighbouring values about the best
	Groups    []TuneGroup `json:"groups"`    // of two fields one for each
	Planes    []TunePlane `json:"planes,omitempty"`
}

// TuneGroup is the answer for runs that differ in depth, seed and the setting alone.
type TuneGroup struct {
	Data     string            `json:"data"`
	Method   string            `json:"method"`
	Alpha    *float64          `json:"alpha"`              // null where it is what is tuned
	Settings map[string]string `json:"settings,omitempty"` // what else the study varies
	Over     string            `json:"over"`               // the field of the study file
	With     string            `json:"with,omitempty"`     // the field that was tuned at the same time
	Measure  string            `json:"measure"`            // what is to be least

	Best []TuneBest `json:"best"` // by depth
	// Exponent is that with which whole curves of the measure move with depth (scaling.Collapse), Left and Right
	// those of their flanks; null without two depths.
	Exponent *Slope `json:"exponent"`
	Left     *Slope `json:"left_flank"`
	Right    *Slope `json:"right_flank"`
	// Flank is not null where the measure has no minimum, but rises on one side: Exponent is then that of this flank.
	Flank *TuneFlank `json:"flank,omitempty"`
	Apart bool       `json:"apart"` // whether the intervals of left and right are disjoint
	// Deeper is the exponent without the shallowest depth, and Windows has those between neighbouring depths alone; none with two depths.
	Deeper  *Slope           `json:"deeper,omitempty"`
	Windows []scaling.Window `json:"windows,omitempty"`
	Law     *float64         `json:"law"` // the exponent that theory has; null for a setting without a law

	Regret []TuneRegret `json:"regret"`
	// Verdict is that of the law's regret at the deepest, of rule constant where there is no law.
	Verdict string       `json:"verdict"`
	Budget  []TuneBudget `json:"budget"`
	// Steps is how many iterations all runs took together, GridSteps what a grid as fine as precision over the same
	// range would have taken at each depth.
	Steps     float64   `json:"steps"`
	GridSteps float64   `json:"grid_steps"`
	Runs      []TuneRun `json:"runs"` // by depth, value, seed
	Notes     []string  `json:"notes,omitempty"`
}

// TuneBest is the best value at one depth: where the mean over seeds of log measure is least.
type TuneBest struct {
	Depth int     `json:"depth"`
	Value float64 `json:"value"` // as training uses it at this depth: η₀, Adam's ε, else the field itself
	// Low and High are its 95 % interval (scaling.FitBowl), null with one seed or where the bowl is open.
	Low  *float64 `json:"low"`
	High *float64 `json:"high"`
	// NearLow and NearHigh bound the values whose mean measure is at most a tenth above the least.
	NearLow  float64 `json:"near_low"`
	NearHigh float64 `json:"near_high"`
	Field    float64 `json:"field"` // the same value as the study file takes it under its own rule
	Tried    float64 `json:"tried"` // the best value tried
	Lowest   float64 `json:"lowest"`
	Seeds    int     `json:"seeds"`
	// TestLoss and TestAccuracy are the score on the test set of the best value tried, with the interval over seeds: the
	// geometric mean of the loss, the mean of the accuracy. Null without a test set, or where the measure is its loss.
	TestLoss     *TuneScore `json:"test_loss"`
	TestAccuracy *TuneScore `json:"test_accuracy"`
	// End is "low" or "high" where the best is the smallest or largest value that the field takes.
	End string `json:"at_end,omitempty"`
}

// TuneScore is a mean over seeds with its 95 % interval, null with one seed.
type TuneScore struct {
	Value float64  `json:"value"`
	Low   *float64 `json:"low"`
	High  *float64 `json:"high"`
}

// TuneRegret is what is lost at depth To by the value that was best at depth From, moved by a rule.
type TuneRegret struct {
	Rule     string  `json:"rule"` // constant, law, complete-p or depth-mup
	From     int     `json:"from"`
	To       int     `json:"to"`
	Exponent float64 `json:"exponent"` // of the rule in depth
	Tried    float64 `json:"tried"`    // the value tried there, nearest to the moved one
	// Value is J(moved)/J(best) − 1, from the mean over seeds of log J, with its 95 % interval, both values chosen for
	// each seed by the other seeds; null where a seed diverged, and ends also with one seed.
	Value    *float64 `json:"value"`
	Low      *float64 `json:"low"`
	High     *float64 `json:"high"`
	Diverged int      `json:"diverged"` // seeds that did
	Verdict  string   `json:"verdict"`
}

// TuneBudget is the best value when training ends after Iterations.
type TuneBudget struct {
	Depth           int      `json:"depth"`
	Iterations      int      `json:"iterations"`
	LayerIterations float64  `json:"layer_iterations"` // iterations times depth
	Value           float64  `json:"value"`
	Low             *float64 `json:"low"`
	High            *float64 `json:"high"`
}

// TuneRun is one training.
type TuneRun struct {
	ID         string   `json:"id"`
	Depth      int      `json:"depth"`
	Seed       uint64   `json:"seed"`
	Field      float64  `json:"field"`   // as the study file has it
	Value      float64  `json:"value"`   // as training uses it
	Measure    *float64 `json:"measure"` // null where it diverged
	Iterations int      `json:"iterations"`
	// TestLoss and TestAccuracy are those on the test set, null where it has none, or where the measure is its loss.
	TestLoss     *float64 `json:"test_loss"`
	TestAccuracy *float64 `json:"test_accuracy"`

	Losses []TuneLoss `json:"-"` // along training, for Budget
}

// A TuneLoss is the loss at an iteration.
type TuneLoss struct {
	Iteration int
	Loss      float64
}

// The verdicts on a regret.
const (
	Transfers  = "transfers"   // its interval ends at 0.1 or below
	DoesNot    = "does-not"    // its interval begins above 0.1, or training diverged
	CannotTell = "cannot-tell" // neither
)

// mostRegret is how much may be lost for a value to count as transferred.
const mostRegret = 0.1

// FitBest computes the best values from the runs, without how they move with depth.
func (g *TuneGroup) FitBest() { g.fitBest() }

// fitBest also returns what the best values are from.
func (g *TuneGroup) fitBest() ([]scaling.Bowl, []scaling.Trial) {
	slices.SortStableFunc(g.Runs, func(a, b TuneRun) int {
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Value, b.Value), cmp.Compare(a.Seed, b.Seed))
	})
	trials := g.trials(func(r *TuneRun) *float64 { return r.Measure })
	bowls, missing := scaling.BowlsByDepth(trials)
	g.Best, g.Budget = []TuneBest{}, []TuneBudget{}
	for _, b := range bowls {
		g.Best = append(g.Best, g.best(b))
	}
	for _, depth := range depthsOf(missing) {
		g.Notes = append(g.Notes, missing[depth].Error())
	}
	return bowls, trials
}

// Fit computes best values, exponents and the best against the budget from the runs.
func (g *TuneGroup) Fit() {
	bowls, trials := g.fitBest()
	if len(g.Best) > 1 {
		g.shift(trials)
		if g.With == "" { // of two fields, tune says what stays open
			g.findFlank(bowls, trials)
		}
	}
	if g.Flank == nil {
		g.budget()
	}
}

// best returns the bowl of a depth as JSON has it.
func (g *TuneGroup) best(b scaling.Bowl) TuneBest {
	out := TuneBest{
		Depth: b.Depth, Value: b.Setting, Low: finite(b.Low), High: finite(b.High), NearLow: b.NearLow, NearHigh: b.NearHigh,
		Tried: b.Tried, Lowest: b.Measure, Seeds: b.Seeds, End: b.End, Field: b.Setting,
	}
	for i := range g.Runs {
		if r := &g.Runs[i]; r.Depth == b.Depth {
			out.Field = b.Setting * r.Field / r.Value
			break
		}
	}
	g.score(&out)
	return out
}

// score sets the score on the test set of the best value tried.
func (g *TuneGroup) score(b *TuneBest) {
	var losses, accuracies []float64
	for i := range g.Runs {
		r := &g.Runs[i]
		if r.Depth != b.Depth || r.Value != b.Tried {
			continue
		}
		if r.TestLoss != nil {
			losses = append(losses, scaling.LogMeasure(*r.TestLoss))
		}
		if r.TestAccuracy != nil {
			accuracies = append(accuracies, *r.TestAccuracy)
		}
	}
	b.TestLoss = newTuneScore(losses, math.Exp)
	b.TestAccuracy = newTuneScore(accuracies, func(v float64) float64 { return min(1, max(0, v)) })
}

// newTuneScore returns what read makes of the mean of values and of the ends of its interval, nil without values.
func newTuneScore(values []float64, read func(float64) float64) *TuneScore {
	if len(values) == 0 {
		return nil
	}
	mean, half := scaling.MeanInterval(values, 0.95)
	return &TuneScore{read(mean), finite(read(mean - half)), finite(read(mean + half))}
}

// shift fits how the curves move with depth.
func (g *TuneGroup) shift(trials []scaling.Trial) {
	s, err := scaling.Collapse(trials)
	if err != nil {
		g.Notes = append(g.Notes, "no exponent: "+err.Error())
		return
	}
	g.Exponent, g.Left, g.Right, g.Apart, g.Windows, g.Deeper = &s.Slope, s.Left, s.Right, s.Apart, s.Windows, s.Deeper
}

// NoExponent takes out how the curves move with depth.
func (g *TuneGroup) NoExponent() {
	g.Exponent, g.Left, g.Right, g.Apart, g.Windows, g.Deeper = nil, nil, nil, false, nil, nil
}
