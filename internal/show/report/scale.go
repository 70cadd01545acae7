package report

import (
	"fmt"
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A quantity is drawn against depth, with its power law.
type quantity struct {
	column string // name in the data
	text   string // name in the legend, mathText
	points []depthValue
	slope  analyze.Slope
	fitted bool // whether slope was found
}

// quantityOf is the quantity with a key, of weights of that name, as a figure has it.
func quantityOf(key, part string) quantity {
	return quantity{column: key, text: analyze.QuantityOf(key, part).Symbol}
}

// fits reports whether the power law was fitted at a depth.
func (q quantity) fits(depth int) bool { return q.fitted && slices.Contains(q.slope.Depths, depth) }

// entered reports whether a point is one that the power law was fitted to.
func (q quantity) entered(v depthValue) bool {
	return v.counts && q.fits(v.depth) && slices.Contains(q.slope.Seeds, v.seed) && v.value > 0 && !math.IsInf(v.value, 0)
}

// A depthValue is one point of a quantity.
type depthValue struct {
	depth  int
	seed   uint64
	value  float64
	counts bool // whether it is that of a run with a usable result
}

// overRuns returns the values of the runs that have one.
func overRuns(g group, value func(analyze.Run) (float64, bool)) []depthValue {
	var points []depthValue
	for _, r := range g.runs {
		if v, ok := value(r.Run); ok {
			points = append(points, depthValue{r.Depth, r.Seed, v, r.trouble() == ""})
		}
	}
	return points
}

// normsFigure draws the norms of the trained weights against depth.
func normsFigure(g group, style Style) *Figure {
	if !g.measured() || len(g.depths()) < 2 {
		return nil
	}
	part := primaryPart(g)
	of := func(key string, value func(analyze.Run) float64) quantity {
		q := quantityOf(key, part)
		q.slope, q.fitted = g.Exponents[key], hasKey(g.Exponents, key)
		q.points = overRuns(g, func(r analyze.Run) (float64, bool) { return value(r), r.PVariation != nil })
		return q
	}
	second, name := of("displacement", func(r analyze.Run) float64 { return r.Displacement }), "the trained weights"
	if g.source == runfolder.FromDisplacement {
		second, name = of("root_sum_squares", func(r analyze.Run) float64 { return r.RootSumSquares }), "the displacement"
	}
	f := depthFigure(style, "norm of "+strings.Replace(name, "trained ", "", 1), g.depths(), []quantity{
		of("max_frobenius", func(r analyze.Run) float64 { return r.MaxFrobenius }),
		second,
		of("max_increment", func(r analyze.Run) float64 { return r.MaxIncrement }),
	})
	caption := fmt.Sprintf("Norms of %s %s against depth L, one marker per seed, with power laws fitted on "+
		"log–log axes: slope [95 %% interval].", name, part)
	if !g.Trained() {
		caption += fmt.Sprintf(" With α = %s a path with a scaling limit has norms of order L⁻ᵝ, β = 1 − α = %s.", unpadded(g.Alpha), unpadded(1-g.Alpha))
	}
	return f.describe("norms-"+g.slug, "Norms against depth", caption)
}

// variationFigure draws V_p of the rescaled path against depth for every p.
func variationFigure(g group, style Style) *Figure {
	if !g.measured() || len(g.depths()) < 2 {
		return nil
	}
	seen := map[string]bool{}
	for _, r := range g.runs {
		for p := range r.PVariation {
			seen[p] = true
		}
	}
	var quantities []quantity
	for _, p := range powers(seen) {
		slope, ok := g.VariationSlope[p]
		quantities = append(quantities, quantity{
			column: "V_" + p, text: fmt.Sprintf("$V_{%s}$", p), slope: slope, fitted: ok,
			points: overRuns(g, func(r analyze.Run) (float64, bool) { v, ok := r.PVariation[p]; return v, ok }),
		})
	}
	f := depthFigure(style, "$V_p$", g.depths(), quantities)
	return f.describe("variation-"+g.slug, "p-variation against depth",
		"p-variation Vₚ of the rescaled path Lᵝ"+primaryPart(g)+" (the sum, without the p-th root, in the Frobenius norm) against "+
			"depth L, one marker per seed, with power laws fitted on log–log axes: slope [95 % interval]. A slope of 0 means "+
			"that the variation neither grows nor falls with depth.")
}

// depthFigure draws quantities against some depths, each with its fit.
func depthFigure(style Style, label string, depths []int, quantities []quantity) *Figure {
	s := style.sizes()
	f := &Figure{style: style, Data: Table{Header: []string{"quantity", "depth", "seed", "value", "fitted_value", "log_residual", "in_fit", "fitted_low", "fitted_high"}}}
	p := panel{
		x: axis{label: "depth $L$", log: true, margin: 0.05, depths: depths},
		y: axis{label: label, log: true, margin: 0.06},
	}
	residuals := panel{x: p.x, y: axis{label: "log residual"}}
	var left, hidden int
	var tags []tag
	for i, q := range quantities {
		look := categories[i%len(categories)]
		points := mark{color: look.color, shape: look.shape, radius: s.marker}
		rest := points
		for _, v := range q.points {
			if math.IsNaN(v.value) {
				continue
			}
			fit, residual, low, high := "", "", "", ""
			if q.fits(v.depth) {
				fit = exact(powerLaw(q.slope, v.depth))
				if q.slope.Estimate().Known() {
					from, to := q.slope.Band(float64(v.depth))
					low, high = exact(from), exact(to)
				}
				if p.y.shows(v.value) {
					residual = exact(logResidual(q.slope, v))
				}
			}
			f.Data.Rows = append(f.Data.Rows, []string{
				q.column, strconv.Itoa(v.depth), strconv.FormatUint(v.seed, 10), exact(v.value), fit, residual, strconv.FormatBool(q.entered(v)), low, high,
			})
			switch {
			case !v.counts:
				left++
			case !p.y.shows(v.value):
				hidden++
			default:
				points.x, points.y = append(points.x, float64(v.depth)), append(points.y, v.value)
				if q.fits(v.depth) {
					rest.x, rest.y = append(rest.x, float64(v.depth)), append(rest.y, logResidual(q.slope, v))
				}
			}
		}
		sample := points
		text := q.text
		if q.fitted {
			span := q.depths(depths)
			p.marks = append(p.marks, fitLine(q.slope, span, look.color, s))
			if q.slope.Estimate().Known() {
				p.bands = append(p.bands, fitBand(q.slope, span, look.color))
			}
			sample.width = s.line
			tags = append(tags, tag{powerLaw(q.slope, span[1]), q.text, look.color})
			text += ": slope " + typeset(q.slope.String())
		}
		p.marks = append(p.marks, points)
		if q.fitted {
			residuals.marks = append(residuals.marks, rest)
		}
		f.legend = append(f.legend, entry{text: text, mark: &sample})
		f.Alt += fmt.Sprintf("%s %s; ", q.column, alt(q))
	}
	f.Alt = "Log–log plot over " + depthText(depths) + ". " + f.Alt
	if hidden > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("%d values are zero or not finite and have no place on logarithmic axes; the CSV file holds them.", hidden))
	}
	if left > 0 {
		f.Notes = append(f.Notes, "Runs without a usable result are left out of the drawing; the CSV file holds their values.")
	}
	outline(p.bands)
	f.addTags(&p, tags)
	f.panels = [][]panel{{p}}
	if residuals.marks != nil {
		f.addResiduals(residuals, s)
	}
	return f
}

// addResiduals puts residuals below the panel of fits, on an axis with zero in its middle.
func (f *Figure) addResiduals(p panel, s sizes) {
	const least = 1e-3 // a line through two points leaves residuals of rounding alone
	reach := least
	for _, m := range p.marks {
		for _, v := range m.y {
			reach = max(reach, 1.15*math.Abs(v))
		}
	}
	upper := &f.panels[0][0]
	low, high := upper.x.fit(upper.marks, func(m mark) []float64 { return m.x })
	p.x.low, p.x.high, p.y.low, p.y.high = low, high, -reach, reach
	p.marks = append([]mark{zeroLine(low, high, s)}, p.marks...)
	upper.x.bare = true
	f.panels, f.residuals = append(f.panels, []panel{p}), true
}

// describe names a figure of quantities against depth.
func (f *Figure) describe(name, title, caption string) *Figure {
	f.Name, f.Title, f.Caption = name, title, caption
	if f.panels[0][0].bands != nil {
		f.Caption += " Shaded, or between thin lines where they overlap: 95 % intervals of the fits."
	}
	if f.residuals {
		f.Caption += " Below: what the fits leave, log of value over fit."
	}
	return f
}

// fitBand returns the interval of a power law over the depths of its line.
func fitBand(slope analyze.Slope, depths []int, c color.NRGBA) band {
	const steps = 48
	b := band{color: color.NRGBA{c.R, c.G, c.B, 0x2e}}
	first, last := math.Log(float64(depths[0])), math.Log(float64(depths[len(depths)-1]))
	for i := range steps + 1 {
		x := math.Exp(first + (last-first)*float64(i)/steps)
		low, high := slope.Band(x)
		b.x, b.low, b.high = append(b.x, x), append(b.low, low), append(b.high, high)
	}
	return b
}

// logResidual returns log y − Intercept − Slope · log L.
func logResidual(s analyze.Slope, v depthValue) float64 {
	return math.Log(v.value) - s.Intercept - s.Slope*math.Log(float64(v.depth))
}

// depths returns the first and the last that the fit of a quantity spans, those of the
// figure's depths where it has no points.
func (q quantity) depths(all []int) []int {
	low, high := math.MaxInt, 0
	for _, p := range q.points {
		if p.counts && q.fits(p.depth) {
			low, high = min(low, p.depth), max(high, p.depth)
		}
	}
	if high == 0 {
		return all
	}
	return []int{low, high}
}

func hasKey[V any](m map[string]V, key string) bool { _, ok := m[key]; return ok }

func alt(q quantity) string {
	if !q.fitted {
		return "without a fit"
	}
	return "has slope " + typeset(q.slope.String())
}

// powerLaw returns exp(intercept) · L^slope.
func powerLaw(s analyze.Slope, depth int) float64 {
	return math.Exp(s.Intercept + s.Slope*math.Log(float64(depth)))
}

// fitLine draws a power law over the depths of a group.
func fitLine(slope analyze.Slope, depths []int, c color.Color, s sizes) mark {
	m := mark{color: c, width: s.line}
	for _, depth := range []int{depths[0], depths[len(depths)-1]} {
		m.x = append(m.x, float64(depth))
		m.y = append(m.y, powerLaw(slope, depth))
	}
	return m
}

// primaryPart names the weights that a group's numbers are of.
func primaryPart(g group) string {
	if g.source == runfolder.FromDisplacement {
		return analyze.Displaced
	}
	if g.Block == "mlp" {
		return "V"
	}
	return "A"
}
