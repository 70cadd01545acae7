package report

import (
	"fmt"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// An accuracy is a share of correct classes that a run may have, a column of its trace.
type accuracy struct {
	column, text string
	of           func(analyze.Run) *float64
}

var accuracies = []accuracy{
	{"accuracy", "training accuracy", func(r analyze.Run) *float64 { return r.Accuracy }},
	{"validation_accuracy", "validation accuracy", func(r analyze.Run) *float64 { return r.ValidationAcc }},
	{"test_accuracy", "test accuracy", func(r analyze.Run) *float64 { return r.TestAcc }},
}

// accuracyFigure draws the accuracies against iteration, a panel each; nil without any.
func accuracyFigure(g group, style Style) *Figure {
	s, depths := style.sizes(), g.depths()
	f := &Figure{
		Name: "accuracy-" + g.slug, Title: "Accuracy against iteration", style: style,
		Data: Table{Header: []string{"quantity", "depth", "seed", "iteration", "value"}},
	}
	var row []panel
	var shown []int
	for _, a := range accuracies {
		p := panel{x: axis{label: "iteration $t$"}, y: axis{label: a.text, margin: 0.04}}
		p.x.low, p.x.high = iterationRange(g.runs)
		for _, r := range g.runs {
			c := r.accuracy[a.column]
			if len(c.x) < 2 {
				continue
			}
			p.marks = append(p.marks, mark{x: c.x, y: c.y, width: s.line, color: depthColor(r.Depth, depths[0], depths[len(depths)-1])})
			if !slices.Contains(shown, r.Depth) {
				shown = append(shown, r.Depth)
			}
			for i := range c.x {
				f.Data.Rows = append(f.Data.Rows, []string{a.column, strconv.Itoa(r.Depth), strconv.FormatUint(r.Seed, 10), exact(c.x[i]), exact(c.y[i])})
			}
		}
		if len(p.marks) > 0 {
			row = append(row, p)
		}
	}
	if len(row) == 0 {
		return nil
	}
	slices.Sort(shown)
	f.wide = len(row) > 1
	f.panels, f.legend = [][]panel{row}, depthLegend(analyze.Evenly(shown, 12), depths, s)
	f.Caption = fmt.Sprintf("Share of samples whose largest output is their class against iteration t for %s, one line per run.", depthText(shown))
	f.Alt = fmt.Sprintf("%s of accuracy along training for %s.", plain.Count(len(row), "panel"), depthText(shown))
	return f
}

// accuracyDepthFigure draws the accuracies at the end of training against depth; nil with fewer than two depths that have one.
func accuracyDepthFigure(g group, style Style) *Figure {
	s := style.sizes()
	f := &Figure{
		Name: "accuracy-depth-" + g.slug, Title: "Accuracy against depth", style: style,
		Caption: "Share of samples whose largest output is their class at the end of training against depth L, one marker per seed, joined at the mean over seeds.",
		Data:    Table{Header: []string{"quantity", "depth", "seed", "value"}},
	}
	p := panel{x: axis{label: "depth $L$", log: true, margin: 0.05}, y: axis{label: "accuracy", margin: 0.06}}
	for i, a := range accuracies {
		look := categories[i]
		points := mark{color: look.color, shape: look.shape, radius: s.marker}
		line := mark{color: look.color, width: s.line}
		for _, depth := range g.depths() {
			var here []float64
			for _, r := range g.runs {
				if v := a.of(r.Run); r.Depth == depth && v != nil && r.trouble() == "" {
					here = append(here, *v)
					points.x, points.y = append(points.x, float64(depth)), append(points.y, *v)
					f.Data.Rows = append(f.Data.Rows, []string{a.column, strconv.Itoa(depth), strconv.FormatUint(r.Seed, 10), exact(*v)})
				}
			}
			if len(here) > 0 {
				line.x, line.y = append(line.x, float64(depth)), append(line.y, stat.Mean(here, nil))
				if !slices.Contains(p.x.depths, depth) {
					p.x.depths = append(p.x.depths, depth)
				}
			}
		}
		if len(line.x) < 2 {
			continue
		}
		p.marks = append(p.marks, line, points)
		sample := points
		sample.width = s.line
		f.legend = append(f.legend, entry{text: a.text, mark: &sample})
	}
	if len(p.marks) == 0 {
		return nil
	}
	slices.Sort(p.x.depths)
	f.panels = [][]panel{{p}}
	f.Alt = fmt.Sprintf("Accuracy at the end of training against %s.", depthText(p.x.depths))
	return f
}
