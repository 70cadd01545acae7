package report

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"github.com/deeplimit/deeplimit/pvar"
)

// variationText writes V_p, by its root where float64 cannot hold it.
func variationText(v pvar.Variation) string {
	if math.IsNaN(v.Value) {
		return "$V_p^{1/p}$ = " + plainNumber(v.Norm)
	}
	return "$V_p$ = " + plainNumber(v.Value)
}

// partitionFigure draws one entry of a weight path and the points that a partition takes
// which attains V_p, for three p; nil when no path was read.
func partitionFigure(g group, style Style) *Figure {
	s := style.sizes()
	var shown *pathCurve
	for i := range g.paths {
		if g.paths[i].partition != nil {
			shown = &g.paths[i]
		}
	}
	if shown == nil {
		return nil
	}
	c, at := shown.partition, layers(shown.depth)
	f := &Figure{
		Name: "partition-" + g.slug, Title: "Partitions that attain the p-variation", style: style, wide: true,
		Data: Table{Header: []string{"depth", "seed", "k", "k_over_L", "entry"}},
	}
	line := mark{x: at, y: c.Values, color: color.Gray{0x9a}, width: s.line}
	var row []panel
	for i, v := range c.Variations {
		look := categories[i]
		p := panel{
			title: fmt.Sprintf("$p$ = %s: %d of %d layers, %s", unpadded(v.P), len(v.Partition), shown.depth, variationText(v)),
			x:     axis{label: "layer $k/L$", low: 0, high: 1},
			y:     axis{label: fmt.Sprintf("$L^β$$[%s_k(T)]_{%s}$", shown.part, entryText(c.Entry, ",")), margin: 0.06, bare: i > 0},
			marks: []mark{line},
		}
		chosen := mark{color: look.color, width: s.line, shape: look.shape, radius: 0.7 * s.marker}
		for _, k := range v.Partition {
			chosen.x, chosen.y = append(chosen.x, at[k]), append(chosen.y, c.Values[k])
		}
		p.marks = append(p.marks, chosen)
		row = append(row, p)
		f.Data.Header = append(f.Data.Header, "in_partition_"+unpadded(v.P))
	}
	for k, v := range c.Values {
		cells := []string{strconv.Itoa(shown.depth), strconv.FormatUint(shown.seed, 10), strconv.Itoa(k + 1), exact(at[k]), exact(v)}
		for _, variation := range c.Variations {
			in := false
			for _, chosen := range variation.Partition {
				in = in || chosen == k
			}
			cells = append(cells, strconv.FormatBool(in))
		}
		f.Data.Rows = append(f.Data.Rows, cells)
	}
	f.panels = [][]panel{row}
	f.legend = []entry{
		{text: "entry of the rescaled path that varies most", mark: &line},
		{text: "layers of a partition that attains $V_p$", mark: &mark{color: color.Black, width: s.line, shape: circle, radius: 0.7 * s.marker}},
	}
	f.Caption = fmt.Sprintf("Partitions of the layers at which the sum of ‖Ā_{n(j+1)} − Ā_{n(j)}‖ᵖ over the rescaled path Ā = Lᵝ%s is largest, at depth %d, seed %d, drawn on the entry "+
		"that varies most. The partition is that of the whole matrix, in the Frobenius norm: it takes every layer of independent noise in many dimensions, and the ends of the "+
		"rises and falls of a path that goes one way for a while.", shown.part, shown.depth, shown.seed)
	f.Alt = fmt.Sprintf("Three panels of one path over %d layers with the points of the partitions for p = 1.5, 2 and 3.", shown.depth)
	return f
}

// entryText writes the place of an entry, counted from 1: "12", or "10,2" where two
// numbers would run together.
func entryText(entry [2]int, between string) string {
	if entry[0] < 9 && entry[1] < 9 {
		between = ""
	}
	return strconv.Itoa(entry[0]+1) + between + strconv.Itoa(entry[1]+1)
}

// plainNumber writes v with three digits for a title.
func plainNumber(v float64) string { return powerLabel(round(v, 3)) }

// round returns v rounded to that many significant digits.
func round(v float64, digits int) float64 {
	out, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', digits, 64), 64)
	return out
}

// statesFigure draws the path of hidden states k ↦ h_k(x) of the first sample: two entries
// and the norm, depths overlaid; nil when no run kept states.
func statesFigure(g group, style Style) *Figure {
	s, depths := style.sizes(), g.depths()
	f := &Figure{
		Name: "states-" + g.slug, Title: "Hidden states against layer", style: style, wide: true,
		Data: Table{Header: []string{"depth", "seed", "k", "k_over_L"}},
	}
	var shown []int
	var row []panel
	for _, c := range g.paths {
		if c.states == nil {
			continue
		}
		at := make([]float64, c.depth+1)
		for k := range at {
			at[k] = float64(k) / float64(c.depth)
		}
		for q, values := range c.states {
			if len(row) <= q {
				row = append(row, panel{x: axis{label: "layer $k/L$", low: 0, high: 1}, y: axis{label: stateLabel(q, len(c.states)), margin: 0.06}})
				f.Data.Header = append(f.Data.Header, stateColumn(q, len(c.states)))
			}
			row[q].marks = append(row[q].marks, mark{x: at, y: values, width: s.line, color: depthColor(c.depth, depths[0], depths[len(depths)-1])})
		}
		for k := range at {
			cells := []string{strconv.Itoa(c.depth), strconv.FormatUint(c.seed, 10), strconv.Itoa(k), exact(at[k])}
			for _, values := range c.states {
				cells = append(cells, exact(values[k]))
			}
			f.Data.Rows = append(f.Data.Rows, cells)
		}
		shown = append(shown, c.depth)
	}
	if len(shown) == 0 {
		return nil
	}
	f.panels, f.legend = [][]panel{row}, depthLegend(shown, depths, s)
	f.Caption = fmt.Sprintf("Hidden states hₖ of the first training sample after training against k/L, k = 0..L, depths overlaid, seed %d. Curves that approach one another are "+
		"the solution of the limiting equation.", g.paths[0].seed)
	f.Alt = fmt.Sprintf("Panels of hidden states against layer, depths %v overlaid.", shown)
	return f
}

// stateLabel names quantity q of n: entries, then the norm.
func stateLabel(q, n int) string {
	if q == n-1 {
		return "$‖h_k(x_1)‖$"
	}
	return fmt.Sprintf("$[h_k(x_1)]_%d$", q+1)
}

func stateColumn(q, n int) string {
	if q == n-1 {
		return "norm"
	}
	return "h_" + strconv.Itoa(q+1)
}
