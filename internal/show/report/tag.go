package report

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A tag names a line beside its right end, in the line's colour as far as that can be read on white.
type tag struct {
	y     float64
	text  string
	color color.Color
}

// widestTag is the largest part of a figure's width that tags may take.
const widestTag = 0.2

// addTags names several lines at their ends, unless a name would take too much of the width of a figure that has one panel a row.
func (f *Figure) addTags(p *panel, tags []tag) {
	s := f.style.sizes()
	tags = slices.DeleteFunc(tags, func(t tag) bool { return !p.y.shows(t.y) })
	if len(tags) < 2 {
		return
	}
	for _, t := range tags {
		if tagStyle(s).Width(t.text) > widestTag*s.single {
			return
		}
	}
	p.tags = tags
}

func tagStyle(s sizes) draw.TextStyle {
	style := textStyle(s.tick)
	style.YAlign = draw.YCenter
	return style
}

// tagPlotter draws the tags of a panel.
type tagPlotter struct {
	tags []tag
	y    axis
	s    sizes
}

// Plot draws the texts, parted where they would lie on each other.
func (t tagPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	_, toY := p.Transforms(&c)
	sorted := slices.SortedStableFunc(slices.Values(t.tags), func(a, b tag) int { return cmp.Compare(a.y, b.y) })
	places := make([]vg.Length, len(sorted))
	for i, tag := range sorted {
		places[i] = toY(t.y.at(tag.y))
	}
	part(places, 1.1*t.s.tick, c.Min.Y, c.Max.Y)
	style := tagStyle(t.s)
	for i, tag := range sorted {
		style.Color = legible(tag.color)
		// From the line's end in its very colour, as the name may be darker and have moved.
		c.StrokeLine2(draw.LineStyle{Color: tag.color, Width: t.s.line}, c.Max.X+0.15*t.s.tick, toY(t.y.at(tag.y)), c.Max.X+0.75*t.s.tick, places[i])
		c.FillText(style, vg.Point{X: c.Max.X + t.gap(), Y: places[i]}, tag.text)
	}
}

func (t tagPlotter) gap() vg.Length { return t.s.tick }

// GlyphBoxes asks for room right of the data.
func (t tagPlotter) GlyphBoxes(*plot.Plot) []plot.GlyphBox {
	var width vg.Length
	for _, tag := range t.tags {
		width = max(width, tagStyle(t.s).Width(tag.text))
	}
	return []plot.GlyphBox{{X: 1, Y: 0.5, Rectangle: vg.Rectangle{Max: vg.Point{X: t.gap() + width}}}}
}

// leastContrast is that of text on white which most people read without strain (WCAG 2.2, success criterion 1.4.3, level AA).
const leastContrast = 4.5

// legible returns a colour for text on white: c itself, or c darkened as little as it takes for leastContrast, to its steps of 1/256.
func legible(c color.Color) color.Color {
	own, ok := color.NRGBAModel.Convert(c).(color.NRGBA)
	if !ok || contrast(own) >= leastContrast {
		return c
	}
	dark := own
	for share := 255; contrast(dark) < leastContrast; share-- {
		scale := func(v uint8) uint8 { return uint8(int(v) * share / 256) }
		dark = color.NRGBA{scale(own.R), scale(own.G), scale(own.B), own.A}
	}
	return dark
}

// contrast returns that of an opaque colour with white, from 1 to 21 (WCAG 2.2, contrast ratio and relative luminance).
func contrast(c color.NRGBA) float64 {
	linear := func(v uint8) float64 {
		x := float64(v) / 255
		if x <= 0.04045 {
			return x / 12.92
		}
		return math.Pow((x+0.055)/1.055, 2.4)
	}
	return 1.05 / (0.2126*linear(c.R) + 0.7152*linear(c.G) + 0.0722*linear(c.B) + 0.05)
}

// part moves ascending places as little as it takes for neighbours to be distance apart and all between low and high, or nearer
// to each other where there is no room for that. Places that touch stay about their mean.
func part(places []vg.Length, distance, low, high vg.Length) {
	if n := len(places); n > 1 {
		distance = min(distance, (high-low)/vg.Length(n-1))
	}
	// A run is of places that touch: it begins at first and has size places.
	type run struct {
		first vg.Length
		size  int
	}
	var runs []run
	for _, place := range places {
		runs = append(runs, run{min(max(place, low), high), 1})
		for len(runs) > 1 {
			a, b := runs[len(runs)-2], runs[len(runs)-1]
			length := distance * vg.Length(a.size)
			if a.first+length <= b.first {
				break
			}
			size := a.size + b.size
			// The mean of where each would begin by itself, weighted by its places.
			first := (a.first*vg.Length(a.size) + (b.first-length)*vg.Length(b.size)) / vg.Length(size)
			first = max(low, min(first, high-distance*vg.Length(size-1)))
			runs = append(runs[:len(runs)-2], run{first, size})
		}
	}
	i := 0
	for _, r := range runs {
		for k := range r.size {
			places[i] = r.first + distance*vg.Length(k)
			i++
		}
	}
}
