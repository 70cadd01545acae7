package report

import (
	"bytes"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// withLimit is the large sample study with all that analyze may say of its limit.
func withLimit() group { return limitOf(sampleLarge) }

// limitOf is a group of a sample study with all that analyze may say of its limit.
func limitOf(s sample) group {
	g := s.groups()[0]
	depths := g.depths()
	deepest := depths[len(depths)-1]
	all := g.Exponents["max_frobenius"].Basis
	slope := func(s, intercept float64) *analyze.Slope {
		return &analyze.Slope{Basis: all, Slope: s, Low: s - 0.02, High: s + 0.02, Intercept: intercept, R2: 0.99, Method: scaling.BySeeds, Center: 4, Margin: 0.05, Warning: "the log–log plot is curved"}
	}
	g.VariationIndex = &analyze.Index{Basis: all, Index: 1.98, Low: 1.9, High: 2.1, Method: scaling.ByModel}
	increment := scaling.Slope{Basis: all, Slope: -0.48, Low: -0.5, High: -0.46, Intercept: 0.3, R2: 1, Method: scaling.BySeeds}
	g.Regime = &analyze.Regime{
		Verdict: scaling.SmoothAndNoise, Probability: map[scaling.LimitKind]float64{scaling.SmoothAndNoise: 0.97, scaling.RoughLimit: 0.03}, Why: "layers carry noise",
		Evidence: scaling.Evidence{MaxIncrement: increment, Accumulation: math.Inf(-1), TrendSize: 0.25},
	}
	g.Mixture = &analyze.Mixture{NoiseShare: &analyze.Share{Value: 0.5, Low: 0.4, High: 0.6}}
	g.LimitExponents = map[string]scaling.LimitExponent{"variation_1": {Exponent: 0.5, Low: 0.45, High: 0.55}, "max_frobenius": {Exponent: -0.5, Low: -0.5, High: -0.5}}
	g.Limit = &analyze.Limit{Integral: slope(-1, 0.2), Displacement: slope(-0.9, -0.7)}
	if deepest/8 > depths[0] {
		g.Limit.ToDeepest = slope(-0.5, 0.3)
		g.Limit.ToDeepest.Depths = slices.DeleteFunc(slices.Clone(depths), func(d int) bool { return 8*d > deepest })
	}
	g.Transfer = &analyze.Transfer{Trend: slope(-2, 1), Redrawn: slope(-1.5, 1), TrendOnly: slope(-1.8, 0)}
	g.Transfer.Trend.Depths, g.Transfer.Redrawn.Depths = []int{2 * deepest, 4 * deepest}, []int{2 * deepest, 4 * deepest}
	for i, depth := range depths[:len(depths)-1] {
		g.Limit.Deepest = append(g.Limit.Deepest, analyze.DeepestDistance{Depth: depth, Seed: 1, L2: 1.4 / math.Sqrt(float64(depth))})
		d := 0.5 / float64(depth)
		g.Limit.Distances = append(g.Limit.Distances, analyze.LimitDistance{Depth: depth, Next: depths[i+1], Seed: 1, Integral: 2 * d, Displacement: &d})
	}
	for _, depth := range []int{2 * deepest, 4 * deepest} {
		trend, redrawn := 1e-10+math.Pow(float64(depth), -2), 1e-10+math.Pow(float64(depth), -1.5)
		g.Transfer.Losses = append(g.Transfer.Losses, analyze.TransferLoss{
			Depth: depth, Seed: 1, Sources: []int{deepest / 2, deepest}, Trained: 1e-10, Trend: &trend, Redrawn: &redrawn,
			Training: &runfolder.TransferTraining{Rebuilt: runfolder.Descent{Iterations: 3}, Scratch: &runfolder.Descent{Iterations: 20}},
		})
	}
	for i := range g.runs {
		loss := g.runs[i].Loss + 0.01/float64(g.runs[i].Depth)
		g.runs[i].TrendLoss = &loss
	}
	g.Coupled = true
	g.Parts = map[string]analyze.GroupPath{"A": g.GroupPath}
	return g
}

func TestLimitFigures(t *testing.T) {
	g := withLimit()
	figures := map[string]*Figure{}
	for _, f := range figuresOf(g, Options{Style: Paper}) {
		figures[f.Kind] = f
	}
	for kind, c := range map[string]struct {
		slopes      []*analyze.Slope
		first, last float64 // depths that the first line spans
		rows        int
	}{
		"distance": {[]*analyze.Slope{g.Limit.Integral, g.Limit.Displacement}, 16, 512, 12},
		"transfer": {[]*analyze.Slope{g.Transfer.Trend, g.Transfer.Redrawn, g.Transfer.TrendOnly}, 2048, 4096, 4 + 21},
	} {
		f := figures[kind]
		if f == nil {
			t.Fatalf("got no figure %s", kind)
		}
		if len(f.Data.Rows) != c.rows {
			t.Errorf("%s: got %d rows, want %d", kind, len(f.Data.Rows), c.rows)
		}
		var lines []mark
		for _, m := range f.panels[0][0].marks {
			if m.width > 0 {
				lines = append(lines, m)
			}
		}
		if len(lines) != len(c.slopes) || lines[0].x[0] != c.first || lines[0].x[1] != c.last {
			t.Fatalf("%s: got lines %+v, want %d, the first from %v to %v", kind, lines, len(c.slopes), c.first, c.last)
		}
		for i, s := range c.slopes {
			if text, want := f.legend[i].text, typeset(s.String()); !strings.Contains(text, want) {
				t.Errorf("%s: legend %q does not state %q", kind, text, want)
			}
			if got, want := math.Log(lines[i].y[0]), s.Intercept+s.Slope*math.Log(lines[i].x[0]); !(math.Abs(got-want) <= 1e-12) {
				t.Errorf("%s: line %d starts at log y = %v, want %v", kind, i, got, want)
			}
		}
	}
	regime := figures["regime"]
	if regime == nil || !strings.Contains(regime.Caption, "The limit is smooth-and-noise: ") || !strings.Contains(regime.Caption, "layers carry noise") {
		t.Errorf("regime: got %+v", regime)
	}
	// The largest increment is that of the rescaled path: L^½ times the run's.
	if want := exact(g.runs[0].MaxIncrement * 4); regime.Data.Rows[0][3] != want {
		t.Errorf("regime: largest increment at depth 16: got %s, want %s", regime.Data.Rows[0][3], want)
	}
	if !strings.Contains(figures["slopes"].Alt, "variation index 1.98 [1.90, 2.10]") {
		t.Errorf("slopes: got %q without the index", figures["slopes"].Alt)
	}
	for _, f := range figures {
		if _, err := f.SVG(); err != nil {
			t.Error(err)
		}
	}

	// Without coupled weights, and with the index out of sight, there is less to draw.
	g.Coupled, g.Limit.Integral, g.Limit.Displacement = false, nil, nil
	g.VariationIndex.Index, g.VariationIndex.High = 24, math.Inf(1)
	if f := distanceFigure(g, Paper); !strings.HasSuffix(f.Caption, "no rate of convergence is fitted.") || len(f.panels[0][0].marks) != 2 {
		t.Errorf("independent draws: got %d marks and %q", len(f.panels[0][0].marks), f.Caption)
	}
	if rows := slopesFigure(g, Paper).Data.Rows; strings.Join(rows[len(rows)-1], ",") != "index,24,1.9,,model" {
		t.Errorf("index without an upper end: got the row %q", rows[len(rows)-1])
	}
	if f := slopesFigure(g, Paper); len(f.Notes) != 1 || !strings.HasSuffix(f.legend[2].text, "24.00 [1.90, ∞)") {
		t.Errorf("index beyond the figure: got notes %q, legend %+v", f.Notes, f.legend)
	}
}

func TestLimitOnThePage(t *testing.T) {
	g := withLimit()
	var page bytes.Buffer
	if err := writeSample(&page, g); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"<li>The variation index of the limit is 1.98 [1.90, 2.10].</li>",
		"<li>The limit is smooth-and-noise: probability 0.97, third differences have the size of layer noise, 0.50 [0.40, 0.60] times the trend",
		"<td>−0.50 [by theory]</td>",
		`<td>−0.48</td><td>[−0.50, −0.46]</td></tr>`,
		`<th scope="row">exponent of second differences in the lag</th><td>−∞</td>`,
		`<th scope="row">16 and 32</th><td>0.0625 [no interval]</td><td>0.0312 [no interval]</td>`,
		`<th scope="row">slope in depth</th><td>−1.00 [−1.02, −0.98]</td><td>−0.90 [−0.92, −0.88]</td>`,
		"the log–log plot is curved.</li>",
		`<th scope="row">2048</th><td>1</td><td>512, 1024</td><td>1.00 × 10⁻¹⁰</td><td>2.39 × 10⁻⁷</td><td>1.08 × 10⁻⁵</td>`,
		`<th scope="row">loss of the rebuilt trend above the trained loss, against the depth rebuilt at</th><td>−2.00</td><td>[−2.02, −1.98]</td><td>0.9900</td>`,
	} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("got a page without %q", want)
		}
	}
	// Blocks with two parts say which one is meant.
	g.Parts = map[string]analyze.GroupPath{"V": g.GroupPath, "W": g.GroupPath}
	page.Reset()
	if err := writeSample(&page, g); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<h3>Limit of V</h3>", "<h3>Limit of W</h3>"} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("two parts: got a page without %q", want)
		}
	}
}

// writeSample writes a page of one group without figures.
func writeSample(w io.Writer, g group) error {
	view, err := newPageView("sample", []group{g}, nil, [][]*Figure{nil}, pageFigures{formats: Formats})
	if err != nil {
		return err
	}
	return pageTemplate.Execute(w, view)
}
