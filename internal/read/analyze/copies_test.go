package analyze

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// TestCopiesCountOnce analyses runs of several seeds some of which have the same weights.
func TestCopiesCountOnce(t *testing.T) {
	// The planted weights depend on the seed through moved alone.
	runs := func(moved map[uint64]float64) []planted {
		var all []planted
		for _, depth := range []int{8, 16, 32} {
			for seed, m := range moved {
				p := plant(depth, seed)
				p.moved = m
				p.change = func(_ *runfolder.Meta, w *runfolder.Weights, _ *runfolder.Summary) {
					if seed%2 == 0 { // another sign of zero is no other number
						a := w.Tensors["A"].Data
						for i, v := range a {
							if v == 0 {
								a[i] = math.Copysign(0, -1)
							}
						}
					}
				}
				all = append(all, p)
			}
		}
		return all
	}
	for _, c := range []struct {
		name   string
		moved  map[uint64]float64
		seeds  []uint64
		method string
		copies int
	}{
		{"all different", map[uint64]float64{1: 0.5, 2: 0.25, 3: 0.75}, []uint64{1, 2, 3}, scaling.BySeeds, 0},
		{"all the same", map[uint64]float64{1: 0.5, 2: 0.5, 3: 0.5}, []uint64{1}, scaling.ByRegression, 6},
		{"without displacement", map[uint64]float64{1: 0, 2: 0}, []uint64{1}, scaling.ByRegression, 3},
		{"two the same", map[uint64]float64{1: 0.5, 2: 0.25, 3: 0.5}, []uint64{1, 2}, scaling.BySeeds, 3},
		{"one alone", map[uint64]float64{7: 0.5}, []uint64{7}, scaling.ByRegression, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			result := mustStudy(t, writeStudy(t, runs(c.moved)...), Options{})
			group := result.Groups[0]
			if !slices.Equal(group.Seeds, c.seeds) {
				t.Errorf("seeds: got %v, want %v", group.Seeds, c.seeds)
			}
			if got := group.Exponents["max_frobenius"].Method; got != c.method {
				t.Errorf("method of the interval: got %q, want %q", got, c.method)
			}
			copies := 0
			for _, run := range result.Runs {
				if run.CopyOf != "" {
					copies++
				}
			}
			if copies != c.copies {
				t.Errorf("got %d copies, want %d", copies, c.copies)
			}
			noted := slices.ContainsFunc(group.Notes, func(note string) bool { return strings.HasPrefix(note, "copies: ") })
			if noted != (c.copies > 0) {
				t.Errorf("notes: got %q for %d copies", group.Notes, c.copies)
			}
		})
	}
}

// TestCopiedFolder analyses a study in which a run folder was copied and given another
// seed: it is the same network, for what its files say.
func TestCopiedFolder(t *testing.T) {
	var all []planted
	for _, depth := range []int{8, 16, 32} {
		copied := plant(depth, 2)
		copied.change = func(m *runfolder.Meta, _ *runfolder.Weights, s *runfolder.Summary) {
			m.Start = m.Start.AddDate(0, 0, 1)
			s.Loss *= 2
		}
		all = append(all, plant(depth, 1), copied)
	}
	result := mustStudy(t, writeStudy(t, all...), Options{})
	for _, run := range result.Runs {
		if want := strings.Replace(run.ID, "-s2", "-s1", 1); run.Seed == 2 && run.CopyOf != want {
			t.Errorf("run %s: got copy of %q, want %q", run.ID, run.CopyOf, want)
		}
	}
	for name, slope := range result.Groups[0].Exponents {
		if slope.Method == scaling.BySeeds {
			t.Errorf("%s: got an interval over seeds, want none from copies", name)
		}
	}
}
