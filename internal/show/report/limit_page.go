package report

import (
	"fmt"
	"html/template"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// A limitView is what the page says, beside the sentences of the group, about the limit of
// one part of the weights.
type limitView struct {
	Part            string // named when a block has several
	Evidence        []evidenceView
	Distances       []distanceView
	Integral, Moved string // exponents of the two distances, "" when there are none
}

// An evidenceView is a statistic of increments beside a verdict.
type evidenceView struct {
	Quantity              template.HTML
	Name, Value, Interval string
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
		var v limitView
		if len(g.Parts) > 1 {
			v.Part = part
		}
		if r := path.Regime; r != nil {
			v.Evidence = evidenceViews(r)
		}
		if path.Limit != nil {
			v.Distances = distanceViews(path.Limit)
			v.Integral, v.Moved = slopeText(path.Limit.Integral), slopeText(path.Limit.Displacement)
		}
		if path.Limit != nil || len(v.Evidence) > 0 {
			views = append(views, v)
		}
	}
	return views
}

// slopeText writes an exponent with its interval, "" for none.
func slopeText(s *analyze.Slope) string {
	if s == nil {
		return ""
	}
	return typeset(s.String())
}

// evidenceViews lists statistics of increments over the window, and those of the deepest runs.
func evidenceViews(r *analyze.Regime) []evidenceView {
	var views []evidenceView
	for _, row := range r.Rows() {
		views = append(views, evidenceView{
			mathHTML(row.Quantity.Symbol), "exponent of the " + row.Quantity.Name, typeset(row.Number), typeset(row.Range),
		})
	}
	if len(views) == 0 {
		return nil
	}
	e := r.Evidence
	return append(
		views,
		evidenceView{Name: "exponent of second differences in the lag", Value: twoDecimals(e.Accumulation)},
		evidenceView{Name: "correlation of neighbouring layers’ noise, deepest runs", Value: twoDecimals(e.ResidualCorrelation)},
		evidenceView{Name: "largest partial sum of the noise, deepest runs", Value: twoDecimals(e.CumulativeSum)},
		evidenceView{Name: "size of the trend about its mean, deepest runs", Value: cell(e.TrendSize, 3)},
		evidenceView{Name: "size of the noise, deepest runs", Value: cell(e.NoiseSize, 3)},
	)
}

// twoDecimals writes a statistic without an interval, or none where it is not known.
func twoDecimals(v float64) string {
	switch {
	case math.IsNaN(v):
		return none
	case math.IsInf(v, 0):
		return infinity(v)
	}
	return typeset(analyze.Estimate{Value: v, Low: math.NaN(), High: math.NaN()}.Number())
}

// distanceViews returns one row for each pair of depths.
func distanceViews(limit *analyze.Limit) []distanceView {
	var rows []distanceView
	for _, m := range limit.Means() {
		row := distanceView{fmt.Sprintf("%d and %d", m.Depth, m.Next), m.Integral.Size(number), none}
		if m.Displacement != nil {
			row.Displacement = m.Displacement.Size(number)
		}
		rows = append(rows, row)
	}
	return rows
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
		key   string
		slope *analyze.Slope
	}{{"excess_trend", t.Trend}, {"excess_redrawn", t.Redrawn}, {"excess_trend_only", t.TrendOnly}} {
		if f.slope != nil {
			v.Laws = append(v.Laws, lawOf(f.key, "", f.slope))
		}
	}
	return v
}
