package tune

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/scaling"
)

// run lets a search find the minimum of a function of log settings with noise at each trial of each seed, and returns its trials.
func (s *plane) run(precision float64, seeds int, f func(a, b float64, seed int) float64) []scaling.PlaneTrial {
	var out []scaling.PlaneTrial
	for cells := s.next(); cells != nil; cells = s.next() {
		for _, c := range cells {
			a, b := float64(c[0])*math.Log(precision), float64(c[1])*math.Log(precision)
			values := make([]float64, seeds)
			for i := range values {
				values[i] = f(a, b, i)
				out = append(out, scaling.PlaneTrial{Depth: 4, Seed: uint64(i), Settings: [2]float64{math.Exp(a), math.Exp(b)}, Measure: math.Exp(values[i])})
			}
			s.tell(c, values)
		}
	}
	return out
}

// tilted is a bowl about (x, y) whose axes, of two curvatures, are turned by an angle.
func tilted(x, y, angle, along, across float64) func(a, b float64) float64 {
	cos, sin := math.Cos(angle), math.Sin(angle)
	return func(a, b float64) float64 {
		u, v := cos*(a-x)+sin*(b-y), cos*(b-y)-sin*(a-x)
		return along*u*u + across*v*v
	}
}

// TestPlane wants the minimum of any bowl, whatever its tilt, to the precision and what a level valley leaves open, from few
// trials, and the flanks of either axis.
func TestPlane(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		precision := rapid.SampledFrom([]float64{1.1, 1.3, 2}).Draw(t, "precision")
		x, y := rapid.Float64Range(-6, 6).Draw(t, "first"), rapid.Float64Range(-6, 6).Draw(t, "second")
		angle := rapid.Float64Range(0, math.Pi).Draw(t, "angle")
		along, across := rapid.Float64Range(0.05, 1).Draw(t, "along"), rapid.Float64Range(0.5, 4).Draw(t, "across")
		f := tilted(x, y, angle, along, across)
		s := newPlane(precision, rapid.IntRange(0, 9).Draw(t, "depth number"))
		s.start = 12
		s.run(precision, 2, func(a, b float64, seed int) float64 { return 4*math.Log1p(f(a, b)) + 1e-9*float64(seed) })
		if len(s.value) > mostCells/2 {
			t.Errorf("got %d trials, want at most %d", len(s.value), mostCells/2)
		}
		best := s.best()
		got := f(float64(best[0])*math.Log(precision), float64(best[1])*math.Log(precision))
		if step := math.Log(precision); !(got <= 2*across*step*step+2*gain) {
			t.Errorf("got %g above the least, want that of a step of the lattice", got)
		}
		for _, d := range axes {
			if reason := s.line(d).end(func(int) float64 { return 1 }); reason != "" {
				t.Errorf("along %v: got no minimum: %s", d, reason)
			}
		}
	})
}

// TestPlaneEnds wants a search that has no minimum to end.
func TestPlaneEnds(t *testing.T) {
	for name, f := range map[string]func(a, b float64) float64{
		"falls":    func(a, b float64) float64 { return -a - b },
		"diverges": func(_, _ float64) float64 { return math.Inf(1) },
		"flat":     func(_, _ float64) float64 { return 1 },
		"product":  func(a, b float64) float64 { return (a + b - 3) * (a + b - 3) },
		"one":      func(a, _ float64) float64 { return a * a },
	} {
		s := newPlane(1.3, 1)
		s.start = 12
		s.run(1.3, 2, func(a, b float64, seed int) float64 { return f(a, b) + 1e-12*float64(seed) })
		if len(s.value) > mostCells {
			t.Errorf("%s: got %d trials, want an end before", name, len(s.value))
		}
		t.Logf("%s: %d trials", name, len(s.value))
	}
}

// TestPlaneGivesUp wants a search that has not come to its end after as many pairs as it tries to say so.
func TestPlaneGivesUp(t *testing.T) {
	s := newPlane(1.02, 0)
	s.start = 12
	s.run(1.02, 2, func(a, b float64, seed int) float64 { // a narrow valley across the directions of steps
		across := b - 0.4*a
		return 1000*across*across + (a-18)*(a-18) + 1e-9*float64(seed)
	})
	tuned := &tuning{groups: []*group{{planes: map[int]*plane{8: s}, lattices: [2]lattice{newLattice(1, 1.02), newLattice(1, 1.02)}}}}
	for f := range axes {
		if reason, fault := tuned.planeEnd(0, 8, f); len(s.value) < mostCells || reason == "" || !fault {
			t.Errorf("field %d, %d pairs: got %q, fault %v, want a fault", f, len(s.value), reason, fault)
		}
	}
}

// TestPlaneWithoutEffect wants settings of which neither changes the measure to be a fault of both.
func TestPlaneWithoutEffect(t *testing.T) {
	s := newPlane(1.3, 0)
	s.run(1.3, 2, func(_, _ float64, _ int) float64 { return 1 })
	tuned := &tuning{groups: []*group{{planes: map[int]*plane{8: s}, lattices: [2]lattice{newLattice(1, 1.3), newLattice(1, 1.3)}}}}
	for f := range axes {
		if reason, fault := tuned.planeEnd(0, 8, f); !strings.HasPrefix(reason, "it is the same at all") || strings.Contains(reason, "beyond") || !fault {
			t.Errorf("field %d: got %q, fault %v, want a fault", f, reason, fault)
		}
	}
}

// TestPlaneKeepsToTheField wants a search at the end of what fields take to settle there.
func TestPlaneKeepsToTheField(t *testing.T) {
	s := newPlane(1.3, 0)
	for cells := s.next(); cells != nil; cells = s.next() {
		for _, c := range cells {
			if c[0] > 9 {
				s.refuse(c)
				continue
			}
			v := -float64(c[0]) + math.Abs(float64(c[1]-4))
			s.tell(c, []float64{v, v, v})
		}
	}
	if got := s.line(axes[0]).end(func(int) float64 { return 1 }); got != "" || s.best() != (cell{9, 4}) {
		t.Errorf("got %q and the best %d, want none and 9, 4", got, s.best())
	}
}

// TestPlaneCoverage wants the intervals of both settings, of planted bowls with noise of seeds, to hold the settings where the mean
// is least in 93 of 100 draws or more.
func TestPlaneCoverage(t *testing.T) {
	const draws = 40
	total, covered := 0, 0
	for _, tilt := range []float64{0, 0.4, math.Pi / 4, 3 * math.Pi / 4} {
		for _, noise := range []float64{0.02, 0.2} {
			for _, seeds := range []int{3, 5} {
				kind, kindCovered := 0, 0
				for i := range draws {
					r := rand.New(rand.NewPCG(uint64(i), uint64(seeds)))
					x, y := 4*r.Float64()-2, 4*r.Float64()-2
					f := tilted(x, y, tilt, 0.3, 2)
					shifts := make([][2]float64, seeds)
					for s := range shifts {
						shifts[s] = [2]float64{0.1 * r.NormFloat64(), 0.1 * r.NormFloat64()}
					}
					s := newPlane(1.2, i)
					s.start = 4
					p, err := scaling.FitPlane(s.run(1.2, seeds, func(a, b float64, seed int) float64 {
						return min(f(a-shifts[seed][0], b-shifts[seed][1]), 8) + noise*r.NormFloat64()
					}), 1.2)
					if err != nil {
						t.Fatal(err)
					}
					for k, want := range []float64{math.Exp(x), math.Exp(y)} {
						kind++
						if !(want < p.Low[k]) && !(want > p.High[k]) { // an open end holds all
							kindCovered++
						}
					}
				}
				t.Logf("tilt %.2f, noise %g, %d seeds: %.1f %% covered", tilt, noise, seeds, 100*float64(kindCovered)/float64(kind))
				total, covered = total+kind, covered+kindCovered
			}
		}
	}
	t.Logf("%.1f %% of %d", 100*float64(covered)/float64(total), total)
	if !(float64(covered) >= 0.93*float64(total)) {
		t.Errorf("got %d of %d intervals that hold the minimum, want 93 %%", covered, total)
	}
}
