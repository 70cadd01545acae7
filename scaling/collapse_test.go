package scaling

import (
	"flag"
	"math"
	"math/rand/v2"
	"testing"
)

var curveDraws = flag.Int("curves", 4, "planted sets of curves of each kind in TestCollapseCoverage")

// plantedCurves draws curves of four depths that move with an exponent, each depth at a height of its own.
func plantedCurves(p plantedBowl, r *rand.Rand, seeds int, exponent, shift, jitter float64) []Trial {
	var out []Trial
	for _, depth := range []int{8, 32, 128, 512} {
		move := exponent * math.Log(float64(depth))
		trials := p.trials(r, depth, seeds, shift, jitter, move)
		height := math.Exp(3 * r.NormFloat64())
		for i := range trials {
			trials[i].Measure *= height
		}
		out = append(out, trials...)
	}
	return out
}

// TestCollapseFit wants the R2 of a planted shift near 1, and no more; where the curves do not move, the minima are
// about a level line and R2 tells nothing.
func TestCollapseFit(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 0))
	moved, err := Collapse(plantedCurves(plantedBowls[0], r, 3, -0.5, 0.02, 0))
	if err != nil {
		t.Fatal(err)
	}
	if !(moved.R2 >= 0.9 && moved.R2 <= 1) {
		t.Errorf("shift by L^−½: got R2 = %v, want 0.9 to 1", moved.R2)
	}
	still, err := Collapse(plantedCurves(plantedBowls[0], r, 3, 0, 0.02, 0))
	if err != nil {
		t.Fatal(err)
	}
	if !(still.R2 >= -1 && still.R2 <= 0.7) {
		t.Errorf("no shift: got R2 = %v, want −1 to 0.7", still.R2)
	}
}

// collapsed returns the exponent of the curves of trials.
func collapsed(t *testing.T, trials []Trial) Slope {
	t.Helper()
	curves, _, err := curvesOf(trials)
	if err != nil {
		t.Fatal(err)
	}
	s, err := collapse(curves)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCollapseCoverage wants the exponents of planted curves in their intervals in 93 of 100 draws or more, of
// every kind of bowl: flat, asymmetric, with a cliff and with two wells.
func TestCollapseCoverage(t *testing.T) {
	draws := *curveDraws
	total, covered := 0, 0
	for i, p := range plantedBowls {
		hits, worst, width := 0, 0.0, 0.0
		for k := range draws {
			r := rand.New(rand.NewPCG(uint64(k), uint64(i)))
			exponent := -1 + 2*r.Float64()
			seeds := 3 + 2*(k%2)
			noise := [][2]float64{{0.02, 0}, {0.1, 0.02}, {0, 0.1}}[k%3]
			s := collapsed(t, plantedCurves(p, r, seeds, exponent, noise[0], noise[1]))
			if s.Low <= exponent && exponent <= s.High {
				hits++
			}
			worst = max(worst, math.Abs(s.Slope-exponent))
			width += (s.High - s.Low) / float64(draws)
		}
		t.Logf("%-10s %3d of %d, mean width %.3f, worst error %.3f", p.name, hits, draws, width, worst)
		total, covered = total+draws, covered+hits
		if !(worst <= 0.12) {
			t.Errorf("%s: got an error of %v, want at most 0.12", p.name, worst)
		}
	}
	if !(float64(covered) >= 0.93*float64(total)) {
		t.Errorf("got %d of %d intervals that hold the exponent, want 93 %%", covered, total)
	}
}

// TestCollapseOfNoise wants the exponents of curves whose every trial scatters, as last losses of short trainings do, in their
// intervals in 93 of 100 draws or more, and many seeds to tell more than few.
func TestCollapseOfNoise(t *testing.T) {
	width := map[int]float64{}
	total, covered := 0, 0
	for seeds, draws := range map[int]int{3: 3 * *curveDraws, 12: (*curveDraws + 1) / 2} {
		hits := 0
		for i, p := range plantedBowls {
			for k := range draws {
				r := rand.New(rand.NewPCG(uint64(k), uint64(10+i)))
				exponent := -1 + 2*r.Float64()
				s := collapsed(t, plantedCurves(p, r, seeds, exponent, 0.2, 0.4))
				if s.Low <= exponent && exponent <= s.High {
					hits++
				}
				width[seeds] += (s.High - s.Low) / float64(len(plantedBowls)*draws)
			}
		}
		t.Logf("%2d seeds: %d of %d, mean width %.3f", seeds, hits, draws*len(plantedBowls), width[seeds])
		total, covered = total+draws*len(plantedBowls), covered+hits
	}
	if !(float64(covered) >= 0.93*float64(total)) {
		t.Errorf("got %d of %d intervals that hold the exponent, want 93 %%", covered, total)
	}
	if !(width[12] <= width[3]/2) {
		t.Errorf("got a mean width of %v with 12 seeds, %v with 3, want half of it or less", width[12], width[3])
	}
}

// TestCollapseWindows wants the exponents between neighbouring depths of curves that move differently between them, and of few depths none.
func TestCollapseWindows(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 0))
	var trials []Trial
	for depth, move := range map[int]float64{8: 0, 32: -0.9 * math.Log(4), 128: -1.4 * math.Log(4)} {
		trials = append(trials, plantedBowls[2].trials(r, depth, 5, 0.02, 0.01, move)...)
	}
	s, err := Collapse(trials)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Windows) != 2 {
		t.Fatalf("got %d windows, want 2", len(s.Windows))
	}
	for i, want := range []Window{{From: 8, To: 32, Exponent: Slope{Slope: -0.9}}, {From: 32, To: 128, Exponent: Slope{Slope: -0.5}}} {
		w := s.Windows[i]
		if w.From != want.From || w.To != want.To || !(math.Abs(w.Exponent.Slope-want.Exponent.Slope) <= 0.06) || !(w.Exponent.Low <= want.Exponent.Slope && want.Exponent.Slope <= w.Exponent.High) {
			t.Errorf("window %d: got %d to %d with %v, want %d to %d with %v", i, w.From, w.To, w.Exponent, want.From, want.To, want.Exponent.Slope)
		}
	}
	if d := s.Deeper; d == nil || d.Slope != s.Windows[1].Exponent.Slope || d.High != s.Windows[1].Exponent.High {
		t.Errorf("without the shallowest of three: got %v, want %v", d, s.Windows[1].Exponent)
	}
	two := make([]Trial, 0, len(trials))
	for _, trial := range trials {
		if trial.Depth != 128 {
			two = append(two, trial)
		}
	}
	if s, err := Collapse(two); err != nil || len(s.Windows) != 0 || s.Deeper != nil {
		t.Errorf("two depths: got %d windows, %v, want none: that is the exponent", len(s.Windows), err)
	}
}
