package train

import (
	"context"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// TestLevenberg wants a zero in a few steps, the same weights after an interruption, and a certificate at the end.
func TestLevenberg(t *testing.T) {
	edit := func(s *Spec) {
		s.Method, s.Step, s.Stop = LevenbergMarquardt, Step{}, Stop{Iterations: new(30), Loss: 1e-28}
	}
	whole := separated(t, 8, 0.5, edit)
	want, err := whole.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if want.Iterations < 3 || want.Iterations > 15 || !(want.Loss <= 1e-28) {
		t.Fatalf("got loss %g in %d steps, want 1e-28 in 3 to 15", want.Loss, want.Iterations)
	}
	if k := want.Certification.Kernel; k == nil || !k.Zero.Issued || !k.Descent.Issued {
		t.Errorf("got certificate %+v, want zero and descent", k)
	}
	for _, stopAt := range []int64{0, 1, 2} {
		ctx, cancel := context.WithCancel(t.Context())
		first := separated(t, 8, 0.5, edit)
		first.Observe = func(row runfolder.Row) {
			if row.Iteration == stopAt {
				cancel()
			}
		}
		var saved *runfolder.Checkpoint
		first.Save = func(c *runfolder.Checkpoint) error { saved = c; return nil }
		if out, err := first.Run(ctx, nil); err != nil || out.Stop != StopInterrupted {
			t.Fatalf("interrupted at %d: got stop %q, error %v", stopAt, out.Stop, err)
		}
		second := separated(t, 8, 0.5, edit)
		second.Cores = 3
		got, err := second.Run(t.Context(), saved)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(second.Theta, whole.Theta) || !sameRows(t, got.Rows, want.Rows) {
			t.Errorf("interrupted at %d: weights or trace differ from the uninterrupted run's", stopAt)
		}
	}
}
