package report

import (
	"fmt"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// weightsFigure draws the rescaled weight paths of several depths over the layer
// index: two entries and the Frobenius norm of L^β A_k(T), and below of
// L^β (A_k(T) − A_k(0)). Curves that fall on each other as depth grows are the limit.
func weightsFigure(g group, style Style) *Figure {
	if len(g.paths) == 0 {
		return nil
	}
	s := style.sizes()
	depths := g.depths()
	f := &Figure{
		Name:  "weights-" + g.slug,
		Title: "Rescaled weights against layer",
		style: style,
		wide:  true,
	}
	first := g.paths[0]
	var shown []int
	for _, c := range g.paths {
		shown = append(shown, c.depth)
	}
	rows := [][]panel{nil}
	if first.displacement != nil {
		rows = append(rows, nil)
	}
	f.Data.Header = []string{"depth", "seed", "k", "k_over_L"}
	for row := range rows {
		for q := range len(first.entries) + 1 {
			p := panel{
				x: axis{label: "layer $k/L$", low: 0, high: 1, bare: row+1 < len(rows)},
				y: axis{label: quantityLabel(first, q, row == 1), margin: 0.04},
			}
			for _, c := range g.paths {
				m := mark{width: 0.7 * s.line, color: depthColor(c.depth, depths[0], depths[len(depths)-1])}
				m.x = layers(c.depth)
				m.y = c.trained[q]
				if row == 1 {
					m.y = c.displacement[q]
				}
				p.marks = append(p.marks, m)
			}
			rows[row] = append(rows[row], p)
			f.Data.Header = append(f.Data.Header, quantityColumn(first, q, row == 1))
		}
	}
	f.panels = rows
	f.Data.Rows = pathRows(g.paths)
	f.legend = depthLegend(shown, depths, s)
	f.Caption = fmt.Sprintf("Rescaled weights Lᵝ%[1]sₖ (β = %[2]s) against k/L, depths overlaid, seed %[3]d: entries and Frobenius norm "+
		"after training", first.part, unpadded(1-g.Alpha), first.seed)
	if len(rows) > 1 {
		f.Caption += " (top) and of the displacement from the initial weights (bottom)"
	}
	f.Caption += ". Curves that approach one another as depth grows are the scaling limit."
	f.Alt = fmt.Sprintf("Panels of the rescaled weights against layer, depths %v overlaid.", shown)
	return f
}

// layers returns k/L for k = 1..L.
func layers(depth int) []float64 {
	s := make([]float64, depth)
	for k := range s {
		s[k] = float64(k+1) / float64(depth)
	}
	return s
}

// quantityLabel names quantity q of a curve in mathText.
func quantityLabel(c pathCurve, q int, displacement bool) string {
	if q == len(c.entries) {
		if displacement {
			return fmt.Sprintf("$L^β‖%[1]s_k(T) − %[1]s_k(0)‖_F$", c.part)
		}
		return fmt.Sprintf("$L^β‖%s_k(T)‖_F$", c.part)
	}
	entry := fmt.Sprintf("$[%s_k(T)]_{%d%d}$", c.part, c.entries[q][0]+1, c.entries[q][1]+1)
	if displacement {
		entry = fmt.Sprintf("$[%[1]s_k(T) − %[1]s_k(0)]_{%d%d}$", c.part, c.entries[q][0]+1, c.entries[q][1]+1)
	}
	return "$L^β$" + entry
}

// quantityColumn names quantity q of a curve in the data.
func quantityColumn(c pathCurve, q int, displacement bool) string {
	name := "frobenius"
	if q < len(c.entries) {
		name = fmt.Sprintf("%s_%d_%d", c.part, c.entries[q][0]+1, c.entries[q][1]+1)
	}
	if displacement {
		return "displacement_" + name
	}
	return name
}

// pathRows returns one row per layer of every curve.
func pathRows(curves []pathCurve) [][]string {
	var rows [][]string
	for _, c := range curves {
		for k, s := range layers(c.depth) {
			row := []string{strconv.Itoa(c.depth), strconv.FormatUint(c.seed, 10), strconv.Itoa(k + 1), exact(s)}
			for _, values := range c.trained {
				row = append(row, exact(values[k]))
			}
			for _, values := range c.displacement {
				row = append(row, exact(values[k]))
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// newPathCurve takes a sample as figures draw it.
func newPathCurve(s *analyze.PathSample) pathCurve {
	return pathCurve{
		depth: s.Depth, seed: s.Seed, part: s.Part, entries: s.Entries, trained: s.Trained, displacement: s.Displacement,
		factor: s.Factor, norms: s.Norms, states: s.States, partition: s.Partition, moved: s.Moved,
	}
}
