package report

import (
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg/draw"
)

// An axis is labelled in mathText. Its range is that of the marks, widened by
// margin, unless low < high.
type axis struct {
	label     string
	log       bool
	low, high float64
	margin    float64
	depths    []int    // mark these rather than round numbers
	names     []string // mark 0, 1, … with these, every stride-th labelled
	stride    int
	whole     bool // values are whole numbers, and so are the marks
	small     bool // of a small panel, with room for few marks
	bare      bool // no label and no tick labels: those of the panel below serve
}

// fit returns the range of the axis: its own if it has one, else that of the marks.
func (a axis) fit(marks []mark, values func(mark) []float64) (low, high float64) {
	if a.low < a.high {
		return a.low, a.high
	}
	low, high = math.Inf(1), math.Inf(-1)
	for _, m := range marks {
		for _, v := range values(m) {
			if a.shows(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	return widen(low, high, a.margin, a.log)
}

// shows reports whether the axis has a place for v.
func (a axis) shows(v float64) bool {
	return !math.IsNaN(v) && !math.IsInf(v, 0) && (!a.log || v > 0)
}

// at returns the place of v, log₁₀ v on a logarithmic axis. gonum's own logarithmic
// scale is not used: it leaves room for an axis label at the wrong place.
func (a axis) at(v float64) float64 {
	if a.log {
		return math.Log10(v)
	}
	return v
}

// marks returns how many labelled marks an axis has room for, of those of a panel of common size.
func (a axis) marks(most int) int {
	if a.small {
		return 2
	}
	return most
}

// apply sets the axis of a gonum plot.
func (a axis) apply(to *plot.Axis, s sizes, want int) {
	to.Min, to.Max = a.at(a.low), a.at(a.high)
	to.Padding = s.gap
	to.LineStyle.Width = s.thin
	if !a.bare {
		to.Label.Text = a.label
	}
	to.Label.TextStyle = textStyle(s.label)
	to.Label.TextStyle.XAlign = draw.XCenter
	to.Label.Padding = 0.25 * s.label
	to.Tick.Label = textStyle(s.tick)
	to.Tick.LineStyle.Width = s.thin
	to.Tick.Length = 0.4 * s.tick

	if a.whole { // one mark more than steps of 1 fit in
		want = min(want, int(a.high-a.low)+1)
	}
	var ticks []plot.Tick
	switch {
	case a.names != nil:
		ticks = nameTicks(a.names, a.stride)
	case a.depths != nil:
		apart := 0.085
		if a.small {
			apart = 0.45
		}
		ticks = depthTicks(a.depths, a.low, a.high, apart)
	case a.log:
		ticks = logTicks(a.low, a.high, want)
	default:
		ticks = linearTicks(a.low, a.high, want)
	}
	if a.whole {
		ticks = slices.DeleteFunc(ticks, func(t plot.Tick) bool { return t.Label != "" && math.Abs(t.Value-math.Round(t.Value)) > 1e-9 })
	}
	for i, t := range ticks {
		ticks[i].Value = a.at(t.Value)
		if a.bare && t.Label != "" {
			ticks[i].Label = " " // keeps the mark a long one
		}
	}
	to.Tick.Marker = plot.ConstantTicks(ticks)
}
