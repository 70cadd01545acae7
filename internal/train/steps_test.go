package train

import (
	"slices"
	"testing"
)

// TestStepsAreThoseOfRun wants the weights and the losses of a run, for every method and rule.
func TestStepsAreThoseOfRun(t *testing.T) {
	for name, edit := range methods {
		limited := func(s *Spec) { s.Stop = Stop{Iterations: new(9)}; edit(s) }
		run, again := separated(t, 12, 0.5, limited), separated(t, 12, 0.5, limited)
		want, err := run.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		steps, err := again.Steps()
		if err != nil {
			t.Fatal(err)
		}
		for i := range want.Iterations {
			loss, err := steps.Step()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			row := want.Rows[i]
			recorded := row.Loss
			if row.BatchLoss != nil {
				recorded = row.BatchLoss
			}
			if loss != *recorded {
				t.Errorf("%s: step %d: got loss %v, want %v", name, i, loss, *recorded)
			}
		}
		if !slices.Equal(again.Theta, run.Theta) {
			t.Errorf("%s: other weights after %d steps", name, want.Iterations)
		}
		if _, gradient := steps.Gradient(); len(gradient) != again.Network.Layout.Trained {
			t.Errorf("%s: got a gradient of %d entries, want %d", name, len(gradient), again.Network.Layout.Trained)
		}
		if order := steps.Order(); (order == nil) != (again.Batch == nil) {
			t.Errorf("%s: got order %v", name, order)
		}
	}
}
