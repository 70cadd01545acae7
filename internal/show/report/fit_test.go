package report

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gonum.org/v1/plot"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/scaling"
)

// TestEveryPlottedFitIsTheAnalysedOne holds every figure with power laws to the slopes of
// the result: the lines, the residuals below them and the data beside them.
func TestEveryPlottedFitIsTheAnalysedOne(t *testing.T) {
	g := withLimit()
	e := g.Regime.Evidence
	slopes := map[string]analyze.Slope{
		"regime/rescaled_increment": e.MaxIncrement,
		"distance/integral":         *g.Limit.Integral, "distance/displacement_distance": *g.Limit.Displacement, "deepest/to_deepest_A": *g.Limit.ToDeepest,
		"transfer/excess_trend": *g.Transfer.Trend, "transfer/excess_redrawn": *g.Transfer.Redrawn, "transfer/excess_trend_only": *g.Transfer.TrendOnly,
	}
	for _, name := range []string{"max_frobenius", "displacement", "max_increment"} {
		slopes["norms/"+name] = g.Exponents[name]
	}
	for p, s := range g.VariationSlope {
		slopes["variation/V_"+p] = s
	}
	seen := map[string]bool{}
	for _, f := range figuresOf(g, Options{Style: Paper}) {
		if !f.residuals {
			continue
		}
		var names []string // of fitted quantities, in the order of their lines
		drawn := 0
		for _, row := range f.Data.Rows {
			key := f.Kind + "/" + row[0]
			s, ok := slopes[key]
			if !ok {
				if row[4] != "" || row[5] != "" {
					t.Errorf("%s: got a fit %s and residual %s, and there is none", key, row[4], row[5])
				}
				continue
			}
			seen[key] = true
			if !slices.Contains(names, key) {
				names = append(names, key)
			}
			depth, value := parse(t, row[1]), parse(t, row[3])
			if key == "deepest/to_deepest_A" && depth > 1024/8 {
				if got := strings.Join(row[4:], " "); got != "  false  " {
					t.Errorf("%s at L = %v: got %q, want nothing beyond the depths of the fit", key, depth, got)
				}
				continue
			}
			logFit := s.Intercept + s.Slope*math.Log(depth)
			if got := math.Log(parse(t, row[4])); !(math.Abs(got-logFit) <= 1e-12) {
				t.Errorf("%s at L = %v: log fit is %v, want %v", key, depth, got, logFit)
			}
			low, high := s.Band(depth)
			if got, want := row[7]+" "+row[8], exact(low)+" "+exact(high); got != want {
				t.Errorf("%s at L = %v: interval of the fit is %s, want %s", key, depth, got, want)
			}
			if value <= 0 {
				continue
			}
			if got, want := parse(t, row[5]), math.Log(value)-logFit; !(math.Abs(got-want) <= 1e-12) {
				t.Errorf("%s at L = %v: residual is %v, want %v", key, depth, got, want)
			}
			if row[6] == "true" {
				drawn++
			}
		}
		var lines []mark
		for _, m := range f.panels[0][0].marks {
			if m.width > 0 {
				lines = append(lines, m)
			}
		}
		bands := f.panels[0][0].bands
		if len(lines) != len(names) || len(bands) != len(names) {
			t.Fatalf("%s: got %d lines and %d bands for %v", f.Kind, len(lines), len(bands), names)
		}
		for i, key := range names {
			for k, x := range lines[i].x {
				if got, want := math.Log(lines[i].y[k]), slopes[key].Intercept+slopes[key].Slope*math.Log(x); !(math.Abs(got-want) <= 1e-12) {
					t.Errorf("%s: line at L = %v: log y = %v, want %v", key, x, got, want)
				}
			}
		}
		for i, key := range names {
			for k, x := range bands[i].x {
				if low, high := slopes[key].Band(x); bands[i].low[k] != low || bands[i].high[k] != high {
					t.Errorf("%s: band at L = %v is [%v, %v], want [%v, %v]", key, x, bands[i].low[k], bands[i].high[k], low, high)
				}
			}
			if b, l := bands[i].x, lines[i].x; !(math.Abs(b[0]-l[0]) <= 1e-12*l[0]) || !(math.Abs(b[len(b)-1]-l[1]) <= 1e-12*l[1]) {
				t.Errorf("%s: the band goes from %v to %v, want as the line from %v to %v", key, b[0], b[len(b)-1], l[0], l[1])
			}
		}
		points := 0
		for _, m := range f.panels[1][0].marks[1:] {
			points += len(m.x)
		}
		if points != drawn {
			t.Errorf("%s: got %d residuals drawn, want %d", f.Kind, points, drawn)
		}
	}
	for key := range slopes {
		if !seen[key] {
			t.Errorf("%s is in no figure", key)
		}
	}
}

// TestResidualsAreTheAnalysedOnes compares with those that analyze states, run by run.
func TestResidualsAreTheAnalysedOnes(t *testing.T) {
	g := sampleLarge.groups()[0]
	for name, s := range g.Exponents {
		var got []float64
		for _, row := range normsFigure(g, Paper).Data.Rows {
			if row[0] == name && row[6] == "true" {
				got = append(got, parse(t, row[5]))
			}
		}
		if got == nil {
			continue // not in this figure
		}
		if len(got) != len(s.Residuals) {
			t.Fatalf("%s: got %d residuals, want %d", name, len(got), len(s.Residuals))
		}
		for i := range got {
			if !(math.Abs(got[i]-s.Residuals[i]) <= 1e-12) {
				t.Errorf("%s: residual %d is %v, want %v", name, i, got[i], s.Residuals[i])
			}
		}
	}
}

// TestIndexLineIsTheAnalysedOne wants the line of the slopes through (0, 1) and (index, 0).
func TestIndexLineIsTheAnalysedOne(t *testing.T) {
	g := withLimit()
	f := slopesFigure(g, Paper)
	var found bool
	for _, m := range f.panels[0][0].marks {
		if len(m.x) == 2 && m.x[1] == g.VariationIndex.Index && m.y[1] == 0 && m.y[0] != 0 {
			found = true
			if want := 1 - m.x[0]/g.VariationIndex.Index; !(math.Abs(m.y[0]-want) <= 1e-15) {
				t.Errorf("the line is at %v for p = %v, want %v", m.y[0], m.x[0], want)
			}
		}
	}
	if !found {
		t.Error("there is no line to the variation index")
	}
	for _, row := range f.Data.Rows {
		if p := row[0]; p != "index" && row[1] != exact(g.VariationSlope[p].Slope) {
			t.Errorf("p = %s: slope in the data is %s, want %v", p, row[1], g.VariationSlope[p].Slope)
		}
	}
}

// TestLossDepthShowsTheTrace compares the figure of loss against depth with the traces,
// and wants the geometric mean of seeds on its lines.
func TestLossDepthShowsTheTrace(t *testing.T) {
	g := sampleLarge.groups()[0]
	f := lossDepthFigure(g, Paper)
	iterations := map[string]bool{}
	sums := map[[2]string]float64{}
	for _, row := range f.Data.Rows {
		iterations[row[0]] = true
		loss := parse(t, row[3])
		sums[[2]string{row[0], row[1]}] += math.Log(loss)
		i := slices.IndexFunc(g.runs, func(r run) bool {
			return strconv.Itoa(r.Depth) == row[1] && strconv.FormatUint(r.Seed, 10) == row[2] && r.trouble() == ""
		})
		if want := g.runs[i].loss[int(parse(t, row[0]))]; loss != want {
			t.Errorf("t = %s, L = %s, seed %s: loss is %v, want %v", row[0], row[1], row[2], loss, want)
		}
	}
	if len(iterations) != shownIterations || !iterations["0"] {
		t.Errorf("got iterations %v, want %d with 0", iterations, shownIterations)
	}
	line := f.panels[0][0].marks[0] // t = 0; seed 3 of depth 512 diverged
	for i, x := range line.x {
		n := 3.0
		if x == 512 {
			n = 2
		}
		if want := sums[[2]string{"0", exact(x)}] / n; !(math.Abs(math.Log(line.y[i])-want) <= 1e-12) {
			t.Errorf("L = %v: log of the line is %v, want %v", x, math.Log(line.y[i]), want)
		}
	}
}

// TestPartitionReSums adds up the steps between the layers that the data mark as chosen.
func TestPartitionReSums(t *testing.T) {
	s := sample{data: []string{"x"}, depths: []int{64}, seeds: 1, width: 2}
	r := s.runs()[0]
	g := s.groups()[0]
	f := partitionFigure(g, Paper)
	path := r.trained.Rescaled(math.Pow(64, 1-sampleAlpha))
	for column, p := range []float64{1.5, 2, 3} {
		last, sum := -1, 0.0
		for k, row := range f.Data.Rows {
			if row[5+column] != "true" {
				continue
			}
			if last >= 0 {
				square := 0.0
				for e, v := range path.Matrix(k + 1) {
					square += (v - path.Matrix(last + 1)[e]) * (v - path.Matrix(last + 1)[e])
				}
				sum += math.Pow(square, p/2)
			}
			last = k
		}
		want := g.paths[0].partition.Variations[column].Value
		if !(math.Abs(sum-want) <= 1e-12*want) || last != 63 {
			t.Errorf("p = %v: steps sum to %v and end at layer %d, want %v and 64", p, sum, last+1, want)
		}
		if title := f.panels[0][column].title; !strings.Contains(title, plainNumber(want)) {
			t.Errorf("p = %v: title %q does not state %v", p, title, want)
		}
	}
}

// TestHeatShowsTheNorms compares cells with recorded norms, one cell a layer and means.
func TestHeatShowsTheNorms(t *testing.T) {
	for _, depth := range []int{16, 200} {
		s := sample{data: []string{"x"}, depths: []int{depth}, seeds: 1, width: 2}
		c := s.groups()[0].paths[0]
		h := c.heat()
		if n := min(depth, heatColumns); len(h.x) != n+1 || h.x[n] != 1 || len(h.values) != len(c.norms.Iterations) || len(h.y) != len(h.values)+1 {
			t.Fatalf("depth %d: got %d by %d cells", depth, len(h.x)-1, len(h.values))
		}
		norms := c.norms.Parts["A"].Frobenius
		for i, row := range h.values {
			total := 0.0
			for j, v := range row {
				total += v * math.Round((h.x[j+1]-h.x[j])*float64(depth))
			}
			want := 0.0
			for k := range depth {
				want += c.factor * norms[i*depth+k]
			}
			if !(math.Abs(total-want) <= 1e-12*want) {
				t.Errorf("depth %d, row %d: cells hold %v, want %v", depth, i, total, want)
			}
		}
	}
}

// TestLinesEndAtFinishedRuns gives a quantity a depth at which no run counts.
func TestLinesEndAtFinishedRuns(t *testing.T) {
	q := quantity{fitted: true, slope: analyze.Slope{Basis: scaling.Basis{Depths: []int{2, 8}}}, points: []depthValue{{depth: 2, value: 1, counts: true}, {depth: 8, value: 1, counts: true}, {depth: 64, value: 1}}}
	if got := q.depths([]int{2, 8, 64}); !slices.Equal(got, []int{2, 8}) {
		t.Errorf("the line spans %v, want 2 to 8", got)
	}
}

// TestOutline wants bands filled unless they lie on each other.
func TestOutline(t *testing.T) {
	level := func(low, high float64, x ...float64) band {
		b := band{x: x}
		for range x {
			b.low, b.high = append(b.low, low), append(b.high, high)
		}
		return b
	}
	bands := []band{
		level(0, 1, 1, 2, 4), level(0.5, 3, 1.5, 3), // over each other, without a common x
		level(3, 4, 1, 4),      // touches the second
		level(0, 1, 5, 6),      // beside the first
		level(-2, -1, 1, 2, 4), // below it
	}
	outline(bands)
	for i, want := range []bool{true, true, false, false, false} {
		if bands[i].outlined != want {
			t.Errorf("band %d: got outlined %v, want %v", i, bands[i].outlined, want)
		}
	}
}

// TestWholeTicks wants no fractions on an axis of iterations.
func TestWholeTicks(t *testing.T) {
	for _, high := range []float64{2.03, 3.1, 5.2, 9, 1000} {
		a := axis{whole: true, log: true, low: 0.97, high: high}
		var to plot.Axis
		a.apply(&to, Paper.sizes(), 6)
		labelled := 0
		for _, tick := range to.Tick.Marker.Ticks(0, 0) {
			if v := math.Pow(10, tick.Value); math.Abs(v-math.Round(v)) > 1e-9 {
				t.Errorf("up to %v there is a mark at %v", high, v)
			}
			if tick.Label != "" {
				labelled++
			}
		}
		if labelled < 2 {
			t.Errorf("up to %v there are %d labels, want 2 or more", high, labelled)
		}
	}
}
