package analyze

import (
	"fmt"
	"slices"

	"github.com/deeplimit/deeplimit/internal/read/surface"
)

// atBest returns the runs at the best value of Options.Best for fits in Options.In, and the fields that tell them apart, without
// those that the choice leaves without meaning.
func (p *pass) atBest(result *Result, runs []*outcome, q contrasted) (chosen []*outcome, fields func(*outcome) map[string]string, err error) {
	choices, dropped, notes, err := p.choices(runs, q, p.options.In)
	if err != nil {
		return nil, nil, err
	}
	result.note(notes...)
	for _, c := range choices {
		chosen = append(chosen, c.runs...)
	}
	return chosen, func(o *outcome) map[string]string {
		fields := surface.FieldsOf(o.meta())
		for _, name := range dropped {
			delete(fields, name)
		}
		return fields
	}, nil
}

// choices returns the best values of Options.Best for a quantity, of the runs that have it or have diverged; none where all
// that are left have diverged.
func (p *pass) choices(runs []*outcome, q contrasted, kept []string) (choices []choice, dropped, notes []string, err error) {
	known := slices.DeleteFunc(slices.Clone(runs), func(o *outcome) bool { return !o.run.Diverged() && q.missing(&o.run) })
	if !slices.ContainsFunc(known, func(o *outcome) bool { return !o.run.Diverged() }) {
		return nil, nil, nil, nil
	}
	return bestRuns(known, p.options.Best, kept, criterionOf(q.key, known))
}

// bestValues adds to the levels the best value of Options.Best at every depth and setting, for loss and accuracies, or for
// Options.Of.
func (p *pass) bestValues(result *Result) error {
	runs := p.contrastable()
	quantities, err := p.contrasted(runs)
	if err != nil {
		return err
	}
	result.Levels = []Level{}
	result.note(divergedNote(runs)...)
	for _, q := range quantities {
		if _, ok := criteria[q.key]; !ok && p.options.Of == "" {
			continue
		}
		choices, _, notes, err := p.choices(runs, q, []string{"depth"})
		if err != nil {
			return err
		}
		result.note(notes...)
		for i := range choices {
			c := &choices[i]
			l := Level{Quantity: q.key, Part: q.part, Of: "value", In: p.options.Best, Value: c.value, At: c.at, Scale: "difference", Points: len(c.runs)}
			var values []compared
			for _, o := range c.runs {
				v := compared{value: q.value(&o.run), unit: unit{seed: o.run.Seed}, choice: c}
				if v.unit.data, err = dataSeedOf(o); err != nil {
					return err
				}
				values = append(values, v)
			}
			if !q.bounded && !slices.ContainsFunc(values, func(v compared) bool { return v.value <= 0 }) {
				l.Scale = "ratio"
			}
			l.mean(values, q.bounded)
			result.Levels = append(result.Levels, l)
		}
	}
	if len(result.Levels) == 0 {
		return fmt.Errorf("analyze: --best %s: got no value of it at which all seeds have the numbers and none diverged", p.options.Best)
	}
	return nil
}

// dataSeedOf returns the data seed of a run where the study varies it, else 0.
func dataSeedOf(o *outcome) (seed uint64, err error) {
	if text, ok := o.meta().Settings[dataSeed]; ok {
		if _, err := fmt.Sscan(text, &seed); err != nil {
			return 0, fmt.Errorf("run %s: %s: got %q, want a whole number", o.ID, dataSeed, text)
		}
	}
	return seed, nil
}
