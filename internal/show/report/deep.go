package report

import (
	"fmt"
	"image/color"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"
)

// A DeepLevel is a depth of the answer to how deep a network need be: the mean loss over seeds with the ends of its interval,
// nil where they are not known, and the mean of the layer-iterations that a run took.
type DeepLevel struct {
	Depth           int
	Loss            float64
	Low, High       *float64
	LayerIterations float64
}

// A DeepAnswer is what the figure of that answer draws.
type DeepAnswer struct {
	Study, Measure, Sentence string
	Levels                   []DeepLevel // by depth, two or more
	// Limit is the loss as L → ∞.
	Limit               float64
	LimitLow, LimitHigh *float64
	// KneeHigh is nil where more than the deepest network has may pay.
	Knee, KneeLow int
	KneeHigh      *int
}

// DepthFigure draws the loss against depth and against what training to it cost, with the knee and the loss as L → ∞.
func DepthFigure(a DeepAnswer, style Style) *Figure {
	s := style.sizes()
	f := &Figure{
		Kind: "depth", Name: "depth-" + slug(a.Study), Title: "How deep a network need be", style: style, wide: true,
		Caption: a.Sentence + " Left: the mean " + a.Measure + " over seeds against depth with its 95 % interval, the interval of the knee shaded, " +
			"the loss as L → ∞ dashed between the ends of its own. Right: the same against the layer-iterations of a run.",
		Alt:  a.Sentence,
		Data: Table{Header: []string{"depth", a.Measure, "low", "high", "layer_iterations", "in_knee"}},
	}
	var depths, costs []float64
	for _, l := range a.Levels {
		depths, costs = append(depths, float64(l.Depth)), append(costs, l.LayerIterations)
		in := l.Depth >= a.KneeLow && (a.KneeHigh == nil || l.Depth <= *a.KneeHigh)
		f.Data.Rows = append(f.Data.Rows, []string{
			strconv.Itoa(l.Depth), exact(l.Loss), optionalExact(l.Low), optionalExact(l.High), exact(l.LayerIterations), strconv.FormatBool(in),
		})
	}
	left := a.panel(axis{label: "depth $L$", log: true, margin: 0.06}, depths, s)
	for _, l := range a.Levels {
		left.x.depths = append(left.x.depths, l.Depth)
	}
	right := a.panel(axis{label: "layer-iterations", log: true, margin: 0.06}, costs, s)
	right.y.bare = true
	left.bands = []band{a.kneeBand(left)}
	last := len(left.marks) - 1
	f.panels = [][]panel{{left, right}}
	f.legend = []entry{
		{text: a.Measure, mark: &left.marks[last-1]},
		{text: fmt.Sprintf("knee, %d layers", a.Knee), mark: &left.marks[last]},
		{text: "as $L → ∞$, with its interval", mark: &left.marks[0]},
	}
	return f
}

// limits returns the loss as L → ∞ and the ends of its interval.
func (a DeepAnswer) limits() []float64 {
	out := []float64{a.Limit}
	if a.LimitLow != nil && a.LimitHigh != nil {
		out = append(out, *a.LimitLow, *a.LimitHigh)
	}
	return out
}

// panel draws the levels at places of an axis: the limit first, the means and the knee last.
func (a DeepAnswer) panel(x axis, places []float64, s sizes) panel {
	look, kneeLook := categories[0], categories[1]
	line := mark{x: places, color: look.color, width: s.line, shape: look.shape, radius: s.marker}
	knee := mark{color: kneeLook.color, shape: kneeLook.shape, radius: 1.3 * s.marker}
	var intervals []mark
	values := a.limits()
	for i, l := range a.Levels {
		line.y, values = append(line.y, l.Loss), append(values, l.Loss)
		if l.Low != nil && l.High != nil {
			values = append(values, *l.Low, *l.High)
			intervals = append(intervals, mark{x: []float64{places[i], places[i]}, y: []float64{*l.Low, *l.High}, color: look.color, width: s.thin})
		}
		if l.Depth == a.Knee {
			knee.x, knee.y = []float64{places[i]}, []float64{l.Loss}
		}
	}
	p := panel{x: x, y: axis{label: a.Measure}}
	p.y.log = slices.Min(values) > 0 && slices.Max(values) > 10*slices.Min(values)
	p.y.low, p.y.high = widen(slices.Min(values), slices.Max(values), 0.08, p.y.log)
	p.x.low, p.x.high = widen(slices.Min(places), slices.Max(places), x.margin, true)
	for i, limit := range a.limits() {
		m := mark{x: []float64{p.x.low, p.x.high}, y: []float64{limit, limit}, color: color.Gray{0x60}, width: s.thin}
		if i == 0 {
			m.dashes = []vg.Length{4 * s.line, 2.5 * s.line}
		}
		p.marks = append(p.marks, m)
	}
	p.marks = append(append(p.marks, intervals...), line, knee)
	return p
}

// kneeBand shades the interval of the knee over a panel.
func (a DeepAnswer) kneeBand(p panel) band {
	const widen = 1.03 // for a knee that all seeds agree on to be seen
	c := categories[1].color
	c.A = 0x30
	b := band{x: []float64{float64(a.KneeLow) / widen, p.x.high}, low: []float64{p.y.low, p.y.low}, high: []float64{p.y.high, p.y.high}, color: c}
	if a.KneeHigh != nil {
		b.x[1] = float64(*a.KneeHigh) * widen
	}
	return b
}
