package analyze

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/grouped"
	"github.com/deeplimit/deeplimit/internal/read/surface"
	"github.com/deeplimit/deeplimit/scaling"
)

// between returns the means at the values of a field, and the contrasts between every two of them, or with the value
// against alone, for every set of values that are equal in all other fields but those that vary along.
func (q contrasted) between(values []compared, in, of, against string) (levels []Level, contrasts []Contrast, err error) {
	var observations []surface.Observation
	tried := map[string]bool{}
	for _, v := range values {
		observations = append(observations, surface.Observation{Fields: v.fields})
		tried[v.fields[in]] = true
	}
	names := slices.SortedFunc(maps.Keys(tried), compareValues)
	if len(names) < 2 {
		known := surface.Differing(observations)
		return nil, nil, fmt.Errorf("got one value of it, want a field of which the runs have two or more: %s%s", strings.Join(known, ", "), field.Mean(in, known))
	}
	if against != "" && !tried[against] {
		return nil, nil, fmt.Errorf("--against: got %q, want one of %s", against, strings.Join(names, ", "))
	}
	_, held := surface.Split(observations, []string{in})
	scale := "ratio"
	if of == "exponent" || q.bounded || slices.ContainsFunc(values, func(v compared) bool { return v.value <= 0 }) {
		scale = "difference"
	}
	for _, cell := range grouped.By(values, func(v compared) string { return keyOf(v.fields, held) }) {
		at := map[string]string{}
		for _, name := range held {
			at[name] = cell[0].fields[name]
		}
		byValue := map[string][]compared{}
		for _, v := range cell {
			byValue[v.fields[in]] = append(byValue[v.fields[in]], v)
		}
		for i, a := range names {
			if len(byValue[a]) == 0 {
				continue
			}
			l := Level{Quantity: q.key, Part: q.part, Of: of, In: in, Value: a, At: at, Scale: scale, Points: len(byValue[a])}
			l.mean(byValue[a], of == "value" && q.bounded)
			levels = append(levels, l)
			for _, b := range names[i+1:] {
				first, second := a, b
				switch against {
				case "", a:
				case b:
					first, second = b, a
				default:
					continue
				}
				c := Contrast{Quantity: q.key, Part: q.part, Of: of, In: in, A: first, B: second, At: at, Scale: scale}
				paired, err := c.pair(byValue[first], byValue[second])
				if err != nil {
					return nil, nil, err
				}
				if paired {
					contrasts = append(contrasts, c)
				}
			}
		}
	}
	return levels, contrasts, nil
}

// mean fills in the mean of values, and what was chosen for them.
func (l *Level) mean(values []compared, bounded bool) {
	var differences []scaling.Difference
	for _, v := range values {
		differences = append(differences, v.difference(l.Scale, 0, 1))
	}
	m := scaling.MeanDifference(differences).Interval
	switch {
	case l.Scale == "ratio":
		m = exponential(m)
	case bounded:
		m.Low, m.High = max(m.Low, 0), min(m.High, 1)
	}
	l.Mean = m
	if c := values[0].choice; c != nil {
		l.Best, l.End = c.value, c.end
	}
}

// difference returns that of a value from another, or log of their ratio.
func (v compared) difference(scale string, minus, over float64) scaling.Difference {
	d := scaling.Difference{Data: v.unit.data, Seed: v.unit.seed, Value: v.value - minus}
	if scale == "ratio" {
		d.Value = math.Log(v.value) - math.Log(over)
	}
	return d
}

// exponential turns an interval of a logarithm into one of the number.
func exponential(v scaling.Interval) scaling.Interval {
	return scaling.Interval{Value: math.Exp(v.Value), Low: math.Exp(v.Low), High: math.Exp(v.High)}
}

// pair compares the values that share a unit, and reports whether there are any.
func (c *Contrast) pair(first, second []compared) (bool, error) {
	partners, err := c.byUnit(first)
	if err != nil {
		return false, err
	}
	if _, err := c.byUnit(second); err != nil {
		return false, err
	}
	var differences []scaling.Difference
	var runs []*outcome
	for _, v := range second {
		if other, ok := partners[v.unit]; ok {
			differences = append(differences, v.difference(c.Scale, other.value, other.value))
			runs = append(runs, v.runs...)
		}
	}
	if len(differences) == 0 {
		return false, nil
	}
	m := scaling.MeanDifference(differences)
	c.Difference, c.P, c.Pairs = m.Interval, finite(m.P), m.Pairs
	if c.Scale == "ratio" {
		c.Difference = exponential(m.Interval)
	}
	c.Averages = averagesOver(runs)
	var warnings []string
	if unpaired := len(first) + len(second) - 2*m.Pairs; unpaired > 0 {
		warnings = append(warnings, fmt.Sprintf("%d of %d values have no partner of their seed", unpaired, len(first)+len(second)))
	}
	switch {
	case c.P != nil:
	case m.Pairs < 2:
		warnings = append(warnings, "one pair has no interval")
	default:
		warnings = append(warnings, "all pairs have the same difference, which has no interval")
	}
	c.Warning = strings.Join(warnings, "; ")
	return true, nil
}

// byUnit returns values by their unit, of which each may have one.
func (c *Contrast) byUnit(values []compared) (map[unit]compared, error) {
	of := map[unit]compared{}
	for _, v := range values {
		if other, ok := of[v.unit]; ok {
			return nil, fmt.Errorf("%s: got runs %s and %s of one seed, want one: they differ in a field that the study does not vary", c.Quantity, other.runs[0].ID, v.runs[0].ID)
		}
		of[v.unit] = v
	}
	return of, nil
}

// runsAt returns the runs whose fields have these values.
func runsAt(runs []*outcome, at map[string]string) []*outcome {
	return slices.DeleteFunc(slices.Clone(runs), func(o *outcome) bool {
		fields := surface.FieldsOf(o.meta())
		for name, value := range at {
			if fields[name] != value {
				return true
			}
		}
		return false
	})
}

// averagesOver returns what is drawn anew between runs: data, initial weights, order of batches; "not recorded" for runs
// that do not say.
func averagesOver(runs []*outcome) []string {
	over := []string{}
	seeds, data := map[uint64]bool{}, map[uint64]bool{}
	weights, batches, unknown := false, false, false
	for _, o := range runs {
		seeds[o.run.Seed] = true
		drawn := o.meta().Drawn
		if drawn == nil {
			unknown = true
			continue
		}
		if drawn.Data != nil {
			data[*drawn.Data] = true
		}
		weights, batches = weights || drawn.Weights, batches || drawn.Batches
	}
	switch {
	case unknown:
		return append(over, "not recorded")
	case len(data) > 1:
		over = append(over, "data")
	}
	if weights && len(seeds) > 1 {
		over = append(over, "initial weights")
	}
	if batches && len(seeds) > 1 {
		over = append(over, "order of batches")
	}
	return over
}
