package main

import (
	"fmt"
	"slices"
	"strings"
)

// text returns docs/kernel-certificates.md.
func (r *record) text() string {
	var w strings.Builder
	fmt.Fprint(&w, "# Kernel certificates on real data\n\n"+
		"For whoever wants to know when a certificate from the tangent kernel can be had: measured by `make kernel-certificates`\n"+
		"([certificates.md](certificates.md), sections 12 to 16). Networks have tanh and bias, A ~ N(0,1)/√d (twice that at α = 1), b ~ N(0,1)/2, one seed. "+
		"All numbers are in `experiments/kernelcerts/record.json`, "+r.builds()+".\n\n"+
		"Each cell: Levenberg–Marquardt steps until the loss is at most 1e-30 or rounding alone; λ_min; λ_max/λ_min; **loss needed**, the largest at which descent is\n"+
		"certified with this kernel and these bounds; whether zero and descent are issued at the end, and whether with all rounding bounded.\n\n")
	var left []string
	for _, set := range sets {
		missing := r.table(&w, set)
		left = append(left, missing...)
	}
	if left != nil {
		fmt.Fprintf(&w, "Not computed, as they cost much (`make kernel-certificates COST=600000 KEEP=1` goes on with them): %s.\n\n", strings.Join(left, "; "))
	}
	fmt.Fprint(&w, "After plain gradient descent from the random start (α = ½, η = N/λ_max of the start, certificate tried at each tenfold fall of\n"+
		"J, and at the last step). \"certified / observed\" is 1 − factor of one step, the second over the last of 300 further steps; l / distance compares the certified\n"+
		"distance with that of the zero that Newton steps find.\n\n"+
		"| data | L, block | steps | J | certified / observed | l / distance |\n|---|---|---|---|---|---|\n")
	for _, d := range r.Descents {
		fmt.Fprintf(&w, "| %s, N = %d | %d %s | %s |\n", d.Data, d.Samples, d.Depth, d.Block, d.text())
	}
	return w.String()
}

// builds names the commits that the record is of.
func (r *record) builds() string {
	var names []string
	count := map[string]int{}
	add := func(build string) {
		if count[build]++; count[build] == 1 {
			names = append(names, build)
		}
	}
	for _, c := range r.Cells {
		add(c.Build)
	}
	for _, d := range r.Descents {
		add(d.Build)
	}
	slices.Sort(names)
	for i, name := range names {
		names[i] = fmt.Sprintf("%d of commit %s", count[name], name)
	}
	if len(names) == 0 {
		return "none yet"
	}
	return strings.Join(names, ", ")
}

// table writes the cells of a data set, those that there are, and names the others.
func (r *record) table(w *strings.Builder, set string) (left []string) {
	fmt.Fprintf(w, "| %s: L, block, α |", set)
	for i, samples := range sampleCounts {
		if i == 0 {
			fmt.Fprint(w, " N =")
		}
		fmt.Fprintf(w, " %d |", samples)
	}
	fmt.Fprint(w, "\n|---|"+strings.Repeat("---|", len(sampleCounts))+"\n")
	for _, depth := range depths {
		var missing []string
		for _, block := range blocks {
			for _, alpha := range alphas {
				row, some := fmt.Sprintf("| %d %s, %g |", depth, block, alpha), false
				for _, samples := range sampleCounts {
					c := r.cell(place{set, depth, block, alpha, samples})
					text := "–"
					if c != nil {
						text, some = c.text(), true
					} else {
						missing = append(missing, fmt.Sprintf("%s, %g, N = %d", block, alpha, samples))
					}
					row += " " + text + " |"
				}
				if some {
					fmt.Fprintln(w, row)
				}
			}
		}
		switch all := len(blocks) * len(alphas) * len(sampleCounts); {
		case len(missing) == all:
			left = append(left, fmt.Sprintf("%s at L = %d", set, depth))
		case missing != nil:
			left = append(left, fmt.Sprintf("%s at L = %d, %d of %d cells", set, depth, len(missing), all))
		}
	}
	fmt.Fprintln(w)
	return left
}

// text returns what stands in the table.
func (c *cell) text() string {
	if c.LambdaMin == nil {
		return fmt.Sprintf("no zero in %d steps (J %.2g)", c.Steps, c.Loss)
	}
	issued := "none"
	switch {
	case c.Zero && c.Descent:
		issued = "both"
	case c.Zero:
		issued = "zero"
	}
	return fmt.Sprintf("%d; %.0e; %.0e; **%s**; %s, %s", c.Steps, *c.LambdaMin, *c.LambdaMax / *c.LambdaMin, needed(c.LossNeeded), issued, c.Rounding)
}

// text returns what stands right of a descent's name.
func (d *descent) text() string {
	if !d.Issued {
		return fmt.Sprintf("%d | %.0e | not issued: loss needed %s | –", d.Steps, d.Loss, needed(d.LossNeeded))
	}
	return fmt.Sprintf("%d | %.0e | %.1e / %.1e | %.2e / %.2e", d.Steps, d.Loss, d.Certified, d.Observed, d.Length, d.Distance)
}

// needed writes a loss, – for none.
func needed(loss *float64) string {
	if loss == nil {
		return "–"
	}
	return fmt.Sprintf("%.0e", *loss)
}
