package papers

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// TestShare holds intervals to those of tables of Clopper and Pearson.
func TestShare(t *testing.T) {
	for _, c := range []struct {
		hits, unknown, n int
		low, high        float64
		verdict          Verdict
	}{
		{100, 0, 100, 0.96378, 1, Reproduced},
		{99, 0, 100, 0.94554, 0.99975, CannotTell},
		{95, 0, 100, 0.88717, 0.98357, CannotTell},
		{42, 0, 100, 0.32199, 0.52288, NotReproduced},
		{3, 0, 3, 0.29240, 1, CannotTell},
		{0, 0, 3, 0, 0.70760, NotReproduced},
		{0, 3, 3, 0, 1, CannotTell},
		{90, 10, 100, 0.82378, 1, CannotTell},
	} {
		m := share(c.hits, c.unknown, c.n)
		if !(math.Abs(m.Low-c.low) <= 1e-5) || !(math.Abs(m.High-c.high) <= 1e-5) || m.Value != float64(c.hits)/float64(c.n) {
			t.Errorf("%d of %d: got %+v, want [%v, %v]", c.hits, c.n, m, c.low, c.high)
		}
		if got := everySeed.Judge(m); got != c.verdict {
			t.Errorf("%d of %d: got %q, want %q", c.hits, c.n, got, c.verdict)
		}
	}
	if m := share(0, 0, 0); !math.IsNaN(m.Value) {
		t.Errorf("no seeds: got %+v, want nothing", m)
	}
}

// TestShareCovers wants the interval to hold the true share at least as often as it says.
func TestShareCovers(t *testing.T) {
	const n = 30
	for p := 0.01; p < 1; p += 0.01 {
		covered := 0.0
		for hits := range n + 1 {
			if m := share(hits, 0, n); m.Low <= p && p <= m.High {
				covered += distuv.Binomial{N: n, P: p}.Prob(float64(hits))
			}
		}
		if !(covered >= 0.95) {
			t.Errorf("share %v: covered with probability %v, want 0.95 at least", p, covered)
		}
	}
}

// TestSeeds wants a seed to say yes where all its runs do, and no where one does, in any order.
func TestSeeds(t *testing.T) {
	for _, c := range []struct {
		answers []answer
		want    answer
	}{
		{[]answer{yes, yes}, yes},
		{[]answer{yes, no}, no},
		{[]answer{no, yes}, no},
		{[]answer{yes, unknown}, unknown},
		{[]answer{unknown, yes}, unknown},
		{[]answer{unknown, no, yes}, no},
		{[]answer{no, unknown}, no},
	} {
		s := seeds{}
		for _, a := range c.answers {
			s.add(7, a)
		}
		if s[7] != c.want {
			t.Errorf("%v: got %v, want %v", c.answers, s[7], c.want)
		}
	}
}

// TestNotes wants the note of a share to name what is worst.
func TestNotes(t *testing.T) {
	runs := []*analyze.Run{
		{Depth: 16, Seed: 1, Stop: "loss", Loss: 1e-11, LossTrace: []float64{1, 1e-11}, Iterations: 20, Rate: &analyze.Rate{R2: 0.999}},
		{Depth: 64, Seed: 2, Stop: "loss", Loss: 1e-11, LossTrace: []float64{1, 2, 1e-11}, Iterations: 40, Rate: &analyze.Rate{R2: 0.98}},
		{Depth: 64, Seed: 3, Stop: "iterations", Loss: 1e-4, RateReason: "it stalls"},
	}
	if got, want := fallNote(runs), "smallest R² 0.98: L = 64, seed 2, J from 1 to 1e-11, raised by 1 of 2 steps; no rate in 1 of 3 runs: it stalls"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := slowest(runs), "in 20 to 40 steps; the others end at 0.0001 or above"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCases(t *testing.T) {
	measure := func(*Bench) ([]Measurement, error) { return []Measurement{{Case: "a"}, {Case: "b"}}, nil }
	if got, err := cases(measure, "b")(nil); err != nil || len(got) != 1 || got[0].Case != "b" {
		t.Errorf("got %v, %v, want b", got, err)
	}
	if _, err := cases(measure, "c")(nil); err == nil {
		t.Error("a case that is not there: got no error")
	}
}
