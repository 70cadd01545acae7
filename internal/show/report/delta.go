package report

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// deltaFigure draws the trained residual scale of every layer against k/L, depths overlaid, of one seed; nil where no layer
// has one of its own.
func deltaFigure(g group, style Style) *Figure {
	s, depths := style.sizes(), g.depths()
	f := &Figure{
		Name: "delta-" + g.slug, Title: "Trained residual scale against layer", style: style,
		Data: Table{Header: []string{"depth", "seed", "k", "k_over_L", "delta"}},
	}
	p := panel{x: axis{label: "layer $k/L$", low: 0, high: 1}, y: axis{label: "$δ_k$", margin: 0.05}}
	var shown []int
	var seed uint64
	for _, r := range g.runs {
		if r.trouble() != "" || len(r.Delta) < 2 || len(r.Delta) != r.Depth {
			continue
		}
		at := layers(r.Depth)
		for k, delta := range r.Delta {
			f.Data.Rows = append(f.Data.Rows, []string{strconv.Itoa(r.Depth), strconv.FormatUint(r.Seed, 10), strconv.Itoa(k + 1), exact(at[k]), exact(delta)})
		}
		if slices.Contains(shown, r.Depth) { // by depth, then seed
			continue
		}
		if len(shown) == 0 {
			seed = r.Seed
		}
		shown = append(shown, r.Depth)
		p.marks = append(p.marks, mark{x: at, y: r.Delta, width: s.line, color: depthColor(r.Depth, depths[0], depths[len(depths)-1])})
	}
	if len(shown) == 0 {
		return nil
	}
	f.panels, f.legend = [][]panel{{p}}, depthLegend(analyze.Evenly(shown, 12), depths, s)
	f.Caption = fmt.Sprintf("Trained residual scale δₖ at the end of training against k/L, depths overlaid, seed %d; the CSV file holds all seeds.", seed)
	f.Alt = fmt.Sprintf("Curves of the trained residual scale against layer, depths %v overlaid.", shown)
	return f
}

// deltaDepthFigure draws the size of a trained residual scale against depth, with its power law; nil with fewer than two depths.
func deltaDepthFigure(g group, style Style) *Figure {
	of := func(key string, value func(analyze.Run) (float64, bool)) quantity {
		q := quantityOf(key, primaryPart(g))
		q.slope, q.fitted = g.Exponents[key], hasKey(g.Exponents, key)
		q.points = overRuns(g, value)
		return q
	}
	mean := of("delta", func(r analyze.Run) (float64, bool) {
		if r.MeanDelta == nil {
			return 0, false
		}
		return *r.MeanDelta, true
	})
	if !severalDepths(mean.points) {
		return nil
	}
	largest := of("delta_max_frobenius", func(r analyze.Run) (float64, bool) { return r.DeltaMaxFrobenius, r.MeanDelta != nil })
	f := depthFigure(style, "trained residual scale", g.depths(), []quantity{mean, largest})
	return f.describe("delta-depth-"+g.slug, "Trained residual scale against depth",
		"Mean over layers of the trained residual scale |δₖ|, and the largest norm of a layer times its own, against depth L, one marker per seed, with power laws fitted on log–log axes: slope [95 % interval].")
}

// severalDepths reports whether points are at two depths or more.
func severalDepths(points []depthValue) bool {
	return slices.ContainsFunc(points, func(v depthValue) bool { return v.depth != points[0].depth })
}
