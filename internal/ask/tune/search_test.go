package tune

import (
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// run lets a search find the minimum of a function of log setting, the same for every seed.
func (s *search) run(precision float64, f func(x float64) float64) {
	for powers := s.next(); powers != nil; powers = s.next() {
		for _, k := range powers {
			v := f(float64(k) * math.Log(precision))
			s.tell(k, []float64{v, v + 1e-9, v - 1e-9})
		}
	}
}

// TestSearch wants the minimum of any bowl to one step of the lattice, wherever it lies and whatever its flanks are, from few
// trials.
func TestSearch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		precision := rapid.SampledFrom([]float64{1.02, 1.1, 1.3, 2}).Draw(t, "precision")
		at := rapid.Float64Range(-9, 9).Draw(t, "minimum")
		left := rapid.Float64Range(0.5, 5).Draw(t, "left")
		right := rapid.Float64Range(0.5, 50).Draw(t, "right")
		cliff := rapid.Bool().Draw(t, "diverges to the right")
		s := newSearch(precision, rapid.IntRange(0, 9).Draw(t, "depth number"))
		s.start = 0
		s.run(precision, func(x float64) float64 {
			switch {
			case x <= at:
				return max(-8, -math.Exp(left*(x-at)/2)*8)
			case cliff && x > at+1:
				return math.Inf(1)
			}
			return min(3, -8+right*(x-at))
		})
		if reason := s.end(func(int) float64 { return 1 }); reason != "" {
			t.Fatalf("got no minimum: %s", reason)
		}
		if got, step := float64(s.best())*math.Log(precision), math.Log(precision); !(math.Abs(got-at) <= 1.01*step) {
			t.Errorf("got %v, want %v within %v", got, at, step)
		}
		if most := 16 + int(3*math.Log2(1/math.Log(precision))) + int(math.Abs(at)); len(s.value) > most {
			t.Errorf("got %d trials, want at most %d", len(s.value), most)
		}
	})
}

// TestSearchEnds wants a search without a minimum to say what it saw, and to end.
func TestSearchEnds(t *testing.T) {
	for name, c := range map[string]struct {
		f    func(x float64) float64
		want string
	}{
		"falls":    {func(x float64) float64 { return -x }, "the largest of"},
		"rises":    {func(x float64) float64 { return x }, "the smallest of"},
		"diverges": {func(float64) float64 { return math.Inf(1) }, "diverges at every value"},
		"level":    {func(x float64) float64 { return math.Max(0, x) + 1e-6*x }, "the smallest of"},
		"flat":     {func(float64) float64 { return 1 }, "it is the same at all "},
	} {
		s := newSearch(1.1, 0)
		s.start = 0
		s.run(1.1, c.f)
		if got := s.end(func(k int) float64 { return math.Pow(1.1, float64(k)) }); !strings.Contains(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		if len(s.value) > 70 {
			t.Errorf("%s: got %d trials, want an end before", name, len(s.value))
		}
	}
}

// TestSearchKeepsToTheField wants a search at the end of what a field takes to settle there.
func TestSearchKeepsToTheField(t *testing.T) {
	s := newSearch(1.1, 0)
	for powers := s.next(); powers != nil; powers = s.next() {
		for _, k := range powers {
			if k > 20 {
				s.refuse(k)
			} else {
				s.tell(k, []float64{-float64(k), -float64(k), -float64(k)})
			}
		}
	}
	if got := s.end(func(int) float64 { return 1 }); got != "" || s.best() != 20 {
		t.Errorf("got %q and the best %d, want none and 20", got, s.best())
	}
}
