package report

import (
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A panelTitle stands above the data of a panel, in their middle. The title of a gonum
// plot stands in the middle of data and labels together.
type panelTitle struct {
	text  string
	sizes sizes
}

func (t panelTitle) style() draw.TextStyle {
	style := textStyle(t.sizes.tick)
	style.XAlign, style.YAlign = draw.XCenter, draw.YBottom
	return style
}

func (t panelTitle) gap() vg.Length { return 0.6 * t.sizes.tick }

// Plot draws the title.
func (t panelTitle) Plot(c draw.Canvas, _ *plot.Plot) {
	c.FillText(t.style(), vg.Point{X: (c.Min.X + c.Max.X) / 2, Y: c.Max.Y + t.gap()}, t.text)
}

// GlyphBoxes asks for room above the data.
func (t panelTitle) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	height := t.gap() + t.style().Height(t.text)
	return []plot.GlyphBox{{X: 0.5, Y: 1, Rectangle: vg.Rectangle{Max: vg.Point{Y: height}}}}
}

// bandPlotter draws a band on given axes.
type bandPlotter struct {
	band
	onX, onY axis
	width    vg.Length // of the edges of one that is outlined
}

// Plot fills the band as far as it lies on the axes, or draws its edges.
func (b bandPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	if b.outlined {
		for _, y := range [][]float64{b.low, b.high} {
			for _, line := range (mark{x: b.x, y: y, color: edgeColor(b.color), width: b.width}).plotters(b.onX, b.onY) {
				line.Plot(c, p)
			}
		}
		return
	}
	toX, toY := p.Transforms(&c)
	var outline []vg.Point
	add := func(i int, y float64) {
		if b.onX.shows(b.x[i]) && b.onY.shows(y) {
			outline = append(outline, vg.Point{X: toX(b.onX.at(b.x[i])), Y: toY(b.onY.at(y))})
		}
	}
	for i := range b.x {
		add(i, b.high[i])
	}
	for i := len(b.x) - 1; i >= 0; i-- {
		add(i, b.low[i])
	}
	if outline = c.ClipPolygonXY(outline); len(outline) > 2 {
		c.FillPolygon(b.color, outline)
	}
}

// edgeColor is that of the edges of a band filled with c.
func edgeColor(c color.NRGBA) color.NRGBA { return color.NRGBA{c.R, c.G, c.B, 0xa0} }

// outline has bands that lie on another one drawn by their edges, as colours over each other are those of no band.
func outline(bands []band) {
	for i := range bands {
		for j := range i {
			if bands[i].overlaps(bands[j]) {
				bands[i].outlined, bands[j].outlined = true, true
			}
		}
	}
}

// overlaps reports whether bands have a point in common that is not on an edge.
func (b band) overlaps(other band) bool {
	for i, x := range b.x {
		low, high, ok := other.at(x)
		if ok && max(low, b.low[i]) < min(high, b.high[i]) {
			return true
		}
	}
	return false
}

// at returns the edges of a band at x, linear between its points, and whether it has any there.
func (b band) at(x float64) (low, high float64, ok bool) {
	i, met := slices.BinarySearch(b.x, x)
	switch {
	case met:
		return b.low[i], b.high[i], true
	case i == 0 || i == len(b.x):
		return 0, 0, false
	}
	part := (x - b.x[i-1]) / (b.x[i] - b.x[i-1])
	return b.low[i-1] + part*(b.low[i]-b.low[i-1]), b.high[i-1] + part*(b.high[i]-b.high[i-1]), true
}
