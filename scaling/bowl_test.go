package scaling

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A plantedBowl is a kind of curve with a minimum, of which the seeds are shifted copies.
type plantedBowl struct {
	name  string
	curve func(x float64) float64
}

var plantedBowls = []plantedBowl{
	{"parabola", func(x float64) float64 { return x * x }},
	{"flat", func(x float64) float64 { return 0.05 * x * x * x * x }},
	{"asymmetric", func(x float64) float64 { return 0.5 * (math.Exp(1.5*x) - 1.5*x) }},
	{"cliff", func(x float64) float64 { return max(-x, 8*x) }},
	{"wells", func(x float64) float64 {
		return -math.Log(math.Exp(-2*(x+1.2)*(x+1.2)) + 0.8*math.Exp(-2*(x-1.2)*(x-1.2)) + 1e-6)
	}},
}

// mean returns the mean over seeds of the curve at x, for shifts of that standard deviation.
func (p plantedBowl) mean(x, shift float64) float64 {
	if shift == 0 {
		return p.curve(x)
	}
	sum, weight := 0.0, 0.0
	for z := -4.0; z <= 4; z += 0.125 {
		w := math.Exp(-z * z / 2)
		sum += w * p.curve(x-shift*z)
		weight += w
	}
	return sum / weight
}

// minimum returns where that mean is least.
func (p plantedBowl) minimum(shift float64) float64 {
	best, at := math.Inf(1), 0.0
	for x := -2.5; x <= 2.5; x += 0.0025 {
		if v := p.mean(x, shift); v < best {
			best, at = v, x
		}
	}
	return at
}

// trials draws seeds and tries settings as a search does: a coarse scan, then ever closer about the best.
func (p plantedBowl) trials(r *rand.Rand, depth, seeds int, shift, jitter, move float64) []Trial {
	const cell = 0.0953
	offset := cell * r.Float64()
	shifts, heights := make([]float64, seeds), make([]float64, seeds)
	for s := range seeds {
		shifts[s], heights[s] = move+shift*r.NormFloat64(), r.NormFloat64()
	}
	var out []Trial
	mean := map[int]float64{}
	try := func(k int) {
		if _, ok := mean[k]; ok {
			return
		}
		x := offset + cell*float64(k)
		for s := range seeds {
			y := p.curve(x+move-shifts[s]) + heights[s] + jitter*r.NormFloat64()
			mean[k] += y
			out = append(out, Trial{Depth: depth, Seed: uint64(s + 1), Setting: math.Exp(x + move), Measure: math.Exp(y)})
		}
	}
	best := func() int {
		at, value := 0, math.Inf(1)
		for k, v := range mean {
			if v < value || v == value && k < at {
				at, value = k, v
			}
		}
		return at
	}
	for k := -40; k <= 40; k += 8 {
		try(k)
	}
	for _, stride := range []int{4, 2, 1} {
		k := best()
		try(k - stride)
		try(k + stride)
	}
	return out
}

// TestBowlCoverage wants the intervals of planted bowls to hold the setting where the mean over seeds is
// least, in 93 of 100 draws or more of each kind, for 95 % intervals, and not to be useless.
func TestBowlCoverage(t *testing.T) {
	const draws = 40 // of each of 60 kinds
	total, covered := 0, 0
	for _, p := range plantedBowls {
		kind, kindCovered := 0, 0
		for _, seeds := range []int{3, 5} {
			for _, noise := range [][2]float64{{0.05, 0}, {0.3, 0}, {0, 0.02}, {0.1, 0.05}, {0.2, 0.2}, {0, 0.5}} {
				want := p.minimum(noise[0])
				hits := 0
				var widths []float64
				for i := range draws {
					r := rand.New(rand.NewPCG(uint64(i), uint64(seeds)))
					b, err := FitBowl(p.trials(r, 8, seeds, noise[0], noise[1], 0))
					if err != nil {
						t.Fatal(err)
					}
					if b.Low <= math.Exp(want) && math.Exp(want) <= b.High {
						hits++
					}
					widths = append(widths, math.Log(b.High/b.Low))
				}
				slices.Sort(widths)
				t.Logf("%-10s %d seeds, shifts %-4g noise %-4g: %3d %% covered, median width %.2f", p.name, seeds, noise[0], noise[1], hits*100/draws, widths[draws/2])
				kind, kindCovered = kind+draws, kindCovered+hits
			}
		}
		t.Logf("%-10s %.1f %%", p.name, 100*float64(kindCovered)/float64(kind))
		if !(float64(kindCovered) >= 0.93*float64(kind)) {
			t.Errorf("%s: got %d of %d intervals that hold the minimum, want 93 %%", p.name, kindCovered, kind)
		}
		total, covered = total+kind, covered+kindCovered
	}
	t.Logf("%d of %d", covered, total)
}

// TestCliffCoverage wants the intervals of cliffs whose seeds fall off at different settings to hold the setting where the
// mean over all seeds is least, in 93 of 100 draws, and to be finite: few of the seeds at hand, or none, fall off there.
func TestCliffCoverage(t *testing.T) {
	const draws = 40
	total, covered, finite := 0, 0, 0
	for _, slope := range []float64{3, 8, 20} {
		cliff := plantedBowl{"cliff", func(x float64) float64 { return max(-x, slope*x) }}
		for _, seeds := range []int{3, 5} {
			for _, shift := range []float64{0.15, 0.3, 0.5} {
				want := math.Exp(cliff.minimum(shift))
				hits := 0
				var widths []float64
				for i := range draws {
					r := rand.New(rand.NewPCG(uint64(i), uint64(seeds)))
					b, err := FitBowl(cliff.trials(r, 8, seeds, shift, 0.02, 0))
					if err != nil {
						t.Fatal(err)
					}
					if b.Low <= want && want <= b.High {
						hits++
					}
					if width := math.Log(b.High / b.Low); width <= 6 {
						finite++
					}
					widths = append(widths, math.Log(b.High/b.Low))
				}
				slices.Sort(widths)
				t.Logf("slope %-2g, %d seeds, shifts %-4g: %3d %% covered, median width %.2f", slope, seeds, shift, hits*100/draws, widths[draws/2])
				total, covered = total+draws, covered+hits
			}
		}
	}
	t.Logf("%d of %d", covered, total)
	if !(float64(covered) >= 0.93*float64(total)) {
		t.Errorf("got %d of %d intervals that hold the minimum, want 93 %%", covered, total)
	}
	if !(float64(finite) >= 0.9*float64(total)) {
		t.Errorf("got %d of %d intervals within a factor e^6, want 90 %%", finite, total)
	}
}

// TestShiftsOfParabolas wants the shifts of parabolas, of which the regression on the slope is exact.
func TestShiftsOfParabolas(t *testing.T) {
	shifts := []float64{-0.1, -0.05, 0.15}
	c := parabolas(t, shifts, func() float64 { return 0 })
	got, ok := c.shifts()
	if !ok {
		t.Fatal("got no shifts, want those of the curves")
	}
	for s := range got {
		if !(math.Abs(got[s]-shifts[s]) <= 1e-9) {
			t.Errorf("seed %d: got shift %v, want %v", s, got[s], shifts[s])
		}
	}
}

// TestNoiseIsNoShift wants no shifts of seeds that differ by noise alone, but for one draw in a hundred.
func TestNoiseIsNoShift(t *testing.T) {
	told := 0
	for draw := range 100 {
		r := rand.New(rand.NewPCG(uint64(draw), 9))
		c := parabolas(t, make([]float64, 3), func() float64 { return 0.3 * r.NormFloat64() })
		if _, ok := c.shifts(); ok {
			told++
		}
	}
	if told > 6 {
		t.Errorf("got shifts in %d of 100 draws of noise, want about one", told)
	}
}

// parabolas returns trials of a parabola for each shift, at heights of their own and with noise.
func parabolas(t *testing.T, shifts []float64, noise func() float64) bowlTrials {
	t.Helper()
	var trials []Trial
	for s, shift := range shifts {
		for k := -6; k <= 6; k++ {
			x := 0.3 * float64(k)
			trials = append(trials, Trial{Depth: 8, Seed: uint64(s), Setting: math.Exp(x), Measure: math.Exp((x-shift)*(x-shift) + float64(s) + noise())})
		}
	}
	c, err := newBowlTrials(trials)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestShiftedCliffIsExact holds the best place of shifted cliffs to where a share 1/(1 + slope) of them has gone over the
// edge, by the quantile of the normal distribution.
func TestShiftedCliffIsExact(t *testing.T) {
	var trials []Trial
	for s := range 3 {
		for k := -60; k <= 60; k++ {
			x := 0.05 * float64(k)
			trials = append(trials, Trial{Depth: 8, Seed: uint64(s), Setting: math.Exp(x), Measure: math.Exp(max(-x, 8*x))})
		}
	}
	c, err := newBowlTrials(trials)
	if err != nil {
		t.Fatal(err)
	}
	sigmas := []float64{0.1, 0.3, 1}
	for i, got := range c.template(make([]float64, 3), 0.3).best(sigmas) {
		const ninth = -1.22064 // the standard normal quantile of 1/9
		if want := ninth * sigmas[i]; !(math.Abs(got-want) <= 0.02+0.06*sigmas[i]) {
			t.Errorf("standard deviation %g: got %g, want %g", sigmas[i], got, want)
		}
	}
}
