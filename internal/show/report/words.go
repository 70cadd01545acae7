package report

import (
	"fmt"
	"strings"
)

// inWords says what a group shows as text that a paper can take over: the sentences of
// analyze, and how many runs have no result; "" when there are none.
func inWords(g group) string {
	if g.Group.Runs == 0 {
		return ""
	}
	return "On " + g.label + ": " + strings.Join(append(sentences(g), g.without()...), " ")
}

// sentences are those of the group on the page.
func sentences(g group) []string {
	if g.Group.Runs == 0 {
		return nil
	}
	var texts []string
	for _, s := range g.Sentences() {
		texts = append(texts, s.Text)
	}
	return texts
}

// without says how many runs have no result, by the reason.
func (g group) without() (texts []string) {
	count := map[string]int{}
	for _, r := range g.runs {
		count[r.trouble()]++
	}
	for _, why := range []string{"failed", "running", "not finished", "not analysed"} {
		if n := count[why]; n > 0 {
			texts = append(texts, fmt.Sprintf("%d of %d runs left out (%s).", n, len(g.runs), why))
		}
	}
	return texts
}
