package train

import (
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// TestPlateauOfBatches wants the plateau to be told from losses over all samples
// alone: not inside the first epoch, however short the plateau, and at the start of an
// epoch once steps move nothing.
func TestPlateauOfBatches(t *testing.T) {
	for value, want := range map[float64]struct {
		stop string
		at   int
	}{1: {StopIterations, 40}, 1e-12: {StopPlateau, 8}} {
		d := separated(t, 4, 0.5, func(s *Spec) {
			s.Method, s.Batch, s.Step.Value, s.Stop = "sgd", 1, value, Stop{Iterations: new(40), Plateau: 3}
		})
		out, err := d.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if out.Stop != want.stop || out.Iterations != want.at {
			t.Errorf("step %g: got stop %q after %d iterations, want %q after %d", value, out.Stop, out.Iterations, want.stop, want.at)
		}
	}
}

// TestLossAtTimeout wants a mini-batch run that time ends inside an epoch to end with
// the loss over all samples.
func TestLossAtTimeout(t *testing.T) {
	d := separated(t, 4, 0.5, func(s *Spec) { s.Method, s.Batch, s.Stop = "sgd", 3, Stop{Iterations: new(40)} })
	d.seconds = 1 // spent before this start
	d.Observe = func(runfolder.Row) { d.Spec.Stop.Seconds = 1 }
	out, err := d.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := d.Full.Loss(d.Theta).Loss; out.Stop != StopTime || out.Iterations != 1 || out.Loss != want {
		t.Errorf("got stop %q after %d iterations with loss %g, want %q after 1 with %g", out.Stop, out.Iterations, out.Loss, StopTime, want)
	}
}

// TestLooksAtTestSet wants the test loss every train.test.every iterations and at the end, with the loss beside it
// at the start of every epoch, where the trace is thinned too.
func TestLooksAtTestSet(t *testing.T) {
	for name, c := range map[string]struct {
		edit  func(*Spec)
		every int64
	}{
		"gd":  {func(s *Spec) { s.Stop = Stop{Iterations: new(5000)} }, 50},
		"sgd": {func(s *Spec) { s.Method, s.Batch, s.Stop = "sgd", 3, Stop{Iterations: new(5000)} }, 3},
	} {
		d := separated(t, 2, 0.5, func(s *Spec) { c.edit(s); s.Test.Every = int(c.every) })
		d.Test = d.Full
		out, err := d.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		next := int64(0)
		for _, row := range out.Rows {
			switch last := row.Iteration == 5000; {
			case row.Iteration == next || last:
				if row.TestLoss == nil || row.Loss == nil {
					t.Fatalf("%s: iteration %d: got no test loss or no loss", name, row.Iteration)
				}
				next += c.every
			case row.TestLoss != nil || row.Iteration > next:
				t.Fatalf("%s: got a row of iteration %d with test loss %v, want the next test loss at %d", name, row.Iteration, row.TestLoss, next)
			}
		}
		if next <= 5000 {
			t.Errorf("%s: the trace ends before iteration %d", name, next)
		}
	}
}

// TestOverflowOfStretch wants a run whose steps are too long to be added up to end by its
// own rules, with the reason for which bounds are missing.
func TestOverflowOfStretch(t *testing.T) {
	d := separated(t, 2, 0.5, func(s *Spec) { s.Step.Value, s.Stop = 1e308, Stop{Iterations: new(5)} })
	out, err := d.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if refused := out.Certification.History.Refused; out.Stop != StopIterations || refused == "" {
		t.Errorf("got stop %q and bounds refused because %q, want %q and a reason", out.Stop, refused, StopIterations)
	}
}

// TestVariationInThinnedTrace wants V_p every train.variation iterations where the
// trace is thinned, too.
func TestVariationInThinnedTrace(t *testing.T) {
	d := separated(t, 2, 0.5, func(s *Spec) { s.Stop, s.Variation = Stop{Iterations: new(5000)}, 50 })
	out, err := d.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var at []int64
	for _, row := range out.Rows {
		if row.Variation2 != nil {
			at = append(at, row.Iteration)
		}
	}
	for i, iteration := range at {
		if iteration != int64(50*i) {
			t.Fatalf("got V_2 number %d at iteration %d, want %d", i, iteration, 50*i)
		}
	}
	if len(at) != 101 {
		t.Errorf("got V_2 at %d iterations, want 101", len(at))
	}
}
