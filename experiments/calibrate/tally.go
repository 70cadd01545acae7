package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/planted"
	"github.com/deeplimit/deeplimit/scaling"
)

type depthSet struct {
	name   string
	depths []int
	seeds  int
}

var depthSets = []depthSet{
	{"16, 32, 64, 128 × 3 seeds", []int{16, 32, 64, 128}, 3},
	{"16, 64, 256 × 5 seeds", []int{16, 64, 256}, 5},
	{"64, 256, 1024, 4096 × 3 seeds", []int{64, 256, 1024, 4096}, 3},
}

// quantities are the columns of a table.
var quantities = []struct {
	key string
	of  func(*scaling.Inference) *scaling.LimitExponent
}{
	{"variation_1", func(x *scaling.Inference) *scaling.LimitExponent { return x.Variation(1) }},
	{"variation_2", func(x *scaling.Inference) *scaling.LimitExponent { return x.Variation(2) }},
	{"index", (*scaling.Inference).Index},
	{"root_sum_squares", (*scaling.Inference).RootSumSquares},
	{"max_frobenius", (*scaling.Inference).MaxFrobenius},
	{"max_increment", (*scaling.Inference).MaxIncrement},
}

// A tally counts what comes out of the draws of a cell.
type tally struct {
	family       planted.Family
	draws        int
	right, wrong int // verdicts; the others cannot tell
	covered      map[string]int
	widths       map[string][]float64
	verdicts     map[scaling.LimitKind]int
}

func calibrate(family planted.Family, set depthSet, width, draws int) *tally {
	t := &tally{family: family, draws: draws, covered: map[string]int{}, widths: map[string][]float64{}, verdicts: map[scaling.LimitKind]int{}}
	for draw := range draws {
		var paths []scaling.DepthPath
		for seed := range set.seeds {
			for _, depth := range set.depths {
				s := uint64(draw*set.seeds + seed)
				paths = append(paths, scaling.DepthPath{Depth: depth, Seed: s, Path: family.Path(s, depth, width*width)})
			}
		}
		x, err := scaling.Infer(paths, scaling.Assumptions{})
		if err != nil {
			continue // neither right nor wrong, and no interval holds the truth
		}
		t.verdicts[x.Verdict]++
		switch x.Verdict {
		case scaling.LimitKind(family.Verdict):
			t.right++
		case "":
		default:
			t.wrong++
		}
		for _, q := range quantities {
			t.add(q.key, q.of(x), family.Exponents)
		}
		if family.Hurst > 0 {
			t.add("hurst", x.Hurst, map[string]float64{"hurst": family.Hurst})
		}
	}
	return t
}

// add counts an interval. One that is not given where there is a truth counts as a miss.
func (t *tally) add(key string, x *scaling.LimitExponent, truth map[string]float64) {
	want, ok := truth[key]
	if !ok || x == nil {
		return
	}
	const rounding = 1e-9
	t.widths[key] = append(t.widths[key], x.High-x.Low)
	if x.Low-rounding <= want && want <= x.High+rounding {
		t.covered[key]++
	}
}

func table(w io.Writer, set depthSet, width int, suffix string, rows []*tally) {
	draws := fmt.Sprint(rows[0].draws, " draws")
	if rows[0].draws == 1 {
		draws = "1 draw"
	}
	fmt.Fprintf(w, "\n## Depths %s, width %d, %s%s\n\n| family | right | wrong |", set.name, width, draws, suffix)
	for _, q := range quantities {
		fmt.Fprintf(w, " %s |", q.key)
	}
	fmt.Fprintf(w, " hurst |\n|---|---|---|%s---|\n", strings.Repeat("---|", len(quantities)))
	for _, t := range rows {
		fmt.Fprintf(w, "| %s | %.2f | %s |", t.family.Name, share(t.right, t.draws), t.mistakes())
		for _, q := range quantities {
			fmt.Fprintf(w, " %s |", t.cell(q.key))
		}
		fmt.Fprintf(w, " %s |\n", t.cell("hurst"))
	}
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
	return fmt.Sprintf("%.2f (%s)", share(t.wrong, t.draws), most)
}

// cell is the coverage and the median width, the upper one of an even number.
func (t *tally) cell(key string) string {
	truth := t.family.Exponents
	if key == "hurst" {
		if t.family.Hurst == 0 {
			return ""
		}
	} else if _, ok := truth[key]; !ok {
		return "none"
	}
	widths := t.widths[key]
	if len(widths) == 0 {
		return "0, –"
	}
	slices.Sort(widths)
	return fmt.Sprintf("%.2f, %.2f", share(t.covered[key], t.draws), widths[len(widths)/2])
}

func preface(w io.Writer) {
	fmt.Fprint(w, `# Calibration

How often the 95 % interval of the limit's exponent holds the truth, and the median of its width (the upper one of an even number), on
planted paths whose limit is known (package internal/planted). *Right* and *wrong* are the shares of draws in which the verdict is
the true one, or another one; in the rest it is not settled. A cell *none* has no truth to hold, and paths without a rough part have no
Hurst exponent. The heading of a table says how many draws each of its cells has.

The kinds kept aside were not at hand when priors and thresholds were chosen, but for walks of t(4) steps: they had been called jumps at
depths 16 to 128 and width 10, in 2 of 2 draws, and a prior of their own leaves them open there since. Written by `+"`make calibrate`"+`.
`)
}
