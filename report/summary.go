package report

import (
	"fmt"
	"html/template"
	"math"
	"strings"

	"github.com/deeplimit/deeplimit/analyze"
)

// bounded is the slope below which a power law in depth is read as no growth. A
// finite range of depths bends the plot of a bounded quantity by about this much.
const bounded = 0.1

// verdict reads a slope of a variation: whether it stays bounded as depth grows.
func verdict(s analyze.Slope) string {
	i := slopeInterval(s)
	switch {
	case !i.known():
		return "no interval, so no verdict"
	case i.low > bounded:
		return "grows with depth"
	case i.high < -bounded:
		return "falls with depth"
	case i.low >= -bounded && i.high <= bounded:
		return "consistent with bounded"
	case i.high <= bounded:
		return "does not grow"
	}
	return "undecided"
}

// variationIndex returns the least p, of those computed, from which on no V_p grows
// with depth, and "" when there is none.
func variationIndex(slopes map[string]analyze.Slope) string {
	index := ""
	for _, p := range powers(slopes) {
		i := slopeInterval(slopes[p])
		switch grows := !i.known() || i.high > bounded; {
		case grows:
			index = ""
		case index == "":
			index = p
		}
	}
	return index
}

// A law is a row of the table of power laws.
type law struct {
	Quantity template.HTML
	Expected string // exponent for a path with a scaling limit, or ""
	Slope    string
	Interval string
	R2       string
	Reading  string // verdict and warning
}

// quantityNames are the exponents of analyze.Group in the order of the table, as
// HTML with the name of the weights put in.
var quantityNames = []struct{ key, html string }{
	{"max_frobenius", "max<sub><i>k</i></sub> ‖<i>%[1]s<sub>k</sub></i>‖<sub><i>F</i></sub>"},
	{"displacement", "max<sub><i>k</i></sub> ‖<i>%[1]s<sub>k</sub></i>(<i>T</i>) − <i>%[1]s<sub>k</sub></i>(0)‖<sub><i>F</i></sub>"},
	{"max_increment", "max<sub><i>k</i></sub> ‖<i>%[1]s</i><sub><i>k</i>+1</sub> − <i>%[1]s<sub>k</sub></i>‖<sub><i>F</i></sub>"},
	{"root_sum_squares", "(Σ<sub><i>k</i></sub> ‖<i>%[1]s<sub>k</sub></i>‖<sub><i>F</i></sub><sup>2</sup>)<sup>1/2</sup>"},
	{"delta", "trained <i>δ</i>"},
	{"delta_max_frobenius", "trained <i>δ</i> max<sub><i>k</i></sub> ‖<i>%[1]s<sub>k</sub></i>‖<sub><i>F</i></sub>"},
	{"displacement_variation", "<i>V</i><sub>1</sub> of <i>L<sup>β</sup></i>(<i>%[1]s</i>(<i>T</i>) − <i>%[1]s</i>(0))"},
}

func quantityHTML(key, part string) template.HTML {
	for _, q := range quantityNames {
		if q.key == key {
			return template.HTML(strings.ReplaceAll(q.html, "%[1]s", part)) // constant but for A or V
		}
	}
	return ""
}

func variationHTML(p string) template.HTML {
	return template.HTML("<i>V</i><sub>" + template.HTMLEscapeString(p) + "</sub>")
}

// laws lists the exponents and variation slopes that a group has.
func laws(g group) []law {
	part := primaryPart(g)
	expected := map[string]string{
		"max_frobenius": "−β = " + plain(g.Alpha-1),
		"displacement":  "−β = " + plain(g.Alpha-1),
		"delta":         "−α = " + plain(-g.Alpha),
	}
	row := func(name template.HTML, s analyze.Slope, judged bool) law {
		i := slopeInterval(s)
		l := law{Quantity: name, Slope: i.Value(), Interval: i.Range(), R2: r2Text(s.R2), Reading: s.Warning}
		if judged {
			l.Reading = strings.TrimSuffix(verdict(s)+"; "+s.Warning, "; ")
		}
		return l
	}
	var out []law
	for _, q := range quantityNames {
		if s, ok := g.Exponents[q.key]; ok {
			l := row(quantityHTML(q.key, part), s, q.key == "displacement_variation")
			l.Expected = expected[q.key]
			out = append(out, l)
		}
	}
	for _, p := range powers(g.VariationSlope) {
		out = append(out, row(variationHTML(p), g.VariationSlope[p], true))
	}
	return out
}

// A summary says in words what a group shows. Parts without data are left empty.
type summary struct {
	Frobenius *law
	Sum       string // α + β̂ with its interval
	Second    *law   // V_2
	Index     string // upper estimate of the variation index, when Exact is not known
	Exact     string // variation index with its interval
	Regime    string // verdict and reason
	Rate      string
}

func summarise(g group) summary {
	var s summary
	if slope, ok := g.Exponents["max_frobenius"]; ok {
		i := slopeInterval(slope)
		s.Frobenius = &law{Quantity: quantityHTML("max_frobenius", primaryPart(g)), Slope: i.Value(), Interval: i.Range()}
		if g.AlphaPlusBeta != nil {
			sum := interval{*g.AlphaPlusBeta, g.Alpha - i.high, g.Alpha - i.low}
			if product, ok := g.Exponents["delta_max_frobenius"]; ok { // of a trained δ
				p := slopeInterval(product)
				sum = interval{*g.AlphaPlusBeta, -p.high, -p.low}
			}
			s.Sum = sum.String()
		}
	}
	if slope, ok := g.VariationSlope["2"]; ok {
		i := slopeInterval(slope)
		s.Second = &law{Quantity: variationHTML("2"), Slope: i.Value(), Interval: i.Range(), Reading: verdict(slope)}
	}
	if x := g.VariationIndex; x != nil {
		s.Exact = indexText(x)
	} else {
		s.Index = variationIndex(g.VariationSlope)
	}
	if r := g.Regime; r != nil {
		s.Regime = fmt.Sprintf("%s: %s", r.Verdict, r.Reason)
	}
	if r := g.Rate; r != nil && r.MaxRho > 0 {
		s.Rate = rateSentence(*r)
	}
	return s
}

// linear is the R² of log J against t from which on the page calls the fall linear.
const linear = 0.99

func rateSentence(r analyze.RateRange) string {
	rates := fmt.Sprintf("ρ = %s", decimal(r.MinRho, 4))
	if r.MaxRho > r.MinRho {
		rates = fmt.Sprintf("ρ between %s and %s", decimal(r.MinRho, 4), decimal(r.MaxRho, 4))
	}
	r2 := math.Floor(r.MinR2*1e4) / 1e4
	if r2 >= linear {
		return fmt.Sprintf("The loss falls linearly, J ≈ Cρᵗ with %s (R² ≥ %s).", rates, decimal(r2, 4))
	}
	return fmt.Sprintf("The fits J ≈ Cρᵗ have %s but R² down to %s: not every run falls linearly.", rates, decimal(r2, 4))
}
