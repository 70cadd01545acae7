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
			curves, _, err := curvesOf(plantedCurves(p, r, seeds, exponent, noise[0], noise[1]))
			if err != nil {
				t.Fatal(err)
			}
			s, err := collapse(curves)
			if err != nil {
				t.Fatal(err)
			}
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
