package main

import (
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/deeplimit/deeplimit/scaling"
)

// A tally counts what comes out of the draws of a cell.
type tally struct {
	cell
	draws        int
	right, wrong int // verdicts; the others cannot tell
	covered      map[string]int
	widths       map[string][]float64
	verdicts     map[scaling.LimitKind]int
}

// count counts draws. An interval that is not given where there is a truth counts as a miss.
func count(c cell, draws []inferred) *tally {
	t := &tally{cell: c, draws: len(draws), covered: map[string]int{}, widths: map[string][]float64{}, verdicts: map[scaling.LimitKind]int{}}
	for _, d := range draws {
		t.verdicts[d.Verdict]++
		switch d.Verdict {
		case scaling.LimitKind(c.family.Verdict):
			t.right++
		case "":
		default:
			t.wrong++
		}
		for key, interval := range d.Intervals {
			want, known := c.truth(key)
			if !known {
				continue
			}
			const rounding = 1e-9
			t.widths[key] = append(t.widths[key], interval[1]-interval[0])
			if interval[0]-rounding <= want && want <= interval[1]+rounding {
				t.covered[key]++
			}
		}
	}
	return t
}

func share(n, of int) float64 { return float64(n) / float64(of) }

// mistakes is the share of wrong verdicts, with the commonest.
func (t *tally) mistakes() string {
	if t.wrong == 0 {
		return "0"
	}
	most := scaling.LimitKind("")
	for kind, n := range t.verdicts {
		if kind != "" && kind != scaling.LimitKind(t.family.Verdict) && (most == "" || n > t.verdicts[most] || n == t.verdicts[most] && kind < most) {
			most = kind
		}
	}
	return fmt.Sprintf("%.3g (%s)", share(t.wrong, t.draws), most)
}

// column is the coverage and the median width, the upper one of an even number.
func (t *tally) column(key string) string {
	if _, known := t.truth(key); !known {
		if key == "hurst" {
			return ""
		}
		return "none"
	}
	widths := t.widths[key]
	if len(widths) == 0 {
		return "0, –"
	}
	slices.Sort(widths)
	return fmt.Sprintf("%.3g, %.2f", share(t.covered[key], t.draws), widths[len(widths)/2])
}

// least returns the fewest draws of n in which a cell may hold the truth: of 200 draws 178, and of others the largest number
// that intervals which hold it with probability 0.95 fall short of no more often than of 178 of 200.
func least(n int) int {
	binomial := func(n int) distuv.Binomial { return distuv.Binomial{N: float64(n), P: 0.95} }
	allowed := binomial(200).CDF(177)
	k := n
	for k > 0 && binomial(n).CDF(float64(k-1)) > allowed {
		k--
	}
	return k
}
