package report

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html"
	"image/color"
	"regexp"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgpdf"
	"gonum.org/v1/plot/vg/vgsvg"
)

// A Figure is a drawing of a grid of panels over one legend, with the numbers it
// shows. Its bytes in any format are a function of those numbers.
type Figure struct {
	Kind    string   // name of its Kind, or map
	Name    string   // file name without extension, such as "loss-3f2a9c01"
	Title   string   // a few words
	Caption string   // what is drawn, in a sentence or two of plain text
	Alt     string   // what it shows, for who cannot see it
	Notes   []string // what could not be drawn, and why
	Data    Table    // the numbers, one row per point

	style     Style
	wide      bool // two columns
	panels    [][]panel
	residuals bool // the last row of panels is a low one, under the row it explains
	small     bool // panels are many and small
	bar       *colorScale
	legend    []entry
}

// A Table is a CSV file: a header and rows of as many cells.
type Table struct {
	Header []string
	Rows   [][]string
}

// A panel is one pair of axes with marks on them.
type panel struct {
	title string // mathText, above the panel
	x, y  axis
	heat  *heat // under the marks, or nil
	bands []band
	marks []mark
	notes []note
	tags  []tag

	frameless bool // no lines of the axes
}

// A band fills what lies between two curves, under the marks. It does not widen the axes.
type band struct {
	x, low, high []float64
	color        color.NRGBA
	outlined     bool // drawn by its edges
}

// A mark draws points, joined by a line when width > 0, each under a glyph when
// radius > 0. Points that an axis cannot show (not finite, or not positive on a
// logarithmic one) part the line.
type mark struct {
	x, y   []float64
	color  color.Color
	width  vg.Length
	dashes []vg.Length
	shape  shape
	radius vg.Length
}

// An entry is one line of the legend: a sample of mark beside text, or text alone.
type entry struct {
	text string
	mark *mark
}

// SVG returns the figure as a stand-alone SVG document. It holds no text but
// outlines, no identifier and no reference, so it can be put into any page as it is.
func (f *Figure) SVG() ([]byte, error) {
	w, h := f.size()
	c := vgsvg.New(w, h)
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("report: figure %s: %w", f.Name, err)
	}
	start := bytes.Index(b.Bytes(), []byte("<svg"))
	open := bytes.IndexByte(b.Bytes()[start:], '>') + start
	attributes := fmt.Sprintf(`<svg width="%.5gpt" height="%.5gpt" viewBox="0 0 %.5g %.5g" xmlns="http://www.w3.org/2000/svg" role="img" aria-label="%s"`,
		w, h, w, h, html.EscapeString(f.Alt))
	return append([]byte(attributes), b.Bytes()[open:]...), nil
}

// pdfDate is when a PDF was made, the one thing in it that is not the figure.
var pdfDate = regexp.MustCompile(`/(?:CreationDate|ModDate) \(D:[^)]*\)`)

// PDF returns the figure as a PDF page of its own size, without a date.
func (f *Figure) PDF() ([]byte, error) {
	c := vgpdf.New(f.size())
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("report: figure %s: %w", f.Name, err)
	}
	// Blanks of the same length leave the offsets of the file's index true.
	return pdfDate.ReplaceAllFunc(b.Bytes(), func(date []byte) []byte {
		return bytes.Repeat([]byte(" "), len(date))
	}), nil
}

// PNG returns the figure as a picture of the given number of dots per inch.
func (f *Figure) PNG(dpi int) ([]byte, error) {
	w, h := f.size()
	c := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(dpi))}
	f.draw(draw.New(c))
	var b bytes.Buffer
	if _, err := c.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("report: figure %s: %w", f.Name, err)
	}
	return b.Bytes(), nil
}

// CSV returns the figure's data, with numbers that parse back to the same bits.
func (f *Figure) CSV() ([]byte, error) {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.Write(f.Data.Header); err != nil {
		return nil, fmt.Errorf("report: figure %s: %w", f.Name, err)
	}
	if err := w.WriteAll(f.Data.Rows); err != nil {
		return nil, fmt.Errorf("report: figure %s: %w", f.Name, err)
	}
	return b.Bytes(), nil
}

// exact writes x with as many digits as tell it from its neighbours.
func exact(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }

const figureMargin = vg.Length(3)

// size returns width and height: as wide as its columns, as high as its rows of
// panels and the legend below them.
func (f *Figure) size() (w, h vg.Length) {
	s := f.style.sizes()
	w = s.single
	if f.wide {
		w = s.double
	}
	legend := legendHeight(layLegend(f.legend, s, w-2*figureMargin), s)
	h = legend + 2*figureMargin
	for _, height := range f.rowHeights(s) {
		h += height
	}
	if f.bar != nil {
		h += barHeight(s)
	}
	return w, h
}

// rowHeights returns the height of every row of panels, axis labels included.
func (f *Figure) rowHeights(s sizes) []vg.Length {
	heights := make([]vg.Length, len(f.panels))
	for i := range heights {
		switch {
		case f.small:
			heights[i] = s.low * vg.Length(max(0.5, 1.25-0.25*float64(len(heights)))) // few rows have room for more
		case f.residuals && i == len(heights)-1:
			heights[i] = 0.5 * s.panel
		case f.residuals || len(heights) == 1:
			heights[i] = s.panel
		default:
			heights[i] = s.low
		}
	}
	return heights
}

func (f *Figure) draw(c draw.Canvas) {
	s := f.style.sizes()
	c.SetColor(color.White)
	c.Fill(c.Rectangle.Path())
	c = draw.Crop(c, figureMargin, -figureMargin, figureMargin, -figureMargin)

	rows := layLegend(f.legend, s, c.Max.X-c.Min.X)
	drawLegend(rows, s, c)
	c = draw.Crop(c, 0, 0, legendHeight(rows, s), 0)
	if f.bar != nil {
		f.bar.draw(s, c)
		c = draw.Crop(c, 0, 0, barHeight(s), 0)
	}

	plots := make([][]*plot.Plot, len(f.panels))
	for i, row := range f.panels {
		for _, p := range row {
			plots[i] = append(plots[i], p.plot(s))
		}
	}
	gap := vg.Point{X: 2 * s.label, Y: s.label}
	if f.small {
		gap = vg.Point{X: 0.5 * s.label, Y: 0.3 * s.label}
	}
	canvases := align(plots, f.rowHeights(s), gap, c)
	for i, row := range plots {
		for j, p := range row {
			p.Draw(canvases[i][j])
		}
	}
}

// align returns a canvas for every plot of a grid with gap between them, such that axes are in line over rows
// and columns, data areas of one row equally wide, and their heights as those of rows.
func align(plots [][]*plot.Plot, heights []vg.Length, gap vg.Point, c draw.Canvas) [][]draw.Canvas {
	const left, right, bottom, top = 0, 1, 2, 3
	columns := len(plots[0])
	// What axes and labels take of a canvas does not depend on its size, but for labels that stand out at the end of a short axis.
	alike := c
	if columns > 3 {
		alike = draw.Crop(c, 0, (c.Max.X-c.Min.X)*(1/vg.Length(columns)-1), 0, 0)
	}
	margins := make([][][4]vg.Length, len(plots))
	x, y := make([][4]vg.Length, columns), make([][4]vg.Length, len(plots))
	for i, row := range plots {
		for j, p := range row {
			data := p.DataCanvas(alike)
			m := [4]vg.Length{data.Min.X - alike.Min.X, alike.Max.X - data.Max.X, data.Min.Y - alike.Min.Y, alike.Max.Y - data.Max.Y}
			margins[i] = append(margins[i], m)
			x[j][left], x[j][right] = max(x[j][left], m[left]), max(x[j][right], m[right])
			y[i][bottom], y[i][top] = max(y[i][bottom], m[bottom]), max(y[i][top], m[top])
		}
	}
	width := c.Max.X - c.Min.X - gap.X*vg.Length(columns-1)
	height := c.Max.Y - c.Min.Y - gap.Y*vg.Length(len(plots)-1)
	var total vg.Length
	for j := range x {
		width -= x[j][left] + x[j][right]
	}
	for i := range y {
		height -= y[i][bottom] + y[i][top]
		total += heights[i]
	}
	width /= vg.Length(columns)

	out := make([][]draw.Canvas, len(plots))
	upper := c.Max.Y
	for i, row := range plots {
		tall := height * heights[i] / total
		at := c.Min.X
		for j := range row {
			m := margins[i][j]
			start, end := at+x[j][left], at+x[j][left]+width
			ceiling, floor := upper-y[i][top], upper-y[i][top]-tall
			out[i] = append(out[i], draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
				Min: vg.Point{X: start - m[left], Y: floor - m[bottom]},
				Max: vg.Point{X: end + m[right], Y: ceiling + m[top]},
			}})
			at = end + x[j][right] + gap.X
		}
		upper -= y[i][top] + tall + y[i][bottom] + gap.Y
	}
	return out
}

// plot returns the panel as a gonum plot.
func (p panel) plot(s sizes) *plot.Plot {
	out := plot.New()
	out.BackgroundColor = nil
	if p.title != "" {
		out.Add(panelTitle{p.title, s})
	}
	p.x.low, p.x.high = p.x.fit(p.marks, func(m mark) []float64 { return m.x })
	p.y.low, p.y.high = p.y.fit(p.marks, func(m mark) []float64 { return m.y })
	if p.heat != nil {
		out.Add(heatPlotter{*p.heat, p.x, p.y})
	}
	for _, b := range p.bands {
		out.Add(bandPlotter{b, p.x, p.y, s.thin})
	}
	for _, m := range p.marks {
		out.Add(m.plotters(p.x, p.y)...)
	}
	if p.notes != nil {
		out.Add(notePlotter(p.notes, p.x, p.y, s))
	}
	if p.tags != nil {
		out.Add(tagPlotter{p.tags, p.y, s})
	}
	p.x.apply(&out.X, s, p.x.marks(6))
	p.y.apply(&out.Y, s, p.y.marks(5))
	if p.frameless {
		out.HideY()
		out.X.LineStyle.Width, out.X.Tick.LineStyle.Width = 0, 0
	}
	out.X.Tick.Label.YAlign = draw.YTop
	out.Y.Tick.Label.YAlign = draw.YCenter
	out.X.Tick.Label.XAlign = draw.XCenter
	out.Y.Tick.Label.XAlign = draw.XRight
	return out
}

// plotters returns what draws the mark on the given axes.
func (m mark) plotters(x, y axis) []plot.Plotter {
	var out []plot.Plotter
	for _, piece := range m.pieces(x, y) {
		if m.width > 0 {
			line := &plotter.Line{XYs: thin(piece, x.at(x.low), x.at(x.high))}
			line.LineStyle = draw.LineStyle{Color: m.color, Width: m.width, Dashes: m.dashes}
			out = append(out, line)
		}
		if m.radius > 0 {
			out = append(out, &plotter.Scatter{XYs: piece, GlyphStyle: m.glyph()})
		}
	}
	return out
}

// visible reports whether a point of m, or a line between two, lies on axes.
func (m mark) visible(x, y axis) bool {
	return slices.ContainsFunc(m.pieces(x, y), func(piece plotter.XYs) bool {
		return m.radius > 0 || m.width > 0 && slices.ContainsFunc(piece, func(xy plotter.XY) bool { return xy != piece[0] })
	})
}

// empty reports whether f shows nothing of its data.
func (f *Figure) empty() bool {
	for _, row := range f.panels {
		for _, p := range row {
			if p.heat != nil || slices.ContainsFunc(p.marks, func(m mark) bool { return m.visible(p.x, p.y) }) {
				return false
			}
		}
	}
	return true
}

func (m mark) glyph() draw.GlyphStyle {
	return draw.GlyphStyle{Color: m.color, Radius: m.radius, Shape: m.shape}
}

// pieces returns the places of the points, parted where an axis cannot show one.
func (m mark) pieces(x, y axis) []plotter.XYs {
	var out []plotter.XYs
	var piece plotter.XYs
	for i := range m.x {
		if x.shows(m.x[i]) && y.shows(m.y[i]) {
			piece = append(piece, plotter.XY{X: x.at(m.x[i]), Y: y.at(m.y[i])})
			continue
		}
		if piece != nil {
			out = append(out, piece)
			piece = nil
		}
	}
	if piece != nil {
		out = append(out, piece)
	}
	return out
}
