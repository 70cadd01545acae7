package main

import (
	"fmt"
	"strings"
)

// A table has the families of one kind at one set of depths and one width.
type table struct {
	set    depthSet
	width  int
	suffix string
	draws  int // of each cell
	rows   []*tally
}

// page writes all tables.
func page(tables []table) string {
	var b strings.Builder
	b.WriteString(preface)
	b.WriteString("\n| table | draws | cells | mean coverage | cells below | verdicts right | verdicts wrong |\n|---|---|---|---|---|---|---|\n")
	for _, t := range tables {
		s := t.summary()
		fmt.Fprintf(&b, "| %s | %d | %d | %.3f | %d (below %d) | %.3f | %.4f |\n",
			t.name(), t.draws, s.cells, s.coverage, len(s.below), least(t.draws), s.right, s.wrong)
	}
	for _, t := range tables {
		t.write(&b)
	}
	return b.String()
}

func (t table) name() string {
	return fmt.Sprintf("%s, width %d%s", t.set.title(), t.width, t.suffix)
}

// A summary is of the cells of a table that have a truth.
type summary struct {
	cells        int
	coverage     float64  // mean over cells
	below        []string // cells that hold the truth in too few draws
	right, wrong float64  // of all verdicts
	mistaken     []string // families with wrong verdicts in more than 2 % of draws
	open         []string // families whose verdict is right in less than 90 % of draws
}

func (t table) summary() summary {
	var s summary
	for _, r := range t.rows {
		s.right += share(r.right, r.draws) / float64(len(t.rows))
		s.wrong += share(r.wrong, r.draws) / float64(len(t.rows))
		if 50*r.wrong > r.draws {
			s.mistaken = append(s.mistaken, r.family.Name)
		}
		if 10*r.right < 9*r.draws {
			s.open = append(s.open, fmt.Sprintf("%s %.3g", r.family.Name, share(r.right, r.draws)))
		}
		for _, q := range quantities {
			if _, known := r.truth(q.key); !known {
				continue
			}
			s.cells++
			s.coverage += share(r.covered[q.key], r.draws)
			if r.covered[q.key] < least(t.draws) {
				s.below = append(s.below, fmt.Sprintf("%s of %s %d", q.key, r.family.Name, r.covered[q.key]))
			}
		}
	}
	s.coverage /= float64(s.cells)
	return s
}

func (t table) write(b *strings.Builder) {
	draws := fmt.Sprint(t.draws, " draws")
	if t.draws == 1 {
		draws = "1 draw"
	}
	fmt.Fprintf(b, "\n## Depths %s, width %d, %s%s\n\n", t.set.title(), t.width, draws, t.suffix)
	s := t.summary()
	list := func(what string, names []string) {
		text := strings.Join(names, "; ")
		if text == "" {
			text = "none"
		}
		fmt.Fprintf(b, "- %s: %s\n", what, text)
	}
	list(fmt.Sprintf("Cells that hold the truth in fewer than %d draws", least(t.draws)), s.below)
	list("Verdict wrong in more than 2 % of draws", s.mistaken)
	list("Verdict right in less than 90 % of draws", s.open)
	b.WriteString("\n| family | right | wrong |")
	for _, q := range quantities {
		fmt.Fprintf(b, " %s |", q.key)
	}
	fmt.Fprintf(b, "\n|---|---|---|%s\n", strings.Repeat("---|", len(quantities)))
	for _, r := range t.rows {
		fmt.Fprintf(b, "| %s | %.3g | %s |", r.family.Name, share(r.right, r.draws), r.mistakes())
		for _, q := range quantities {
			fmt.Fprintf(b, " %s |", r.column(q.key))
		}
		b.WriteString("\n")
	}
}

const preface = `# Calibration

How often the 95 % interval of the limit's exponent holds the truth, and the median of its width (the upper one of an even number), on
planted paths whose limit is known (package internal/planted). *Right* and *wrong* are the shares of draws in which the verdict is
the true one, or another one; in the rest it is not settled. A cell *none* has no truth to hold, and paths without a rough part have no
Hurst exponent. The number of draws of a table is that of each of its cells. The exponent of displacement is that of max_frobenius of
the paths of displacements, and has its coverage.

The kinds kept aside were not at hand when priors and thresholds were chosen, but for walks of t(4) steps: they had been called jumps at
depths 16 to 128 and width 10, in 2 of 2 draws, and a prior of their own leaves them open there since; and for exponentials of Brownian
paths, by which it was chosen how much less the likelihood counts where values are not normal.

Written by ` + "`make calibrate`" + `, which keeps every draw in runs/calibration and goes on where it was stopped: draw n is fixed by n, so
that more draws extend a sample. Tables without draws are left out. *Cells below* hold the truth in fewer draws than the number in
brackets: 178 of 200 draws, and of fewer draws the largest number that an interval which holds the truth with probability 0.95 falls short of no
more often than of 178 of 200. So with few draws only gross misses are seen. The last two columns are shares of all draws of a table.
`
