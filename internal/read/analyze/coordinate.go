package analyze

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/scaling"
)

// Coordinates is what `deeplimit coordinate-check --json` prints: which of the changes that the first steps make are
// the same at every depth.
type Coordinates struct {
	Study      string               `json:"study"`
	Quantities []CoordinateQuantity `json:"quantities"` // by group, iteration, name and part
	Diverged   []string             `json:"diverged,omitempty"`
	Notes      []string             `json:"notes,omitempty"`
}

// A CoordinateQuantity is one change after some iterations, over the depths of one group.
type CoordinateQuantity struct {
	Group    string            `json:"group"`
	Data     string            `json:"data"`
	Method   string            `json:"method"`
	Alpha    float64           `json:"alpha"`
	Settings map[string]string `json:"settings,omitempty"`

	Name      string `json:"name"`
	Part      string `json:"part"` // of the weights; "" for the network
	Iteration int    `json:"iteration"`
	// Exponent is that in depth, null without two depths or where it is 0 or not known at some.
	Exponent *Slope `json:"exponent"`
	// Flat is true where the interval of the exponent lies within ±0.1, false where it lies outside, null else.
	Flat   *bool             `json:"flat"`
	Knob   string            `json:"knob,omitempty"` // what to change where it is not flat
	Values []CoordinateValue `json:"values"`         // by depth and seed
}

// A CoordinateValue is the value at one depth, for one seed; null where it is not known.
type CoordinateValue struct {
	Depth int      `json:"depth"`
	Seed  uint64   `json:"seed"`
	Value *float64 `json:"value"`
}

// A CoordinateRun is what was found of one run.
type CoordinateRun struct {
	ID, Group    string
	Settings     map[string]string
	Data, Method string
	Alpha        float64
	Depth        int
	Seed         uint64
	Coordinates  []Coordinate
	Diverged     bool
}

// A Coordinate is one number of a run.
type Coordinate struct {
	Name, Part string
	Iteration  int
	Value      float64 // NaN where it is not known
}

// flatness is how far from 0 the exponent of a change that counts as the same at every depth may be.
const flatness = 0.1

// A change is what the first steps make of a network, and what mends it where it depends on depth.
type change struct {
	name string
	// symbol is the formula as a terminal shows it, math as figures do (Quantity.Symbol).
	symbol, math string
	// grows and falls say what to change where it grows or falls with depth; falls is "" where that is the same.
	grows, falls string
}

// coordinates are in the order of tables.
var coordinates = []change{
	{
		"last-state", "‖Δh_L‖/‖h_L‖", "$‖Δh_L‖/‖h_L‖$",
		"the step is too large at depth: train.step.rule: depth, or a smaller exponent", "the step is too small at depth: train.step.rule: depth, or a larger exponent",
	},
	{
		"block-change", "L·‖Δ(h_k − h_{k−1})‖/‖h_{k−1}‖", "$L‖Δ(h_k − h_{k−1})‖/‖h_{k−1}‖$",
		"blocks add more than 1/L each: train.step, or a larger network.alpha", "blocks add less than 1/L each: train.step, or a smaller network.alpha",
	},
	{
		"update-norm", "L^(1−α)‖ΔA_k‖₂", "$L^{1−α}‖ΔA_k‖_2$",
		"train.step: the update grows with depth", "train.step: the update vanishes with depth",
	},
	{"update-rank", "‖ΔA_k‖_F²/‖ΔA_k‖₂²", "$‖ΔA_k‖_F^2/‖ΔA_k‖_2^2$", "train.method or train.batch: the directions of updates depend on depth", ""},
	{"alignment", "‖ΔA_k x‖/(‖ΔA_k‖₂‖x‖)", "$‖ΔA_kx‖/(‖ΔA_k‖_2‖x‖)$", "initial.exponent: the inputs of the blocks depend on depth", ""},
	{
		"block-linearisation", "‖Δf − Df·Δθ‖/‖Δf‖", "$‖Δf − Df·Δθ‖/‖Δf‖$",
		"network.alpha or train.step: blocks leave their linearisation faster with depth", "train.step, or network.alpha nearer to 1: blocks become linear with depth",
	},
	{
		"tangent", "‖Δŷ − Dŷ·Δθ‖/‖Δŷ‖", "$‖Δŷ − Dŷ·Δθ‖/‖Δŷ‖$",
		"train.step: the network moves further with depth", "train.step or initial.exponent: training becomes lazy with depth",
	},
}

// NewCoordinates fits the exponents in depth of every change.
func NewCoordinates(study string, runs []CoordinateRun) *Coordinates {
	c := &Coordinates{Study: study, Quantities: []CoordinateQuantity{}}
	type key struct {
		group     string
		iteration int
		name      string
		part      string
	}
	found := map[key]*CoordinateQuantity{}
	var order []*CoordinateQuantity
	for i := range runs {
		r := &runs[i]
		if r.Diverged {
			c.Diverged = append(c.Diverged, r.ID)
		}
		for _, v := range r.Coordinates {
			k := key{r.Group, v.Iteration, v.Name, v.Part}
			q := found[k]
			if q == nil {
				q = &CoordinateQuantity{
					Group: r.Group, Data: r.Data, Method: r.Method, Alpha: r.Alpha, Settings: r.Settings, Name: v.Name, Part: v.Part, Iteration: v.Iteration,
				}
				found[k] = q
				order = append(order, q)
			}
			q.Values = append(q.Values, CoordinateValue{r.Depth, r.Seed, finite(v.Value)})
		}
	}
	for _, q := range order {
		c.Notes = append(c.Notes, q.fit()...)
		c.Quantities = append(c.Quantities, *q)
	}
	slices.Sort(c.Notes)
	c.Notes = slices.Compact(c.Notes)
	slices.SortStableFunc(c.Quantities, func(a, b CoordinateQuantity) int {
		return cmp.Or(
			cmp.Compare(a.Data, b.Data), cmp.Compare(a.Method, b.Method), cmp.Compare(a.Alpha, b.Alpha), cmp.Compare(a.Group, b.Group),
			cmp.Compare(a.Iteration, b.Iteration), cmp.Compare(a.order(), b.order()), cmp.Compare(a.Part, b.Part),
		)
	})
	return c
}

// fit sets exponent, flat and knob, and returns notes on values left out.
func (q *CoordinateQuantity) fit() []string {
	slices.SortStableFunc(q.Values, func(a, b CoordinateValue) int {
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Seed, b.Seed))
	})
	var samples []sample
	for _, v := range q.Values {
		if v.Value == nil || !(*v.Value > negligible) {
			return nil // not known, or 0 but for rounding: block outer is its own linearisation
		}
		samples = append(samples, sample{Sample: scaling.Sample{Depth: v.Depth, Seed: v.Seed, Value: *v.Value}})
	}
	var g Group // for its fits and notes
	q.Exponent, _ = g.slope(strings.TrimSpace(q.Name+" "+q.Part), samples)
	if q.Exponent == nil || !q.Exponent.Estimate().Known() {
		return g.Notes
	}
	low, high := q.Exponent.Low, q.Exponent.High
	flat := low >= -flatness && high <= flatness
	if flat || low > flatness || high < -flatness {
		q.Flat = &flat
	}
	if q.Flat != nil && !flat {
		mend := coordinates[q.order()]
		q.Knob = mend.grows
		if high < -flatness {
			q.Knob = cmp.Or(mend.falls, mend.grows)
		}
	}
	return g.Notes
}

// negligible is above what rounding leaves of a change that is 0.
const negligible = 1e-11

// order returns the place of the quantity in tables.
func (q *CoordinateQuantity) order() int {
	return max(0, slices.IndexFunc(coordinates, func(c change) bool { return c.name == q.Name }))
}

// Label names the group: data, method, α and what else the study varies.
func (q *CoordinateQuantity) Label() string {
	return trainingLabel(q.Data, q.Method, &q.Alpha, q.Settings)
}

// Symbol returns the quantity as a formula, and Math as figures write that.
func (q *CoordinateQuantity) Symbol() string { return q.of(coordinates[q.order()].symbol) }
func (q *CoordinateQuantity) Math() string   { return q.of(coordinates[q.order()].math) }

// of puts the name of the part into a formula.
func (q *CoordinateQuantity) of(formula string) string {
	return strings.ReplaceAll(formula, "A_k", cmp.Or(q.Part, "A")+"_k")
}

// At returns the geometric mean over seeds of the values at a depth, and the smallest and the largest; false where one is
// not positive.
func (q *CoordinateQuantity) At(depth int) (mean, low, high float64, ok bool) {
	low, high = math.Inf(1), math.Inf(-1)
	sum, n := 0.0, 0.0
	for _, v := range q.Values {
		if v.Depth != depth {
			continue
		}
		if v.Value == nil || !(*v.Value > 0) {
			return 0, 0, 0, false
		}
		sum += math.Log(*v.Value)
		low, high = min(low, *v.Value), max(high, *v.Value)
		n++
	}
	return math.Exp(sum / n), low, high, n > 0
}
