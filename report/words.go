package report

import (
	"fmt"
	"strings"

	"github.com/deeplimit/deeplimit/scaling"
)

// inWords says what a group shows as text that a paper can take over, every number with
// its interval; "" when nothing was fitted.
func inWords(g group) string {
	var parts []string
	add := func(format string, values ...any) { parts = append(parts, fmt.Sprintf(format, values...)) }
	part := primaryPart(g)
	if s, ok := g.Exponents["max_frobenius"]; ok {
		i := slopeInterval(s)
		text := fmt.Sprintf("the largest norm max_k ‖%s_k‖_F of the trained weights scales with depth as L^b with b = %s", part, i)
		if g.AlphaPlusBeta != nil {
			text += fmt.Sprintf(", that is α + β = %s at α = %s", interval{*g.AlphaPlusBeta, g.Alpha - i.high, g.Alpha - i.low}, plain(g.Alpha))
		}
		parts = append(parts, text)
	}
	if s, ok := g.VariationSlope["1"]; ok {
		add("the 1-variation of the rescaled path L^β %s grows as L^b with b = %s", part, slopeInterval(s))
	}
	if s, ok := g.VariationSlope["2"]; ok {
		add("the exponent of its 2-variation is %s (%s)", slopeInterval(s), verdict(s))
	}
	if g.VariationIndex != nil {
		add("its variation index is %s", indexText(g.VariationIndex))
	}
	if g.Regime != nil {
		add("the regime is %s, as %s", g.Regime.Verdict, g.Regime.Reason)
	}
	if g.Limit != nil && g.Limit.Integral != nil {
		add("the distance between paths of consecutive depths scales as L^b with b = %s", slopeInterval(*g.Limit.Integral))
	}
	if r := g.Rate; r != nil && r.MaxRho > 0 {
		add("the fits J(t) ≈ C ρ^t of the loss have ρ between %s and %s and R² of at least %s", decimal(r.MinRho, 4), decimal(r.MaxRho, 4), r2Text(r.MinR2))
	}
	if len(parts) == 0 {
		return ""
	}
	text := fmt.Sprintf("Over %s with %s each (%s): %s.", depthText(g.depths()), seedText(g.runs), g.label, strings.Join(parts, "; "))
	if brackets := g.bySeeds(); brackets != "" {
		text += " " + brackets
	}
	out := map[string]int{}
	for _, r := range g.runs {
		if t := r.trouble(); t != "" {
			out[t]++
		}
	}
	for _, t := range []string{"diverged", "loss is not finite", "failed", "running", "not finished", "not analysed"} {
		if out[t] > 0 {
			text += fmt.Sprintf(" %d of %d runs left out (%s).", out[t], len(g.runs), t)
		}
	}
	return text
}

// bySeeds says what the brackets are, by how the intervals were found.
func (g group) bySeeds() string {
	for _, s := range g.Exponents {
		switch s.Method {
		case scaling.BySeeds:
			return "Brackets are 95 % intervals over seeds."
		case scaling.ByRegression:
			return "Brackets are 95 % intervals of the regression."
		}
	}
	return ""
}
