package report

import (
	"bytes"
	"encoding/csv"
	"flag"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

var (
	update  = flag.Bool("update", false, "rewrite the golden files")
	preview = flag.String("preview", "", "folder to write the figures of the large sample study to, to look at")
)

func TestPreview(t *testing.T) {
	if *preview == "" {
		t.Skip("-preview not given")
	}
	study := filepath.Join(*preview, "study")
	if err := os.RemoveAll(study); err != nil {
		t.Fatal(err)
	}
	if err := sampleLarge.write(study); err != nil {
		t.Fatal(err)
	}
	page, err := Write(t.Context(), study, studyOf(t, study, sampleLarge.result()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(page)
	for _, g := range sampleLarge.groups() {
		for _, f := range figuresOf(g, Options{Style: Slides}) {
			png, err := f.PNG(100)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(*preview, "slides-"+f.Name+".png"), png, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

var sampleSmall = sample{data: []string{"separated"}, depths: []int{16, 32, 64}, seeds: 2, width: 2, diverges: true}

func parse(t *testing.T, s string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestEqualDataGiveEqualBytes(t *testing.T) {
	a, b := figuresOf(sampleSmall.groups()[0], Options{Style: Paper}), figuresOf(sampleSmall.groups()[0], Options{Style: Paper})
	for i, f := range a {
		for name, pair := range map[string][2]func() ([]byte, error){
			"SVG": {f.SVG, b[i].SVG}, "PDF": {f.PDF, b[i].PDF}, "CSV": {f.CSV, b[i].CSV},
			"PNG": {func() ([]byte, error) { return f.PNG(72) }, func() ([]byte, error) { return b[i].PNG(72) }},
		} {
			first, err := pair[0]()
			if err != nil {
				t.Fatal(err)
			}
			second, err := pair[1]()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first, second) {
				t.Errorf("%s: %s differs between two drawings", f.Name, name)
			}
		}
	}
}

func TestPDFHasNoDate(t *testing.T) {
	data, err := figuresOf(sampleSmall.groups()[0], Options{Style: Paper})[0].PDF()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte("Date (")) {
		t.Error("the PDF states a date")
	}
}

// TestPlottedFitIsTheAnalysedOne checks what is handed to the axes, the legend and
// the data beside the figure against the slopes of the result.
func TestPlottedFitIsTheAnalysedOne(t *testing.T) {
	g := sampleLarge.groups()[0]
	for _, c := range []struct {
		figure *Figure
		slopes []analyze.Slope
	}{
		{normsFigure(g, Paper), []analyze.Slope{g.Exponents["max_frobenius"], g.Exponents["displacement"], g.Exponents["max_increment"]}},
		{variationFigure(g, Paper), []analyze.Slope{
			g.VariationSlope["1"], g.VariationSlope["1.5"], g.VariationSlope["2"], g.VariationSlope["2.5"], g.VariationSlope["3"],
		}},
	} {
		var lines []mark
		for _, m := range c.figure.panels[0][0].marks {
			if m.width > 0 {
				lines = append(lines, m)
			}
		}
		if len(lines) != len(c.slopes) {
			t.Fatalf("%s: got %d fitted lines, want %d", c.figure.Name, len(lines), len(c.slopes))
		}
		for i, s := range c.slopes {
			for k, x := range lines[i].x {
				want := s.Intercept + s.Slope*math.Log(x)
				if got := math.Log(lines[i].y[k]); !(math.Abs(got-want) <= 1e-12) {
					t.Errorf("%s: line %d at L = %v: log y = %v, want %v", c.figure.Name, i, x, got, want)
				}
			}
			if first, last := lines[i].x[0], lines[i].x[len(lines[i].x)-1]; first != 16 || last != 1024 {
				t.Errorf("%s: line %d goes from %v to %v, want from 16 to 1024", c.figure.Name, i, first, last)
			}
			if text, want := c.figure.legend[i].text, typeset(s.String()); !strings.Contains(text, want) {
				t.Errorf("%s: legend %q does not state %q", c.figure.Name, text, want)
			}
		}
	}
}

func TestPlottedRateIsTheAnalysedOne(t *testing.T) {
	g := sampleLarge.groups()[0]
	i, fit := rateFit(g.runs)
	if i < 0 {
		t.Fatal("no run has a rate")
	}
	r := g.runs[i]
	if r.Depth != 1024 || r.Seed != 1 {
		t.Errorf("the fit is that of depth %d, seed %d; want 1024, 1", r.Depth, r.Seed)
	}
	var ts, logs []float64
	for k, at := range r.iteration {
		if at >= float64(r.Rate.First) && at <= float64(r.Rate.Last) {
			ts, logs = append(ts, at), append(logs, math.Log(r.loss[k]))
		}
	}
	intercept, slope := stat.LinearRegression(ts, logs, nil, false)
	for _, at := range []float64{0, 10, 30} {
		// Both go through sums of some 30 terms of size 25: rounding stays below 1e-12.
		if got, want := math.Log(fit(at)), intercept+slope*at; !(math.Abs(got-want) <= 1e-11) {
			t.Errorf("t = %v: log fit = %v, want %v", at, got, want)
		}
	}
	f := lossFigure(g, Paper)
	for _, want := range []string{"ρ$ = " + decimal(r.Rate.Rho, 5) + " ± 0.00020", scaling.R2Text(r.Rate.R2), "$L$ = 1024, seed 1"} {
		if !strings.Contains(legendText(f), want) {
			t.Errorf("legend %q does not state %q", legendText(f), want)
		}
	}
}

func legendText(f *Figure) string {
	var b strings.Builder
	for _, e := range f.legend {
		b.WriteString(e.text + "\n")
	}
	return b.String()
}

func TestLegendFitsItsWidth(t *testing.T) {
	for _, style := range []Style{Paper, Slides} {
		for _, f := range figuresOf(sampleLarge.groups()[0], Options{Style: style}) {
			s := style.sizes()
			w, h := f.size()
			rows := layLegend(f.legend, s, w-2*figureMargin)
			for _, row := range rows {
				last := row[len(row)-1]
				end := last.x + (sampleWidth+sampleGap)*s.tick + textStyle(s.tick).Width(last.text)
				if end > w-2*figureMargin {
					t.Errorf("%s, %s: legend entry %q ends at %v of %v", style, f.Name, last.text, end, w)
				}
			}
			if legendHeight(rows, s) > h/2 {
				t.Errorf("%s, %s: the legend takes more than half of the figure", style, f.Name)
			}
		}
	}
}

func TestEveryRuneHasAGlyph(t *testing.T) {
	h := mathText{font.DefaultCache}
	for _, f := range figuresOf(sampleLarge.groups()[0], Options{Style: Paper}) {
		texts := []string{legendText(f)}
		for _, row := range f.panels {
			for _, p := range row {
				texts = append(texts, p.x.label, p.y.label)
			}
		}
		for _, tick := range append(logTicks(1e-12, 10, 5), linearTicks(-3e9, 2e9, 5)...) {
			texts = append(texts, tick.Label)
		}
		for _, text := range texts {
			glyphs, _ := h.set(strings.ReplaceAll(text, "\n", ""), textStyle(8).Font)
			for i, g := range glyphs {
				if g.id == 0 {
					t.Errorf("%s: glyph %d of %q is missing from the font", f.Name, i, text)
				}
			}
		}
	}
}

func TestScripts(t *testing.T) {
	h := mathText{font.DefaultCache}
	glyphs, width := h.set("$A_k^{12}b$", textStyle(10).Font)
	if len(glyphs) != 5 {
		t.Fatalf("got %d glyphs, want 5", len(glyphs))
	}
	base, sub, one, two, next := glyphs[0], glyphs[1], glyphs[2], glyphs[3], glyphs[4]
	switch {
	case base.y != 0 || next.y != 0:
		t.Errorf("letters are not on the baseline: %v, %v", base.y, next.y)
	case sub.y >= 0 || one.y <= 0 || one.y != two.y:
		t.Errorf("scripts are at %v, %v and %v, want one below and two above", sub.y, one.y, two.y)
	case sub.x != one.x:
		t.Errorf("subscript starts at %v, superscript at %v; want both at one place", sub.x, one.x)
	case !(two.x > one.x && next.x > two.x && width > next.x):
		t.Errorf("glyphs overlap: %v, %v, %v in %v", one.x, two.x, next.x, width)
	case sub.size != scriptSize*base.size:
		t.Errorf("subscript has size %v, want %v", sub.size, scriptSize*base.size)
	}
	if glyphs, _ := h.set("a_b", textStyle(10).Font); len(glyphs) != 3 {
		t.Errorf("outside dollar signs _ is a rune of its own: got %d glyphs, want 3", len(glyphs))
	}
}

func TestThin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 20000).Draw(t, "n")
		seed := rapid.Uint64().Draw(t, "seed")
		points := make(plotter.XYs, n)
		for i := range points {
			seed = seed*6364136223846793005 + 1442695040888963407
			points[i] = plotter.XY{X: float64(i) / float64(n), Y: float64(seed >> 40)}
		}
		got := thin(points, 0, 1)
		if len(got) > 4*columns || n <= 4*columns && len(got) != n {
			t.Fatalf("%d points became %d", n, len(got))
		}
		_, _, low, high := plotter.XYRange(points)
		if _, _, l, h := plotter.XYRange(got); l != low || h != high {
			t.Fatalf("range is [%v, %v], want [%v, %v]", l, h, low, high)
		}
		if got[0] != points[0] || got[len(got)-1] != points[n-1] {
			t.Fatal("an end is missing")
		}
		for i := 1; i < len(got); i++ {
			if got[i].X <= got[i-1].X {
				t.Fatalf("points %d and %d are not in order", i-1, i)
			}
		}
	})
}

func TestCSVHoldsTheNumbers(t *testing.T) {
	g := sampleSmall.groups()[0]
	data, err := weightsFigure(g, Paper).CSV()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(data)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(rows[0], " "), "depth seed k k_over_L A_1_1 A_1_2 frobenius displacement_A_1_1 displacement_A_1_2 displacement_frobenius"; got != want {
		t.Errorf("header is %q, want %q", got, want)
	}
	line := 1
	for _, c := range g.paths {
		for k := range c.depth {
			for q := range c.trained {
				if got, want := parse(t, rows[line][4+q]), c.trained[q][k]; got != want {
					t.Fatalf("depth %d, layer %d, column %d: got %v, want %v", c.depth, k+1, 4+q, got, want)
				}
			}
			line++
		}
	}
	if line != len(rows) {
		t.Errorf("got %d rows, want %d", len(rows)-1, line-1)
	}
}

// TestOddData draws what a study can come to and looks for panics and for notes.
func TestOddData(t *testing.T) {
	odd := func(change func(*group)) group {
		g := sample{data: []string{"x"}, depths: []int{1, 4}, seeds: 1, width: 1}.groups()[0]
		change(&g)
		return g
	}
	for name, c := range map[string]struct {
		group group
		note  string
	}{
		"one depth": {group: odd(func(g *group) { g.runs, g.paths = g.runs[1:], g.paths[1:] })},
		"one layer": {group: odd(func(g *group) { g.runs, g.paths = g.runs[:1], g.paths[:1] })},
		"no fits":   {group: odd(func(g *group) { g.Exponents, g.VariationSlope = nil, nil })},
		"no initial weights": {group: odd(func(g *group) {
			for i := range g.paths {
				g.paths[i].displacement = nil
			}
		})},
		"no norms": {group: odd(func(g *group) {
			for i := range g.runs {
				g.runs[i].PathNumbers = analyze.PathNumbers{}
			}
		})},
		"losses without a logarithm": {
			group: odd(func(g *group) {
				g.runs[0].loss = []float64{0, 0, math.NaN()}
				g.runs[0].iteration = []float64{0, 1, 2}
				g.runs[0].Rate = nil
				g.runs = g.runs[:1]
			}),
			note: "3 recorded losses are zero or not finite",
		},
		"norms without a logarithm": {
			group: odd(func(g *group) { g.runs[0].MaxIncrement = 0 }),
			note:  "1 values are zero or not finite",
		},
		"all diverged": {
			group: odd(func(g *group) {
				for i := range g.runs {
					g.runs[i].Stop = runfolder.Diverged
					g.runs[i].loss[2] = math.Inf(1)
				}
			}),
			note: "left out of the drawing",
		},
	} {
		figures, empty := c.group.figures(Options{Style: Paper})
		notes := ""
		for _, f := range empty {
			notes += f.left()
		}
		for _, f := range figures {
			svg, err := f.SVG()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
				t.Errorf("%s: %s has a coordinate that is not a number", name, f.Name)
			}
			notes += strings.Join(f.Notes, " ")
		}
		if !strings.Contains(notes, c.note) {
			t.Errorf("%s: notes %q do not state %q", name, notes, c.note)
		}
	}
}

// TestHiddenText sets text with hidden characters as it sets their escapes, in every
// format of a figure.
func TestHiddenText(t *testing.T) {
	h := mathText{font.DefaultCache}
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: 10}
	got, width := h.set("a\x1b[31m\u202eb\u200b", f)
	want, wide := h.set(`a\x1b[31m\u202eb\u200b`, f)
	if len(got) != len(want) || width != wide || len(got) != 22 {
		t.Errorf("got %d glyphs of width %v, want %d of width %v", len(got), width, len(want), wide)
	}
}

// figuresOf returns the figures of a group.
func figuresOf(g group, options Options) []*Figure {
	figures, _ := g.figures(options)
	return figures
}
