package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// tuneFigure draws the measure against the value that is tuned at every depth, and the best value against depth.
func tuneFigure(g group, style Style) *Figure {
	t := g.tune
	if t == nil || len(t.Best) == 0 && t.Flank == nil {
		return nil
	}
	s := style.sizes()
	value := valueText(t.Over)
	f := &Figure{
		Name: "tune-" + g.slug, Title: "Best " + value + " at every depth", style: style, wide: true,
		Data: Table{Header: []string{"quantity", "depth", "seed", "iterations", "value", "measure", "low", "high"}},
	}
	f.Caption = fmt.Sprintf("Left: %s against %s, the mean over seeds of its logarithm, one curve for each depth. Markers: the best value tried, with the 95 %% interval of the best.", measureText(t.Measure), value)
	f.Alt = fmt.Sprintf("Curves of %s against %s at %s. ", measureText(t.Measure), value, depthText(t.Depths()))
	if t.With != "" {
		f.Caption += fmt.Sprintf(" The curves are sections, with %s at its best of each depth.", valueText(t.With))
	}
	curves := panel{x: axis{label: value, log: true, margin: 0.04}, y: axis{label: measureText(t.Measure), log: true, margin: 0.06}}
	best := panel{x: axis{label: "depth $L$", log: true, margin: 0.06, depths: t.Depths()}, y: axis{label: "best " + value, log: true, margin: 0.08}}
	depths := t.Depths()
	for _, depth := range depths {
		look := depthColor(depth, depths[0], depths[len(depths)-1])
		line := mark{color: look, width: s.line}
		for _, p := range t.Curve(depth) {
			line.x, line.y = append(line.x, p.Value), append(line.y, p.Measure)
		}
		curves.marks = append(curves.marks, line)
		f.legend = append(f.legend, entry{text: fmt.Sprintf("$L$ = %d", depth), mark: &mark{color: look, width: s.line, shape: circle, radius: s.marker}})
	}
	f.addTrials(t)
	for _, b := range t.Best {
		look := depthColor(b.Depth, depths[0], depths[len(depths)-1])
		low, high := b.Value, b.Value
		if b.Low != nil {
			low = *b.Low
		}
		if b.High != nil {
			high = *b.High
		}
		curves.marks = append(
			curves.marks,
			mark{x: []float64{low, high}, y: []float64{b.Lowest, b.Lowest}, color: look, width: s.thin},
			mark{x: []float64{b.Tried}, y: []float64{b.Lowest}, color: look, shape: circle, radius: s.marker},
		)
		at := float64(b.Depth)
		best.marks = append(
			best.marks,
			mark{x: []float64{at, at}, y: []float64{low, high}, color: look, width: s.line},
			mark{x: []float64{at}, y: []float64{b.Value}, color: look, shape: circle, radius: s.marker},
		)
		f.Data.Rows = append(f.Data.Rows, []string{"best", strconv.Itoa(b.Depth), "", "", exact(b.Value), exact(b.Lowest), optionalExact(b.Low), optionalExact(b.High)})
	}
	f.addBudgets(t, &best, s)
	f.addLaw(t, &curves, &best, s)
	if t.Flank == nil {
		f.Caption += " Right: the best value against depth."
	} else {
		f.addFlank(t, &curves, &best, s)
	}
	if len(t.Budget) > 0 {
		f.Caption += " Thin lines: the best when training ends earlier."
	}
	f.panels = [][]panel{{curves, best}}
	return f
}

// secondFigure is tuneFigure for the second of two fields.
func secondFigure(g group, style Style) *Figure {
	g.tune = g.second
	f := tuneFigure(g, style)
	if f != nil {
		f.Name = "tune-second-" + g.slug
	}
	return f
}

// addTrials puts the runs into the data.
func (f *Figure) addTrials(t *analyze.TuneGroup) {
	for i := range t.Runs {
		r := &t.Runs[i]
		f.Data.Rows = append(f.Data.Rows, []string{
			"run", strconv.Itoa(r.Depth), strconv.FormatUint(r.Seed, 10), strconv.Itoa(r.Iterations), exact(r.Value), optionalExact(r.Measure), "", "",
		})
	}
}

// addBudgets draws the best values of shorter trainings against depth.
func (f *Figure) addBudgets(t *analyze.TuneGroup, best *panel, s sizes) {
	lines := map[int]*mark{}
	var order []int
	for _, b := range t.Budget {
		f.Data.Rows = append(f.Data.Rows, []string{"budget", strconv.Itoa(b.Depth), "", strconv.Itoa(b.Iterations), exact(b.Value), "", optionalExact(b.Low), optionalExact(b.High)})
		if lines[b.Iterations] == nil {
			lines[b.Iterations] = &mark{width: s.thin}
			order = append(order, b.Iterations)
		}
		line := lines[b.Iterations]
		line.x, line.y = append(line.x, float64(b.Depth)), append(line.y, b.Value)
	}
	slices.Sort(order)
	if len(order) < 2 {
		return
	}
	for i, iterations := range order[:len(order)-1] { // the last is the whole training
		line := *lines[iterations]
		line.color = color.Gray{uint8(0xc0 - 0x70*i/len(order))}
		best.marks = append(best.marks, line)
		f.legend = append(f.legend, entry{text: fmt.Sprintf("after %d iterations", iterations), mark: &mark{color: line.color, width: line.width}})
	}
}

// addFlank draws, of a measure without a minimum, where it is a tenth above its least at each depth.
func (f *Figure) addFlank(t *analyze.TuneGroup, curves, edges *panel, s sizes) {
	value := valueText(t.Over)
	f.Title = "Where the measure rises over " + value + " at every depth"
	f.Caption = fmt.Sprintf("Left: %s against %s, the mean over seeds of its logarithm, one curve for each depth. It has no minimum: it stays within a tenth of its least on one side. Markers: where it is a tenth above. Right: that value against depth, with its 95 %% interval over seeds.", measureText(t.Measure), value)
	edges.y.label = value + " at a tenth more"
	depths := t.Depths()
	for _, e := range t.Flank.Edges {
		look := depthColor(e.Depth, depths[0], depths[len(depths)-1])
		least := math.Inf(1)
		for _, p := range t.Curve(e.Depth) {
			least = min(least, p.Measure)
		}
		curves.marks = append(curves.marks, mark{x: []float64{e.Value}, y: []float64{1.1 * least}, color: look, shape: circle, radius: s.marker})
		at := float64(e.Depth)
		if e.Low != nil && e.High != nil {
			edges.marks = append(edges.marks, mark{x: []float64{at, at}, y: []float64{*e.Low, *e.High}, color: look, width: s.line})
		}
		edges.marks = append(edges.marks, mark{x: []float64{at}, y: []float64{e.Value}, color: look, shape: circle, radius: s.marker})
		f.Data.Rows = append(f.Data.Rows, []string{"edge", strconv.Itoa(e.Depth), "", "", exact(e.Value), exact(1.1 * least), optionalExact(e.Low), optionalExact(e.High)})
	}
}

// addLaw draws the measured exponent and the law's, both through the middle of the best values.
func (f *Figure) addLaw(t *analyze.TuneGroup, curves, best *panel, s sizes) {
	places := t.Best
	if t.Flank != nil {
		places = nil
		for _, e := range t.Flank.Edges {
			places = append(places, analyze.TuneBest{Depth: e.Depth, Value: e.Value})
		}
	}
	if len(places) < 2 {
		return
	}
	depth, value := 0.0, 0.0
	for _, b := range places {
		depth += math.Log(float64(b.Depth)) / float64(len(places))
		value += math.Log(b.Value) / float64(len(places))
	}
	power := func(exponent float64) (m mark, through mark) {
		for _, b := range places {
			v := math.Exp(value + exponent*(math.Log(float64(b.Depth))-depth))
			m.x, m.y = append(m.x, float64(b.Depth)), append(m.y, v)
			through.x, through.y = append(through.x, v), append(through.y, b.Lowest)
		}
		return m, through
	}
	if e := t.Exponent; e != nil {
		line, _ := power(e.Slope)
		line.color, line.width = categories[0].color, s.line
		best.marks = append(best.marks, line)
		text := "shift of the curves"
		if t.Flank != nil {
			text = "edges of the flank"
		}
		f.legend = append(f.legend, entry{text: text + ": exponent " + typeset(e.String()), mark: &mark{color: line.color, width: line.width}})
		f.Alt += "They move with exponent " + typeset(e.String()) + ". "
	}
	if t.Law != nil {
		line, through := power(*t.Law)
		for _, m := range []*mark{&line, &through} {
			m.color, m.width, m.dashes = categories[1].color, s.line, []vg.Length{4 * s.line, 2.5 * s.line}
		}
		if best.marks = append(best.marks, line); t.Flank == nil {
			curves.marks = append(curves.marks, through)
		}
		f.legend = append(f.legend, entry{text: "law: exponent " + typeset(number(*t.Law, 3)), mark: &mark{color: line.color, width: line.width, dashes: line.dashes}})
		f.Caption += " Dashed: the law, through the middle of the best values; it meets the minima where it holds."
	}
}

// regretFigure draws what is lost at each depth by the value that is best at another, moved by rules.
func regretFigure(g group, style Style) *Figure {
	t := g.tune
	if t == nil || len(t.Regret) == 0 {
		return nil
	}
	s := style.sizes()
	f := &Figure{
		Name: "regret-" + g.slug, Title: "What a value moved from another depth loses", style: style,
		Data: Table{Header: []string{"rule", "from", "to", "exponent", "regret", "low", "high", "diverged", "verdict"}},
	}
	from := t.Regret[0].From
	f.Caption = fmt.Sprintf("%s of the value that is best at depth %d, moved by a rule, over that of the best at each depth, with 95 %% intervals over seeds. Dashed: a tenth more, up to which a value transfers.", measureText(t.Measure), from)
	p := panel{x: axis{label: "depth $L$", log: true, margin: 0.06, depths: t.Depths()}, y: axis{label: "$J$(moved) / $J$(best)", log: true, margin: 0.06}}
	f.Alt = fmt.Sprintf("Loss of moved values over the least loss against depth, moved from depth %d. ", from)
	var rules []string
	for _, r := range t.Regret {
		if !slices.Contains(rules, r.Rule) {
			rules = append(rules, r.Rule)
		}
	}
	diverged := 0
	for i, rule := range rules {
		look := categories[i%len(categories)]
		points := mark{color: look.color, shape: look.shape, radius: s.marker, width: s.thin}
		for _, r := range t.Regret {
			if r.Rule != rule {
				continue
			}
			f.Data.Rows = append(f.Data.Rows, []string{
				r.Rule, strconv.Itoa(r.From), strconv.Itoa(r.To), exact(r.Exponent), optionalExact(r.Value), optionalExact(r.Low), optionalExact(r.High), strconv.Itoa(r.Diverged), r.Verdict,
			})
			if r.Diverged > 0 {
				diverged++
			}
			if r.Value == nil {
				continue
			}
			at := float64(r.To) * math.Pow(1.04, float64(i)-float64(len(rules)-1)/2) // side by side
			points.x, points.y = append(points.x, at), append(points.y, 1+*r.Value)
			if r.Low != nil && r.High != nil {
				p.marks = append(p.marks, mark{x: []float64{at, at}, y: []float64{1 + *r.Low, 1 + *r.High}, color: look.color, width: s.line})
			}
		}
		p.marks = append(p.marks, points)
		sample := points
		f.legend = append(f.legend, entry{text: rule, mark: &sample})
	}
	limit := mark{x: []float64{float64(t.Depths()[0]), float64(t.Depths()[len(t.Depths())-1])}, y: []float64{1.1, 1.1}, color: color.Gray{0x80}, width: s.thin, dashes: []vg.Length{4 * s.line, 2.5 * s.line}}
	p.marks = append([]mark{limit}, p.marks...)
	if diverged > 0 {
		f.Notes = append(f.Notes, plain.Count(diverged, "moved value")+" at which training diverged.")
	}
	f.panels = [][]panel{{p}}
	return f
}

// valueText and measureText name what is tuned and what is to be least, as axes have it.
func valueText(over string) string {
	switch over {
	case "train.step.value":
		return "step size $η_0$"
	case "train.epsilon":
		return "$ε$"
	}
	return over
}

func measureText(measure string) string {
	switch measure {
	case "loss":
		return "loss $J$"
	case "best-loss":
		return "least loss $J$"
	case "test-loss":
		return "test loss"
	case "validation-loss":
		return "validation loss"
	}
	return measure
}

// optionalExact writes a number exactly, nothing where there is none.
func optionalExact(v *float64) string {
	if v == nil {
		return ""
	}
	return exact(*v)
}
