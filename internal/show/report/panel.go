package report

import (
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
}

// Plot fills the band as far as it lies on the axes.
func (b bandPlotter) Plot(c draw.Canvas, p *plot.Plot) {
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
