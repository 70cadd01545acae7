package analyze

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestUnreadAnswer wants an answer of tune that is damaged among what could not be read, and a study without one to have none.
func TestUnreadAnswer(t *testing.T) {
	dir := writeStudy(t, plant(16, 1), plant(16, 2), plant(64, 1))
	f, err := Read(t.Context(), dir, Options{})
	if err != nil || f.Unread != nil {
		t.Fatalf("without an answer: got %v and unread %v, want neither", err, f.Unread)
	}
	answer := filepath.Join(dir, "tune.json")
	if err := os.WriteFile(answer, []byte("{}"), 0o644); err != nil {
		t.Fatal(err)
	}
	f, err = Read(t.Context(), dir, Options{})
	if err != nil || f.Unread == nil || !strings.Contains(f.Unread.Error(), answer) {
		t.Errorf("with a damaged one: got %v and unread %v, want %s named", err, f.Unread, answer)
	}
}

// TestTuneScore wants the mean accuracy over seeds with an interval cut at 0 and 1, and the geometric mean of test losses.
func TestTuneScore(t *testing.T) {
	g := TuneGroup{}
	for seed, accuracy := range []float64{0.9, 1, 1} {
		g.Runs = append(g.Runs, TuneRun{Depth: 8, Seed: uint64(seed), Value: 0.5, TestAccuracy: &accuracy, TestLoss: new(math.Exp(float64(seed)))})
	}
	b := TuneBest{Depth: 8, Tried: 0.5}
	g.score(&b)
	if a := b.TestAccuracy; a == nil || !(math.Abs(a.Value-2.9/3) <= 1e-12) || !(*a.Low < 0.9) || *a.High != 1 {
		t.Errorf("accuracy: got %+v, want 0.967 with an interval up to 1", a)
	}
	if l := b.TestLoss; l == nil || !(math.Abs(l.Value-math.E) <= 1e-12) || !(*l.Low < 1 && math.E*math.E < *l.High) {
		t.Errorf("loss: got %+v, want e", l)
	}
	b = TuneBest{Depth: 8, Tried: 0.25}
	if g.score(&b); b.TestAccuracy != nil || b.TestLoss != nil {
		t.Errorf("got %+v of a value that no run has, want nothing", b)
	}
}
