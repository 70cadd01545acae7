package train

import (
	"context"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestDescendInPlace wants runs whose evaluator moves the weights on its way back to end with
// the weights and the trace, byte for byte, of runs that compute the gradient first.
func TestDescendInPlace(t *testing.T) {
	edits := map[string]func(*Spec){
		"diverged":      func(s *Spec) { s.Step.Rule, s.Step.Value = "constant", 1e6 },
		"certification": func(s *Spec) { s.Certify.Cadence = "growing" },
		"all measured":  func(s *Spec) { s.Certify.Cadence = "all" },
		"variation":     func(s *Spec) { s.Variation = 3 },
		"to a loss":     func(s *Spec) { s.Stop.Loss = 1e-3 },
	}
	for _, name := range []string{"gd", "cosine", "decay", "constant"} {
		edits[name] = methods[name]
	}
	for name, edit := range edits {
		limited := func(s *Spec) { s.Stop = Stop{Iterations: new(25)}; edit(s) }
		together := separated(t, 40, 0.5, limited)
		if !together.Full.Descends() {
			t.Fatalf("%s: want a problem for Descend", name)
		}
		apart := separated(t, 40, 0.5, limited)
		apart.Full = gradientFirst(t, apart)
		got, err := together.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := apart.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Stop != want.Stop || got.Iterations != want.Iterations || got.Violation != nil {
			t.Errorf("%s: got stop %q at %d (%v), want %q at %d", name, got.Stop, got.Iterations, got.Violation, want.Stop, want.Iterations)
		}
		if !slices.Equal(together.Theta, apart.Theta) || !sameRows(t, got.Rows, want.Rows) {
			t.Errorf("%s: weights or trace differ from those of a run that computes the gradient first", name)
		}
		if got.Iterations == 0 || slices.Equal(together.Theta, together.Initial) {
			t.Errorf("%s: the weights did not move in %d iterations", name, got.Iterations)
		}
	}
}

// gradientFirst returns an evaluator of d's problem that does not descend in place, as one
// for mini-batches does not.
func gradientFirst(t *testing.T, d *Descent[float64]) *resnet.Evaluator[float64] {
	t.Helper()
	data, err := dataset.Spec{Kind: "separated", Width: 10, Samples: 8, Distance: 0.3}.Resolve(2)
	if err != nil {
		t.Fatal(err)
	}
	set, err := dataset.Load(data, "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := resnet.NewEvaluator[float64](d.Network, resnet.Samples{X: set.X, Y: set.Y}, resnet.Options{Workers: 1, Batch: d.Full.Len()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	if e.Descends() {
		t.Fatal("want an evaluator that does not descend in place")
	}
	return e
}

// TestInterruptInPlace wants the checkpoint of a run that was interrupted between a look
// and the step to hold the weights before it, whichever way the step would be made.
func TestInterruptInPlace(t *testing.T) {
	var want []float64
	for _, first := range []bool{false, true} {
		d := separated(t, 40, 0.5, nil)
		if first {
			d.Full = gradientFirst(t, d)
		}
		ctx, cancel := context.WithCancel(t.Context())
		d.Observe = func(row runfolder.Row) {
			if row.Iteration == 5 {
				cancel()
			}
		}
		out, err := d.Run(ctx, nil)
		if err != nil || out.Stop != StopInterrupted || out.Iterations != 6 {
			t.Fatalf("got stop %q after %d iterations, error %v", out.Stop, out.Iterations, err)
		}
		if want == nil {
			want = d.Theta
		} else if !slices.Equal(d.Theta, want) {
			t.Error("the weights differ between the two ways to make a step")
		}
	}
}
