package report

import (
	"fmt"
	"image/color"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/scaling"
)

// lossFigure draws loss against iteration, one thin line per run in the colour of
// its depth, with the fitted rate over the deepest run that has one. A run that did
// not finish ends in a cross where it ends or leaves the figure.
func lossFigure(g group, style Style) *Figure {
	if !slices.ContainsFunc(g.runs, func(r run) bool { return len(r.loss) > 0 }) {
		return nil
	}
	s := style.sizes()
	depths := g.depths()
	f := &Figure{
		Name:   "loss-" + g.slug,
		Title:  "Loss against iteration",
		style:  style,
		legend: depthLegend(analyze.Evenly(depths, 12), depths, s),
	}
	p := panel{
		x: axis{label: "iteration $t$"},
		y: axis{label: "loss $J$", log: true},
	}
	p.x.low, p.x.high = iterationRange(g.runs)
	p.y.low, p.y.high = lossRange(g.runs)

	var crosses mark
	ends := map[string]bool{}
	for _, r := range g.runs {
		m := mark{x: r.iteration, y: r.loss, width: s.line, color: depthColor(r.Depth, depths[0], depths[len(depths)-1])}
		p.marks = append(p.marks, m)
		if r.trouble() == "" {
			continue
		}
		if x, y, ok := lastInside(m, p.x, p.y); ok {
			crosses.x, crosses.y = append(crosses.x, x), append(crosses.y, y)
			ends[r.trouble()] = true
		}
	}
	fitted, fit := rateFit(g.runs)
	if fitted >= 0 {
		r := g.runs[fitted]
		lines := rateLines(*r.Rate, fit, s)
		p.marks = append(p.marks, lines...)
		f.legend = append(f.legend, entry{mark: &lines[1], text: fmt.Sprintf("fit $J ≈ Cρ^t$, $L$ = %d, seed %d: $ρ$ = %s, $R^2$ = %s",
			r.Depth, r.Seed, r.Rate.Text(), scaling.R2Text(r.Rate.R2))})
		f.Caption = fmt.Sprintf(" Dashed: the fit J(t) ≈ Cρᵗ over iterations %d to %d of one run at the largest depth that has a linear one.",
			r.Rate.First, r.Rate.Last)
	}
	if len(crosses.x) > 0 {
		crosses.color, crosses.shape, crosses.radius = color.Black, cross, s.marker
		p.marks = append(p.marks, crosses)
		f.legend = append(f.legend, entry{text: strings.Join(slices.Sorted(maps.Keys(ends)), ", "), mark: &crosses})
	}
	f.panels = [][]panel{{p}}
	f.Data = lossTable(g.runs, fitted, fit)
	f.Caption = fmt.Sprintf("Loss J against iteration t for %s, one line per run (%s).", depthText(depths), seedText(g.runs)) + f.Caption
	f.Alt = lossAlt(g)
	if n := hiddenLosses(g.runs); n > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("%d recorded losses are zero or not finite and have no place on a logarithmic axis; the CSV file holds them.", n))
	}
	return f
}

// rateLines draws the fitted rate: dashes, on a white line that parts them from the
// dark curve under them.
func rateLines(rate analyze.Rate, fit func(float64) float64, s sizes) []mark {
	line := mark{color: color.Black, width: s.line, dashes: []vg.Length{4 * s.line, 2.5 * s.line}}
	for _, t := range []int{rate.First, rate.Last} {
		line.x, line.y = append(line.x, float64(t)), append(line.y, fit(float64(t)))
	}
	casing := line
	casing.color, casing.width, casing.dashes = color.White, 1.5*s.line, nil
	return []mark{casing, line}
}

// lossTable lists every recorded loss, with the fit beside those it used.
func lossTable(runs []run, fitted int, fit func(float64) float64) Table {
	table := Table{Header: []string{"depth", "seed", "iteration", "loss", "fitted_loss", "stop_reason"}}
	for i, r := range runs {
		for k, t := range r.iteration {
			value := ""
			if i == fitted && t >= float64(r.Rate.First) && t <= float64(r.Rate.Last) {
				value = exact(fit(t))
			}
			table.Rows = append(table.Rows, []string{
				strconv.Itoa(r.Depth), strconv.FormatUint(r.Seed, 10), exact(t), exact(r.loss[k]), value, r.Stop,
			})
		}
	}
	return table
}

// hiddenLosses counts what a logarithmic axis cannot show.
func hiddenLosses(runs []run) (n int) {
	for _, r := range runs {
		for _, loss := range r.loss {
			if !(axis{log: true}).shows(loss) {
				n++
			}
		}
	}
	return n
}

// rateFit returns the index of the run whose rate is drawn, the first of the
// deepest that falls linearly, and t ↦ C ρ^t. C is that of least squares on log J for the
// analysed ρ, whose line goes through the means of t and log J. The index is −1
// when no run does and has a trace.
func rateFit(runs []run) (int, func(t float64) float64) {
	best := -1
	for i, r := range runs {
		if r.Rate != nil && r.Rate.Linear && r.trouble() == "" && (best < 0 || r.Depth > runs[best].Depth) {
			if _, n := logMean(r.iteration, r.loss, *r.Rate); n > 0 {
				best = i
			}
		}
	}
	if best < 0 {
		return -1, nil
	}
	r := runs[best]
	logC, _ := logMean(r.iteration, r.loss, *r.Rate)
	logRho := math.Log(r.Rate.Rho)
	return best, func(t float64) float64 { return math.Exp(logC + t*logRho) }
}

// logMean returns the mean of log J − t log ρ over the n points that the fit used.
func logMean(iteration, loss []float64, rate analyze.Rate) (mean float64, n int) {
	logRho := math.Log(rate.Rho)
	for i, t := range iteration {
		if t < float64(rate.First) || t > float64(rate.Last) || !(loss[i] > 0) || math.IsInf(loss[i], 1) {
			continue
		}
		n++
		mean += (math.Log(loss[i]) - t*logRho - mean) / float64(n)
	}
	return mean, n
}

// iterationRange returns the range from 0 to the last iteration of any run.
func iterationRange(runs []run) (low, high float64) {
	for _, r := range runs {
		if n := len(r.iteration); n > 0 {
			high = max(high, r.iteration[n-1])
		}
	}
	return 0, max(1, 1.02*high)
}

// lossRange returns the range of the loss axis: that of the finished runs, so that
// one that diverged does not flatten them, with up to two decades above for those
// that did; of all runs when none finished.
func lossRange(runs []run) (low, high float64) {
	span := func(include func(run) bool) (low, high float64) {
		low, high = math.Inf(1), math.Inf(-1)
		for _, r := range runs {
			for _, loss := range r.loss {
				if include(r) && (axis{log: true}).shows(loss) {
					low, high = min(low, loss), max(high, loss)
				}
			}
		}
		return low, high
	}
	low, high = span(func(r run) bool { return r.trouble() == "" })
	_, highest := span(func(run) bool { return true })
	if low > high {
		low, high = span(func(run) bool { return true })
	}
	return widen(low, max(high, min(highest, 100*high)), 0.04, true)
}

// lastInside returns the last point of m that lies on the axes.
func lastInside(m mark, x, y axis) (float64, float64, bool) {
	for i := len(m.x) - 1; i >= 0; i-- {
		if m.y[i] >= y.low && m.y[i] <= y.high && m.x[i] >= x.low && m.x[i] <= x.high {
			return m.x[i], m.y[i], true
		}
	}
	return 0, 0, false
}

// depthLegend names the colours that shown have among depths.
func depthLegend(shown, depths []int, s sizes) []entry {
	var out []entry
	for i, depth := range shown {
		text := strconv.Itoa(depth)
		if i == 0 {
			text = "$L$ = " + text
		}
		m := mark{color: depthColor(depth, depths[0], depths[len(depths)-1]), width: 1.6 * s.line}
		out = append(out, entry{text: text, mark: &m})
	}
	return out
}

func depthText(depths []int) string {
	switch len(depths) {
	case 0:
		return "no depth"
	case 1:
		return fmt.Sprintf("depth %d", depths[0])
	}
	return fmt.Sprintf("%d depths from %d to %d", len(depths), depths[0], depths[len(depths)-1])
}

func seedText(runs []run) string {
	seeds := map[uint64]bool{}
	for _, r := range runs {
		seeds[r.Seed] = true
	}
	if len(seeds) == 1 {
		return "one seed"
	}
	return fmt.Sprintf("%d seeds", len(seeds))
}

// A span is the range of values seen.
type span struct{ low, high float64 }

func newSpan() span { return span{math.Inf(1), math.Inf(-1)} }

// lossAlt tells where the curves start and end.
func lossAlt(g group) string {
	first, last := newSpan(), newSpan()
	troubles := 0
	for _, r := range g.runs {
		if r.trouble() != "" {
			troubles++
			continue
		}
		if n := len(r.loss); n > 0 {
			first.low, first.high = min(first.low, r.loss[0]), max(first.high, r.loss[0])
			last.low, last.high = min(last.low, r.loss[n-1]), max(last.high, r.loss[n-1])
		}
	}
	alt := "Curves of the loss on a logarithmic axis against iteration."
	if first.low <= first.high {
		alt = fmt.Sprintf("Curves of the loss on a logarithmic axis against iteration, between %s and %s at the start and between %s and %s at the end.",
			number(first.low, 2), number(first.high, 2), number(last.low, 2), number(last.high, 2))
	}
	if troubles > 0 {
		alt += fmt.Sprintf(" %s did not finish.", plain.Count(troubles, "run"))
	}
	return alt
}
