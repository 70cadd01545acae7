package report

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot/vg"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/scaling"
)

// slopesFigure draws the slope of V_p against p with its interval. Where it comes
// down to zero is the variation index of the limit path.
func slopesFigure(g group, style Style) *Figure {
	if len(g.VariationSlope) < 2 {
		return nil
	}
	s := style.sizes()
	f := &Figure{
		Name:    "slopes-" + g.slug,
		Title:   "Growth of the p-variation against p",
		Caption: "Slope of log Vₚ against log L for every p, with 95 % intervals. Where an interval lies above zero Vₚ grows with depth; where it holds zero no growth is seen.",
		Data:    Table{Header: []string{"p", "slope", "low", "high", "method"}},
		Alt:     "Slope of the p-variation in depth against p. ",
		style:   style,
	}
	look := categories[0]
	points := mark{color: look.color, shape: look.shape, radius: s.marker, width: s.thin, dashes: []vg.Length{s.line, 2 * s.line}}
	var bars []mark
	for _, name := range powers(g.VariationSlope) {
		p, err := strconv.ParseFloat(name, 64)
		if err != nil {
			continue // powers returns numbers alone
		}
		slope := g.VariationSlope[name]
		e := slope.Estimate()
		points.x, points.y = append(points.x, p), append(points.y, e.Value)
		if e.Known() {
			bars = append(bars, intervalBar(p, e, look.color, s)...)
		}
		f.Data.Rows = append(f.Data.Rows, slopeRow(name, e))
		f.Alt += fmt.Sprintf("p = %s: %s; ", name, typeset(e.String()))
	}
	low, high := widen(points.x[0], points.x[len(points.x)-1], 0.06, false)
	zero := level(0, low, high, s)
	f.panels = [][]panel{{{
		x:     axis{label: "$p$", low: low, high: high},
		y:     axis{label: "slope of log $V_p$ in log $L$", margin: 0.06},
		marks: append(append([]mark{zero}, bars...), points),
	}}}
	f.legend = []entry{
		{text: "slope with 95 % interval", mark: &mark{color: look.color, shape: look.shape, radius: s.marker}},
		{text: "no growth", mark: &zero},
	}
	if x := g.VariationIndex; x != nil {
		f.addIndex(x, low, high, s)
	}
	return f
}

// slopeRow is the row of an estimate in the data: ends that are not there are empty.
func slopeRow(name string, e analyze.Estimate) []string {
	return []string{name, exact(e.Value), ending(e.Low), ending(e.High), e.Method}
}

// ending writes an end of an interval exactly, and nothing where there is none.
func ending(v float64) string {
	if math.IsInf(v, 0) {
		return ""
	}
	return blank(v)
}

// addIndex marks the variation index, with its interval, where slopes run into zero,
// and the straight line through slope 1 at p = 0 that it was read from.
func (f *Figure) addIndex(x *analyze.Index, low, high float64, s sizes) {
	look := categories[1]
	e := x.Estimate()
	text := "variation index " + typeset(e.String())
	f.Alt += text + ". "
	f.Data.Rows = append(f.Data.Rows, slopeRow("index", e))
	p := &f.panels[0][0]
	if x.Index > high {
		f.Notes = append(f.Notes, "The variation index lies to the right of the figure.")
		f.legend = append(f.legend, entry{text: text})
		return
	}
	if x.Method != scaling.NoInterval {
		from, to := max(low, x.Low), min(high, x.High)
		p.marks = append(p.marks, mark{x: []float64{from, to}, y: []float64{0, 0}, color: look.color, width: 2 * s.line})
	}
	f.Caption += " The cross is the variation index of the limit with its 95 % interval, and the dashed line the slopes 1 − p/index that a limit of this index " +
		"has, which slopes over few depths need not have reached."
	p.marks = append(p.marks,
		mark{x: []float64{low, x.Index}, y: []float64{1 - low/x.Index, 0}, color: look.color, width: s.thin, dashes: []vg.Length{2 * s.line, 2 * s.line}},
		mark{x: []float64{x.Index}, y: []float64{0}, color: look.color, shape: cross, radius: 1.6 * s.marker},
	)
	f.legend = append(f.legend, entry{text: text, mark: &mark{color: look.color, shape: cross, radius: 1.6 * s.marker, width: s.line}})
}

// intervalBar draws an interval at x as a vertical line with caps.
func intervalBar(x float64, e analyze.Estimate, c color.Color, s sizes) []mark {
	const half = 0.02 // width of a cap, on the p axis
	line := func(x0, y0, x1, y1 float64) mark {
		return mark{x: []float64{x0, x1}, y: []float64{y0, y1}, color: c, width: s.line}
	}
	return []mark{
		line(x, e.Low, x, e.High),
		line(x-half, e.Low, x+half, e.Low),
		line(x-half, e.High, x+half, e.High),
	}
}

// level draws a horizontal grey line.
func level(y, low, high float64, s sizes) mark {
	return mark{
		x: []float64{low, high}, y: []float64{y, y}, color: color.Gray{0x80}, width: s.line,
		dashes: []vg.Length{4 * s.line, 2.5 * s.line},
	}
}
