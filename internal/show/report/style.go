package report

import (
	"image/color"
	"math"

	"gonum.org/v1/plot/font"
	_ "gonum.org/v1/plot/font/liberation" // gonum/plot fills font.DefaultCache from it
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A Style sizes a figure for where it will be seen.
type Style string

// Paper fits the columns of a journal (85 and 174 mm wide, 8 pt text); Slides fits
// a projected page, with larger text and thicker lines. The zero Style is Paper.
const (
	Paper  Style = "paper"
	Slides Style = "slides"
)

// sizes are the lengths that make a style.
type sizes struct {
	single, double vg.Length // width of a figure over one and two columns
	panel, low     vg.Length // height of a row of panels, axis labels included: one row, and one of several
	label, tick    vg.Length // text
	line, thin     vg.Length // strokes of what is measured and of what is drawn around it
	marker         vg.Length // radius
	gap            vg.Length // between axis and data
}

func (s Style) sizes() sizes {
	if s == Slides {
		return sizes{
			single: 160 * vg.Millimeter, double: 300 * vg.Millimeter, panel: 105 * vg.Millimeter, low: 80 * vg.Millimeter,
			label: 15, tick: 13, line: 1.8, thin: 1, marker: 4, gap: 5,
		}
	}
	return sizes{
		single: 85 * vg.Millimeter, double: 174 * vg.Millimeter, panel: 58 * vg.Millimeter, low: 44 * vg.Millimeter,
		label: 8.5, tick: 7.5, line: 0.9, thin: 0.5, marker: 2.1, gap: 3,
	}
}

// textStyle returns black text of the given size in the figures' one typeface,
// Liberation Serif, which has the metrics of Times.
func textStyle(size vg.Length) text.Style {
	return text.Style{
		Color:   color.Black,
		Font:    font.Font{Typeface: "Liberation", Variant: "Serif", Size: size},
		Handler: mathText{font.DefaultCache},
	}
}

// plasma holds the darker two thirds of the colour map of that name (van der Walt
// and Smith, CC0), the rest being too light to be read on white, at seven places
// with equal steps of lightness (CIE L* from 16 to 64): depths keep their order and
// their distance in greyscale.
var plasma = []color.NRGBA{
	{0x0d, 0x08, 0x87, 0xff},
	{0x48, 0x03, 0x9f, 0xff},
	{0x79, 0x04, 0xa6, 0xff},
	{0xa3, 0x1e, 0x99, 0xff},
	{0xc2, 0x3d, 0x81, 0xff},
	{0xdb, 0x5b, 0x68, 0xff},
	{0xed, 0x79, 0x53, 0xff},
}

// depthColor returns the colour of a depth between the smallest and the largest of
// a figure: linear in log L, light for shallow and dark for deep.
func depthColor(depth, smallest, largest int) color.Color {
	t := 0.0 // a single depth is dark
	if largest > smallest {
		t = math.Log(float64(largest)/float64(depth)) / math.Log(float64(largest)/float64(smallest))
	}
	return ramp(plasma, t)
}

// categories are the colours (Okabe and Ito, with a brown for their yellow) and shapes of
// quantities without an order. Shape alone tells them apart in greyscale.
var categories = []struct {
	color color.NRGBA
	shape shape
}{
	{color.NRGBA{0x00, 0x72, 0xb2, 0xff}, circle},
	{color.NRGBA{0xd5, 0x5e, 0x00, 0xff}, square},
	{color.NRGBA{0x00, 0x9e, 0x73, 0xff}, triangle},
	{color.NRGBA{0xcc, 0x79, 0xa7, 0xff}, diamond},
	{color.NRGBA{0x56, 0x56, 0x56, 0xff}, inverted},
	{color.NRGBA{0x7d, 0x5f, 0x00, 0xff}, pentagon},
}

// A shape draws a marker: a regular polygon, white inside so that those behind it
// can still be counted, or a cross.
type shape struct {
	corners int
	turn    float64 // of the first corner from the x axis, in radians
	scale   float64 // evens out how large polygons of one radius look
}

var (
	circle   = shape{scale: 1}
	square   = shape{corners: 4, turn: math.Pi / 4, scale: 1.25}
	triangle = shape{corners: 3, turn: math.Pi / 2, scale: 1.3}
	diamond  = shape{corners: 4, turn: math.Pi / 2, scale: 1.25}
	inverted = shape{corners: 3, turn: -math.Pi / 2, scale: 1.3}
	pentagon = shape{corners: 5, turn: math.Pi / 2, scale: 1.15}
	cross    = shape{corners: 2, scale: 1.2}
)

// DrawGlyph implements gonum's GlyphDrawer.
func (s shape) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	r := style.Radius * vg.Length(s.scale)
	corner := func(i, of int) vg.Point {
		sin, cos := math.Sincos(s.turn + 2*math.Pi*float64(i)/float64(of))
		return vg.Point{X: at.X + r*vg.Length(cos), Y: at.Y + r*vg.Length(sin)}
	}
	c.SetLineStyle(draw.LineStyle{Color: style.Color, Width: 0.4 * style.Radius})
	var path vg.Path
	switch s.corners {
	case 0:
		path = circlePath(at, r)
	case 2:
		d := r * math.Sqrt2 / 2
		for _, sign := range []vg.Length{-1, 1} {
			path.Move(vg.Point{X: at.X - d, Y: at.Y - sign*d})
			path.Line(vg.Point{X: at.X + d, Y: at.Y + sign*d})
		}
		c.Stroke(path)
		return
	default:
		path.Move(corner(0, s.corners))
		for i := 1; i < s.corners; i++ {
			path.Line(corner(i, s.corners))
		}
		path.Close()
	}
	c.SetColor(color.White)
	c.Fill(path)
	c.SetColor(style.Color)
	c.Stroke(path)
}

// circlePath returns a circle as four cubic curves, which every writer draws alike.
// It ends where it starts; closing it would add a side without length, whose corner
// shows in PDF.
func circlePath(at vg.Point, r vg.Length) vg.Path {
	const k = 0.5522847498307936 // 4(√2−1)/3
	p := func(x, y vg.Length) vg.Point { return vg.Point{X: at.X + x*r, Y: at.Y + y*r} }
	var path vg.Path
	path.Move(p(1, 0))
	path.CubeTo(p(1, k), p(k, 1), p(0, 1))
	path.CubeTo(p(-k, 1), p(-1, k), p(-1, 0))
	path.CubeTo(p(-1, -k), p(-k, -1), p(0, -1))
	path.CubeTo(p(k, -1), p(1, -k), p(1, 0))
	return path
}
