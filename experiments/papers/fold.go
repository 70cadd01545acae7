package papers

import (
	"slices"
	"strings"
)

// folded writes the table of the claims that an experiment makes about the same many cases:
// the claims as a list, a row for each case and a column for each claim, and the notes
// below, each once with the cases it is of.
func (p *printer) folded(claims []Claim, out Outcome) {
	var cases []string
	at := map[[2]string]Judged{} // by key and case
	for _, j := range out.Claims {
		if !slices.ContainsFunc(claims, func(c Claim) bool { return c.Key == j.Key }) {
			continue
		}
		at[[2]string{j.Key, j.Case}] = j
		if !slices.Contains(cases, j.Case) {
			cases = append(cases, j.Case)
		}
	}
	header, rule := "| case |", "|---|"
	for _, claim := range claims {
		header, rule = header+" "+claim.Column+" |", rule+"---|"
		want := ""
		for _, name := range cases {
			if j, ok := at[[2]string{claim.Key, name}]; ok {
				want = j.Want
			}
		}
		p.print("- **%s**: %s; wanted %s. From: %s.\n", claim.Column, claim.Text, want, claim.Source)
	}
	p.print("\n%s\n%s\n", header, rule)
	for _, name := range cases {
		p.print("| %s |", cellText(name))
		for _, claim := range claims {
			if j, ok := at[[2]string{claim.Key, name}]; ok {
				p.print(" %s: %s |", cellText(j.interval()), j.Verdict.bold())
			} else {
				p.print(" |")
			}
		}
		p.print("\n")
	}
	for _, claim := range claims {
		p.notes(claim, out)
	}
}

// notes lists the notes of a claim's measurements, those that are alike together.
func (p *printer) notes(claim Claim, out Outcome) {
	var order []string
	of := map[string][]string{}
	for _, j := range out.Claims {
		if j.Key != claim.Key || j.Note == "" {
			continue
		}
		if of[j.Note] == nil {
			order = append(order, j.Note)
		}
		of[j.Note] = append(of[j.Note], j.Case)
	}
	if len(order) == 0 {
		return
	}
	p.print("\n%s:\n\n", claim.Column)
	for _, note := range order {
		p.print("- %s: %s\n", strings.Join(of[note], "; "), note)
	}
}
