package report

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// planeColumns is how many maps stand beside one another, and planeCells how many cells a map has either way.
const planeColumns, planeCells = 4, 32

// planeFigure draws the measure over two values that are tuned at a time, one map a depth.
func planeFigure(g group, style Style) *Figure {
	t := g.plane
	if t == nil || len(t.Best) == 0 {
		return nil
	}
	s := style.sizes()
	names := [2]string{valueText(t.Over[0]), valueText(t.Over[1])}
	f := &Figure{
		Name: "plane-" + g.slug, Title: "Best " + names[0] + " and " + names[1] + " at every depth", style: style, wide: true,
		Data: Table{Header: []string{"quantity", "depth", "seed", t.Over[0], t.Over[1], "measure", "low_" + t.Over[0], "high_" + t.Over[0], "low_" + t.Over[1], "high_" + t.Over[1]}},
	}
	f.Caption = fmt.Sprintf("%s over %s and %s, one map a depth: each place has the colour of the nearest pair tried (dots), the mean over seeds of the logarithm; white: a seed diverged. "+
		"Circle: the best pair, with the 95 %% interval of each value whatever the other is; where a bar is missing, nothing ends the interval.", measureText(t.Measure), names[0], names[1])
	f.Alt = fmt.Sprintf("Maps of %s over %s and %s. ", measureText(t.Measure), names[0], names[1])
	scale, ranges := planeScale(t)
	var row []panel
	law := ""
	for i := range t.Best {
		b := &t.Best[i]
		p := panel{
			title: fmt.Sprintf("$L$ = %d", b.Depth),
			x:     axis{label: names[0], log: true, low: ranges[0][0], high: ranges[0][1]},
			y:     axis{label: names[1], log: true, low: ranges[1][0], high: ranges[1][1], bare: len(row) > 0},
			heat:  planeHeat(t.Points(b.Depth), ranges, scale),
		}
		dots := mark{color: color.Gray{0x60}, shape: circle, radius: s.marker / 3}
		for _, q := range t.Points(b.Depth) {
			dots.x, dots.y = append(dots.x, q.Values[0]), append(dots.y, q.Values[1])
		}
		p.marks = append(p.marks, dots)
		p.marks = append(p.marks, planeBest(b, ranges, s)...)
		for j := range t.Regret {
			if r := &t.Regret[j]; r.Rule == "law" && r.To == b.Depth {
				p.marks = append(p.marks, mark{x: []float64{r.Pair[0]}, y: []float64{r.Pair[1]}, color: categories[1].color, shape: cross, radius: 1.4 * s.marker})
				law = fmt.Sprintf(" Cross: the best pair of depth %d, moved by the law.", r.From)
			}
		}
		row = append(row, p)
		if len(row) == planeColumns || i == len(t.Best)-1 {
			f.panels, row = append(f.panels, row), nil
		}
		f.Data.Rows = append(f.Data.Rows, []string{
			"best", strconv.Itoa(b.Depth), "", exact(b.Values[0]), exact(b.Values[1]), exact(b.Lowest), optionalExact(b.Low[0]), optionalExact(b.High[0]), optionalExact(b.Low[1]), optionalExact(b.High[1]),
		})
		f.Alt += fmt.Sprintf("At depth %d the best pair is %s, %s. ", b.Depth, number(b.Values[0], 3), number(b.Values[1], 3))
	}
	f.bar = &scale
	f.Caption += law
	for i := range t.Runs {
		r := &t.Runs[i]
		f.Data.Rows = append(f.Data.Rows, []string{"run", strconv.Itoa(r.Depth), strconv.FormatUint(r.Seed, 10), exact(r.Values[0]), exact(r.Values[1]), optionalExact(r.Measure), "", "", "", ""})
	}
	f.Notes = append(f.Notes, t.Notes...)
	return f
}

// planeScale returns the colours of all maps, and the range of each value.
func planeScale(t *analyze.TunePlane) (scale colorScale, ranges [2][2]float64) {
	ranges = [2][2]float64{{math.Inf(1), 0}, {math.Inf(1), 0}}
	var measures []float64
	for i := range t.Best {
		for _, p := range t.Points(t.Best[i].Depth) {
			for f := range ranges {
				ranges[f][0], ranges[f][1] = min(ranges[f][0], p.Values[f]), max(ranges[f][1], p.Values[f])
			}
			measures = append(measures, p.Measure)
		}
	}
	for f := range ranges {
		ranges[f][0], ranges[f][1] = widen(ranges[f][0], ranges[f][1], 0.03, true)
	}
	return newColorScale(measureText(t.Measure), measures, true), ranges
}

// planeHeat colours each cell as the nearest point, of distances in logarithms as shares of the ranges.
func planeHeat(points []analyze.TunePlanePoint, ranges [2][2]float64, scale colorScale) *heat {
	h := &heat{scale: scale}
	place := func(f int, share float64) float64 {
		return ranges[f][0] * math.Pow(ranges[f][1]/ranges[f][0], share)
	}
	for i := range planeCells + 1 {
		h.x, h.y = append(h.x, place(0, float64(i)/planeCells)), append(h.y, place(1, float64(i)/planeCells))
	}
	for j := range planeCells {
		var row []float64
		for i := range planeCells {
			x, y := place(0, (float64(i)+0.5)/planeCells), place(1, (float64(j)+0.5)/planeCells)
			value, distance := math.NaN(), math.Inf(1)
			for _, p := range points {
				d := math.Hypot(math.Log(p.Values[0]/x)/math.Log(ranges[0][1]/ranges[0][0]), math.Log(p.Values[1]/y)/math.Log(ranges[1][1]/ranges[1][0]))
				if d < distance {
					value, distance = p.Measure, d
				}
			}
			row = append(row, value)
		}
		h.values = append(h.values, row)
	}
	return h
}

// planeBest marks the best pair with the interval of each value, up to the edge of the map where it is open.
func planeBest(b *analyze.TunePlaneBest, ranges [2][2]float64, s sizes) []mark {
	ends := [2][2]float64{}
	for f := range ends {
		ends[f] = [2]float64{b.Values[f], b.Values[f]}
		if b.Low[f] != nil {
			ends[f][0] = max(*b.Low[f], ranges[f][0])
		}
		if b.High[f] != nil {
			ends[f][1] = min(*b.High[f], ranges[f][1])
		}
	}
	return []mark{
		{x: ends[0][:], y: []float64{b.Values[1], b.Values[1]}, color: color.Black, width: s.line},
		{x: []float64{b.Values[0], b.Values[0]}, y: ends[1][:], color: color.Black, width: s.line},
		{x: b.Values[:1], y: b.Values[1:], color: color.Black, shape: circle, radius: s.marker},
	}
}
