package analyze

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/grouped"
	"github.com/deeplimit/deeplimit/internal/read/surface"
)

// A criterion is what the best value of Options.Best is chosen by.
type criterion struct {
	key    string
	higher bool // the larger the better
	value  func(*Run) float64
}

// criteria are, for numbers of the test set, those of the validation set; loss and accuracy choose by themselves, and
// every other number by the loss.
var criteria = map[string]criterion{
	"loss":                {"loss", false, func(r *Run) float64 { return r.Loss }},
	"accuracy":            {"accuracy", true, func(r *Run) float64 { return orNaN(r.Accuracy) }},
	"test_loss":           {"test_loss", false, func(r *Run) float64 { return orNaN(r.TestLoss) }},
	"test_accuracy":       {"test_accuracy", true, func(r *Run) float64 { return orNaN(r.TestAcc) }},
	"validation_loss":     {"validation_loss", false, func(r *Run) float64 { return orNaN(r.Validation) }},
	"validation_accuracy": {"validation_accuracy", true, func(r *Run) float64 { return orNaN(r.ValidationAcc) }},
}

// criterionOf returns what chooses for a quantity. A number of the test set is chosen by itself where a run has none of
// the validation set.
func criterionOf(quantity string, runs []*outcome) criterion {
	if held, ok := strings.CutPrefix(quantity, "test_"); ok {
		c := criteria["validation_"+held]
		known := func(o *outcome) bool { return o.run.Diverged() || !math.IsNaN(c.value(&o.run)) }
		if !slices.ContainsFunc(runs, func(o *outcome) bool { return !known(o) }) {
			return c
		}
	}
	if c, ok := criteria[quantity]; ok {
		return c
	}
	return criteria["loss"]
}

// A choice is the best value of Options.Best for runs that are equal in all else but the seed.
type choice struct {
	at    map[string]string // what they have in common
	value string
	end   string // "low" or "high" where it is the first or last number tried, of two or more
	runs  []*outcome
}

// bestRuns returns, for every set of runs that are equal in all but a field, what varies along with it, and the seed, the
// runs at its best value: that with the best mean over seeds among those that all seeds have and at which none diverged.
// The fields kept tell sets apart even if they vary along. dropped are the fields that the choice leaves without meaning.
func bestRuns(runs []*outcome, field string, kept []string, by criterion) (choices []choice, dropped, notes []string, err error) {
	var observations []surface.Observation
	for _, o := range runs {
		fields := fieldsOf(o, slices.Contains(kept, group), field)
		observations = append(observations, surface.Observation{Run: o.ID, Fields: fields, Value: 1})
	}
	if slices.Contains(kept, field) || !slices.ContainsFunc(observations, func(o surface.Observation) bool { return o.Fields[field] != observations[0].Fields[field] }) {
		return nil, nil, nil, fmt.Errorf("analyze: --best: got %q, want a field other than those compared, of which the runs have two values or more", field)
	}
	along, held := surface.Split(observations, append([]string{field}, kept...))
	along = slices.DeleteFunc(along, func(name string) bool { return surface.Follows(observations, slices.Concat(kept, held), name) })
	held = slices.Concat(kept, held)
	dropped = append([]string{field}, along...)
	index := map[*outcome]int{}
	for i, o := range runs {
		index[o] = i
	}
	cell := func(o *outcome) string { return keyOf(observations[index[o]].Fields, held) }
	ends := 0
	for _, members := range grouped.By(runs, cell) {
		c := choice{at: map[string]string{}}
		for _, name := range held {
			c.at[name] = observations[index[members[0]]].Fields[name]
		}
		tried := grouped.By(members, func(o *outcome) string { return observations[index[o]].Fields[field] })
		slices.SortStableFunc(tried, func(a, b []*outcome) int {
			return compareValues(observations[index[a[0]]].Fields[field], observations[index[b[0]]].Fields[field])
		})
		best := bestOf(tried, by)
		if best < 0 {
			notes = append(notes, fmt.Sprintf("no best %s at %s: at every value some run diverged, or some seed is missing", field, surface.Text(c.at)))
			continue
		}
		c.value, c.runs = observations[index[tried[best][0]]].Fields[field], tried[best]
		if _, err := strconv.ParseFloat(c.value, 64); err == nil && len(tried) > 1 {
			switch best {
			case 0:
				c.end = "low"
			case len(tried) - 1:
				c.end = "high"
			}
		}
		if c.end != "" {
			ends++
		}
		choices = append(choices, c)
	}
	if ends > 0 {
		notes = append(notes, fmt.Sprintf("by %s the best %s is the first or last of those tried in %d of %d cells: a better one may lie beyond", by.key, field, ends, len(choices)))
	}
	if strings.HasPrefix(by.key, "test_") {
		notes = append(notes, fmt.Sprintf("the best %s is chosen by the %s that it is scored by, which flatters it; data.validation holds out samples to choose by", field, by.key))
	}
	return choices, dropped, notes, nil
}

// bestOf returns the place in tried of the value with the best mean, −1 where there is none.
func bestOf(tried [][]*outcome, by criterion) int {
	most := 0
	for _, runs := range tried {
		most = max(most, len(runs))
	}
	best, score := -1, math.NaN()
	for i, runs := range tried {
		sum := 0.0
		for _, o := range runs {
			v := by.value(&o.run)
			if o.run.Diverged() {
				v = math.NaN()
			}
			sum += v
		}
		mean := sum / float64(len(runs))
		if len(runs) < most || math.IsNaN(mean) || math.IsInf(mean, 0) {
			continue
		}
		if best < 0 || mean < score != by.higher && mean != score {
			best, score = i, mean
		}
	}
	return best
}

// group is the field that stands for all settings together.
const group = "group"

// fieldsOf returns what tells a run apart from others but the seeds: surface.FieldsOf, and group where it is asked for, of all
// settings but the field best.
func fieldsOf(o *outcome, grouped bool, best string) map[string]string {
	fields := surface.FieldsOf(o.meta())
	delete(fields, dataSeed)
	if grouped {
		settings := maps.Clone(o.meta().Settings)
		delete(settings, dataSeed)
		delete(settings, best)
		fields[group] = surface.Text(settings)
	}
	return fields
}

// dataSeed is the field of which every value is a draw of the data.
const dataSeed = "data.seed"

// keyOf joins values of fields.
func keyOf(fields map[string]string, names []string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString(fields[name])
		b.WriteByte(0)
	}
	return b.String()
}

// compareValues orders what is left out before numbers, by size, and these before texts.
func compareValues(a, b string) int {
	if a == "" || b == "" {
		return strings.Compare(a, b)
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	switch {
	case errX == nil && errY == nil && x != y:
		if x < y {
			return -1
		}
		return 1
	case errX == nil && errY != nil:
		return -1
	case errX != nil && errY == nil:
		return 1
	}
	return strings.Compare(a, b)
}

// orNaN returns a number, NaN where there is none.
func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}
