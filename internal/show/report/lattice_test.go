package report

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

// sampleGrid is a study over a grid of two fields, with accuracies that tell its places.
func sampleGrid() ([]group, *analyze.Overview) {
	s := sampleSmall
	s.data = []string{"a", "b", "c", "d", "e", "f"}
	groups := s.groups()
	o := &analyze.Overview{Fields: []string{"network.alpha", "train.step.value"}}
	for i := range groups {
		g := &groups[i]
		o.Rows = append(o.Rows, analyze.OverviewRow{
			Number: i + 1, Group: g.Group.Group,
			Values: map[string]string{"network.alpha": []string{"1", "0.5"}[i/3], "train.step.value": []string{"8", "1", "2"}[i%3]},
		})
		for j := range g.runs {
			g.runs[j].Accuracy = new(1 - float64(i)/10 - float64(g.runs[j].Seed)/100)
		}
	}
	return groups, o
}

func TestLattice(t *testing.T) {
	groups, o := sampleGrid()
	l := newLattice(groups, o)
	if got := l.places; len(got) != 2 || !slices.Equal(got[0], []int{0, 1, 2}) || !slices.Equal(got[1], []int{3, 4, 5}) {
		t.Errorf("a grid of 2 by 3 stands as %v", got)
	}
	if got := strings.Join(l.rows, "; ") + "; " + strings.Join(l.columns, "; "); got != "alpha = 1; alpha = 0.5; step.value = 8; step.value = 1; step.value = 2" {
		t.Errorf("its rows and columns are %s", got)
	}
	o.Rows[5].Values = o.Rows[4].Values // no group for one pair, two for another
	if l = newLattice(groups, o); l.rows != nil || len(l.places) != 2 || len(l.places[0]) != 5 || len(l.places[1]) != 1 || l.titles[5] != "6: 0.5, 1" {
		t.Errorf("a grid with a hole stands as %v, %q", l.places, l.titles)
	}
	if newLattice(groups[:1], &analyze.Overview{Rows: o.Rows[:1]}) != nil || newLattice(groups, nil) != nil {
		t.Error("one group, or none in the overview, has small panels")
	}
}

// TestSharedAxes wants every small panel on the same axes, in each of the figures.
func TestSharedAxes(t *testing.T) {
	groups, o := sampleGrid()
	for _, draw := range []func([]group, *analyze.Overview, Style) *Figure{lossGrid, variationGrid} {
		f := draw(groups, o, Paper)
		first := f.panels[0][0]
		for _, row := range f.panels {
			for _, p := range row {
				if p.x.low != first.x.low || p.x.high != first.x.high || p.y.low != first.y.low || p.y.high != first.y.high || !(p.x.low < p.x.high) || !(p.y.low < p.y.high) {
					t.Errorf("%s: axes [%g, %g] × [%g, %g] beside [%g, %g] × [%g, %g]", f.Name, p.x.low, p.x.high, p.y.low, p.y.high, first.x.low, first.x.high, first.y.low, first.y.high)
				}
				if len(p.marks) == 0 {
					t.Errorf("%s: an empty panel", f.Name)
				}
			}
		}
	}
}

// TestAccuracyMap holds the cells of the map to means of the planted accuracies.
func TestAccuracyMap(t *testing.T) {
	groups, o := sampleGrid()
	f := accuracyMap(groups, o, Paper)
	if len(f.Data.Rows) != 6 {
		t.Fatalf("%d cells, want 6", len(f.Data.Rows))
	}
	for _, row := range f.Data.Rows { // alpha, step, value
		i := slices.IndexFunc(o.Rows, func(r analyze.OverviewRow) bool {
			return r.Values["network.alpha"] == row[0] && r.Values["train.step.value"] == row[1]
		})
		if want := 1 - float64(i)/10 - 0.015; !(math.Abs(parse(t, row[2])-want) <= 1e-12) || row[5] != "2" {
			t.Errorf("cell %q, want the mean %g of 2 runs", row, want)
		}
	}
	for i := range groups {
		groups[i].runs[0].Accuracy = nil
	}
	if accuracyMap(groups, o, Paper) != nil {
		t.Error("a map of an accuracy that a run lacks")
	}
}

// TestParallel follows every line of the figure to the loss of its group and depth.
func TestParallel(t *testing.T) {
	groups, o := sampleGrid()
	f := parallelFigure(groups, o, Paper)
	for _, row := range f.Data.Rows {
		number, err := strconv.Atoi(row[0])
		if err != nil {
			t.Fatal(err)
		}
		sum, n, diverged := 0.0, 0, false
		for _, r := range groups[number-1].runs {
			if strconv.Itoa(r.Depth) == row[3] {
				sum, n, diverged = sum+math.Log(r.Loss), n+1, diverged || r.Stop == "diverged"
			}
		}
		if diverged != (row[4] == "") || !diverged && !(math.Abs(parse(t, row[4])/math.Exp(sum/float64(n))-1) <= 1e-12) {
			t.Errorf("line %q, want the geometric mean %g over %d seeds", row, math.Exp(sum/float64(n)), n)
		}
	}
	if want := 6 * len(groups[0].depths()); len(f.Data.Rows) != want {
		t.Errorf("%d lines, want %d", len(f.Data.Rows), want)
	}
	o.Fields = o.Fields[:1]
	if parallelFigure(groups, o, Paper) != nil {
		t.Error("parallel coordinates of a field and depth")
	}
}

// TestLayerIterations adds up depth times steps one by one.
func TestLayerIterations(t *testing.T) {
	r := run{iteration: []float64{0, 1, 3, 4, 7, 10}}
	r.Depth = 16
	want := func(depthAt func(step int) int) (out []float64) {
		for _, at := range r.iteration {
			sum := 0
			for step := range int(at) {
				sum += depthAt(step)
			}
			out = append(out, float64(sum))
		}
		return out
	}
	if got, want := r.layerIterations(), want(func(int) int { return 16 }); !slices.Equal(got, want) {
		t.Errorf("at one depth %v, want %v", got, want)
	}
	r.Levels = []runfolder.Level{{Depth: 4, First: 0, Iterations: 3}, {Depth: 8, First: 3, Iterations: 4}, {Depth: 16, First: 7, Iterations: 3}}
	depthAt := func(step int) int {
		switch {
		case step < 3:
			return 4
		case step < 7:
			return 8
		}
		return 16
	}
	if got, want := r.layerIterations(), want(depthAt); !slices.Equal(got, want) {
		t.Errorf("of a cascade %v, want %v", got, want)
	}
}
