package plan

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// cascaded is a study with levels of 2, 4 and 8 layers, each of some steps.
const cascaded = `name: s
depths: [8]
data: {kind: rotation, width: 3, samples: 6, angle: 0.5, test: 2}
network: {block: mlp, activation: gelu, hidden: 4, alpha: 0.75, bias: true}
train: {cascade: {from: 2, factor: 2, prolong: %s, stop: {iterations: 5}}, %s}
`

// ended is what a run leaves.
type ended struct {
	Outcome        train.Outcome
	Theta, Initial []float64
}

// trained trains the one run of a study, interrupted after each of the iterations at.
func trained(t *testing.T, text string, at ...int64) ended {
	t.Helper()
	p := planned(t, text)
	var resume *runfolder.Checkpoint
	for {
		ctx, cancel := context.WithCancel(t.Context())
		var saved *runfolder.Checkpoint
		d, outcome, err := Train(ctx, p.Problem(&p.Runs[0]), resnet.Options{Workers: 1}, func(d *Descent[float64]) {
			d.Observe = func(row runfolder.Row) {
				if len(at) > 0 && row.Iteration >= at[0] {
					cancel()
				}
			}
			d.Save = func(c *runfolder.Checkpoint) error { saved = c; return nil }
		}, resume)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		if outcome.Stop != train.StopInterrupted {
			defer d.Close()
			outcome.Seconds = 0
			for i := range outcome.Rows {
				outcome.Rows[i].Seconds = 0
			}
			for i := range outcome.Levels {
				outcome.Levels[i].Seconds = 0
			}
			return ended{outcome, d.Theta, d.Initial}
		}
		resume, at = saved, at[1:]
	}
}

// TestCascadeResume wants the same of a run that is interrupted at each of its levels, for every method that
// remembers something and every way of going deeper.
func TestCascadeResume(t *testing.T) {
	for i, method := range []string{
		"stop: {iterations: 16}", "method: adam, stop: {iterations: 16}", "method: muon, stop: {iterations: 16}",
		"method: sgd, batch: 2, stop: {iterations: 16}", "method: nesterov, stop: {iterations: 16}", "method: lion, stop: {iterations: 16}",
		"step: {rule: armijo, value: 4}, stop: {iterations: 16}", "certify: {cadence: all}, stop: {iterations: 16}",
	} {
		text := fmt.Sprintf(cascaded, []string{"stretch", "linear", "limit"}[i%3], method)
		want := trained(t, text)
		got := trained(t, text, 0, 2, 5, 7, 10, 12, 15)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: interrupted, the run ends otherwise (-want +got):\n%s", method, diff)
		}
		checkLevels(t, method, want.Outcome)
	}
}

// checkLevels wants the levels of 2, 4 and 8 layers, and the sum of their steps.
func checkLevels(t *testing.T, method string, o train.Outcome) {
	t.Helper()
	sum, steps := 0, 0
	var depths []int
	for _, level := range o.Levels {
		if level.First != steps {
			t.Errorf("%s: level of depth %d begins at iteration %d, want %d", method, level.Depth, level.First, steps)
		}
		depths, sum, steps = append(depths, level.Depth), sum+level.Depth*level.Iterations, steps+level.Iterations
	}
	if !reflect.DeepEqual(depths, []int{2, 4, 8}) || steps != o.Iterations || sum != o.LayerIterations {
		t.Errorf("%s: got %d iterations and %d layer-iterations with levels %+v", method, o.Iterations, o.LayerIterations, o.Levels)
	}
	for _, row := range o.Rows {
		for _, level := range o.Levels {
			inside := int(row.Iteration) >= level.First && (int(row.Iteration) < level.First+level.Iterations || level.Depth == 8)
			if inside && (row.Level == nil || int(*row.Level) != level.Depth) {
				t.Errorf("%s: row of iteration %d: got level %v, want %d", method, row.Iteration, row.Level, level.Depth)
			}
		}
	}
}

// TestFlops wants the operations of all steps: 6 d² N L each without a cascade, 12 d m N L at the depth of each level of one.
func TestFlops(t *testing.T) {
	p := planned(t, "name: s\ndepths: [8]\ndata: {kind: rotation, width: 3, samples: 6, angle: 0.5}\n")
	if got := p.FlopsOf(&p.Runs[0], train.Outcome{Iterations: 10}); got != 10*6*9*6*8 {
		t.Errorf("got %g operations, want %d", got, 10*6*9*6*8)
	}
	p = planned(t, fmt.Sprintf(cascaded, "stretch", "stop: {iterations: 16}"))
	levels := []runfolder.Level{{Depth: 2, Iterations: 5}, {Depth: 8, Iterations: 3}}
	if got := p.FlopsOf(&p.Runs[0], train.Outcome{Iterations: 8, Levels: levels}); got != 12*3*4*6*(2*5+8*3) {
		t.Errorf("got %g operations of a cascade, want %d", got, 12*3*4*6*(2*5+8*3))
	}
}

// TestCascadeEnd wants a network of the last depth however a run ends.
func TestCascadeEnd(t *testing.T) {
	for stop, want := range map[string]string{
		"step: {value: 1e9}, stop: {iterations: 40, divergence: 10}": train.StopDiverged,
		"stop: {iterations: 3}": train.StopIterations,
		"stop: {iterations: 0}": train.StopIterations,
		"stop: {loss: 10}":      train.StopLoss,
	} {
		got := trained(t, fmt.Sprintf(cascaded, "stretch", stop))
		if got.Outcome.Stop != want || len(got.Theta) != len(got.Initial) || len(got.Theta) < 8*3*4 {
			t.Errorf("%s: got stop %s and %d weights, want %s and those of 8 layers", stop, got.Outcome.Stop, len(got.Theta), want)
		}
	}
}

// TestCascadeBudget wants no more steps than stop.iterations at a level whose loss is below stop.loss while that of the next is
// not: a large ratio keeps it there.
func TestCascadeBudget(t *testing.T) {
	const text = "name: s\ndepths: [8]\ndata: {kind: rotation, width: 3, samples: 6, angle: 0.5}\nnetwork: {alpha: 0}\n" +
		"train: {step: {value: 1}, cascade: {from: 2, factor: 2, stop: {ratio: 1e9}}, stop: {loss: %v, iterations: %d}}\n"
	for _, loss := range []float64{1e-1, 1e-2, 1e-3} {
		for _, most := range []int{3, 20, 50} {
			if got := trained(t, fmt.Sprintf(text, loss, most)).Outcome; got.Iterations > most {
				t.Errorf("loss %v: got %d iterations, want at most %d", loss, got.Iterations, most)
			}
		}
	}
}

// TestOneLevel wants a cascade of one level to be the run without a cascade.
func TestOneLevel(t *testing.T) {
	const text = "name: s\ndepths: [8]\ndata: {kind: rotation, width: 3, samples: 6, angle: 0.5}\ntrain: {stop: {iterations: 9}%s}\n"
	got, want := trained(t, fmt.Sprintf(text, ", cascade: {from: 8, factor: 2}")), trained(t, fmt.Sprintf(text, ""))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got.Outcome, want.Outcome)
	}
	if want.Outcome.LayerIterations != 72 || want.Outcome.Levels != nil {
		t.Errorf("got %d layer-iterations and levels %v, want 72 and none", want.Outcome.LayerIterations, want.Outcome.Levels)
	}
}

// TestFrame wants the E and C of a run that does not train them at every depth, also where initial says how large they are.
func TestFrame(t *testing.T) {
	const text = "name: s\ndepths: [8]\ndata: {kind: rotation, width: 3, samples: 6, angle: 0.5}\n" +
		"network: {width: 4, embed: orthonormal, readout: orthonormal}\ninitial: {embed: 3, readout: 0.5}\n"
	p := planned(t, text)
	problem := p.Problem(&p.Runs[0])
	want, err := Initial[float64](problem)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Frame[float64](problem)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"E", "C"} {
		if diff := cmp.Diff(resnet.View(problem.Network.Layout, want, name), resnet.View(problem.Network.Layout, got, name)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
