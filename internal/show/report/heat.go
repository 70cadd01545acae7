package report

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A heat is a grid of coloured cells under the marks of a panel: cell (i, j) covers
// x[i] … x[i+1] and y[j] … y[j+1], in the units of the axes. Cells that the scale has no
// place for stay white.
type heat struct {
	x, y   []float64
	values [][]float64 // by row j, then column i
	scale  colorScale
}

// A colorScale maps low … high, of the logarithm if log, to the colours of a heat map.
type colorScale struct {
	label     string // mathText
	low, high float64
	log       bool
}

// newColorScale returns the scale over the values that an axis can show, logarithmic
// when asked to and when they span more than a decade.
func newColorScale(label string, values []float64, log bool) colorScale {
	s := colorScale{label: label, low: math.Inf(1), high: math.Inf(-1), log: log}
	for _, v := range values {
		if s.axis().shows(v) {
			s.low, s.high = min(s.low, v), max(s.high, v)
		}
	}
	if s.log && !(s.high > 10*s.low) {
		linear := newColorScale(label, values, false)
		return linear
	}
	if !(s.low < s.high) {
		s.low, s.high = widen(s.low, s.high, 0, s.log)
	}
	return s
}

func (s colorScale) axis() axis {
	return axis{label: s.label, log: s.log, low: s.low, high: s.high}
}

// viridis holds the colour map of that name (van der Walt and Smith, CC0) at nine places
// with equal steps of lightness, from dark to light.
var viridis = []color.NRGBA{
	{0x44, 0x01, 0x54, 0xff},
	{0x47, 0x2c, 0x7a, 0xff},
	{0x3b, 0x51, 0x8b, 0xff},
	{0x2c, 0x71, 0x8e, 0xff},
	{0x21, 0x90, 0x8d, 0xff},
	{0x27, 0xad, 0x81, 0xff},
	{0x5c, 0xc8, 0x63, 0xff},
	{0xaa, 0xdc, 0x32, 0xff},
	{0xfd, 0xe7, 0x25, 0xff},
}

// shades is the number of colours of a heat map: more than an eye tells apart, few
// enough that a drawing is a handful of paths.
const shades = 96

// shade returns the number of the colour of v, −1 where there is none.
func (s colorScale) shade(v float64) int {
	a := s.axis()
	if !a.shows(v) {
		return -1
	}
	t := (a.at(v) - a.at(s.low)) / (a.at(s.high) - a.at(s.low))
	return min(max(int(t*shades), 0), shades-1)
}

// shadeColor returns colour number i of a heat map.
func shadeColor(i int) color.NRGBA {
	return ramp(viridis, float64(i)/(shades-1))
}

// ink returns the colour of text on colour number i: white on dark, black on light.
func ink(i int) color.Color {
	c := shadeColor(i)
	// Luma of sRGB, in 0 … 255.
	if 0.299*float64(c.R)+0.587*float64(c.G)+0.114*float64(c.B) < 140 {
		return color.White
	}
	return color.Black
}

// ramp returns the colour at t in [0, 1] between equally spaced colours.
func ramp(colors []color.NRGBA, t float64) color.NRGBA {
	at := t * float64(len(colors)-1)
	i := min(int(at), len(colors)-2)
	mix := func(a, b uint8) uint8 {
		return uint8(math.Round(float64(a) + (at-float64(i))*(float64(b)-float64(a))))
	}
	p, q := colors[i], colors[i+1]
	return color.NRGBA{mix(p.R, q.R), mix(p.G, q.G), mix(p.B, q.B), 0xff}
}

// heatPlotter draws a heat on given axes.
type heatPlotter struct {
	heat
	onX, onY axis
}

// seam is how far a cell reaches under its right and upper neighbours, so that no
// viewer shows white between two cells.
const seam = vg.Length(0.3)

// Plot draws the cells, those of one colour as one path.
func (h heatPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	paths := make([]vg.Path, shades)
	for j, row := range h.values {
		low, high := toY(h.onY.at(h.y[j])), toY(h.onY.at(h.y[j+1]))
		for i := 0; i < len(row); {
			shade, first := h.scale.shade(row[i]), i
			for i < len(row) && h.scale.shade(row[i]) == shade {
				i++
			}
			if shade < 0 {
				continue
			}
			left, right := toX(h.onX.at(h.x[first])), toX(h.onX.at(h.x[i]))
			right, top := min(right+seam, c.Max.X), min(high+seam, c.Max.Y)
			path := &paths[shade]
			path.Move(vg.Point{X: left, Y: low})
			path.Line(vg.Point{X: right, Y: low})
			path.Line(vg.Point{X: right, Y: top})
			path.Line(vg.Point{X: left, Y: top})
			path.Close()
		}
	}
	for shade, path := range paths {
		if len(path) > 0 {
			c.SetColor(shadeColor(shade))
			c.Fill(path)
		}
	}
}

// barHeight returns the height of a colour bar with its labels.
func barHeight(s sizes) vg.Length { return barGap(s) + 0.8*s.label + 1.7*s.tick + 1.7*s.label }

// barGap is the room above it.
func barGap(s sizes) vg.Length { return 0.7 * s.label }

// draw draws the scale along the lower edge of c, from left to right.
func (s colorScale) draw(z sizes, c draw.Canvas) {
	p := plot.New()
	p.BackgroundColor = nil
	p.HideY()
	a := s.axis()
	a.apply(&p.X, z, 6)
	p.X.Tick.Label.YAlign = draw.YTop
	p.X.Tick.Label.XAlign = draw.XCenter
	p.X.Padding = 0
	p.Y.Min, p.Y.Max = 0, 1
	bar := heat{y: []float64{0, 1}, values: [][]float64{nil}, scale: s}
	low, high := a.at(s.low), a.at(s.high)
	for i := range shades + 1 {
		bar.x = append(bar.x, low+(high-low)*float64(i)/shades)
	}
	for i := range shades {
		v := low + (high-low)*(float64(i)+0.5)/shades
		if s.log {
			v = math.Pow(10, v)
		}
		bar.values[0] = append(bar.values[0], v)
	}
	p.Add(heatPlotter{heat: bar})
	p.Draw(draw.Crop(c, 0.08*(c.Max.X-c.Min.X), -0.08*(c.Max.X-c.Min.X), 0, barHeight(z)-barGap(z)-(c.Max.Y-c.Min.Y)))
}

// A note is a text in a panel, centred on a place of its axes, or ending there.
type note struct {
	x, y  float64
	text  string
	color color.Color
	ends  bool
}

// notePlotter draws the notes of a panel.
func notePlotter(notes []note, x, y axis, s sizes) plot.Plotter {
	var labels plotter.XYLabels
	var out plotter.Labels
	for _, n := range notes {
		labels.XYs = append(labels.XYs, plotter.XY{X: x.at(n.x), Y: y.at(n.y)})
		style := textStyle(0.86 * s.tick)
		style.Color, style.XAlign, style.YAlign = n.color, draw.XCenter, draw.YCenter
		if n.ends {
			style.XAlign = draw.XRight
		}
		out.TextStyle = append(out.TextStyle, style)
		labels.Labels = append(labels.Labels, n.text)
	}
	out.XYs, out.Labels = labels.XYs, labels.Labels
	return cleared{&out}
}

// cleared draws labels, those that end at their point on a white ground, as lines run below them.
type cleared struct{ *plotter.Labels }

// Plot draws the grounds, then the texts.
func (l cleared) Plot(c draw.Canvas, plt *plot.Plot) {
	toX, toY := plt.Transforms(&c)
	c.SetColor(color.White)
	for i, style := range l.TextStyle {
		if style.XAlign != draw.XRight {
			continue
		}
		pad := 0.12 * style.Font.Size
		ground := style.Rectangle(l.Labels.Labels[i])
		at := vg.Point{X: toX(l.XYs[i].X), Y: toY(l.XYs[i].Y)}
		low := vg.Point{X: at.X + ground.Min.X - pad, Y: at.Y + ground.Min.Y - pad}
		high := vg.Point{X: at.X + ground.Max.X + pad, Y: at.Y + ground.Max.Y + pad}
		var p vg.Path
		p.Move(low)
		p.Line(vg.Point{X: high.X, Y: low.Y})
		p.Line(high)
		p.Line(vg.Point{X: low.X, Y: high.Y})
		p.Close()
		c.Fill(p)
	}
	l.Labels.Plot(c, plt)
}
