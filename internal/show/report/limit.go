package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/scaling"
)

// regimeFigure draws statistics of increments over the window of depths.
func regimeFigure(g group, style Style) *Figure {
	if g.Regime == nil || g.Regime.Evidence.MaxIncrement.Method == "" {
		return nil
	}
	e := g.Regime.Evidence
	of := func(key string, s scaling.Slope, value func(r analyze.Run) float64) quantity {
		q := quantityOf(key, primaryPart(g))
		q.slope, q.fitted = s, s.Method != ""
		q.points = overRuns(g, func(r analyze.Run) (float64, bool) { return value(r), r.PVariation != nil && r.Depth > 1 })
		return q
	}
	// As in scaling.Increments: increments of the rescaled path, sums times L/(L−1).
	rescaled := func(r analyze.Run) float64 { return r.MaxIncrement * math.Pow(float64(r.Depth), 1-g.Alpha) }
	mean := func(r analyze.Run) float64 { return r.QuadraticVariation / float64(r.Depth-1) }
	f := depthFigure(style, "statistic of increments", g.depths(), []quantity{
		of("rescaled_increment", e.MaxIncrement, rescaled),
		of("mean_increment", e.Variation, func(r analyze.Run) float64 {
			v, ok := r.PVariation["1"]
			if !ok {
				return math.NaN()
			}
			return v * float64(r.Depth) / float64(r.Depth-1)
		}),
		of("mean_square", e.QuadraticVariation, func(r analyze.Run) float64 { return mean(r) * float64(r.Depth) }),
		of("peak", e.Peak, func(r analyze.Run) float64 { return rescaled(r) * rescaled(r) / mean(r) }),
	})
	return f.describe("regime-"+g.slug, "Increments of the rescaled path",
		"Increments of the rescaled path Ā = Lᵝ"+primaryPart(g)+" against depth L, one marker per seed, with power laws over these depths: slope "+
			"[95 % interval]. The largest increment of a continuous limit vanishes; the mean increment times L of a smooth one stays. The limit is "+
			verdictText(g.Regime)+": "+g.Regime.Why+".")
}

// verdictText writes a verdict, or that there is none.
func verdictText(r *analyze.Regime) string { return cmp.Or(string(r.Verdict), "not settled") }

// distanceFigure draws how far the paths of consecutive depths are apart.
func distanceFigure(g group, style Style) *Figure {
	if g.Limit == nil {
		return nil
	}
	integral := quantityOf("integral", primaryPart(g))
	displacement := quantityOf("displacement_distance", primaryPart(g))
	var depths []int
	for _, d := range g.Limit.Distances {
		depths = append(depths, d.Depth)
		integral.points = append(integral.points, depthValue{d.Depth, d.Seed, d.Integral, true})
		if d.Displacement != nil {
			displacement.points = append(displacement.points, depthValue{d.Depth, d.Seed, *d.Displacement, true})
		}
	}
	slices.Sort(depths)
	quantities := []quantity{integral.fit(g.Limit.Integral)}
	if len(displacement.points) > 0 {
		quantities = append(quantities, displacement.fit(g.Limit.Displacement))
	}
	f := depthFigure(style, "distance to the next depth", slices.Compact(depths), quantities)
	caption := "Distance between the rescaled paths Ā = Lᵝ" + primaryPart(g) + " of one seed at depth L and at the next depth of the study, and between " +
		"their displacements by descent, against the smaller depth; one marker per seed. "
	if g.Coupled {
		caption += "All depths of a seed start from one path, so the weights have a limit if the distances fall; the slope is minus the rate."
	} else {
		caption += "Every depth starts from initial weights of its own, so no rate of convergence is fitted."
	}
	return f.describe("distance-"+g.slug, "Distance between consecutive depths", caption)
}

// deepestFigure draws how far the paths are from that of the deepest run, for every part.
func deepestFigure(g group, style Style) *Figure {
	var depths []int
	var quantities []quantity
	for _, part := range slices.Sorted(maps.Keys(g.Parts)) {
		limit := g.Parts[part].Limit
		if limit == nil || len(limit.Deepest) == 0 {
			continue
		}
		q := quantityOf("to_deepest", part)
		q.column += "_" + part
		for _, d := range limit.Deepest {
			depths = append(depths, d.Depth)
			q.points = append(q.points, depthValue{d.Depth, d.Seed, d.L2, true})
		}
		quantities = append(quantities, q.fit(limit.ToDeepest))
	}
	if len(quantities) == 0 {
		return nil
	}
	slices.Sort(depths)
	f := depthFigure(style, "distance to the deepest run", slices.Compact(depths), quantities)
	return f.describe("deepest-"+g.slug, "Distance to the deepest run",
		fmt.Sprintf("Distance in L² over the layer index between the rescaled weights of one seed at depth L and at depth %d, the deepest of the study; one "+
			"marker per seed. Power laws, fitted up to an eighth of that depth: slope [95 %% interval].", slices.Max(g.depths())))
}

// fit returns the quantity with its power law, if it has one.
func (q quantity) fit(s *analyze.Slope) quantity {
	if s != nil {
		q.slope, q.fitted = *s, true
	}
	return q
}

// transferFigure draws the losses of networks that were rebuilt from the limit.
func transferFigure(g group, style Style) *Figure {
	if g.Transfer == nil || len(g.Transfer.Losses) == 0 {
		return nil
	}
	// The columns are named after the excess: result and JSON have the losses themselves.
	trend := quantityOf("excess_trend", "")
	redrawn := quantityOf("excess_redrawn", "")
	own := quantityOf("excess_trend_only", "")
	var depths []int
	for _, l := range g.Transfer.Losses {
		depths = append(depths, l.Depth)
		at := func(loss *float64) []depthValue {
			if loss == nil {
				return nil
			}
			return []depthValue{{l.Depth, l.Seed, *loss - l.Trained, true}}
		}
		trend.points = append(trend.points, at(l.Trend)...)
		redrawn.points = append(redrawn.points, at(l.Redrawn)...)
	}
	own.points = overRuns(g, func(r analyze.Run) (float64, bool) {
		if r.TrendLoss == nil {
			return 0, false
		}
		return *r.TrendLoss - r.Loss, true
	})
	for _, p := range own.points {
		depths = append(depths, p.depth)
	}
	slices.Sort(depths)
	quantities := []quantity{trend.fit(g.Transfer.Trend)}
	if len(redrawn.points) > 0 {
		quantities = append(quantities, redrawn.fit(g.Transfer.Redrawn))
	}
	quantities = append(quantities, own.fit(g.Transfer.TrendOnly))
	f := depthFigure(style, "excess loss", slices.Compact(depths), quantities)
	return f.describe("transfer-"+g.slug, "Depth transfer",
		fmt.Sprintf("Loss, above that of the trained run, of networks that were rebuilt at other depths and not trained: from the limit of the "+
			"smooth trend of Lᵝ%[1]s, and from the limit of the displacement on initial weights drawn at that depth. The limit comes from the two deepest runs of each "+
			"seed. Triangles: the trained run with its layer noise taken out. Power laws: slope [95 %% interval].", primaryPart(g)))
}
