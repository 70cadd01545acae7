package probe

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/deeplimit/deeplimit/internal/machine"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

const text = `
name: start
depths: [3, 6]
seeds: [4, 5, 9]
data: {kind: uniform, width: 6, samples: 2}
network: {block: mlp, activation: relu, width: 4, hidden: 5}
initial: {kind: uniform, amplitude: 0.5, exponent: 0}
grid: {network.alpha: [0.5, 1]}
`

func parse(t *testing.T, set ...string) *study.Study {
	t.Helper()
	s, err := study.Parse("start.yaml", []byte(text), set)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The files are the same for any number of workers, a second call draws nothing, and
// one with more seeds keeps the draws of those it had.
func TestStudy(t *testing.T) {
	one, three := t.TempDir(), t.TempDir()
	drawn, skipped := 0, 0
	observe := func(_ runfolder.Ensemble, before bool) {
		if before {
			skipped++
		} else {
			drawn++
		}
	}
	for _, call := range []Options{{Out: one, Workers: 1}, {Out: three, Workers: 3}, {Out: three, Workers: 2}} {
		call.Observe = observe
		if err := Study(t.Context(), parse(t), call); err != nil {
			t.Fatal(err)
		}
	}
	if drawn != 8 || skipped != 4 {
		t.Errorf("got %d ensembles drawn and %d skipped, want 8 and 4", drawn, skipped)
	}
	first, err := runfolder.Ensembles(one)
	if err != nil || len(first) != 4 {
		t.Fatalf("got %d ensembles, %v, want 4", len(first), err)
	}
	second, err := runfolder.Ensembles(three)
	if err != nil || !reflect.DeepEqual(first, second) {
		t.Errorf("three workers left other ensembles than one (%v)", err)
	}
	e := first[0]
	if e.Depth != 3 || e.Hidden != 5 || e.Samples != 2 || e.ExpectedForward == nil || len(e.Draws) != 3 || e.Draws[1].Seed != 5 {
		t.Errorf("got %+v", e)
	}
	if err := Study(t.Context(), parse(t, "seeds=[9, 4, 5, 6]"), Options{Out: one}); err != nil {
		t.Fatal(err)
	}
	more, err := runfolder.ReadEnsemble(one, e.ID)
	if err != nil || len(more.Draws) != 4 || more.Draws[0] != e.Draws[2] || more.Draws[1] != e.Draws[0] {
		t.Errorf("with another seed: got %+v, %v, want the draws that were there and one more", more.Draws, err)
	}
	// A damaged table is drawn again.
	if err := os.WriteFile(filepath.Join(three, "ensembles", e.ID+".parquet"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := Study(t.Context(), parse(t), Options{Out: three}); err != nil {
		t.Fatal(err)
	}
	if again, err := runfolder.ReadEnsemble(three, e.ID); err != nil || !reflect.DeepEqual(again, e) {
		t.Errorf("after damage: got %v", err)
	}
}

// The mean over many draws meets the closed form (five standard errors), in both element types.
func TestMeans(t *testing.T) {
	for _, dtype := range []string{"float64", "float32"} {
		dir := t.TempDir()
		if err := Study(t.Context(), parse(t, "seeds=1500", "dtype="+dtype), Options{Out: dir, Workers: 2}); err != nil {
			t.Fatal(err)
		}
		result, err := analyze.Starts(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range result.Groups {
			for _, s := range g.Starts {
				for _, q := range analyze.StartQuantities {
					spread := s.Spreads[q.Name]
					if spread.Expected == nil {
						t.Fatalf("%s: %s has no expectation", s.ID, q.Name)
					}
					tol := 5 * (spread.High - spread.Mean) / 1.96
					if !(math.Abs(spread.Mean-*spread.Expected) <= tol) || !(tol < *spread.Expected/2) {
						t.Errorf("%s %s: %s: got the mean %v, want %v within %g", dtype, s.ID, q.Name, spread.Mean, *spread.Expected, tol)
					}
				}
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		set  []string
		want string
	}{
		{[]string{"seeds=1"}, "seeds: got 1, want at least 2, as each is a draw"},
		{
			[]string{"data.samples=257", "depths=[3]", "grid=null"},
			"probe: uniform-L0003-",
		},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		err := Study(t.Context(), parse(t, c.set...), Options{Out: dir})
		if err == nil || len(err.Error()) < len(c.want) || err.Error()[:len(c.want)] != c.want {
			t.Errorf("%v: got %v, want %s", c.set, err, c.want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%v: made a folder", c.set)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	dir := t.TempDir()
	if err := Study(ended, parse(t), Options{Out: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: got %v", err)
	}
	if list, err := runfolder.Ensembles(dir); len(list) > 0 || err != nil {
		t.Errorf("an ended context: left %d ensembles, %v", len(list), err)
	}
}

// TestFitting wants as many workers as fit together, and one where none does.
func TestFitting(t *testing.T) {
	memory := float64(machine.Memory())
	if memory == 0 {
		memory = 1 << 47
	}
	for _, c := range []struct {
		workers int
		share   float64
		want    int
	}{{4, 0.1, 4}, {4, 0.3, 3}, {4, 0.6, 1}, {4, 2, 1}, {1, 0.1, 1}} {
		if got := fitting(c.workers, c.share*memory); got != c.want {
			t.Errorf("%d workers of %g of the memory each: got %d, want %d", c.workers, c.share, got, c.want)
		}
	}
}
