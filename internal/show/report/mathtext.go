package report

import (
	"fmt"
	"math"
	"strings"
	"unicode"

	stdfont "golang.org/x/image/font"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// mathText sets one line of text as glyph outlines. Between dollar signs letters
// are italic, and _ and ^ lower and raise the rune or the {group} that follows
// them; a lowered and a raised one in a row stand above each other. Outside, every
// rune stands for itself, apart from those that are not seen: names hold them.
//
// Outlines, because the alternatives lose text: gonum's PDF writer encodes strings
// in code page 1252, which has neither Greek letters nor the bars of a norm, and an
// SVG that names a font shows another one where it is missing.
type mathText struct {
	fonts *font.Cache
}

var _ text.Handler = mathText{}

const (
	scriptSize = 0.7  // of the surrounding size
	raise      = 0.36 // of a superscript's baseline, in em
	lower      = 0.16 // of a subscript's baseline, in em
)

// A glyph is one outline, at its place relative to the start of the line.
type glyph struct {
	font *sfnt.Font
	id   sfnt.GlyphIndex
	x, y vg.Length
	size vg.Length
}

// Cache returns the fonts that text is set in.
func (h mathText) Cache() *font.Cache { return h.fonts }

// Extents returns ascent, descent and height of the font.
func (h mathText) Extents(f font.Font) font.Extents {
	face := h.fonts.Lookup(f, f.Size)
	return face.Extents()
}

// Lines returns txt as the one line it is.
func (mathText) Lines(txt string) []string { return []string{txt} }

// Box returns the advance width of txt and the font's ascent and descent, which
// hold its scripts too.
func (h mathText) Box(txt string, f font.Font) (width, height, depth vg.Length) {
	_, width = h.set(txt, f)
	e := h.Extents(f)
	return width, e.Ascent, e.Descent
}

// Draw fills the outlines of txt, aligned and rotated as gonum's plain text
// handler would.
func (h mathText) Draw(c vg.Canvas, txt string, style text.Style, at vg.Point) {
	glyphs, width := h.set(txt, style.Font)
	e := h.Extents(style.Font)
	dx := width * vg.Length(style.XAlign)
	dy := (e.Ascent+e.Descent)*vg.Length(style.YAlign) - e.Ascent + style.Font.Size
	sin, cos := math.Sincos(style.Rotation)

	var path vg.Path
	for _, g := range glyphs {
		g.appendTo(&path, func(x, y vg.Length) vg.Point {
			x, y = x+dx, y+dy
			return vg.Point{
				X: at.X + x*vg.Length(cos) - y*vg.Length(sin),
				Y: at.Y + x*vg.Length(sin) + y*vg.Length(cos),
			}
		})
	}
	if len(path) > 0 {
		c.SetColor(style.Color)
		c.Fill(path)
	}
}

// set places the glyphs of txt on a line and returns them with its width.
func (h mathText) set(txt string, f font.Font) ([]glyph, vg.Length) {
	italic := f
	italic.Style = stdfont.StyleItalic
	t := typesetter{
		roman:  h.fonts.Lookup(f, f.Size).Face,
		italic: h.fonts.Lookup(italic, f.Size).Face,
	}
	var x vg.Length
	for i, part := range strings.Split(plain.Text(txt), "$") {
		if i%2 == 0 {
			x = t.run([]rune(part), false, x, 0, f.Size)
		} else {
			x = t.math([]rune(part), x, 0, f.Size)
		}
	}
	return t.glyphs, x
}

type typesetter struct {
	roman, italic *sfnt.Font
	buffer        sfnt.Buffer
	glyphs        []glyph
}

// math sets s with scripts from (x, y) on and returns where it ends.
func (t *typesetter) math(s []rune, x, y, size vg.Length) vg.Length {
	base := x         // where the scripts of the last nucleus start
	var previous rune // the script just set: '_', '^' or 0
	for len(s) > 0 {
		kind := s[0]
		if kind != '_' && kind != '^' {
			x = t.run(s[:1], true, x, y, size)
			base, previous, s = x, 0, s[1:]
			continue
		}
		var argument []rune
		argument, s = scriptArgument(s[1:])
		if previous == kind || previous == 0 {
			base = x
		}
		shift := raise * size
		if kind == '_' {
			shift = -lower * size
		}
		x = max(x, t.math(argument, base, y+shift, scriptSize*size))
		previous = kind
	}
	return x
}

// scriptArgument splits off the rune or the braced group that s starts with.
func scriptArgument(s []rune) (argument, rest []rune) {
	if len(s) == 0 {
		return nil, nil
	}
	if s[0] != '{' {
		return s[:1], s[1:]
	}
	open := 0
	for i, r := range s {
		switch r {
		case '{':
			open++
		case '}':
			open--
		}
		if open == 0 {
			return s[1:i], s[i+1:]
		}
	}
	return s[1:], nil
}

// run sets s without scripts and returns where it ends.
func (t *typesetter) run(s []rune, math bool, x, y, size vg.Length) vg.Length {
	var last sfnt.GlyphIndex
	for i, r := range s {
		f := t.roman
		if math && unicode.IsLetter(r) {
			f = t.italic
		}
		id, err := f.GlyphIndex(&t.buffer, r)
		if err != nil {
			panic(fmt.Sprintf("report: glyph of %q: %v", r, err))
		}
		em := fixed.Int26_6(f.UnitsPerEm())
		scale := size / vg.Length(em)
		if i > 0 {
			// No kerning table and no pair in it both mean no kerning.
			if kern, err := f.Kern(&t.buffer, last, id, em, stdfont.HintingNone); err == nil {
				x += vg.Length(kern) * scale
			}
		}
		advance, err := f.GlyphAdvance(&t.buffer, id, em, stdfont.HintingNone)
		if err != nil {
			panic(fmt.Sprintf("report: width of %q: %v", r, err))
		}
		t.glyphs = append(t.glyphs, glyph{f, id, x, y, size})
		x += vg.Length(advance) * scale
		last = id
	}
	return x
}

// appendTo adds the outline of g to path, each point sent through place.
func (g glyph) appendTo(path *vg.Path, place func(x, y vg.Length) vg.Point) {
	var buffer sfnt.Buffer
	em := fixed.Int26_6(g.font.UnitsPerEm())
	segments, err := g.font.LoadGlyph(&buffer, g.id, em, nil)
	if err != nil {
		panic(fmt.Sprintf("report: outline of glyph %d: %v", g.id, err))
	}
	scale := g.size / vg.Length(em)
	point := func(p fixed.Point26_6) vg.Point { // fonts count y downwards
		return place(g.x+vg.Length(p.X)*scale, g.y-vg.Length(p.Y)*scale)
	}
	var at vg.Point
	for i, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				path.Close()
			}
			at = point(s.Args[0])
			path.Move(at)
		case sfnt.SegmentOpLineTo:
			at = point(s.Args[0])
			path.Line(at)
		case sfnt.SegmentOpQuadTo:
			// Raised to a cubic: gonum's PDF writer draws quadratic curves with an
			// operator that means something else.
			c, end := point(s.Args[0]), point(s.Args[1])
			path.CubeTo(between(at, c, 2./3), between(end, c, 2./3), end)
			at = end
		case sfnt.SegmentOpCubeTo:
			at = point(s.Args[2])
			path.CubeTo(point(s.Args[0]), point(s.Args[1]), at)
		}
	}
	if len(segments) > 0 {
		path.Close()
	}
}

// between returns the point a share t of the way from p to q.
func between(p, q vg.Point, t vg.Length) vg.Point {
	return vg.Point{X: p.X + t*(q.X-p.X), Y: p.Y + t*(q.Y-p.Y)}
}
