package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/gonum/floats"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// shownIterations is how many iterations the figure of loss against depth has.
const shownIterations = 7

// lossDepthFigure draws the loss against depth at a few iterations that every run
// recorded, spread evenly on a log scale; nil with fewer than two depths.
func lossDepthFigure(g group, style Style) *Figure {
	s := style.sizes()
	var runs []run
	for _, r := range g.runs {
		if r.trouble() == "" && len(r.loss) > 0 {
			runs = append(runs, r)
		}
	}
	depths := group{runs: runs}.depths()
	if len(depths) < 2 {
		return nil
	}
	f := &Figure{
		Name: "loss-depth-" + g.slug, Title: "Loss against depth at fixed iterations", style: style,
		Caption: "Loss J against depth L after a fixed number of iterations t, one marker per seed, joined at the geometric mean over seeds. Where the lines are level, " +
			"depth does not slow the descent down. Iterations are evenly spread on a log scale over those that every run made.",
		Data: Table{Header: []string{"iteration", "depth", "seed", "loss"}},
	}
	p := panel{
		x: axis{label: "depth $L$", log: true, margin: 0.05, depths: depths},
		y: axis{label: "loss $J(t)$", log: true, margin: 0.06},
	}
	chosen := logSpread(commonIterations(runs), shownIterations)
	hidden := 0
	var tags []tag
	for i, t := range chosen {
		at := 0.0
		if len(chosen) > 1 {
			at = float64(i) / float64(len(chosen)-1)
		}
		// Dark is late; the lightest colours of the map are too light for a line.
		look := ramp(viridis, 0.85*(1-at))
		points := mark{color: look, shape: categories[i%len(categories)].shape, radius: s.marker}
		line := mark{color: look, width: s.line}
		for _, depth := range depths {
			sum, n := 0.0, 0
			for _, r := range runs {
				if r.Depth != depth {
					continue
				}
				loss := r.loss[slices.Index(r.iteration, t)]
				f.Data.Rows = append(f.Data.Rows, []string{exact(t), strconv.Itoa(depth), strconv.FormatUint(r.Seed, 10), exact(loss)})
				if !p.y.shows(loss) {
					hidden++
					continue
				}
				points.x, points.y = append(points.x, float64(depth)), append(points.y, loss)
				sum, n = sum+math.Log(loss), n+1
			}
			if n > 0 {
				line.x, line.y = append(line.x, float64(depth)), append(line.y, math.Exp(sum/float64(n)))
			}
		}
		p.marks = append(p.marks, line, points)
		sample, text := points, exact(t)
		sample.width = s.line
		if i == 0 {
			text = "$t$ = " + text
		}
		f.legend = append(f.legend, entry{text: text, mark: &sample})
		if n := len(line.y); n > 0 {
			tags = append(tags, tag{line.y[n-1], text, look})
		}
	}
	if f.addTags(&p, tags); p.tags != nil {
		f.legend = nil
	}
	f.panels = [][]panel{{p}}
	f.Alt = fmt.Sprintf("Lines of the loss against %s on logarithmic axes, at %s.", depthText(depths), plain.Count(len(chosen), "iteration"))
	if hidden > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("%d losses are zero or not finite and have no place on a logarithmic axis; the CSV file holds them.", hidden))
	}
	return f
}

// commonIterations returns the iterations at which every run recorded its loss.
func commonIterations(runs []run) []float64 {
	count := map[float64]int{}
	for _, r := range runs {
		for _, t := range r.iteration {
			count[t]++
		}
	}
	var out []float64
	for t, n := range count {
		if n == len(runs) {
			out = append(out, t)
		}
	}
	slices.Sort(out)
	return out
}

// logSpread returns at most n of the values ≥ 0, in order: the first, the last, and those
// nearest to even steps of log(1 + value) between them.
func logSpread(values []float64, n int) []float64 {
	if len(values) <= n {
		return values
	}
	low, high := math.Log1p(values[0]), math.Log1p(values[len(values)-1])
	var out []float64
	for i := range n {
		target := low + (high-low)*float64(i)/float64(n-1)
		best := slices.MinFunc(values, func(a, b float64) int {
			if d, e := math.Abs(math.Log1p(a)-target), math.Abs(math.Log1p(b)-target); d != e {
				return int(math.Copysign(1, d-e))
			}
			return 0
		})
		out = append(out, best)
	}
	return slices.Compact(out)
}

// variationTrainingFigure draws V_p of the path against iteration for those of p = 1, 2 and
// 3 that were recorded; nil when none was.
func variationTrainingFigure(g group, style Style) *Figure {
	x := axis{label: "iteration $t$"}
	x.low, x.high = iterationRange(g.runs)
	f := g.variationAlong(style, x, func(c series) []float64 { return c.x })
	if f == nil {
		return nil
	}
	caption := fmt.Sprintf("p-variation Vₚ of the rescaled path Lᵝ%s (the sum, without the p-th root) against iteration t, one line per run.", primaryPart(g))
	if g.source == "" {
		caption += " What descent adds is smooth in the layer index, so that for p of 2 and more Vₚ hardly moves from its value at initialisation where " +
			"the noise of the initial weights makes it."
	}
	return f.describe("variation-training-"+g.slug, "p-variation along training", caption)
}

// variationLossFigure draws V_p against the loss along training, for runs at equal loss; nil when none was recorded.
func variationLossFigure(g group, style Style) *Figure {
	f := g.variationAlong(style, axis{label: "loss $J(t)$", log: true, margin: 0.03}, func(c series) []float64 { return c.loss })
	if f == nil {
		return nil
	}
	return f.describe("variation-loss-"+g.slug, "p-variation against the loss along training",
		fmt.Sprintf("p-variation Vₚ of the rescaled path Lᵝ%s (the sum, without the p-th root) against the loss J at the same iterate, one line per run: training "+
			"goes from right to left, and runs are compared at equal loss on a vertical line.", primaryPart(g)))
}

// variationAlong draws V_1, V_2 and V_3 of every run, as far as they were recorded, over what at returns of a curve; nil
// without any.
func (g group) variationAlong(style Style, x axis, at func(series) []float64) *Figure {
	s, depths := style.sizes(), g.depths()
	f := &Figure{style: style, Data: Table{Header: []string{"p", "depth", "seed", "iteration", "loss", "value"}}}
	var shown []int
	var row []panel
	names := ""
	for _, name := range []string{"1", "2", "3"} {
		p := panel{x: x, y: axis{label: "$V_" + name + "$", log: true, margin: 0.06}}
		for _, r := range g.runs {
			curve, ok := g.along(r, name)
			if !ok {
				continue
			}
			p.marks = append(p.marks, mark{x: at(curve), y: curve.y, width: s.line, color: depthColor(r.Depth, depths[0], depths[len(depths)-1])})
			if !slices.Contains(shown, r.Depth) {
				shown = append(shown, r.Depth)
			}
			for i := range curve.x {
				f.Data.Rows = append(f.Data.Rows, []string{
					name, strconv.Itoa(r.Depth), strconv.FormatUint(r.Seed, 10), exact(curve.x[i]), blank(curve.loss[i]), exact(curve.y[i]),
				})
			}
		}
		if len(p.marks) > 0 {
			row = append(row, p)
			names += " V_" + name
		}
	}
	if len(row) == 0 {
		return nil
	}
	f.wide = len(row) > 1
	f.panels, f.legend = [][]panel{row}, depthLegend(analyze.Evenly(shown, 8), depths, s)
	f.Alt = fmt.Sprintf("%s along training,%s, for %s.", plain.Count(len(row), "panel"), names, depthText(shown))
	return f
}

// A series is a quantity of a run over its iterations, with the losses there.
type series struct{ x, y, loss []float64 }

func seriesOf(curves map[string]analyze.Curve) map[string]series {
	out := map[string]series{}
	for name, c := range curves {
		out[name] = series{c.Iterations, c.Values, c.Losses}
	}
	return out
}

// heatColumns is the largest number of cells that a heat map has over the layers; the
// norms of deeper networks are averaged.
const heatColumns = 128

// normsTrainingFigure draws L^β ‖A_k(t)‖_F over layer and iteration, for the shallowest,
// a middle and the deepest network of one seed; nil when no run recorded norms.
func normsTrainingFigure(g group, style Style) *Figure {
	var curves []pathCurve
	for _, c := range g.paths {
		if c.norms != nil && len(c.norms.Iterations) > 0 {
			curves = append(curves, c)
		}
	}
	if len(curves) == 0 {
		return nil
	}
	if n := len(curves); n > 3 {
		curves = []pathCurve{curves[0], curves[n/2], curves[n-1]}
	}
	part := curves[0].part
	f := &Figure{
		Name: "norms-training-" + g.slug, Title: "Norms of the layers along training", style: style, wide: len(curves) > 1,
		Data: Table{Header: []string{"depth", "seed", "iteration", "k", "k_over_L", "rescaled_norm"}},
	}
	var row []panel
	var all, depths []float64
	last := 0.0
	for _, c := range curves {
		h := c.heat()
		row = append(row, panel{
			title: fmt.Sprintf("$L$ = %d", c.depth),
			x:     axis{label: "layer $k/L$", low: 0, high: 1}, y: axis{label: "iteration $t$ + 1", whole: true, log: true}, heat: h,
		})
		last = max(last, h.y[len(h.y)-1])
		depths = append(depths, float64(c.depth))
		for _, values := range h.values {
			all = append(all, values...)
		}
		norms := c.norms.Parts[part].Frobenius
		for i, t := range c.norms.Iterations {
			for k := range c.depth {
				f.Data.Rows = append(f.Data.Rows, []string{
					strconv.Itoa(c.depth), strconv.FormatUint(c.seed, 10), strconv.FormatInt(t, 10), strconv.Itoa(k + 1),
					exact(float64(k+1) / float64(c.depth)), exact(c.factor * norms[i*c.depth+k]),
				})
			}
		}
	}
	scale := newColorScale(fmt.Sprintf("$L^β‖%s_k(t)‖_F$", part), all, false)
	for i := range row {
		row[i].heat.scale = scale
		row[i].y.low, row[i].y.high = row[i].heat.y[0], last
		row[i].y.bare = i > 0
	}
	f.panels, f.bar = [][]panel{row}, &scale
	f.Caption = fmt.Sprintf("Rescaled norm Lᵝ‖%sₖ(t)‖ (Frobenius) of every layer along training, seed %d; the scale of colours is one for all depths. ", part, curves[0].seed)
	if floats.Max(depths) > heatColumns {
		f.Caption += fmt.Sprintf("Where a network has more than %d layers, a cell is the mean of neighbours; the CSV file holds all. ", heatColumns)
	}
	f.Caption += "Between recorded iterations a cell reaches halfway on the log scale."
	f.Alt = fmt.Sprintf("Heat maps over layer and iteration, from %s to %s, at depths %v.", number(scale.low, 3), number(scale.high, 3), depths)
	return f
}

// heat returns the rescaled norms of a curve as cells over k/L and t + 1.
func (c pathCurve) heat() *heat {
	h := &heat{}
	n := min(c.depth, heatColumns)
	for i := range n + 1 {
		h.x = append(h.x, float64(i*c.depth/n)/float64(c.depth))
	}
	ts := make([]float64, len(c.norms.Iterations))
	for i, t := range c.norms.Iterations {
		ts[i] = float64(t) + 1
	}
	h.y = logEdges(ts)
	norms := c.norms.Parts[c.part].Frobenius
	for i := range ts {
		row := norms[i*c.depth : (i+1)*c.depth]
		values := make([]float64, n)
		for j := range values {
			from, to := j*c.depth/n, (j+1)*c.depth/n
			values[j] = c.factor * floats.Sum(row[from:to]) / float64(to-from)
		}
		h.values = append(h.values, values)
	}
	return h
}

// logEdges returns the edges of cells around increasing places > 0, halfway between them
// on a log scale.
func logEdges(places []float64) []float64 {
	n := len(places)
	if n == 1 {
		return []float64{places[0] / 1.5, places[0] * 1.5}
	}
	edges := []float64{places[0] / math.Sqrt(places[1]/places[0])}
	for i := 1; i < n; i++ {
		edges = append(edges, math.Sqrt(places[i-1]*places[i]))
	}
	return append(edges, places[n-1]*math.Sqrt(places[n-1]/places[n-2]))
}

// zeroLine draws the level 0 of an axis of residuals.
func zeroLine(low, high float64, s sizes) mark {
	return mark{x: []float64{low, high}, y: []float64{0, 0}, color: color.Gray{0x80}, width: s.thin}
}
