package report

import (
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/runfolder"
)

// mapStudy writes runs over α, H, step size and seed. The accuracy of a run is
// α + H/10 + step/100 + seed/1000; at α = 1 the largest step diverges for seed 2, at α = 1
// and H = 0.9 every step does, and the run at α = 0.5, H = 0.9 has not begun.
func mapStudy(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := runfolder.CreateStudy(dir, "map", "name: map\n", nil); err != nil {
		t.Fatal(err)
	}
	for _, alpha := range []string{"0.5", "1"} {
		for _, hurst := range []string{"0.25", "0.9"} {
			for _, step := range []string{"1", "10"} {
				for seed := range uint64(2) {
					id := fmt.Sprintf("run-%s-%s-%s-%d", alpha, hurst, step, seed+1)
					meta := runfolder.Meta{
						ID: id, Hash: id, Group: "g", Study: "map", Data: "digits", Depth: 16, Seed: seed + 1, DType: "float64", Block: "inner",
						Settings: map[string]string{"network.alpha": alpha, "initial.hurst": hurst, "train.step.value": step},
					}
					folder := runfolder.RunDir(dir, id)
					if err := runfolder.Create(folder, meta); err != nil {
						t.Fatal(err)
					}
					if alpha == "0.5" && hurst == "0.9" {
						continue
					}
					summary := runfolder.Summary{Stop: "iterations", Loss: 0.5}
					if alpha == "1" && (hurst == "0.9" || step == "10" && seed == 1) {
						summary = runfolder.Summary{Stop: runfolder.Diverged, Loss: math.Inf(1)}
					}
					value := func(s string) float64 { v, _ := strconv.ParseFloat(s, 64); return v }
					early, last := 0.1, value(alpha)+value(hurst)/10+value(step)/100+float64(seed+1)/1000
					rows := []runfolder.Row{{Iteration: 0, TestAccuracy: &early}, {Iteration: 1, TestAccuracy: &last}, {Iteration: 2}}
					weights := runfolder.Weights{Tensors: map[string]runfolder.Tensor{"A": {DType: "F64", Shape: []int{16, 1, 1}, Data: make([]float64, 16)}}}
					if err := runfolder.Finish(folder, meta, rows, weights, summary); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
	}
	return dir
}

func TestMap(t *testing.T) {
	dir := mapStudy(t)
	f, err := Map(t.Context(), dir, MapOptions{X: "network.alpha", Y: "initial.hurst", Best: "train.step.value"})
	if err != nil {
		t.Fatal(err)
	}
	// t_{0.975} of one degree of freedom is 12.706: two values 0.001 apart have half-width 12.706·0.0005.
	want := [][]string{
		{"0.25", "0.5", "0.6265", "0.6201", "0.6329", "2", "0", "10"},
		{"0.25", "1", "1.0365", "1.0301", "1.0365", "2", "1", "1"}, // no accuracy is above 1, as here by construction
		{"0.9", "1", "", "", "", "0", "4", ""},
	}
	got := f.Data.Rows
	for _, row := range got {
		for i := 2; i < 5; i++ {
			if row[i] != "" {
				row[i] = strconv.FormatFloat(parse(t, row[i]), 'f', 4, 64)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	crosses := f.panels[0][0].marks
	if len(crosses) != 1 || !cmp.Equal(crosses[0].x, []float64{1}) || !cmp.Equal(crosses[0].y, []float64{1}) {
		t.Errorf("got marks %v, want one cross at (1, 1)", crosses)
	}
	if want := []string{
		"The best train.step.value is the first or last of those tried in 2 of 2 cells: a better one may lie beyond.",
		"The best train.step.value is chosen on the test set that it is scored on, which flatters it; data.validation holds out samples to choose by.",
		"4 runs without a result left out.",
	}; !cmp.Equal(f.Notes, want) {
		t.Errorf("notes are %q, want %q", f.Notes, want)
	}
	golden(t, f)
}

// TestMapValidation wants the best value chosen on the validation set and scored on the test set, and its place in what
// was tried told.
func TestMapValidation(t *testing.T) {
	o := MapOptions{Value: "test_accuracy", Best: "step"}
	run := func(step string, test, validation float64) mapRun {
		return mapRun{parameters: map[string]string{"step": step}, value: test, choice: validation, validated: true}
	}
	runs := []mapRun{run("1", 0.9, 0.5), run("2", 0.7, 0.8), run("4", 0.95, 0.6)}
	if c := o.cell(runs, true); c.best != "2" || c.value != 0.7 || c.end {
		t.Errorf("got %+v, want 2, with a test accuracy of 0.7, inside the grid", c)
	}
	runs[2].choice = 0.9
	c := o.cell(runs, true)
	if c.best != "4" || c.value != 0.95 || !c.end {
		t.Errorf("got %+v, want 4, at the end of the grid", c)
	}
	if notes := o.choosing([][]mapCell{{c}}, runs); len(notes) != 1 {
		t.Errorf("got notes %q, want one, on the end of the grid", notes)
	}
}

func TestMapRefuses(t *testing.T) {
	dir := mapStudy(t)
	axes := MapOptions{X: "network.alpha", Y: "initial.hurst"}
	for want, change := range map[string]func(*MapOptions){
		`x: got "alpha", want a parameter of the runs: data, depth, initial.hurst, network.alpha, seed, train.step.value`:                                           func(o *MapOptions) { o.X = "alpha" },
		`best: got "step", want a parameter of the runs: data, depth, initial.hurst, network.alpha, seed, train.step.value`:                                         func(o *MapOptions) { o.Best = "step" },
		`y: got "network.alpha", want three different parameters as x, y and best`:                                                                                  func(o *MapOptions) { o.Y = "network.alpha" },
		`where: got "runs with train.step.value = 1, 10", want one of them, as in train.step.value=1, or the parameter as x, y or best`:                             func(*MapOptions) {},
		"report: map: " + dir + ": got no finished run with depth=17, want some":                                                                                    func(o *MapOptions) { o.Where = map[string]string{"depth": "17"} },
		"report: map: run run-0.5-0.25-1-1: $V_1$: got a trace without it, want runs that record it":                                                                func(o *MapOptions) { o.Value = "v_1"; o.Best = "train.step.value" },
		`value: got "beauty", want one of accuracy, displacement, gradient_norm, iterations, loss, max_frobenius, seconds, test_accuracy, test_loss, v_1, v_2, v_3`: func(o *MapOptions) { o.Value = "beauty" },
		`width: got 3, want 1 or 2 columns, or 0 for what suits each figure`:                                                                                        func(o *MapOptions) { o.Columns = 3 },
	} {
		o := axes
		change(&o)
		if _, err := Map(t.Context(), dir, o); err == nil || err.Error() != want {
			t.Errorf("got error %v, want %s", err, want)
		}
	}
	if _, err := Map(t.Context(), dir, MapOptions{X: "network.alpha", Y: "initial.hurst", Where: map[string]string{"train.step.value": "1.0"}}); err != nil {
		t.Errorf("a value written in another way: %v", err)
	}
}
