package report

import (
	"fmt"
	"html/template"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/analyze"
	"github.com/deeplimit/deeplimit/scaling"
)

// A limitView is what the page says about the limit of one part of the weights.
type limitView struct {
	Part             string // named when a block has several
	Index            string
	IndexWarning     string
	Verdict, Reason  string
	Warning          string
	Evidence         []law
	Distances        []distanceView
	Integral, Moved  string // exponents of the two distances, "" when there are none
	DistanceWarnings []string
}

// A distanceView is a row of the table of distances, means over seeds.
type distanceView struct{ Depths, Integral, Displacement string }

// A transferView is the table of rebuilt networks.
type transferView struct {
	Rows []transferRow
	Laws []law
}

type transferRow struct{ Depth, Seed, Sources, Trained, Trend, Redrawn string }

// limitViews returns one view for each part that has something to say.
func limitViews(g group) []limitView {
	var views []limitView
	for _, part := range slices.Sorted(maps.Keys(g.Parts)) {
		path := g.Parts[part]
		if path.VariationIndex == nil && path.Regime == nil && path.Limit == nil {
			continue
		}
		var v limitView
		if len(g.Parts) > 1 {
			v.Part = part
		}
		if x := path.VariationIndex; x != nil {
			v.Index, v.IndexWarning = indexText(x), x.Warning
		}
		if r := path.Regime; r != nil {
			v.Verdict, v.Reason, v.Warning = string(r.Verdict), r.Reason, r.Warning
			v.Evidence = evidenceLaws(r.Evidence)
		}
		if path.Limit != nil {
			v.Distances = distanceViews(path.Limit)
			for _, f := range []struct {
				text  *string
				slope *analyze.Slope
			}{{&v.Integral, path.Limit.Integral}, {&v.Moved, path.Limit.Displacement}} {
				if f.slope == nil {
					continue
				}
				*f.text = slopeInterval(*f.slope).String()
				if w := f.slope.Warning; w != "" && !slices.Contains(v.DistanceWarnings, w) {
					v.DistanceWarnings = append(v.DistanceWarnings, w)
				}
			}
		}
		views = append(views, v)
	}
	return views
}

// evidenceLaws lists the statistics behind a verdict, each with the limit that
// scaling.Regime holds it to.
func evidenceLaws(e scaling.Evidence) []law {
	var laws []law
	slope := func(name template.HTML, s scaling.Slope, reading string) {
		if s.Method == "" {
			return
		}
		i := slopeInterval(analyze.NewSlope(s))
		laws = append(laws, law{Quantity: name, Slope: i.Value(), Interval: i.Range(), Reading: reading})
	}
	plain := func(name template.HTML, value, reading string) {
		laws = append(laws, law{Quantity: name, Slope: value, Reading: reading})
	}
	slope("slope of the largest increment", e.MaxIncrement, "below −0.1: the limit is continuous")
	slope("slope of max/mean of squared increments", e.Peak, "below 0.5: no increment dominates")
	slope("slope of <i>V</i><sub>1</sub>, per step", e.Variation, "below 0.1: smooth")
	slope("slope of the quadratic variation, per step", e.QuadraticVariation, "0 when steps shrink like 1/√L")
	plain("growth of second differences with the lag", twoDecimals(e.Accumulation), "below 0.1: independent layer noise; 2: smooth")
	slope("slope of the noise’s quadratic variation", e.NoiseVariation, "within ±0.15: it stays")
	plain("correlation of neighbouring layers’ noise", twoDecimals(e.ResidualCorrelation), "deepest runs")
	plain("largest partial sum of the noise", twoDecimals(e.CumulativeSum), "deepest runs; about 1 or less for independent layers")
	plain("size of the trend about its mean", cell(e.TrendSize, 3), "deepest runs, root mean square over layers")
	plain("size of the noise", cell(e.NoiseSize, 3), "deepest runs, root mean square over layers")
	return laws
}

// twoDecimals writes v, or none where it is not finite.
func twoDecimals(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return none
	}
	return decimal(v, 2)
}

// distanceViews returns one row for each pair of depths.
func distanceViews(limit *analyze.Limit) []distanceView {
	var rows []distanceView
	for _, m := range limit.Means() {
		row := distanceView{fmt.Sprintf("%d and %d", m.Depth, m.Next), meanText(m.Integral), none}
		if m.Displacement != nil {
			row.Displacement = meanText(*m.Displacement)
		}
		rows = append(rows, row)
	}
	return rows
}

// meanText writes "0.0133 [0.0121, 0.0145]", with three significant digits.
func meanText(m analyze.Mean) string {
	if math.IsNaN(m.Low) {
		return number(m.Value, 3) + " [no interval]"
	}
	return fmt.Sprintf("%s [%s, %s]", number(m.Value, 3), number(m.Low, 3), number(m.High, 3))
}

// newTransferView returns the table of rebuilt networks; nil when there are none.
func newTransferView(t *analyze.Transfer) *transferView {
	if t == nil {
		return nil
	}
	v := &transferView{}
	for _, l := range t.Losses {
		var sources []string
		for _, depth := range l.Sources {
			sources = append(sources, strconv.Itoa(depth))
		}
		v.Rows = append(v.Rows, transferRow{
			strconv.Itoa(l.Depth), strconv.FormatUint(l.Seed, 10), strings.Join(sources, ", "),
			cell(l.Trained, 3), optional(l.Trend), optional(l.Redrawn),
		})
	}
	for _, f := range []struct {
		name  template.HTML
		slope *analyze.Slope
	}{
		{"limit of the trend, in the depth rebuilt at", t.Trend},
		{"limit with initial weights redrawn, in the depth rebuilt at", t.Redrawn},
		{"a run’s own trend, in the trained depth", t.TrendOnly},
	} {
		if f.slope != nil {
			i := slopeInterval(*f.slope)
			v.Laws = append(v.Laws, law{Quantity: f.name, Slope: i.Value(), Interval: i.Range(), R2: r2Text(f.slope.R2), Reading: f.slope.Warning})
		}
	}
	return v
}
