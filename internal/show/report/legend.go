package report

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A legendRow is a row of entries, each with the place where it starts.
type legendRow []placed

type placed struct {
	entry
	x vg.Length
}

const (
	sampleWidth = 1.6 // of a legend's line sample, in text sizes
	sampleGap   = 0.5 // between sample and text
	entryGap    = 0.9 // between entries
	rowHeight   = 1.45
)

// layLegend puts entries side by side, as many to a row as width holds. An entry
// without a sample heads a list and starts a row.
func layLegend(entries []entry, s sizes, width vg.Length) []legendRow {
	style := textStyle(s.tick)
	var rows []legendRow
	var x vg.Length
	for i, e := range entries {
		w := style.Width(e.text)
		if e.mark != nil {
			w += (sampleWidth + sampleGap) * s.tick
		}
		if i == 0 || e.mark == nil || x+w > width {
			rows = append(rows, nil)
			x = 0
		}
		last := len(rows) - 1
		rows[last] = append(rows[last], placed{e, x})
		x += w + entryGap*s.tick
	}
	return rows
}

func legendHeight(rows []legendRow, s sizes) vg.Length {
	if len(rows) == 0 {
		return 0
	}
	return vg.Length(len(rows))*rowHeight*s.tick + 0.6*s.tick
}

// drawLegend draws the rows at the lower edge of c, where no data are.
func drawLegend(rows []legendRow, s sizes, c draw.Canvas) {
	style := textStyle(s.tick)
	style.YAlign = draw.YCenter
	descent := style.FontExtents().Descent
	for i, row := range rows {
		y := c.Min.Y + (vg.Length(len(rows)-i)-0.5)*rowHeight*s.tick
		for _, p := range row {
			x := c.Min.X + p.x
			if m := p.mark; m != nil {
				end := x + sampleWidth*s.tick
				if m.width > 0 {
					c.StrokeLine2(draw.LineStyle{Color: m.color, Width: max(m.width, s.line), Dashes: m.dashes}, x, y, end, y)
				}
				if m.radius > 0 {
					c.DrawGlyph(m.glyph(), vg.Point{X: (x + end) / 2, Y: y})
				}
				x = end + sampleGap*s.tick
			}
			c.FillText(style, vg.Point{X: x, Y: y + descent/2}, p.text)
		}
	}
}
