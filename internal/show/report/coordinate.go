package report

import (
	"fmt"
	"slices"
	"strconv"

	"gonum.org/v1/plot/vg"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// CoordinateFigures draws the changes of the first steps against depth, one figure for each group: a panel a quantity, one
// line an iteration, with the mean over seeds and their range.
func CoordinateFigures(c *analyze.Coordinates, style Style) []*Figure {
	var out []*Figure
	for from, to := 0, 0; from < len(c.Quantities); from = to {
		for to = from + 1; to < len(c.Quantities) && c.Quantities[to].Group == c.Quantities[from].Group; {
			to++
		}
		out = append(out, coordinateFigure(c.Quantities[from:to], style))
	}
	return out
}

// WriteCoordinates writes the figures into a folder, made when missing.
func WriteCoordinates(folder string, c *analyze.Coordinates) error {
	if err := disk.MkdirAll(folder, 0o777); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	for _, f := range CoordinateFigures(c, Paper) {
		if _, err := f.WriteFiles(folder, Formats); err != nil {
			return err
		}
	}
	return nil
}

// coordinatesFigure draws what the traces of a group say of the changes that training made.
func coordinatesFigure(g group, style Style) *Figure {
	if len(g.changes) == 0 {
		return nil
	}
	f := coordinateFigure(g.changes, style)
	f.Name, f.Title = "coordinates-"+g.slug, "Changes along training against depth"
	return f
}

func coordinateFigure(quantities []analyze.CoordinateQuantity, style Style) *Figure {
	s := style.sizes()
	first := &quantities[0]
	f := &Figure{
		Kind: "coordinate-check", Name: "coordinate-check-" + first.Group[:min(8, len(first.Group))], Title: "Changes of the first steps against depth", style: style, wide: true,
		Caption: fmt.Sprintf("%s: what the first steps change, against depth L; one line for each number of iterations, geometric mean and range over seeds. Above each panel the exponent of the last, with its 95 %% interval; flat is within ±0.1.", first.Label()),
		Data:    Table{Header: []string{"quantity", "part", "iteration", "depth", "seed", "value", "exponent", "low", "high"}},
	}
	var iterations, depths []int
	for i := range quantities {
		q := &quantities[i]
		iterations = append(iterations, q.Iteration)
		for _, v := range q.Values {
			depths = append(depths, v.Depth)
		}
	}
	slices.Sort(iterations)
	iterations = slices.Compact(iterations)
	slices.Sort(depths)
	depths = slices.Compact(depths)
	last := iterations[len(iterations)-1]
	var panels []panel
	for i := range quantities {
		if quantities[i].Iteration == last {
			panels = append(panels, f.coordinatePanel(quantities, &quantities[i], iterations, depths, s))
		}
	}
	const columns = 2
	for row := range slices.Chunk(panels, columns) {
		f.panels = append(f.panels, row)
	}
	for _, t := range iterations {
		f.legend = append(f.legend, entry{text: plain.Count(t, "iteration"), mark: &mark{color: depthColor(t, iterations[0], last), width: s.line, shape: circle, radius: s.marker}})
	}
	f.Alt = fmt.Sprintf("Panels of %d quantities against depth at %d numbers of iterations.", len(panels), len(iterations))
	return f
}

// coordinatePanel draws one quantity at all iterations.
func (f *Figure) coordinatePanel(all []analyze.CoordinateQuantity, of *analyze.CoordinateQuantity, iterations, depths []int, s sizes) panel {
	p := panel{
		x: axis{label: "depth $L$", log: true, margin: 0.06, depths: depths},
		y: axis{label: of.Math(), log: true, margin: 0.08},
	}
	if of.Exponent != nil {
		p.title = typeset("exponent " + of.Exponent.String())
	}
	empty := true
	for i := range all {
		q := &all[i]
		if q.Name != of.Name || q.Part != of.Part {
			continue
		}
		look := depthColor(q.Iteration, iterations[0], iterations[len(iterations)-1])
		line := mark{color: look, width: s.line, shape: circle, radius: s.marker}
		for _, depth := range depths {
			mean, low, high, ok := q.At(depth)
			if !ok {
				continue
			}
			empty = false
			line.x, line.y = append(line.x, float64(depth)), append(line.y, mean)
			p.marks = append(p.marks, mark{x: []float64{float64(depth), float64(depth)}, y: []float64{low, high}, color: look, width: vg.Length(0.6) * s.line})
		}
		p.marks = append(p.marks, line)
		for _, v := range q.Values {
			row := []string{q.Name, q.Part, strconv.Itoa(q.Iteration), strconv.Itoa(v.Depth), strconv.FormatUint(v.Seed, 10), optionalExact(v.Value), "", "", ""}
			if e := q.Exponent; e != nil {
				row[6], row[7], row[8] = exact(e.Slope), ending(e.Low), ending(e.High)
			}
			f.Data.Rows = append(f.Data.Rows, row)
		}
	}
	if empty {
		p.title = "0 at every depth, or not known"
	}
	return p
}
