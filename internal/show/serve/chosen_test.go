package serve

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// TestChosen draws the runs that a query chooses, in its order, with accuracies where the traces have them.
func TestChosen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "one")
	plant(t, dir, "one")
	trace := rows(30, 1, 0.5)
	for i := range trace {
		share := float64(i) / 30
		trace[i].Accuracy = &share
	}
	finish(t, dir, meta("one", "h", 16, 1), trace)
	s := running(t, dir, Options{})
	answer := get[chosenCurves](t, s.base()+"/api/studies/one/chosen?q=depth%3E4&sort=depth&order=desc")
	if answer.Matching != 3 || len(answer.Curves) != 3 || answer.Test || answer.Notes != nil {
		t.Fatalf("got %+v, want the three runs deeper than 4", answer)
	}
	deepest := answer.Curves[0]
	if deepest.ID != "h-L0016-s1" || len(deepest.Losses.X) != 31 || deepest.Accuracy == nil || deepest.Accuracy.Y[30] != 1 || answer.Curves[1].Accuracy != nil {
		t.Errorf("got %+v, want 31 losses and accuracies of the deepest run first", deepest)
	}
}

// TestDenseCurve wants a long curve thinned, with its beginning and its end.
func TestDenseCurve(t *testing.T) {
	var iterations []int
	var values []float64
	for i := range 100_001 {
		iterations, values = append(iterations, i), append(values, float64(i))
	}
	c := newDenseCurve(iterations, values)
	if n := len(c.X); n < points || n > 2*points || !slices.Equal(c.X[:9], iterations[:9]) || c.X[n-1] != 100_000 {
		t.Errorf("got %d points from %v to %d, want about %d that begin with the first records and end with the last", n, c.X[:9], c.X[n-1], points)
	}
	if c := newDenseCurve(nil, nil); len(c.X) != 0 {
		t.Errorf("got %v of nothing", c)
	}
	if got := accuracyOf(nil, func(*runfolder.Row) *float64 { return nil }); got != nil {
		t.Errorf("got %v, want no accuracy", got)
	}
}
