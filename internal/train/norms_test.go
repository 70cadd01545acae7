package train

import (
	"context"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/runfolder"
)

// TestNorms wants the norms of every layer at the iterations of the cadence, the last
// ones equal to those of the weights that the run leaves.
func TestNorms(t *testing.T) {
	for _, block := range []string{"inner", "outer", "mlp"} {
		d := separatedIn(t, block, 16, 0.5, func(s *Spec) { s.Stop = Stop{Iterations: new(30)} })
		out, err := d.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if want := []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11, 13, 16, 19, 23, 27, 30}; !slices.Equal(out.Norms.Iterations, want) {
			t.Errorf("%s: iterations are %v, want %v", block, out.Norms.Iterations, want)
		}
		weights := Weights(d.Network, d.Theta, d.Initial)
		for _, part := range d.Network.Parts() {
			path, err := weights.Path(part)
			if err != nil {
				t.Fatal(err)
			}
			initial, err := weights.Path(part + "_initial")
			if err != nil {
				t.Fatal(err)
			}
			moved, err := path.Sub(initial)
			if err != nil {
				t.Fatal(err)
			}
			norms := out.Norms.Parts[part]
			for k, want := range path.Norms() {
				last := len(norms.Frobenius) - 16 + k
				// Rounding to float32 moves a norm by at most 2⁻²⁴ of itself.
				if got := norms.Frobenius[last]; !(math.Abs(got-want) <= 1.0001*want/(1<<24)) {
					t.Errorf("%s: ‖%s_%d‖ is %v, want %v", block, part, k+1, got, want)
				}
				if got, want := norms.Displacement[last], moved.Norms()[k]; !(math.Abs(got-want) <= 1.0001*want/(1<<24)) {
					t.Errorf("%s: displacement of %s_%d is %v, want %v", block, part, k+1, got, want)
				}
				if norms.Displacement[k] != 0 {
					t.Errorf("%s: displacement of %s_%d before the first step is %v", block, part, k+1, norms.Displacement[k])
				}
			}
		}
	}
}

func TestNormsOff(t *testing.T) {
	d := separated(t, 16, 0.5, func(s *Spec) { s.Stop, s.Norms = Stop{Iterations: new(3)}, "off" })
	out, err := d.Run(t.Context(), nil)
	if err != nil || out.Norms != nil {
		t.Errorf("got norms %v, error %v", out.Norms, err)
	}
}

// TestNormsResume interrupts a run at recorded iterations and between them.
func TestNormsResume(t *testing.T) {
	spec := func(s *Spec) { s.Stop = Stop{Iterations: new(17)} }
	whole := separated(t, 16, 0.5, spec)
	want, err := whole.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, stopAt := range []int64{0, 6, 8, 14, 16} {
		ctx, cancel := context.WithCancel(t.Context())
		first := separated(t, 16, 0.5, spec)
		first.Observe = func(row runfolder.Row) {
			if row.Iteration == stopAt {
				cancel()
			}
		}
		var saved *runfolder.Checkpoint
		first.Save = func(c *runfolder.Checkpoint) error { saved = c; return nil }
		if _, err := first.Run(ctx, nil); err != nil {
			t.Fatal(err)
		}
		got, err := separated(t, 16, 0.5, spec).Run(t.Context(), saved)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.Norms, got.Norms); diff != "" {
			t.Errorf("interrupted at %d (-whole +resumed):\n%s", stopAt, diff)
		}
	}
}

func TestForeignNorms(t *testing.T) {
	var saved *runfolder.Checkpoint
	d := separated(t, 16, 0.5, nil)
	d.Save = func(c *runfolder.Checkpoint) error { saved = c; return nil }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := d.Run(ctx, nil); err != nil {
		t.Fatal(err)
	}
	saved.Tensors["norms.A"] = runfolder.Tensor{DType: "F32", Shape: []int{0, 15}}
	_, err := separated(t, 16, 0.5, nil).Run(t.Context(), saved)
	if want := "train: depth 16: checkpoint does not belong to this run: norms: A: got shapes [0 15] and [], want (0, 16) for norms and displacements"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}
