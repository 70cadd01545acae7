package survey

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/filter"
)

// Conditions choose runs by what a survey knows of them: id, state, data, depth, seed, iteration, loss, host, job, the accuracies
// that runs have been given, and the fields that the grid varies. It is not for several goroutines at once.
type Conditions struct {
	absent  map[string]any // the value of each setting where a run has it not
	example filter.Fields
	filter  *filter.Filter
	groups  map[string]*grouped // by data and group
	scores  []string            // the accuracies that one of the runs has
}

// A grouped holds the fields that the runs of a group have in common, and those of the run that is asked about.
type grouped struct {
	settings map[string]string
	fields   filter.Fields
}

// NewConditions prepares conditions about these runs. A field that some of them have not is NaN for a number and "" for a text
// there; one that is a number for some and a text for others can be compared with either.
func NewConditions(runs []Run) *Conditions {
	kinds := map[string]any{} // an example of each setting, nil where there are several kinds
	c := &Conditions{absent: kinds, groups: map[string]*grouped{}}
	for i := range runs {
		r := &runs[i]
		for name := range r.Accuracies {
			if !slices.Contains(c.scores, name) {
				c.scores = append(c.scores, name)
			}
		}
		if c.groups[keyOf(r)] != nil {
			continue
		}
		c.groups[keyOf(r)] = &grouped{settings: r.Settings}
		for path, text := range r.Settings {
			value := filter.Value(text)
			if known, ok := kinds[path]; ok && !sameKind(known, value) {
				value = nil
			}
			kinds[path] = value
		}
	}
	for path, value := range kinds {
		switch value.(type) {
		case float64:
			kinds[path] = math.NaN()
		case string:
			kinds[path] = ""
		default:
			kinds[path] = nil
		}
	}
	for _, g := range c.groups {
		g.fields = fieldsOf(kinds, g.settings)
	}
	c.example = fieldsOf(kinds, nil)
	c.setOwn(c.example, &Run{Loss: math.NaN()})
	return c
}

func keyOf(r *Run) string { return r.Data + "\x00" + r.Group }

func sameKind(a, b any) bool {
	switch a.(type) {
	case float64:
		_, ok := b.(float64)
		return ok
	case bool:
		_, ok := b.(bool)
		return ok
	case string:
		_, ok := b.(string)
		return ok
	}
	return false
}

// fieldsOf returns settings as sections of fields, those that are left out as defaults has them.
func fieldsOf(defaults map[string]any, settings map[string]string) filter.Fields {
	fields := filter.Fields{}
	for path, value := range defaults {
		if text, ok := settings[path]; ok {
			value = filter.Value(text)
		}
		at := fields
		steps := strings.Split(path, ".")
		for _, step := range steps[:len(steps)-1] {
			inner, ok := at[step].(filter.Fields)
			if !ok {
				inner = filter.Fields{}
				at[step] = inner
			}
			at = inner
		}
		if _, section := at[steps[len(steps)-1]].(filter.Fields); !section {
			at[steps[len(steps)-1]] = value
		}
	}
	return fields
}

// setOwn puts what is a run's own into the fields of its group.
func (c *Conditions) setOwn(fields filter.Fields, r *Run) {
	fields["id"], fields["state"], fields["depth"], fields["seed"] = r.ID, string(r.State), r.Depth, r.Seed
	fields["iteration"], fields["loss"], fields["host"], fields["job"] = r.Iteration, r.Loss, r.Host, r.Job
	for _, name := range c.scores {
		score, ok := r.Accuracies[name]
		if !ok {
			score = math.NaN()
		}
		fields[name] = score
	}
	section, ok := fields["data"].(filter.Fields)
	switch {
	case !ok:
		fields["data"] = r.Data
	case section["name"] == nil || section["name"] == "":
		section["name"] = r.Data
	}
}

// Example has the names and types of the fields.
func (c *Conditions) Example() filter.Fields { return c.example }

// Set takes conditions in the language of package filter in the place of those before; all must hold.
func (c *Conditions) Set(texts []string) error {
	f, err := filter.New(texts, c.example)
	if err != nil {
		return err
	}
	c.filter = f
	return nil
}

// Match reports whether the conditions hold for one of the runs.
func (c *Conditions) Match(r *Run) (bool, error) {
	g := c.groups[keyOf(r)]
	if g == nil || !maps.Equal(g.settings, r.Settings) { // an imported run whose group has not its settings
		g = &grouped{fields: fieldsOf(c.absent, r.Settings)}
	}
	c.setOwn(g.fields, r)
	return c.filter.Match(g.fields)
}
