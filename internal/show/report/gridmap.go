package report

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/scaling"
)

// accuracyMap draws the accuracy at the end of training over the two fields that vary, at the greatest depth, or over the one
// that does and depth; nil otherwise. It is that of the test set where every run has one, else of the training set.
func accuracyMap(groups []group, o *analyze.Overview, style Style) *Figure {
	if o == nil || len(o.Rows) != len(groups) || len(o.Fields) == 0 || len(o.Fields) > 2 {
		return nil
	}
	a, ok := mapped(runsOf(groups))
	if !ok {
		return nil
	}
	depths := depthsOf(groups)
	deepest := depths[len(depths)-1]
	x, y := o.Fields[0], "depth"
	if len(o.Fields) == 2 {
		x, y = o.Fields[1], o.Fields[0]
	} else if len(depths) < 2 {
		return nil
	}
	var xs, ys []string
	places := map[[2]string][]run{}
	for i, g := range groups {
		for _, r := range g.runs {
			value := func(field string) string {
				if field == "depth" {
					return strconv.Itoa(r.Depth)
				}
				return cmp.Or(o.Rows[i].Values[field], none)
			}
			if y != "depth" && r.Depth != deepest {
				continue
			}
			at := [2]string{value(x), value(y)}
			places[at] = append(places[at], r)
			xs, ys = include(xs, at[0]), include(ys, at[1])
		}
	}
	if y == "depth" {
		ys = nil
		for _, depth := range depths {
			ys = append(ys, strconv.Itoa(depth))
		}
	}
	return gridMap(a.column, a.text, []string{x, y}, []string{fieldLabel(o, x), fieldLabel(o, y)}, xs, ys, style, func(x, y string) (scaling.Estimate, int, int) {
		var values []float64
		diverged := 0
		for _, r := range places[[2]string{x, y}] {
			if v := a.of(r.Run); v != nil && r.trouble() == "" {
				values = append(values, *v)
			} else if r.Stop != "" {
				diverged++
			}
		}
		if diverged > 0 || len(values) == 0 {
			return scaling.Estimate{Value: math.NaN(), Low: math.NaN(), High: math.NaN()}, 0, diverged
		}
		return scaling.MeanOf(values).Within(0, 1), len(values), 0
	})
}

// mapped returns the accuracy that a map is of.
func mapped(runs []run) (accuracy, bool) {
	for _, a := range slices.Backward(accuracies) {
		with := func(r run) bool { return a.of(r.Run) != nil }
		sound := func(r run) bool { return r.trouble() == "" && !with(r) }
		if slices.ContainsFunc(runs, with) && !slices.ContainsFunc(runs, sound) && a.column != "validation_accuracy" {
			return a, true
		}
	}
	return accuracy{}, false
}

func include(values []string, v string) []string {
	if slices.Contains(values, v) {
		return values
	}
	return append(values, v)
}

// gridMap draws a quantity over the values of two fields.
func gridMap(column, label string, fields, titles, xs, ys []string, style Style, of func(x, y string) (mean scaling.Estimate, runs, diverged int)) *Figure {
	f := &Figure{
		Name: "accuracy-map", Title: upperFirst(label) + " over " + fields[0] + " and " + fields[1], style: style,
		Data: Table{Header: []string{fields[1], fields[0], column, "low", "high", "runs", "diverged"}},
	}
	crosses := mark{color: color.Black, shape: cross, radius: 3}
	values := make([][]float64, len(ys))
	var all []float64
	for j, y := range ys {
		for i, x := range xs {
			mean, runs, diverged := of(x, y)
			values[j], all = append(values[j], mean.Value), append(all, mean.Value)
			if runs == 0 && diverged > 0 {
				crosses.x, crosses.y = append(crosses.x, float64(i)), append(crosses.y, float64(j))
			}
			if runs+diverged > 0 {
				f.Data.Rows = append(f.Data.Rows, []string{y, x, blank(mean.Value), blank(mean.Low), blank(mean.High), strconv.Itoa(runs), strconv.Itoa(diverged)})
			}
		}
	}
	scale := newColorScale(label, all, false)
	p := panel{
		x:    axis{label: titles[0], low: -0.5, high: float64(len(xs)) - 0.5, names: plainNames(xs), stride: stride(xs, 44)},
		y:    axis{label: titles[1], low: -0.5, high: float64(len(ys)) - 0.5, names: plainNames(ys), stride: (len(ys) + 15) / 16},
		heat: &heat{x: edges(len(xs)), y: edges(len(ys)), values: values, scale: scale},
	}
	for j, row := range values {
		for i, v := range row {
			if !math.IsNaN(v) && len(xs) <= 8 && len(ys) <= 14 {
				p.notes = append(p.notes, note{x: float64(i), y: float64(j), text: shortNumber(v), color: ink(max(0, scale.shade(v)))})
			}
		}
	}
	if len(crosses.x) > 0 {
		p.marks = append(p.marks, crosses)
		f.legend = append(f.legend, entry{text: "a run diverged", mark: &crosses})
	}
	f.panels, f.bar = [][]panel{{p}}, &scale
	f.Caption = fmt.Sprintf("%s at the end of training over %s and %s, mean over seeds", upperFirst(label), fields[0], fields[1])
	if fields[1] != "depth" {
		f.Caption += ", at the greatest depth"
	}
	f.Caption += ". White cells have no finished run; the CSV file holds 95 % intervals over seeds."
	f.Alt = fmt.Sprintf("Heat map of %s, %d by %d cells, from %s to %s.", label, len(xs), len(ys), number(scale.low, 3), number(scale.high, 3))
	return f
}
