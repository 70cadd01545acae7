package analyze

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/grouped"
	"github.com/deeplimit/deeplimit/internal/read/surface"
	"github.com/deeplimit/deeplimit/scaling"
)

// A Contrast is how a quantity differs between two values of a field, among runs that are equal in all else.
type Contrast struct {
	Quantity string            `json:"quantity"`
	Part     string            `json:"part,omitempty"` // of a weight path; empty for a number of the run
	Of       string            `json:"of"`             // value, or exponent: the slope in depth of each seed
	In       string            `json:"in"`
	A        string            `json:"a"` // values of the field
	B        string            `json:"b"`
	At       map[string]string `json:"at,omitempty"`    // what the runs have in common, where others differ
	Point    string            `json:"point,omitempty"` // of Options.At; empty for the end of training
	// Scale says what Difference is: the mean of y_b − y_a (difference), or the geometric mean of y_b/y_a (ratio). Pairs
	// share their seed, and their data seed where the study varies it.
	Scale      string           `json:"scale"`
	Difference scaling.Interval `json:"difference"`
	P          *float64         `json:"p_value"` // of no difference, by Student's t; null where there is no interval
	// Holm is P adjusted for the number of contrasts of this quantity, at all points.
	Holm  *float64 `json:"p_holm"`
	Pairs int      `json:"pairs"`
	// Averages says what changes between pairs, so that the interval is over it: data, initial weights, order of batches.
	Averages []string `json:"averages_over"`
	Warning  string   `json:"warning,omitempty"`
}

// A Level is the mean of a quantity at one value of the field of contrasts.
type Level struct {
	Quantity string            `json:"quantity"`
	Part     string            `json:"part,omitempty"`
	Of       string            `json:"of"`
	In       string            `json:"in"`
	Value    string            `json:"value"` // of the field
	At       map[string]string `json:"at,omitempty"`
	Point    string            `json:"point,omitempty"`
	Mean     scaling.Interval  `json:"mean"` // geometric where Scale is ratio
	Scale    string            `json:"scale"`
	Points   int               `json:"points"` // runs, or seeds of an exponent
	Best     string            `json:"best,omitempty"`
	// End is low or high where Best is the smallest or largest value tried.
	End string `json:"at_end,omitempty"`
}

// A compared is a number of a run, or of the runs of a seed at all depths.
type compared struct {
	fields map[string]string
	unit   unit
	runs   []*outcome
	value  float64
	choice *choice // of Options.Best
}

// A unit is what runs that are paired have in common.
type unit struct{ data, seed uint64 }

// A contrasted is one quantity that contrasts are of.
type contrasted struct {
	key, part string
	bounded   bool // in [0,1], as an accuracy, so that differences are compared and not ratios
	exponent  bool // whether only its exponent in depth is compared
	value     func(*Run) float64
}

// contrast adds the contrasts of Options.Contrast between the values of that field, at the end of training or at each
// point of Options.At.
func (p *pass) contrast(result *Result) error {
	runs := p.contrastable()
	result.Levels, result.Contrasts = []Level{}, []Contrast{}
	result.note(divergedNote(runs)...)
	var first error
	if len(p.options.At) == 0 {
		first = p.contrastRuns(result, runs)
	}
	for i, point := range p.options.At {
		there, never := atIndex(runs, i)
		if never != nil {
			result.note(fmt.Sprintf("at %s: %d of %d runs never get there, such as %s: %s", point, len(runs)-len(there), len(runs), never.ID, never.at[i].why))
		}
		levels, contrasts := len(result.Levels), len(result.Contrasts)
		first = cmp.Or(first, p.contrastRuns(result, there))
		for j := range result.Levels[levels:] {
			result.Levels[levels+j].Point = point.String()
		}
		for j := range result.Contrasts[contrasts:] {
			result.Contrasts[contrasts+j].Point = point.String()
		}
	}
	adjust(result.Contrasts)
	if len(result.Contrasts) > 0 {
		return nil
	}
	if first == nil {
		first = errors.New("got no two runs to compare, want runs that differ in it and are equal in all else but the seed")
	}
	return fmt.Errorf("analyze: --contrast %s: %w", p.options.Contrast, first)
}

// contrastable returns the finished runs that are no copies.
func (p *pass) contrastable() (runs []*outcome) {
	for _, o := range p.outcomes {
		if o.err == nil && !o.unfinished && o.run.CopyOf == "" {
			runs = append(runs, o)
		}
	}
	return runs
}

// atIndex returns the runs as they are at the i-th point, and the first that never gets there.
func atIndex(runs []*outcome, i int) (there []*outcome, never *outcome) {
	for _, o := range runs {
		switch {
		case o.at[i].run != nil:
			moved := *o
			moved.run = *o.at[i].run
			there = append(there, &moved)
		case never == nil:
			never = o
		}
	}
	return there, never
}

// note adds lines to the notes, each once.
func (r *Result) note(lines ...string) {
	for _, line := range lines {
		if !slices.Contains(r.ContrastNotes, line) {
			r.ContrastNotes = append(r.ContrastNotes, line)
		}
	}
}

// contrastRuns adds the contrasts between runs; it returns the first reason why a quantity has none.
func (p *pass) contrastRuns(result *Result, runs []*outcome) error {
	field := p.options.Contrast
	quantities, err := p.contrasted(runs)
	if err != nil {
		return err
	}
	var first error
	for _, q := range quantities {
		values, said, err := p.compared(runs, q)
		result.note(said...)
		if err != nil {
			return err
		}
		varies := slices.ContainsFunc(values, func(v compared) bool { return v.value != values[0].value })
		if !varies && p.options.Of == "" {
			continue // it is the same for all runs, or none has it
		}
		if len(values) == 0 {
			return fmt.Errorf("--of: got %q, which no run has, want another quantity, or runs that record it", q.key)
		}
		for _, of := range []string{"value", "exponent"} {
			set := values
			if of == "exponent" {
				set = exponentsOf(values)
			}
			if of == "value" && q.exponent || of == "exponent" && field == "depth" || len(set) == 0 {
				continue
			}
			levels, contrasts, err := q.between(set, field, of, p.options.Against)
			if err != nil {
				first = cmp.Or(first, err)
				continue
			}
			result.Levels, result.Contrasts = append(result.Levels, levels...), append(result.Contrasts, contrasts...)
		}
	}
	return first
}

// divergedNote says how many runs diverged, nothing for none.
func divergedNote(runs []*outcome) []string {
	diverged := slices.DeleteFunc(slices.Clone(runs), func(o *outcome) bool { return !o.run.Diverged() })
	if len(diverged) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("left out as diverged: %d of %d runs, such as %s", len(diverged), len(runs), diverged[0].ID)}
}

// contrasted returns the quantities: Options.Of, or the numbers of runs, and of paths those whose exponents are compared.
func (p *pass) contrasted(runs []*outcome) ([]contrasted, error) {
	var all []contrasted
	for _, q := range ofRun {
		all = append(all, contrasted{q.key, "", strings.HasSuffix(q.key, "accuracy"), false, q.value})
	}
	usual := p.options.Of == ""
	if usual && !slices.ContainsFunc(runs, func(o *outcome) bool { return o.run.LayerIterations != o.run.Iterations*o.run.Depth }) {
		// Steps times depth say nothing that the steps do not.
		all = slices.DeleteFunc(all, func(q contrasted) bool { return q.key == "layer_iterations" })
	}
	for _, part := range partsOf(runs) {
		for _, q := range ofPath {
			all = append(all, contrasted{q.key, part, false, usual, func(r *Run) float64 { return q.value(r.Parts[part]) }})
		}
		for _, q := range p.ofSources() {
			all = append(all, contrasted{q.key, part, false, usual, func(r *Run) float64 { return q.value(r.Parts[part]) }})
		}
	}
	if usual {
		return all, nil
	}
	all = slices.DeleteFunc(all, func(q contrasted) bool { return q.key != p.options.Of })
	if len(all) == 0 {
		return nil, p.unknownQuantity()
	}
	return all, nil
}

// compared returns the values of a quantity, at the best value of Options.Best where that is given.
func (p *pass) compared(runs []*outcome, q contrasted) (values []compared, notes []string, err error) {
	add := func(o *outcome, c *choice, dropped []string) error {
		if o.run.Diverged() || q.missing(&o.run) {
			return nil
		}
		v := compared{fields: fieldsOf(o, p.options.Contrast == group, p.options.Best), runs: []*outcome{o}, value: q.value(&o.run), choice: c, unit: unit{seed: o.run.Seed}}
		if v.unit.data, err = dataSeedOf(o); err != nil {
			return err
		}
		for _, name := range dropped {
			delete(v.fields, name)
		}
		values = append(values, v)
		return nil
	}
	if p.options.Best == "" {
		for _, o := range runs {
			if err := add(o, nil, nil); err != nil {
				return nil, nil, err
			}
		}
		return values, nil, nil
	}
	choices, dropped, notes, err := p.choices(runs, q, []string{p.options.Contrast})
	if err != nil {
		return nil, nil, err
	}
	for i := range choices {
		for _, o := range choices[i].runs {
			if err := add(o, &choices[i], dropped); err != nil {
				return nil, nil, err
			}
		}
	}
	return values, notes, nil
}

// missing reports whether a run has not got the quantity. Where fits take a missing number for 0, it may be one.
func (q contrasted) missing(r *Run) bool {
	v := q.value(r)
	switch q.key {
	case "accuracy":
		return r.Accuracy == nil
	case "test_accuracy":
		return r.TestAcc == nil
	case "test_loss":
		return r.TestLoss == nil
	case "rate", "delta":
		return v == 0
	}
	if v == 0 && strings.HasPrefix(q.key, "displacement_") {
		return true // not known, or not trained
	}
	_, known := r.Parts[q.part]
	return math.IsNaN(v) || math.IsInf(v, 0) || q.part != "" && !known
}

// exponentsOf returns the slope in depth of every seed, by least squares of log y in log L; those of all depths that
// the runs have. Seeds that lack a depth have none.
func exponentsOf(values []compared) []compared {
	depths := map[string]bool{}
	for _, v := range values {
		depths[v.fields["depth"]] = true
	}
	if len(depths) < 2 {
		return nil
	}
	names := map[string]bool{}
	for _, v := range values {
		for name := range v.fields {
			names[name] = true
		}
	}
	delete(names, "depth")
	held := slices.Sorted(maps.Keys(names))
	// Fields that vary with depth alone tell no seeds apart.
	held = slices.DeleteFunc(held, func(name string) bool { return follows(values, "depth", name) })
	type key struct {
		at   string
		unit unit
	}
	var out []compared
	for _, members := range grouped.By(values, func(v compared) key { return key{keyOf(v.fields, held), v.unit} }) {
		if len(members) != len(depths) {
			continue
		}
		var samples []scaling.Sample
		one := compared{fields: maps.Clone(members[0].fields), unit: members[0].unit}
		for _, m := range members {
			if m.value <= 0 {
				break
			}
			samples = append(samples, scaling.Sample{Depth: m.runs[0].run.Depth, Seed: 1, Value: m.value})
			one.runs = append(one.runs, m.runs...)
		}
		delete(one.fields, "depth")
		slope, err := scaling.Fit(samples)
		if err != nil || len(samples) != len(members) {
			continue
		}
		one.value = slope.Slope
		out = append(out, one)
	}
	return out
}

// follows reports whether a field has one value wherever another has one.
func follows(values []compared, from, name string) bool {
	var observations []surface.Observation
	for _, v := range values {
		observations = append(observations, surface.Observation{Fields: v.fields})
	}
	return surface.Follows(observations, []string{from}, name)
}

// adjust fills in the p values of all contrasts of a quantity together.
func adjust(contrasts []Contrast) {
	var places []int
	for i := range contrasts {
		places = append(places, i)
	}
	family := func(i int) string { return contrasts[i].Part + " " + contrasts[i].Quantity + " " + contrasts[i].Of }
	for _, members := range grouped.By(places, family) {
		p := make([]float64, len(members))
		for j, i := range members {
			p[j] = orNaN(contrasts[i].P)
		}
		for j, v := range scaling.Holm(p) {
			contrasts[members[j]].Holm = finite(v)
		}
	}
}
