package report

import (
	"fmt"
	"strings"
)

// stepText says which step size each depth of the group was given, "" where no run has
// one: weights from elsewhere.
func stepText(g group) string {
	var law string
	var depths []string
	for _, r := range g.runs { // by depth
		if r.meta == nil || r.meta.Step == nil {
			continue
		}
		step := r.meta.Step
		law = step.String()
		if step.First == nil {
			continue
		}
		var more []string
		for _, detail := range step.Details() {
			more = append(more, detail.Name+" = "+number(detail.Value, 3))
		}
		text := number(*step.First, 3)
		if len(more) > 0 {
			text += " (" + strings.Join(more, ", ") + ")"
		}
		text += fmt.Sprintf(" at L = %d", r.Depth)
		if n := len(depths); n == 0 || depths[n-1] != text {
			depths = append(depths, text)
		}
	}
	if len(depths) > 0 {
		law += ": " + strings.Join(depths, ", ")
	}
	return law
}
