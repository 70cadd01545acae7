package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// proved returns the run whose bounds are shown: the deepest that was measured, else
// the deepest of all; nil when there is none.
func (g group) proved() *run {
	var best *run
	for i := range g.runs {
		r := &g.runs[i]
		if r.proof == nil || best != nil && best.proof.Reason == "" && r.proof.Reason != "" {
			continue
		}
		if best == nil || r.Depth > best.Depth || best.proof.Reason != "" && r.proof.Reason == "" {
			best = r
		}
	}
	return best
}

// A proofView is the section of a page on what was proved.
type proofView struct {
	Runs       []provedView
	Violations []string
	Shown      string // the run of the tables below
	Conclusion string
	Hypotheses []certify.Hypothesis
	Bounds     []boundView
	Curvatures []curvatureView
	Kernels    *kernelsView
}

// A provedView is one run with its certificate.
type provedView struct {
	Depth, Seed, Verdict, Issued, Loss, Radius, Rate, StepSize, Promises string
	Violated                                                             bool
}

type boundView struct {
	At, Name, Value, Measured, Slack, Verdict, Reason string
	Violated                                          bool
}

type curvatureView struct {
	Iteration, Largest, Smallest, Edge, Gram string
}

// newProofView returns nil when no run of the group is finished.
func newProofView(g group) *proofView {
	shown := g.proved()
	if shown == nil {
		return nil
	}
	v := &proofView{
		Shown:      fmt.Sprintf("depth %d, seed %d", shown.Depth, shown.Seed),
		Conclusion: shown.proof.Conclusion(), Hypotheses: shown.proof.Hypotheses,
	}
	for _, r := range g.runs {
		if r.proof == nil {
			continue
		}
		v.Runs = append(v.Runs, newProvedView(r))
		for _, violation := range r.proof.Violations {
			v.Violations = append(v.Violations, fmt.Sprintf("Run %s: %s", r.ID, violation))
		}
	}
	v.Kernels = newKernelsView(g)
	chosen := shown.proof.Chosen()
	for _, it := range shown.proof.Iterates {
		if slices.Contains(chosen, it.Iteration) {
			v.Bounds = append(v.Bounds, boundViews(strconv.FormatInt(it.Iteration, 10), it.Bounds)...)
		}
	}
	v.Bounds = append(v.Bounds, boundViews("whole run", shown.proof.Way)...)
	for _, p := range shown.proof.Promises {
		v.Bounds = append(v.Bounds, boundViews("last check", []certify.Bound{p.Last})...)
	}
	for _, c := range shown.proof.Curvatures {
		row := curvatureView{strconv.FormatInt(c.Iteration, 10), none, none, none, none}
		if c.Hessian != nil {
			row.Largest = eigenvalue(c.Hessian.Largest, c.Hessian.LargestResidual)
			row.Smallest = eigenvalue(c.Hessian.Smallest, c.Hessian.SmallestResidual)
		}
		if c.Gram != nil {
			row.Gram = eigenvalue(c.Gram.Smallest, c.Gram.Residual)
		}
		if c.StepSize != nil {
			row.Edge = cell(2 / *c.StepSize, 4)
		}
		v.Curvatures = append(v.Curvatures, row)
	}
	return v
}

// eigenvalue writes one with the digits that its residual leaves.
func eigenvalue(value, residual float64) string {
	if digits := curvature.Digits(value, residual, 4); digits > 0 {
		return number(value, digits)
	}
	return "0 ± " + number(curvature.Magnitude(value, residual), 1)
}

func newProvedView(r run) provedView {
	v := provedView{
		Depth: strconv.Itoa(r.Depth), Seed: strconv.FormatUint(r.Seed, 10), Verdict: r.proof.Verdict,
		Issued: none, Loss: none, Radius: none, Rate: none, StepSize: none, Promises: none,
		Violated: len(r.proof.Violations) > 0,
	}
	if c := r.proof.Certificate; c != nil {
		v.Issued, v.Loss, v.Radius = strconv.FormatInt(c.Iteration, 10), cell(c.Loss, 3), cell(c.Radius, 3)
		v.Rate, v.StepSize = cell(c.Rate, 3), cell(c.StepSize, 3)
	}
	held, checked, why := 0, 0, ""
	for _, p := range r.proof.Promises {
		held, checked = held+p.Holds, checked+p.Checked
		if why == "" {
			why = p.Reason
		}
	}
	if checked > 0 {
		v.Promises = fmt.Sprintf("%d of %d hold", held, checked)
		if why != "" {
			v.Promises += ": " + why
		}
	}
	return v
}

func boundViews(at string, bounds []certify.Bound) []boundView {
	var views []boundView
	for _, b := range bounds {
		v := boundView{
			At: at, Name: b.Name, Value: cell(b.Value, 4), Measured: cell(b.Measured, 4), Slack: cell(b.Slack, 4),
			Verdict: string(b.Verdict), Reason: b.Reason, Violated: b.Verdict == certify.Violated,
		}
		if b.Layer > 0 {
			v.Name += fmt.Sprintf(", layer %d", b.Layer)
		}
		views = append(views, v)
	}
	return views
}

// slackFigure draws the slack of every bound of one run over its iterations, and the
// iteration at which its certificate was issued; nil when nothing was measured.
func slackFigure(g group, style Style) *Figure {
	r := g.proved()
	if r == nil || r.proof.Reason != "" {
		return nil
	}
	s := style.sizes()
	f := &Figure{
		Name: "slack-" + g.slug, Title: "Slack of the bounds", style: style,
		Data: Table{Header: []string{"bound", "depth", "seed", "iteration", "value", "measured", "slack", "verdict", "reason"}},
	}
	p := panel{x: axis{label: "iteration $t$ + 1", whole: true, log: true, margin: 0.04}, y: axis{label: "slack: bound over measured", log: true, margin: 0.06}}
	var names []string
	marks := map[string]*mark{}
	for _, it := range r.proof.Iterates {
		for _, b := range it.Bounds {
			m, ok := marks[b.Name]
			if !ok {
				m = &mark{width: s.line, radius: 0.8 * s.marker, color: color.Black, shape: cross}
				if i := len(names); i < len(categories) {
					m.color, m.shape = categories[i].color, categories[i].shape
				}
				marks[b.Name], names = m, append(names, b.Name)
			}
			// What is missing is NaN and parts the line.
			m.x, m.y = append(m.x, float64(it.Iteration)+1), append(m.y, b.Slack)
			f.Data.Rows = append(f.Data.Rows, []string{
				b.Name, strconv.Itoa(r.Depth), strconv.FormatUint(r.Seed, 10), strconv.FormatInt(it.Iteration, 10),
				exact(b.Value), exact(b.Measured), exact(b.Slack), string(b.Verdict), b.Reason,
			})
		}
	}
	for _, name := range names {
		if m := marks[name]; slices.ContainsFunc(m.y, p.y.shows) {
			p.marks = append(p.marks, *m)
			f.legend = append(f.legend, entry{text: name, mark: m})
		}
	}
	if len(p.marks) == 0 {
		return nil
	}
	p.x.low, p.x.high = p.x.fit(p.marks, func(m mark) []float64 { return m.x })
	p.y.low, p.y.high = p.y.fit(p.marks, func(m mark) []float64 { return m.y })
	f.Caption = fmt.Sprintf("Slack of every bound that applies, at the iterations that were measured of the run at depth %d with seed %d: bound over measured quantity, "+
		"or the inverse for the lower bound pl-ratio; 1 is tight, a value below 1 would be a violation.", r.Depth, r.Seed)
	f.Alt = fmt.Sprintf("Lines of the slack of %d bounds against iteration on logarithmic axes.", len(p.marks))
	if c := r.proof.Certificate; c != nil {
		at := float64(c.Iteration) + 1
		issue := mark{x: []float64{at, at}, y: []float64{p.y.low, p.y.high}, color: color.Black, width: s.line, dashes: []vg.Length{3 * s.line, 2 * s.line}}
		p.marks = append(p.marks, issue)
		f.legend = append(f.legend, entry{text: fmt.Sprintf("certificate of convergence, $t$ = %d", c.Iteration), mark: &issue})
		f.Caption += fmt.Sprintf(" Dashed: iteration %d, from which on convergence to a global optimum is certain for steps up to %s.", c.Iteration, number(c.StepSize, 3))
		f.Alt += fmt.Sprintf(" A vertical line at iteration %d, where the certificate is issued.", c.Iteration)
	} else {
		f.Caption += " " + r.proof.Conclusion()
	}
	f.panels = [][]panel{{p}}
	return f
}

// sharpnessFigure draws the largest eigenvalue of the Hessian against 2/η, one pair of
// lines per run in the colour of its depth; nil when no run recorded it.
func sharpnessFigure(g group, style Style) *Figure {
	s, depths := style.sizes(), g.depths()
	f := &Figure{
		Name: "sharpness-" + g.slug, Title: "Sharpness and the edge of stability", style: style,
		Caption: "Solid: the largest eigenvalue of the Hessian ∇²J along the run. Dashed: 2/η, beyond which a step of gradient descent is unstable on a quadratic function.",
		Data:    Table{Header: []string{"depth", "seed", "iteration", "largest", "largest_residual", "smallest", "smallest_residual", "two_over_step_size"}},
	}
	p := panel{x: axis{label: "iteration $t$ + 1", whole: true, log: true, margin: 0.04}, y: axis{label: "largest eigenvalue, $2/η$", log: true, margin: 0.06}}
	var shown []int
	closest := math.Inf(1)
	for _, r := range g.runs {
		if r.proof == nil {
			continue
		}
		sharp := mark{color: depthColor(r.Depth, depths[0], depths[len(depths)-1]), width: s.line, radius: 0.8 * s.marker, shape: circle}
		edge := mark{color: sharp.color, width: s.line, dashes: []vg.Length{3 * s.line, 2 * s.line}}
		for _, c := range r.proof.Curvatures {
			if c.Hessian == nil {
				continue
			}
			limit := ""
			x := float64(c.Iteration) + 1
			sharp.x, sharp.y = append(sharp.x, x), append(sharp.y, c.Hessian.Largest)
			if c.StepSize != nil && *c.StepSize > 0 {
				edge.x, edge.y = append(edge.x, x), append(edge.y, 2 / *c.StepSize)
				limit = exact(2 / *c.StepSize)
				closest = min(closest, 2 / *c.StepSize / c.Hessian.Largest)
			}
			f.Data.Rows = append(f.Data.Rows, []string{
				strconv.Itoa(r.Depth), strconv.FormatUint(r.Seed, 10), strconv.FormatInt(c.Iteration, 10),
				exact(c.Hessian.Largest), exact(c.Hessian.LargestResidual), exact(c.Hessian.Smallest), exact(c.Hessian.SmallestResidual), limit,
			})
		}
		if len(sharp.x) > 0 {
			p.marks = append(p.marks, edge, sharp)
			if !slices.Contains(shown, r.Depth) {
				shown = append(shown, r.Depth)
			}
		}
	}
	if len(p.marks) == 0 {
		return nil
	}
	f.legend = append(depthLegend(analyze.Evenly(shown, 6), depths, s),
		entry{text: "largest eigenvalue", mark: &mark{color: color.Black, width: s.line, radius: 0.8 * s.marker, shape: circle}},
		entry{text: "$2/η$", mark: &mark{color: color.Black, width: s.line, dashes: []vg.Length{3 * s.line, 2 * s.line}}})
	f.Alt = fmt.Sprintf("Lines of the largest Hessian eigenvalue and of 2/η against iteration for %s.", depthText(shown))
	if !math.IsInf(closest, 0) {
		f.Caption += fmt.Sprintf(" The smallest ratio of 2/η to it is %s.", number(closest, 3))
	}
	f.panels = [][]panel{{p}}
	return f
}
