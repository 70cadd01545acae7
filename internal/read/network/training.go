package network

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/deeplimit/deeplimit/internal/grouped"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/layerorder"
)

// A Training is a family of maps or an invariant at two steps of one training or more. Norms of layers and biases are left out.
type Training struct {
	Name  string    `json:"name"` // a pattern or the title of an invariant
	Depth int       `json:"depth"`
	Seed  uint64    `json:"seed"`
	Steps []float64 `json:"steps"`
	// OrderedFrom is the first step from which on every verdict is one of an order along depth; nil where the last is not.
	OrderedFrom *float64           `json:"ordered_from"`
	Verdict     layerorder.Verdict `json:"verdict"` // at the last step

	Moments []Moment `json:"-"` // at each step

	training string
}

// A Moment is a family or an invariant at one step of a training.
type Moment struct {
	First int // index of the first layer
	Step  float64
	*Numbers
}

// training tells trainings apart.
func (o *Origin) training() string { return fmt.Sprintf("%d %d %q", o.Depth, o.Seed, o.Settings) }

// isOrder reports whether a verdict is one of an order of the layers.
func isOrder(v layerorder.Verdict) bool {
	return v != layerorder.Noise && v != layerorder.TooFewLayers
}

// trainings returns the families and invariants that there are at several steps of one training, each by its steps.
func (r *Result) trainings() []Training {
	type keyed struct {
		Moment
		*Origin
		name string
	}
	var all []keyed
	add := func(o *Origin, name string, first int, n *Numbers) {
		if o.Step != nil {
			all = append(all, keyed{Moment{first, *o.Step, n}, o, name})
		}
	}
	for i := range r.Families {
		if f := &r.Families[i]; f.Orientation != "vector" {
			add(&f.Origin, f.Pattern, f.First, &f.Numbers)
		}
	}
	for i := range r.Invariants {
		f := &r.Invariants[i]
		add(&f.Origin, f.Title(), f.First, &f.Numbers)
	}
	var trainings []Training
	for _, group := range grouped.By(all, func(k keyed) string { return fmt.Sprint(k.training(), k.name, len(k.Norms)) }) {
		if len(group) == 1 {
			continue
		}
		slices.SortStableFunc(group, func(a, b keyed) int { return cmp.Compare(a.Moment.Step, b.Moment.Step) })
		t := Training{Name: group[0].name, Depth: group[0].Depth, Seed: group[0].Seed, training: group[0].training()}
		for _, k := range group {
			t.Steps, t.Moments = append(t.Steps, k.Moment.Step), append(t.Moments, k.Moment)
		}
		last := len(t.Moments) - 1
		t.Verdict = t.Moments[last].Verdict
		for i := last; i >= 0 && isOrder(t.Moments[i].Verdict); i-- {
			t.OrderedFrom = &t.Steps[i]
		}
		trainings = append(trainings, t)
	}
	return trainings
}

// Since says from which step on layers are in an order.
func (t *Training) Since() string {
	switch {
	case t.OrderedFrom == nil && t.Verdict == layerorder.TooFewLayers:
		return "too few layers"
	case t.OrderedFrom == nil:
		return "not at the end"
	case *t.OrderedFrom == t.Steps[0]:
		return "the first step"
	}
	return stepText(*t.OrderedFrom)
}

// Shown returns which steps of a training have a place in a table: at most six, the first and the last among them.
func (t *Training) Shown() []int {
	const most = 6
	last := len(t.Steps) - 1
	places := make([]int, min(most, last+1))
	for i := range places {
		places[i] = i * last / (len(places) - 1)
	}
	return places
}

// Growth says what training has made of the order of layers, "" without a training of several steps.
func (r *Result) Growth() string {
	var ordered int
	var first *Training
	for i := range r.Trainings {
		t := &r.Trainings[i]
		if t.OrderedFrom == nil {
			continue
		}
		ordered++
		if first == nil || *t.OrderedFrom < *first.OrderedFrom {
			first = t
		}
	}
	if len(r.Trainings) == 0 {
		return ""
	}
	text := fmt.Sprintf("Along training, layers are in an order at the last step in %d of %d families of maps and invariants", ordered, len(r.Trainings))
	if first == nil {
		return text + "."
	}
	return fmt.Sprintf("%s; first in %s, from step %s on.", text, plain.Text(first.Name), stepText(*first.OrderedFrom))
}

// Earlier returns the names of the networks of which there is a later step of the same training.
func (r *Result) Earlier() map[string]bool {
	last := map[string]float64{}
	for i := range r.Trainings {
		t := &r.Trainings[i]
		last[t.training] = max(last[t.training], t.Steps[len(t.Steps)-1])
	}
	earlier := map[string]bool{}
	for i := range r.Families {
		if f := &r.Families[i]; f.Step != nil && *f.Step < last[f.training()] {
			earlier[f.Run] = true
		}
	}
	return earlier
}

// writeTrainings prints a line for each family and invariant along each training.
func (r *Result) writeTrainings(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	last := ""
	for i := range r.Trainings {
		t := &r.Trainings[i]
		places := t.Shown()
		steps, cosines := make([]string, len(places)), make([]string, len(places))
		for k, place := range places {
			steps[k] = stepText(t.Steps[place])
			cosines[k] = hundredths(t.Moments[place].Cosines[0].Cosine)
		}
		head := fmt.Sprintf("along training: depth %d, seed %d, %d steps; cosine of neighbours at step\nFAMILY\t%s\tORDERED FROM\tAT THE END\n", t.Depth, t.Seed, len(t.Steps), strings.Join(steps, "\t"))
		if head != last {
			fmt.Fprint(table, head)
			last = head
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", plain.Text(t.Name), strings.Join(cosines, "\t"), t.Since(), t.Verdict)
	}
	if last != "" {
		fmt.Fprintf(table, "%s\n\n", r.Growth())
	}
	return table.Flush()
}

func stepText(step float64) string { return fmt.Sprintf("%.15g", step) }
