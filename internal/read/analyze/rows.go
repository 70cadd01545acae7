package analyze

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// A Row is a line of the table of power laws of a group, as terminal and pages show it.
type Row struct {
	Quantity Quantity `json:"-"`
	Key      string   `json:"key"`
	Symbol   string   `json:"symbol"`
	Markup   string   `json:"markup"` // the symbol as Quantity has it
	Name     string   `json:"name"`
	Number   string   `json:"number"` // the exponent,
	Range    string   `json:"range"`  // its interval
	Limit    string   `json:"limit"`  // the exponent of the limit with its interval, "" where there is none
	R2       string   `json:"r2"`
	Basis    string   `json:"basis"` // the runs that it rests on
	Reading  string   `json:"reading"`
	Said     string   `json:"said,omitempty"` // how it goes with depth, what follows the symbol in a sentence
	Warning  string   `json:"warning,omitempty"`
	Missing  string   `json:"missing,omitempty"` // why there is none of these
	Expected *float64 `json:"expected"`          // the exponent of a path with a scaling limit, null where there is none
	Law      *Slope   `json:"law"`               // null when missing
}

// Rows lists the power laws of the primary part, and those that are missing.
func (g *Group) Rows() []Row {
	var rows []Row
	add := func(key string, s Slope, ok bool) {
		if !ok && g.Missing[key] == "" {
			return
		}
		var law *Slope
		if ok {
			law = &s
		}
		row := NewRow(QuantityOf(key, g.part()), law)
		row.Expected, row.Missing = g.expected(key), g.Missing[key]
		row.speak(g.limitExponent(limitKey("/" + key)))
		rows = append(rows, row)
	}
	for _, q := range quantityList {
		s, ok := g.Exponents[q.Key]
		add(q.Key, s, ok)
	}
	for _, p := range sortedExponents(maps.Keys(g.VariationSlope)) {
		add("v_"+p, g.VariationSlope[p], true)
	}
	if g.Displacement != nil {
		rows = append(rows, g.Displacement.displacementRows(g.part())...)
	}
	return rows
}

// displacementRows lists those of a displacement that are no quantities of the weights already.
func (g *GroupPath) displacementRows(part string) (rows []Row) {
	add := func(statistic, limit string, s Slope) {
		row := NewRow(QuantityOf(runfolder.FromDisplacement.Key(statistic), part), &s)
		row.speak(g.limitExponent(limit))
		rows = append(rows, row)
	}
	for _, q := range quantityList {
		if s, ok := g.Exponents[q.Key]; ok && q.Key != "max_frobenius" {
			add(q.Key, q.Key, s)
		}
	}
	for _, p := range sortedExponents(maps.Keys(g.VariationSlope)) {
		if p != "1" {
			add("v_"+p, "variation_"+p, g.VariationSlope[p])
		}
	}
	return rows
}

// NewRow returns the line of the power law of a quantity, which may be nil.
func NewRow(q Quantity, s *Slope) Row {
	row := Row{Quantity: q, Key: q.Key, Symbol: q.Plain(), Markup: q.Symbol, Name: q.Name, Law: s}
	if s != nil {
		e := s.Estimate()
		row.Number, row.Range, row.R2, row.Basis = e.Number(), e.Range(), scaling.R2Text(s.R2), BasisText(e.Basis, cmp.Or(q.Of, "run"))
		row.Reading, row.Warning = Reading(e), e.Warning
		row.speak(nil)
	}
	return row
}

// speak says how the quantity goes with depth over the window and in the limit, whose exponent may be nil, and whether the interval
// of the latter, or of the former without it, holds the exponent that a path with a scaling limit has.
func (row *Row) speak(limit *Estimate) {
	if limit != nil {
		row.Limit = limit.String()
	}
	if row.Law == nil {
		return
	}
	e := row.Law.Estimate()
	p := trend("", e)
	if limit != nil {
		e = *limit
		p = say("%s; as L → ∞: %s", p, estimate("", "exponent", e))
	}
	row.Said = p.sentence().Text
	if row.Expected == nil {
		return
	}
	const least = 5e-7 // intervals have six decimals at most
	want := *row.Expected
	row.Said += " A limit of finite 2-variation has b = " + typeset(plainNumber(want))
	switch {
	case !e.Known():
		row.Said += "."
	case e.Low-least <= want && want <= e.High+least:
		row.Said += ", which the interval holds."
	default:
		row.Said += ", which the interval leaves out."
	}
}

// expected returns the exponent that a path with a scaling limit of finite 2-variation has.
func (g *Group) expected(key string) *float64 {
	var v float64
	switch {
	case key == "v_2":
	case (key == "max_frobenius" || key == "displacement") && !g.Trained():
		v = g.Alpha - 1
	case key == "delta_max_frobenius":
		v = -1
	default:
		return nil
	}
	return &v
}

// BasisText writes "12 runs, 4 depths 16 to 128, 3 seeds"; noun is what has a value each.
func BasisText(b scaling.Basis, noun string) string {
	depths := ""
	switch n := len(b.Depths); {
	case n == 1:
		depths = fmt.Sprintf("depth %d", b.Depths[0])
	case n == 2:
		depths = fmt.Sprintf("depths %d and %d", b.Depths[0], b.Depths[1])
	case n > 2:
		depths = fmt.Sprintf("%d depths %d to %d", n, b.Depths[0], b.Depths[n-1])
	}
	return fmt.Sprintf("%s, %s, %s", plain.Count(b.Runs, noun), depths, plain.Count(len(b.Seeds), "seed"))
}

// plainNumber writes a number that somebody chose, such as α, without padding it.
func plainNumber(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// plainDecimals writes a statistic without an interval, −∞ for that of a path that exactly alternates.
func plainDecimals(v float64) string {
	if math.IsInf(v, -1) {
		return "-∞"
	}
	return scaling.Estimate{Value: v, Low: math.NaN(), High: math.NaN()}.Number()
}
