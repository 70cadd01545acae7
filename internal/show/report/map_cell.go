package report

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// A mapValue is a quantity of a run.
type mapValue struct {
	label  string                        // mathText
	higher bool                          // the larger the better
	log    bool                          // shown on a logarithmic scale when it spans decades
	column func(*runfolder.Row) *float64 // its last value in the trace, or
	result func(*runfolder.Summary) *float64
	// validation is the column that a choice is made by, for a number of the test set.
	validation func(*runfolder.Row) *float64
}

var mapValues = map[string]mapValue{
	"test_accuracy": {label: "test accuracy", higher: true, column: func(r *runfolder.Row) *float64 { return r.TestAccuracy }, validation: func(r *runfolder.Row) *float64 { return r.ValidationAccuracy }},
	"accuracy":      {label: "training accuracy", higher: true, column: func(r *runfolder.Row) *float64 { return r.Accuracy }},
	"test_loss":     {label: "test loss", log: true, result: func(s *runfolder.Summary) *float64 { return s.TestLoss }, validation: func(r *runfolder.Row) *float64 { return r.ValidationLoss }},
	"loss":          {label: "loss $J$", log: true, result: func(s *runfolder.Summary) *float64 { return &s.Loss }},
	"iterations":    {label: "iterations", log: true, result: func(s *runfolder.Summary) *float64 { return new(float64(s.Iterations)) }},
	"seconds":       {label: "training time [s]", log: true, result: func(s *runfolder.Summary) *float64 { return &s.Seconds }},
	"gradient_norm": {label: "$‖∇J‖$", log: true, column: func(r *runfolder.Row) *float64 { return r.GradientNorm }},
	"max_frobenius": {label: "max$_k ‖A_k‖_F$", log: true, column: func(r *runfolder.Row) *float64 { return &r.MaxFrobenius }},
	"displacement":  {label: "max$_k ‖A_k(T) − A_k(0)‖_F$", log: true, column: func(r *runfolder.Row) *float64 { return &r.Displacement }},
	"v_1":           {label: "$V_1$", log: true, column: func(r *runfolder.Row) *float64 { return r.Variation1 }},
	"v_2":           {label: "$V_2$", log: true, column: func(r *runfolder.Row) *float64 { return r.Variation2 }},
	"v_3":           {label: "$V_3$", log: true, column: func(r *runfolder.Row) *float64 { return r.Variation3 }},
}

// A mapCell is one place of a map.
type mapCell struct {
	value, low, high float64 // mean over seeds with its 95 % interval; NaN where there is none
	runs             int     // that the mean is of
	best             string  // the value of the parameter that was chosen
	end              bool    // whether that is the smallest or largest that was tried here, of two or more
	diverged         int     // runs at this place, at any value of the parameter
	seen             bool    // whether there is a finished run here
}

// A mapRun is what a map needs of a run.
type mapRun struct {
	parameters map[string]string
	value      float64 // NaN for a run that diverged
	validated  bool    // whether choice is of a validation set
	choice     float64 // what the best parameter is chosen by: the value, or that of the validation set
}

// mapRuns takes the finished runs that options.Where keeps.
func mapRuns(ctx context.Context, dir string, options MapOptions) (runs []mapRun, unfinished int, err error) {
	quantity := mapValues[options.Value]
	ends, unfinished, err := analyze.Ends(ctx, dir, options.matches, quantity.column, quantity.validation)
	if err != nil {
		return nil, 0, fmt.Errorf("report: map: %w", err)
	}
	for _, end := range ends {
		r := mapRun{parameters: end.Parameters, value: math.NaN()}
		if end.Summary.Stop != runfolder.Diverged {
			if r.value, err = quantity.of(end); err != nil {
				return nil, 0, fmt.Errorf("report: map: run %s: %w", end.ID, err)
			}
		}
		if r.choice = r.value; end.Last[1] != nil {
			r.choice, r.validated = *end.Last[1], true
		}
		runs = append(runs, r)
	}
	if len(runs) == 0 {
		return nil, 0, fmt.Errorf("report: map: %s: got no finished run%s, want some", dir, whereText(options.Where))
	}
	return runs, unfinished, nil
}

// of returns the quantity of a finished run.
func (q mapValue) of(end analyze.End) (float64, error) {
	if q.result != nil {
		if value := q.result(end.Summary); value != nil {
			return *value, nil
		}
		return 0, fmt.Errorf("%s: got a result without it, want runs that have it", q.label)
	}
	if end.Last[0] == nil {
		return 0, fmt.Errorf("%s: got a trace without it, want runs that record it", q.label)
	}
	return *end.Last[0], nil
}

// cell takes the mean of the runs at one place.
func (o MapOptions) cell(runs []mapRun, higher bool) mapCell {
	c := mapCell{value: math.NaN(), low: math.NaN(), high: math.NaN(), seen: len(runs) > 0}
	chosen, choices := math.NaN(), valuesOf(runs, o.Best)
	for i, choice := range choices {
		var values, by []float64
		diverged := 0
		for _, r := range runs {
			switch {
			case r.parameters[o.Best] != choice:
			case math.IsNaN(r.value) || math.IsInf(r.value, 0):
				diverged++
			default:
				values, by = append(values, r.value), append(by, r.choice)
			}
		}
		c.diverged += diverged
		if diverged > 0 || len(values) == 0 {
			continue
		}
		most := math.Inf(1)
		if higher {
			most = 1 // of an accuracy
		}
		mean, score := scaling.MeanOf(values).Within(0, most), scaling.MeanOf(by).Value
		if !math.IsNaN(chosen) && (score > chosen) != higher {
			continue
		}
		chosen, c.end = score, len(choices) > 1 && (i == 0 || i == len(choices)-1)
		c.value, c.low, c.high, c.runs, c.best = mean.Value, mean.Low, mean.High, len(values), choice
	}
	return c
}

// choosing says how the best values of a map were chosen where that is no fair score, and how often they lie at the end
// of what was tried.
func (o MapOptions) choosing(cells [][]mapCell, runs []mapRun) (notes []string) {
	if o.Best == "" {
		return nil
	}
	ends, filled := 0, 0
	for _, row := range cells {
		for _, c := range row {
			if !math.IsNaN(c.value) {
				filled++
			}
			if c.end {
				ends++
			}
		}
	}
	if ends > 0 {
		notes = append(notes, fmt.Sprintf("The best %s is the first or last of those tried in %d of %d cells: a better one may lie beyond.", o.Best, ends, filled))
	}
	validated := 0
	for _, r := range runs {
		if r.validated {
			validated++
		}
	}
	if mapValues[o.Value].validation != nil && validated < len(runs) {
		notes = append(notes, "The best "+o.Best+" is chosen on the test set that it is scored on, which flatters it; data.validation holds out samples to choose by.")
	}
	return notes
}

func bestCell(cells [][]mapCell, higher bool) (i, j int, ok bool) {
	for y, row := range cells {
		for x, c := range row {
			if !math.IsNaN(c.value) && (!ok || (c.value > cells[j][i].value) == higher) {
				i, j, ok = x, y, true
			}
		}
	}
	return i, j, ok
}

// valuesOf returns the values of a parameter, numbers in order of size before texts.
func valuesOf(runs []mapRun, name string) []string {
	var values []string
	for _, r := range runs {
		values = append(values, r.parameters[name])
	}
	slices.SortFunc(values, func(a, b string) int {
		x, errX := strconv.ParseFloat(a, 64)
		y, errY := strconv.ParseFloat(b, 64)
		switch {
		case errX == nil && errY == nil:
			return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
		case errX == nil:
			return -1
		case errY == nil:
			return 1
		}
		return cmp.Compare(a, b)
	})
	return slices.Compact(values)
}

// sameValue reports whether two texts are one value: 0.10 is 0.1.
func sameValue(a, b string) bool {
	if a == b {
		return true
	}
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	return errX == nil && errY == nil && x == y
}
