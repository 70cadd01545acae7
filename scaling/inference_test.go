package scaling

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	known "github.com/deeplimit/deeplimit/internal/planted"
	"github.com/deeplimit/deeplimit/pvar"
)

// drawn returns paths of a planted family by name, times L^drift.
func drawn(t *testing.T, name string, first uint64, depths []int, seeds, dim int, drift float64) (paths []DepthPath, family known.Family) {
	t.Helper()
	for _, f := range known.Families() {
		if f.Name != name {
			continue
		}
		for seed := range uint64(seeds) {
			for _, depth := range depths {
				x := f.Path(first+seed, depth, dim)
				for i := range x.Data {
					x.Data[i] *= math.Pow(float64(depth), drift)
				}
				paths = append(paths, DepthPath{Depth: depth, Seed: seed, Path: x})
			}
		}
		return paths, f
	}
	t.Fatalf("no family %q", name)
	return nil, family
}

// A few cells of docs/calibration.md, with fewer draws: where the interval of a slope over these depths
// holds the truth in 0 to 83 % (TestSlopesMissTheLimit).
func TestInferCovers(t *testing.T) {
	const draws = 6
	for _, c := range []struct {
		family string
		depths []int
		seeds  int
	}{
		{"smooth", []int{16, 32, 64, 128}, 3},
		{"smooth × e^(c/L), 0.2 at 16", []int{16, 32, 64, 128}, 3},
		{"fractional 0.5", []int{16, 64, 256}, 5},
		{"fractional 0.7", []int{16, 64, 256}, 5},
		{"smooth + 0.1 fractional 0.6", []int{16, 32, 64, 128}, 3},
		{"smooth + 0.3 noise", []int{16, 32, 64, 128}, 3},
		{"smooth + 0.03 noise", []int{16, 32, 64, 128}, 3},
		{"smooth + correlated noise -0.5", []int{16, 64, 256}, 5},
		{"sine of frequency 20", []int{16, 32, 64, 128}, 3},
		{"noise + a jump in one entry", []int{16, 32, 64, 128}, 3},
	} {
		t.Run(c.family, func(t *testing.T) {
			t.Parallel()
			held, right, wrong := map[string]int{}, 0, 0
			var family known.Family
			for draw := range uint64(draws) {
				var paths []DepthPath
				paths, family = drawn(t, c.family, 1000*draw, c.depths, c.seeds, 4, 0)
				x, err := Infer(paths, Assumptions{})
				if err != nil {
					t.Fatal(err)
				}
				switch string(x.Verdict) {
				case family.Verdict:
					right++
				case "":
				default:
					wrong++
				}
				for key, got := range map[string]*LimitExponent{
					"variation_1": x.Variation(1), "variation_2": x.Variation(2), "index": x.Index(),
					"root_sum_squares": x.RootSumSquares(), "max_frobenius": x.MaxFrobenius(), "max_increment": x.MaxIncrement(),
				} {
					if want := family.Exponents[key]; got != nil && got.Low-1e-9 <= want && want <= got.High+1e-9 {
						held[key]++
					}
				}
			}
			// Of 6 intervals that hold the truth with probability 0.95, 4 or more do with probability 0.998.
			for key := range family.Exponents {
				if held[key] < 4 {
					t.Errorf("%s: %d of %d intervals hold the truth, want 4 or more", key, held[key], draws)
				}
			}
			if right < 4 || wrong > 0 {
				t.Errorf("verdicts: got %d right and %d wrong of %d, want 4 or more and none", right, wrong, draws)
			}
		})
	}
}

func TestInferParts(t *testing.T) {
	depths := []int{16, 32, 64, 128}
	paths, _ := drawn(t, "smooth + 0.1 noise", 7, depths, 3, 9, 0)
	x, err := Infer(paths, Assumptions{})
	if err != nil {
		t.Fatal(err)
	}
	if s := x.NoiseShare; s == nil || !(s.Low < s.Exponent && s.Exponent < s.High && 0.06 < s.Low && s.High < 0.16) {
		t.Errorf("got noise share %+v, want about 0.1", s)
	}
	if x.Hurst != nil {
		t.Errorf("got a Hurst exponent %+v of layer noise, want none", x.Hurst)
	}
	paths, _ = drawn(t, "smooth", 7, depths, 3, 9, 0)
	if x, err = Infer(paths, Assumptions{}); err != nil {
		t.Fatal(err)
	}
	if x.NoiseShare != nil || !(x.DetectionLimit > 0 && x.DetectionLimit < 0.02) {
		t.Errorf("got noise share %+v and detection limit %g of a smooth path, want none, below 0.02", x.NoiseShare, x.DetectionLimit)
	}
	paths, _ = drawn(t, "fractional 0.3", 7, depths, 3, 9, 0)
	if x, err = Infer(paths, Assumptions{}); err != nil {
		t.Fatal(err)
	}
	if h := x.Hurst; h == nil || !(h.Low < 0.3 && 0.3 < h.High && h.High-h.Low < 0.2) {
		t.Errorf("got Hurst exponent %+v, want 0.3", h)
	}
}

// A path without a limit, as its size drifts with depth, has the exponents of its window's power.
func TestInferDrift(t *testing.T) {
	paths, _ := drawn(t, "smooth", 3, []int{16, 32, 64, 128}, 3, 4, 0.3)
	x, err := Infer(paths, Assumptions{})
	if err != nil {
		t.Fatal(err)
	}
	if x.Verdict != NoLimit {
		t.Errorf("got verdict %q with probabilities %v, want no-limit", x.Verdict, x.Probability)
	}
	for name, c := range map[string]struct {
		got  *LimitExponent
		want float64
	}{"V_1": {x.Variation(1), 0.3}, "V_2": {x.Variation(2), 0.6}, "max increment": {x.MaxIncrement(), -0.7}, "root sum of squares": {x.RootSumSquares(), 0.8}} {
		if c.got == nil || !(c.got.Low-0.01 <= c.want && c.want <= c.got.High+0.01) {
			t.Errorf("%s: got %+v, want %g", name, c.got, c.want)
		}
	}
	if x.Index() != nil {
		t.Errorf("got an index %+v without a limit, want none", x.Index())
	}
}

// Probabilities are numbers that sum to 1, and intervals hold their exponents, for paths of every kind.
func TestInferIsSound(t *testing.T) {
	for _, f := range known.Families() {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			paths, _ := drawn(t, f.Name, 5, []int{16, 64, 512}, 2, 1, 0)
			x, err := Infer(paths, Assumptions{})
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for _, p := range x.Probability {
				sum += p
			}
			if !(math.Abs(sum-1) <= 1e-9) {
				t.Errorf("got probabilities %v, want a sum of 1", x.Probability)
			}
			for _, e := range []*LimitExponent{x.Variation(1), x.Variation(2), x.Variation(3), x.Index(), x.RootSumSquares(), x.MaxFrobenius(), x.MaxIncrement(), x.Hurst, x.NoiseShare} {
				if e != nil && !(e.Low <= e.Exponent && e.Exponent <= e.High && e.High-e.Low < 100) {
					t.Errorf("got %+v, want an interval that holds its exponent", *e)
				}
			}
			// V_p^(1/p) falls in p, so where V_2 is bounded V_3 is.
			const rounding = 1e-9
			for _, p := range []float64{1, 1.5, 2, 2.5} {
				a, b := x.Variation(p), x.Variation(p+0.5)
				if a != nil && b != nil && !(b.High/(p+0.5) <= a.High/p+rounding && b.Low/(p+0.5) <= a.Low/p+rounding) {
					t.Errorf("got V_%g %+v and V_%g %+v, want no more growth of the root at a larger p", p, *a, p+0.5, *b)
				}
			}
		})
	}
}

func TestInferWithoutEnough(t *testing.T) {
	two, _ := drawn(t, "smooth", 1, []int{16, 64}, 3, 1, 0)
	one, _ := drawn(t, "smooth", 1, []int{16, 32, 64}, 1, 1, 0)
	for _, c := range []struct {
		paths []DepthPath
		want  string
	}{
		{nil, "scaling: infer: got no paths"},
		{two, "scaling: infer: got depths 2, seeds 3, want three depths and two seeds or more"},
		{one, "scaling: infer: got depths 3, seeds 1, want three depths and two seeds or more"},
	} {
		if _, err := Infer(c.paths, Assumptions{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want %q", err, c.want)
		}
	}
}

// What is no larger than the rounding of the numbers is smooth: constant paths, straight lines, and
// smooth ones that were stored as 32-bit floats, however deep.
func TestInferRounding(t *testing.T) {
	depths := []int{64, 256, 1024}
	constant, _ := drawn(t, "smooth", 1, depths, 2, 2, 0)
	straight, _ := drawn(t, "smooth", 1, depths, 2, 2, 0)
	stored, _ := drawn(t, "smooth", 1, depths, 2, 2, 0)
	for i := range constant {
		for j := range constant[i].Path.Data {
			constant[i].Path.Data[j] = 3
			straight[i].Path.Data[j] = 0.1 + 0.7*float64(j/2)/float64(constant[i].Depth)
			stored[i].Path.Data[j] = float64(float32(stored[i].Path.Data[j]))
		}
	}
	for name, c := range map[string]struct {
		paths    []DepthPath
		rounding float64
	}{"constant": {constant, 0}, "straight": {straight, 0}, "32 bits": {stored, 0x1p-24}} {
		x, err := Infer(c.paths, Assumptions{Rounding: c.rounding})
		if err != nil {
			t.Fatal(err)
		}
		if x.Verdict != SmoothLimit {
			t.Errorf("%s: got %q with probabilities %v, want smooth", name, x.Verdict, x.Probability)
		}
		if v := x.VariationIndex(); v == nil || v.Index != 1 || v.Runs != 6 {
			t.Errorf("%s: got index %+v, want 1 from 6 runs", name, v)
		}
	}
}

// A jump is taken out and an outlying layer is not.
func TestWithoutJumps(t *testing.T) {
	for _, c := range []struct {
		name string
		want float64
		at   func(i int) float64
	}{
		{"jump", 2, func(i int) float64 { return 2 * float64(i/40) }},
		{"outlier", 0, func(i int) float64 { return map[bool]float64{true: 2}[i == 40] }},
		{"ramp", 0, func(i int) float64 { return math.Min(1, float64(i)/4) }},
	} {
		x := pvar.Points{Dim: 1}
		for i := range 64 {
			x.Data = append(x.Data, c.at(i)+0.01*math.Sin(float64(i*i)))
		}
		cleaned, found := withoutJumps(x)
		largest := jumpedPath{64, found}.largest()
		if !(math.Abs(largest-c.want) < 0.1) {
			t.Errorf("%s: got the largest jump %g, want %g", c.name, largest, c.want)
		}
		if spread := math.Abs(cleaned.Data[63] - cleaned.Data[0]); c.want > 0 && !(spread < 0.1) {
			t.Errorf("%s: got ends %g apart after taking it out, want almost 0", c.name, spread)
		}
	}
}

// Jumps that share a layer where there are few do not count as larger ones, and those drawn anew at each depth by the largest.
func TestJumpSizes(t *testing.T) {
	at := func(depth int, sizes map[float64]float64) jumpedPath {
		p := jumpedPath{depth: depth}
		for _, place := range slices.Sorted(maps.Keys(sizes)) {
			p.jumps = append(p.jumps, jump{layer: int(place * float64(depth)), size: sizes[place]})
		}
		return p
	}
	deep := at(128, map[float64]float64{0.2: 1, 0.4: -2, 0.6: 1.5, 0.8: 1})
	for _, c := range []struct {
		name string
		path jumpedPath
		want []float64 // by decreasing depth
	}{
		{"the same", at(64, map[float64]float64{0.2: 1, 0.4: -2, 0.6: 1.5, 0.8: 1}), []float64{2, 2}},
		{"two of them in one layer", at(64, map[float64]float64{0.2: 1, 0.4: -2, 0.8: 2.4}), []float64{2, 2}},
		{"smaller at more layers, as of a steep place", at(64, map[float64]float64{0.2: 2, 0.4: -4, 0.6: 3, 0.8: 2}), []float64{2, 4}},
		{"drawn anew", at(64, map[float64]float64{0.3: 1, 0.5: -3, 0.9: 1.5}), []float64{2, 3}},
		{"of the other sign", at(64, map[float64]float64{0.2: -1, 0.4: 2.2, 0.6: -1.5}), []float64{2, 2.2}},
	} {
		var got []float64
		for _, s := range jumpSizes(1, []jumpedPath{c.path, deep}) {
			got = append(got, s.Value)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got sizes %v, want %v", c.name, got, c.want)
		}
	}
	few := jumpSizes(1, []jumpedPath{at(32, map[float64]float64{0.4: 3}), at(64, map[float64]float64{0.2: 1, 0.4: -2, 0.6: 1.5}), deep})
	if len(few) != 2 {
		t.Errorf("with one jump of other places at 32 layers: got %v, want sizes at 128 and 64 alone", few)
	}
}

// With the correction among the models the interval holds the exponent that the window's misses.
func TestAverageExponent(t *testing.T) {
	var samples []Sample
	for _, depth := range []int{16, 32, 64, 128} {
		for seed := range uint64(3) {
			wobble := 1 + 0.002*math.Sin(float64(depth)*1.7+5*float64(seed))
			samples = append(samples, Sample{depth, seed, math.Pow(float64(depth), -0.5) * math.Exp(3/float64(depth)) * wobble})
		}
	}
	x, err := AverageExponent(samples, math.NaN())
	if err != nil {
		t.Fatal(err)
	}
	window, err := Fit(samples)
	if err != nil {
		t.Fatal(err)
	}
	if !(x.Low <= -0.5 && -0.5 <= x.High && x.High-x.Low < 0.2) || window.High > -0.5 {
		t.Errorf("got %+v and the window's %v, want the first alone to hold -0.5", *x, window)
	}
	if !strings.Contains(x.Correction, "L^−1") {
		t.Errorf("got correction %q, want one with 1/L", x.Correction)
	}
}

func ExampleInfer() {
	var paths []DepthPath
	for seed := range uint64(3) {
		for _, depth := range []int{16, 64, 256} {
			path := pvar.Points{Dim: 1}
			for k := range depth {
				path.Data = append(path.Data, math.Sin(3*float64(k+1)/float64(depth)+float64(seed)))
			}
			paths = append(paths, DepthPath{Depth: depth, Seed: seed, Path: path})
		}
	}
	x, err := Infer(paths, Assumptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	v1 := x.Variation(1)
	fmt.Printf("%s: V_1 grows no faster than L^%.2f\n", x.Verdict, v1.High)
	// Output: smooth: V_1 grows no faster than L^0.00
}
