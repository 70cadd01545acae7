package report

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// mostPanels is the number of groups up to which a study has small multiples.
const mostPanels = 100

// A lattice places the groups of a study in rows and columns of small panels: over two fields that make a full grid by their
// values, else one group after another.
type lattice struct {
	places  [][]int  // numbers of groups by row and column; the last row may be shorter
	rows    []string // mathText beside each row, or nil
	columns []string // above each column, or nil
	titles  []string // above each panel by number of the group, or nil
}

// newLattice returns the places of groups, nil for one or too many.
func newLattice(groups []group, o *analyze.Overview) *lattice {
	if o == nil || len(groups) < 2 || len(groups) > mostPanels || len(o.Rows) != len(groups) {
		return nil
	}
	if len(o.Fields) == 2 {
		if l := fullLattice(o); l != nil {
			return l
		}
	}
	l := &lattice{}
	wide := min(len(groups), 5)
	if len(groups) > 30 {
		wide = 10
	}
	for first := 0; first < len(groups); first += wide {
		var row []int
		for i := first; i < min(first+wide, len(groups)); i++ {
			row = append(row, i)
		}
		l.places = append(l.places, row)
	}
	for i := range o.Rows {
		var values, named []string
		for _, field := range o.Fields {
			value := cmp.Or(o.Rows[i].Values[field], none)
			values, named = append(values, value), append(named, titleOf(o, field)+" = "+value)
		}
		title := strconv.Itoa(o.Rows[i].Number)
		for _, text := range []string{strings.Join(named, ", "), strings.Join(values, ", ")} { // the names where they fit
			if len([]rune(text)) <= 130/wide {
				title += ": " + plainNames([]string{text})[0]
				break
			}
		}
		l.titles = append(l.titles, title)
	}
	return l
}

// fullLattice returns the places over the two fields of an overview, the one with more values along rows; nil where
// a pair of values has no group or several.
func fullLattice(o *analyze.Overview) *lattice {
	valuesOf := func(field string) (values []string) {
		for i := range o.Rows {
			if v := o.Rows[i].Values[field]; !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		return values
	}
	down, across := o.Fields[0], o.Fields[1]
	if len(valuesOf(down)) > len(valuesOf(across)) {
		down, across = across, down
	}
	ys, xs := valuesOf(down), valuesOf(across)
	if len(xs) > 10 || len(xs)*len(ys) != len(o.Rows) {
		return nil
	}
	l := &lattice{}
	for _, y := range ys {
		var row []int
		for _, x := range xs {
			at := slices.IndexFunc(o.Rows, func(r analyze.OverviewRow) bool { return r.Values[down] == y && r.Values[across] == x })
			if at < 0 {
				return nil
			}
			row = append(row, at)
		}
		l.places = append(l.places, row)
		l.rows = append(l.rows, titleOf(o, down)+" = "+plainNames([]string{cmp.Or(y, none)})[0])
	}
	for i, x := range xs {
		text := plainNames([]string{cmp.Or(x, none)})[0]
		if i == 0 || len(xs) <= 5 {
			text = titleOf(o, across) + " = " + text
		}
		l.columns = append(l.columns, text)
	}
	return l
}

// titleOf names a field as the overview does.
func titleOf(o *analyze.Overview, field string) string {
	for _, c := range o.Columns() {
		if c.Name == field {
			return plainNames([]string{c.Title})[0]
		}
	}
	return plainNames([]string{field})[0]
}

// figure draws a panel for each group on shared axes.
func (l *lattice) figure(style Style, groups []group, x, y axis, marks func(g group) []mark) *Figure {
	f := &Figure{style: style, wide: true, small: true}
	x.small, y.small = true, true
	x.low, x.high = shared(x, groups, marks, func(m mark) []float64 { return m.x })
	y.low, y.high = shared(y, groups, marks, func(m mark) []float64 { return m.y })
	label := y.label
	for i, places := range l.places {
		var row []panel
		for j, at := range places {
			p := panel{x: x, y: y, marks: marks(groups[at])}
			p.x.bare = i+1 < len(l.places) && j < len(l.places[i+1])
			p.y.bare = j > 0
			p.y.label, p.x.label = "", ""
			if l.rows != nil {
				p.y.label = l.rows[i]
			} else if j == 0 && i == len(l.places)/2 {
				p.y.label = label
			}
			if j == len(places)/2 {
				p.x.label = x.label
			}
			switch {
			case l.titles != nil:
				p.title = l.titles[at]
			case i == 0:
				p.title = l.columns[j]
			}
			if len(p.marks) == 0 {
				p.notes = []note{middle(p, "no data")}
			}
			row = append(row, p)
		}
		f.panels = append(f.panels, row)
	}
	return f
}

// shared returns the range of an axis over all panels; that of y leaves out what is more than four decades above the middle
// value, so that groups that diverge do not flatten the others.
func shared(a axis, groups []group, marks func(g group) []mark, values func(mark) []float64) (low, high float64) {
	if a.low < a.high {
		return a.low, a.high
	}
	var all []float64
	for _, g := range groups {
		for _, m := range marks(g) {
			for _, v := range values(m) {
				if a.shows(v) {
					all = append(all, v)
				}
			}
		}
	}
	if len(all) == 0 {
		return widen(1, 1, a.margin, a.log)
	}
	slices.Sort(all)
	high = all[len(all)-1]
	if a.log {
		high = min(high, 1e4*stat.Quantile(0.5, stat.Empirical, all, nil))
	}
	return widen(all[0], high, a.margin, a.log)
}

// middle returns a note in the middle of a panel whose axes have their ranges.
func middle(p panel, text string) note {
	half := func(a axis) float64 {
		if a.log {
			return math.Sqrt(a.low) * math.Sqrt(a.high)
		}
		return (a.low + a.high) / 2
	}
	return note{x: half(p.x), y: half(p.y), text: text, color: color.Gray{0x60}}
}

// lossGrid draws the loss against iteration of every group on shared axes.
func lossGrid(groups []group, o *analyze.Overview, style Style) *Figure {
	l := newLattice(groups, o)
	if l == nil || !slices.ContainsFunc(groups, func(g group) bool { return slices.ContainsFunc(g.runs, func(r run) bool { return len(r.loss) > 1 }) }) {
		return nil
	}
	s, depths, all := style.sizes(), depthsOf(groups), runsOf(groups)
	const most = 200 // runs that have a line each
	x, y := axis{label: "iteration $t$"}, axis{label: "loss $J$", log: true}
	x.low, x.high = iterationRange(all)
	y.low, y.high = lossRange(all)
	shown := func(g group) []run {
		var out []run
		for _, r := range g.runs { // by depth, then seed
			if len(all) > most && len(out) > 0 && out[len(out)-1].Depth == r.Depth {
				continue
			}
			out = append(out, r)
		}
		return out
	}
	f := l.figure(style, groups, x, y, func(g group) []mark {
		var out []mark
		for _, r := range shown(g) {
			if len(r.loss) < 2 {
				continue
			}
			at := fewer(len(r.loss), 150)
			m := mark{width: 0.7 * s.line, color: depthColor(r.Depth, depths[0], depths[len(depths)-1])}
			for _, i := range at {
				m.x, m.y = append(m.x, r.iteration[i]), append(m.y, r.loss[i])
			}
			out = append(out, m)
		}
		return out
	})
	f.Name, f.Title, f.legend = "loss-grid", "Loss against iteration, a panel for each group", depthLegend(analyze.Evenly(depths, 12), depths, s)
	f.Caption = "Loss J against iteration t on axes that all groups share, in the order of the study, one line per run."
	if len(all) > most {
		f.Caption = "Loss J against iteration t on axes that all groups share, in the order of the study, one line for each depth, of the first seed."
	}
	if l.titles != nil {
		f.Caption += " Numbers are those of the overview."
	}
	f.Data.Header = append([]string{"group"}, append(slices.Clone(o.Fields), "depth", "seed", "iteration", "loss")...)
	for i, g := range groups {
		for _, r := range shown(g) {
			for _, k := range fewer(len(r.loss), 150) {
				f.Data.Rows = append(f.Data.Rows, append(placeOf(&o.Rows[i], o.Fields), strconv.Itoa(r.Depth), strconv.FormatUint(r.Seed, 10), exact(r.iteration[k]), exact(r.loss[k])))
			}
		}
	}
	f.Alt = fmt.Sprintf("%s of the loss against iteration at %s, on shared axes.", plain.Count(len(groups), "small panel"), depthText(depths))
	return f
}

// variationGrid draws V_1 and V_2 against depth of every group on shared axes.
func variationGrid(groups []group, o *analyze.Overview, style Style) *Figure {
	l, depths := newLattice(groups, o), depthsOf(groups)
	if l == nil || len(depths) < 2 || !slices.ContainsFunc(groups, group.measured) {
		return nil
	}
	s := style.sizes()
	marks := func(g group) (out []mark) {
		for i, p := range []string{"1", "2"} {
			look := categories[i]
			line := mark{color: look.color, width: s.line, shape: look.shape, radius: 0.7 * s.marker}
			for _, depth := range g.depths() {
				if v, ok := geometricMean(g, depth, p); ok {
					line.x, line.y = append(line.x, float64(depth)), append(line.y, v)
				}
			}
			if len(line.x) > 0 {
				out = append(out, line)
			}
		}
		return out
	}
	f := l.figure(style, groups, axis{label: "depth $L$", log: true, margin: 0.08, depths: depths}, axis{label: "$V_p$", log: true, margin: 0.08}, marks)
	f.Name, f.Title = "variation-grid", "p-variation against depth, a panel for each group"
	f.Caption = "V₁ and V₂ of the rescaled weights against depth L on axes that all groups share, in the order of the study, geometric means over seeds. " +
		"V₂ that is level and V₁ like the square root of L are noise around a limit; both level, a smooth one."
	for i, p := range []string{"1", "2"} {
		look := categories[i]
		f.legend = append(f.legend, entry{text: "$V_" + p + "$", mark: &mark{color: look.color, width: s.line, shape: look.shape, radius: 0.7 * s.marker}})
	}
	f.Data.Header = append([]string{"group"}, append(slices.Clone(o.Fields), "p", "depth", "value")...)
	for i, g := range groups {
		for _, p := range []string{"1", "2"} {
			for _, depth := range g.depths() {
				if v, ok := geometricMean(g, depth, p); ok {
					f.Data.Rows = append(f.Data.Rows, append(placeOf(&o.Rows[i], o.Fields), p, strconv.Itoa(depth), exact(v)))
				}
			}
		}
	}
	f.Alt = fmt.Sprintf("%s of V_1 and V_2 against %s, on shared axes.", plain.Count(len(groups), "small panel"), depthText(depths))
	return f
}

// geometricMean returns that of V_p over the usable seeds of a depth, false for none.
func geometricMean(g group, depth int, p string) (float64, bool) {
	var logs []float64
	for _, r := range g.runs {
		if v, ok := r.PVariation[p]; ok && r.Depth == depth && r.trouble() == "" && v > 0 && !math.IsInf(v, 0) {
			logs = append(logs, math.Log(v))
		}
	}
	if len(logs) == 0 {
		return 0, false
	}
	return math.Exp(stat.Mean(logs, nil)), true
}

// placeOf returns the number of a group and its values of some fields, as the data of a figure have them.
func placeOf(row *analyze.OverviewRow, fields []string) []string {
	cells := []string{strconv.Itoa(row.Number)}
	for _, field := range fields {
		cells = append(cells, row.Values[field])
	}
	return cells
}

// depthsOf returns the depths of all groups, in order.
func depthsOf(groups []group) []int { return group{runs: runsOf(groups)}.depths() }

func runsOf(groups []group) (runs []run) {
	for _, g := range groups {
		runs = append(runs, g.runs...)
	}
	return runs
}

// fewer returns at most about most of the places 0 … n − 1, evenly, the last among them.
func fewer(n, most int) (at []int) {
	step := max(1, (n+most-1)/most)
	for i := 0; i < n-1; i += step {
		at = append(at, i)
	}
	if n > 0 {
		at = append(at, n-1)
	}
	return at
}
