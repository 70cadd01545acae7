package report

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"github.com/deeplimit/deeplimit/analyze"
)

// A quantity is a number per run that is drawn against depth, with its power law.
type quantity struct {
	column string // name in the data
	text   string // name in the legend, mathText
	value  func(analyze.Run) (float64, bool)
	slope  analyze.Slope
	fitted bool // whether slope was found
}

// normsFigure draws the norms of the trained weights against depth.
func normsFigure(g group, style Style) *Figure {
	part := primaryPart(g)
	of := func(column, text string, value func(analyze.Run) float64) quantity {
		slope, ok := g.Exponents[column]
		return quantity{
			column: column, text: text, slope: slope, fitted: ok,
			value: func(r analyze.Run) (float64, bool) { return value(r), r.PVariation != nil },
		}
	}
	f := depthFigure(g, style, "norm of the weights", []quantity{
		of("max_frobenius", fmt.Sprintf("max$_k ‖%s_k‖_F$", part), func(r analyze.Run) float64 { return r.MaxFrobenius }),
		of("displacement", fmt.Sprintf("max$_k ‖%[1]s_k(T) − %[1]s_k(0)‖_F$", part), func(r analyze.Run) float64 { return r.Displacement }),
		of("max_increment", fmt.Sprintf("max$_k ‖%[1]s_{k+1} − %[1]s_k‖_F$", part), func(r analyze.Run) float64 { return r.MaxIncrement }),
	})
	f.Name = "norms-" + g.slug
	f.Title = "Norms against depth"
	f.Caption = fmt.Sprintf("Norms of the trained weights %s against depth L, one marker per seed, with power laws fitted on "+
		"log–log axes: slope [95 %% interval]. With α = %s a path with a scaling limit has norms of order L⁻ᵝ, β = 1 − α = %s.",
		part, plain(g.Alpha), plain(1-g.Alpha))
	return f
}

// variationFigure draws V_p of the rescaled path against depth for every p.
func variationFigure(g group, style Style) *Figure {
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
			value: func(r analyze.Run) (float64, bool) { v, ok := r.PVariation[p]; return v, ok },
		})
	}
	f := depthFigure(g, style, "$V_p$", quantities)
	f.Name = "variation-" + g.slug
	f.Title = "p-variation against depth"
	f.Caption = "p-variation Vₚ of the rescaled path Lᵝ" + primaryPart(g) + " (the sum, without the p-th root, in the Frobenius norm) against " +
		"depth L, one marker per seed, with power laws fitted on log–log axes: slope [95 % interval]. A slope of 0 means " +
		"that the variation stays bounded as depth grows."
	return f
}

// depthFigure draws quantities against depth, each with its fit.
func depthFigure(g group, style Style, label string, quantities []quantity) *Figure {
	s := style.sizes()
	depths := g.depths()
	f := &Figure{style: style, Data: Table{Header: []string{"quantity", "depth", "seed", "value", "fitted_value", "in_fit"}}}
	p := panel{
		x: axis{label: "depth $L$", log: true, margin: 0.05, depths: depths},
		y: axis{label: label, log: true, margin: 0.06},
	}
	var left, hidden int
	for i, q := range quantities {
		look := categories[i%len(categories)]
		points := mark{color: look.color, shape: look.shape, radius: s.marker}
		for _, r := range g.runs {
			v, ok := q.value(r.Run)
			if !ok || math.IsNaN(v) {
				continue
			}
			counts := r.trouble() == ""
			fit := ""
			if q.fitted {
				fit = exact(powerLaw(q.slope, r.Depth))
			}
			f.Data.Rows = append(f.Data.Rows, []string{
				q.column, strconv.Itoa(r.Depth), strconv.FormatUint(r.Seed, 10), exact(v), fit, strconv.FormatBool(counts),
			})
			switch {
			case !counts:
				left++
			case !p.y.shows(v):
				hidden++
			default:
				points.x, points.y = append(points.x, float64(r.Depth)), append(points.y, v)
			}
		}
		sample := points
		text := q.text
		if q.fitted {
			line := fitLine(q.slope, depths, look.color, s)
			p.marks = append(p.marks, line)
			sample.width = s.line
			text += ": slope " + slopeInterval(q.slope).String()
		}
		p.marks = append(p.marks, points)
		f.legend = append(f.legend, entry{text: text, mark: &sample})
		f.Alt += fmt.Sprintf("%s %s; ", q.column, alt(q))
	}
	f.Alt = "Log–log plot against depth " + depthText(depths) + ". " + f.Alt
	if hidden > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("%d values are zero or not finite and have no place on logarithmic axes; the CSV file holds them.", hidden))
	}
	if left > 0 {
		f.Notes = append(f.Notes, "Runs that did not finish are left out of the drawing; the CSV file holds their values.")
	}
	f.panels = [][]panel{{p}}
	return f
}

func alt(q quantity) string {
	if !q.fitted {
		return "without a fit"
	}
	return "has slope " + slopeInterval(q.slope).String()
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
	if g.Block == "mlp" {
		return "V"
	}
	return "A"
}
