package report

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// mostLines is the number of points of a grid up to which parallel coordinates can be read.
const mostLines = 500

// A gridPoint is a group at one depth.
type gridPoint struct {
	values []string // of the coordinates
	loss   float64  // geometric mean over seeds; NaN where a run diverged
	number string   // of the group
}

// parallelFigure draws parallel coordinates of a grid: the fields that vary, depth, and the loss at the end, a line for each
// group and depth; nil where fewer than three vary, or there are too many lines.
func parallelFigure(groups []group, o *analyze.Overview, style Style) *Figure {
	if o == nil || len(o.Rows) != len(groups) {
		return nil
	}
	names := slices.Clone(o.Fields)
	if len(depthsOf(groups)) > 1 {
		names = append(names, "depth")
	}
	points := gridPoints(groups, o, names)
	if len(names) < 3 || len(points) < 2 || len(points) > mostLines {
		return nil
	}
	s := style.sizes()
	f := &Figure{
		Name: "parallel", Title: "Parallel coordinates of the grid", style: style, wide: true,
		Data: Table{Header: append(append([]string{"group"}, names...), "loss")},
	}
	var losses []float64
	for _, p := range points {
		losses = append(losses, p.loss)
		f.Data.Rows = append(f.Data.Rows, append(append([]string{p.number}, p.values...), blank(p.loss)))
	}
	scale := newColorScale("loss $J$", losses, true)
	p := panel{frameless: true, x: axis{low: -0.4, high: float64(len(names)) + 0.4}, y: axis{low: -0.08, high: 1.14, names: []string{}}}
	coordinates := make([][]coordinateValue, len(names))
	for i, name := range names {
		coordinates[i] = coordinatesOf(points, i)
		p.x.names = append(p.x.names, fieldLabel(o, name))
		p.marks = append(p.marks, coordinateAxis(i, s))
		for _, label := range coordinates[i] {
			p.notes = append(p.notes, note{x: float64(i) - 0.04, y: label.at, text: plainNames([]string{label.text})[0], color: color.Black, ends: true})
		}
	}
	p.x.names = append(p.x.names, "loss $J$")
	p.marks = append(p.marks, coordinateAxis(len(names), s))
	crosses := mark{color: color.Gray{0x60}, shape: cross, radius: s.marker}
	// Worse ones first, so that the best lie above: those that diverged, of loss NaN here, then by falling loss.
	slices.SortStableFunc(points, func(a, b gridPoint) int { return cmp.Compare(rank(b), rank(a)) })
	for _, point := range points {
		m := mark{width: 0.7 * s.line, color: color.Gray{0xb0}}
		for i := range names {
			m.x, m.y = append(m.x, float64(i)), append(m.y, place(coordinates[i], point.values[i]))
		}
		last := 1.08
		if shade := scale.shade(point.loss); shade >= 0 {
			a := scale.axis()
			m.color, last = shadeColor(shade), (a.at(point.loss)-a.at(scale.low))/(a.at(scale.high)-a.at(scale.low))
		} else {
			crosses.x, crosses.y = append(crosses.x, float64(len(names))), append(crosses.y, last)
		}
		m.x, m.y = append(m.x, float64(len(names))), append(m.y, last)
		p.marks = append(p.marks, m)
	}
	if len(crosses.x) > 0 {
		p.marks = append(p.marks, crosses)
		f.legend = append(f.legend, entry{text: "a run diverged", mark: &crosses})
	}
	f.panels, f.bar = [][]panel{{p}}, &scale
	f.Caption = "A line for each point of the grid through its values, in the order of their size, to its loss at the end of training, the geometric mean over seeds; the least loss is darkest and lies on top."
	f.Alt = fmt.Sprintf("Parallel coordinates of %d points over %d fields, with losses from %s to %s.", len(points), len(names), number(scale.low, 3), number(scale.high, 3))
	return f
}

// rank orders points by loss, those that diverged above all.
func rank(p gridPoint) float64 {
	if math.IsNaN(p.loss) {
		return math.Inf(1)
	}
	return p.loss
}

func coordinateAxis(i int, s sizes) mark {
	return mark{x: []float64{float64(i), float64(i)}, y: []float64{0, 1}, color: color.Gray{0x40}, width: s.thin}
}

func fieldLabel(o *analyze.Overview, name string) string {
	if name == "depth" {
		return parameterLabel(name)
	}
	return titleOf(o, name)
}

// gridPoints returns the groups at each depth with their losses.
func gridPoints(groups []group, o *analyze.Overview, names []string) []gridPoint {
	var points []gridPoint
	for i, g := range groups {
		for _, depth := range g.depths() {
			p := gridPoint{number: strconv.Itoa(o.Rows[i].Number)}
			for _, name := range names {
				value := cmp.Or(o.Rows[i].Values[name], none)
				if name == "depth" {
					value = strconv.Itoa(depth)
				}
				p.values = append(p.values, value)
			}
			var logs []float64
			finished := 0
			for _, r := range g.runs {
				if r.Depth != depth || r.Stop == "" {
					continue
				}
				finished++
				if r.trouble() == "" && r.Loss > 0 && !math.IsInf(r.Loss, 0) {
					logs = append(logs, math.Log(r.Loss))
				}
			}
			if finished == 0 {
				continue
			}
			p.loss = math.NaN()
			if len(logs) == finished {
				p.loss = math.Exp(stat.Mean(logs, nil))
			}
			points = append(points, p)
		}
	}
	return points
}

// A coordinateValue is a value on its axis, from 0 to 1.
type coordinateValue struct {
	text string
	at   float64
}

// coordinatesOf returns the values of coordinate i in order of size, evenly spread.
func coordinatesOf(points []gridPoint, i int) []coordinateValue {
	var runs []mapRun
	for _, p := range points {
		runs = append(runs, mapRun{parameters: map[string]string{"": p.values[i]}})
	}
	values := valuesOf(runs, "")
	out := make([]coordinateValue, len(values))
	for k, v := range values {
		out[k] = coordinateValue{v, 0.5}
		if len(values) > 1 {
			out[k].at = float64(k) / float64(len(values)-1)
		}
	}
	return out
}

func place(coordinates []coordinateValue, value string) float64 {
	at := slices.IndexFunc(coordinates, func(c coordinateValue) bool { return c.text == value })
	return coordinates[at].at
}
