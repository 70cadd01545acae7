package train

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/runfolder"
)

// methods are sections that exercise every method and rule.
var methods = map[string]func(*Spec){
	"gd":       func(s *Spec) {},
	"armijo":   func(s *Spec) { s.Step.Rule, s.Step.Value = "armijo", 64 },
	"cosine":   func(s *Spec) { s.Step.Schedule = "cosine" },
	"decay":    func(s *Spec) { s.Step.Schedule, s.Step.Every = "decay", 5 },
	"constant": func(s *Spec) { s.Step.Rule, s.Step.Value = "constant", 2 },
	"momentum": func(s *Spec) { s.Method, s.Step.Value = "momentum", 1 },
	"sgd":      func(s *Spec) { s.Method, s.Step.Value, s.Batch = "sgd", 1, 3 },
	"adam":     func(s *Spec) { s.Method, s.Step.Value, s.Batch = "adam", 0.01, 5 },
	"nesterov": func(s *Spec) { s.Method, s.Step.Value = "nesterov", 1 },
	"adamw":    func(s *Spec) { s.Method, s.Step.Value, s.Clip = "adamw", 0.02, 0.5 },
	"sign":     func(s *Spec) { s.Method, s.Step.Value, s.Step.Schedule = "sign", 0.02, "linear" },
	"lion":     func(s *Spec) { s.Method, s.Step.Value, s.Step.Warmup, s.Batch = "lion", 0.01, 3, 5 },
	"muon":     func(s *Spec) { s.Method, s.Step.Value, s.Step.Schedule = "muon", 0.1, "warmup-stable-decay" },
	"decayed":  func(s *Spec) { s.WeightDecay, s.Clip = new(Decay(1e-4)), 10 },
}

// resumed are sections beside methods whose state a checkpoint has to hold.
var resumed = map[string]func(*Spec){
	"penalised": func(s *Spec) { s.Step.Value, s.Penalty = 0.1, Penalty{L2: 0.1, Increments: 0.02, P: 1.5} },
	"penalised armijo": func(s *Spec) {
		s.Penalty, s.Step.Rule, s.Step.Value = Penalty{L2: 0.01, Increments: 0.002, P: 2}, "armijo", 8
	},
	"penalised sgd": func(s *Spec) {
		s.Method, s.Step.Value, s.Batch, s.Clip, s.Penalty = "sgd", 0.1, 3, 0.5, Penalty{Increments: 0.02, P: 1}
	},
	"cosine with warmup": func(s *Spec) { s.Step.Schedule, s.Step.Warmup = "cosine", 9 },
	"linear with warmup": func(s *Spec) { s.Step.Schedule, s.Step.Warmup = "linear", 9 },
	"decay with warmup":  func(s *Spec) { s.Step.Schedule, s.Step.Warmup, s.Step.Every = "decay", 9, 3 },
	"stable with warmup": func(s *Spec) { s.Step.Schedule, s.Step.Warmup, s.Step.Cooldown = "warmup-stable-decay", 9, 4 },
	"muon on batches":    func(s *Spec) { s.Method, s.Step.Value, s.Batch, s.Step.Warmup = "muon", 0.1, 5, 9 },
}

// withoutSeconds returns rows with the one column that is not reproducible set to 0.
func withoutSeconds(rows []runfolder.Row) []runfolder.Row {
	rows = slices.Clone(rows)
	for i := range rows {
		rows[i].Seconds = 0
	}
	return rows
}

// sameRows compares traces by their parquet bytes, so that NaN equals itself.
func sameRows(t *testing.T, got, want []runfolder.Row) bool {
	t.Helper()
	return parquet(t, got) == parquet(t, want)
}

func parquet(t *testing.T, rows []runfolder.Row) string {
	t.Helper()
	path := t.TempDir() + "/trace.parquet"
	if err := runfolder.WriteTrace(path, withoutSeconds(rows)); err != nil {
		t.Fatal(err)
	}
	return string(mustRead(t, path))
}

// TestResume interrupts each method at several iterations and wants the resumed run
// to end with the weights and the trace of the run that was not interrupted.
func TestResume(t *testing.T) {
	all := maps.Clone(methods)
	maps.Copy(all, resumed)
	for name, edit := range all {
		t.Run(name, func(t *testing.T) {
			limited := func(s *Spec) { edit(s); s.Stop = Stop{Iterations: new(17)} }
			whole := separated(t, 16, 0.5, limited)
			want, err := whole.Run(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if want.Iterations != 17 || len(want.Rows) != 18 {
				t.Fatalf("got %d iterations and %d rows, want 17 and 18", want.Iterations, len(want.Rows))
			}
			for _, stopAt := range []int64{0, 1, 7, 15} {
				ctx, cancel := context.WithCancel(t.Context())
				first := separated(t, 16, 0.5, limited)
				first.Observe = func(row runfolder.Row) {
					if row.Iteration == stopAt {
						cancel()
					}
				}
				var saved *runfolder.Checkpoint
				first.Save = func(c *runfolder.Checkpoint) error { saved = c; return nil }
				out, err := first.Run(ctx, nil)
				if err != nil || out.Stop != StopInterrupted || saved == nil {
					t.Fatalf("interrupted at %d: got stop %q, error %v, checkpoint %v", stopAt, out.Stop, err, saved != nil)
				}
				second := separated(t, 16, 0.5, limited)
				got, err := second.Run(t.Context(), saved)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(second.Theta, whole.Theta) {
					t.Errorf("interrupted at %d: weights differ from the uninterrupted run's", stopAt)
				}
				if !sameRows(t, got.Rows, want.Rows) {
					t.Errorf("interrupted at %d: trace differs from the uninterrupted run's", stopAt)
				}
			}
		})
	}
}

// TestMethodsDescend wants every method to lower the loss by far; sgd and adam are
// noisy, so less is asked of them.
func TestMethodsDescend(t *testing.T) {
	for name, edit := range methods {
		d := separated(t, 32, 0.5, func(s *Spec) { edit(s); s.Stop = Stop{Iterations: new(200)} })
		out, err := d.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		first := *out.Rows[0].Loss
		factor := 1e-4
		switch name {
		case "adam", "decay", "adamw", "sign", "lion":
			factor = 0.1
		}
		if !(out.Loss <= factor*first) {
			t.Errorf("%s: loss went from %.3g to %.3g in 200 iterations, want a factor %g", name, first, out.Loss, factor)
		}
	}
}

// TestStops wants each stopping rule to be the recorded reason.
func TestStops(t *testing.T) {
	for name, edit := range map[string]func(*Spec){
		StopLoss:       func(s *Spec) { s.Stop = Stop{Loss: 1e-4, Iterations: new(100)} },
		StopIterations: func(s *Spec) { s.Stop = Stop{Iterations: new(3)} },
		StopTime:       func(s *Spec) { s.Stop = Stop{Iterations: new(1 << 30), Seconds: 1e-9} },
		StopPlateau:    func(s *Spec) { s.Stop = Stop{Iterations: new(5000), Plateau: 5}; s.Step.Value = 1e-9 },
		StopDiverged:   func(s *Spec) { s.Stop = Stop{Iterations: new(500), Divergence: 100}; s.Step.Value = 1e4 },
	} {
		d := separated(t, 16, 0.5, edit)
		out, err := d.Run(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if out.Stop != name {
			t.Errorf("got stop %q after %d iterations with loss %g, want %q", out.Stop, out.Iterations, out.Loss, name)
		}
		if last := out.Rows[len(out.Rows)-1]; last.Iteration != int64(out.Iterations) || last.StepSize != nil {
			t.Errorf("%s: last row is of iteration %d with step size %v, want %d and none", name, last.Iteration, last.StepSize, out.Iterations)
		}
		if (name == StopDiverged) != strings.Contains(out.Detail, "train: depth 16, iteration ") {
			t.Errorf("%s: detail is %q", name, out.Detail)
		}
	}
}

// TestArmijo wants every accepted step to satisfy the condition, checked from the
// trace alone.
func TestArmijo(t *testing.T) {
	d := separated(t, 16, 0.5, func(s *Spec) { s.Step.Rule, s.Step.Value, s.Stop = "armijo", 500, Stop{Iterations: new(20)} })
	out, err := d.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range out.Rows[:len(out.Rows)-1] {
		bound := *row.Loss - d.Spec.Step.Slope**row.StepSize**row.GradientNorm**row.GradientNorm
		if next := *out.Rows[i+1].Loss; !(next <= bound*(1+1e-12)) {
			t.Errorf("iteration %d: next loss %g, Armijo's bound %g", i, next, bound)
		}
	}
}

// TestBacktrack wants the first step of the geometric sequence that the condition
// accepts, and none when the loss never falls or is not a number.
func TestBacktrack(t *testing.T) {
	r := rule{Step: Step{Factor: 0.5, Slope: 0.5}}
	const rounding = 0x1p-53
	// J(η) = 1 − η + η² along a gradient of norm one: accepted from η ≤ 1/2 on.
	parabola := func(eta float64) float64 { return 1 - eta + eta*eta }
	if got := r.backtrack(4, 1, 1, rounding, parabola); got != 0.5 {
		t.Errorf("parabola: got %g, want 0.5", got)
	}
	for name, lossAt := range map[string]func(float64) float64{
		"rising":    func(float64) float64 { return 2 },
		"level":     func(float64) float64 { return 1 },
		"by chance": func(eta float64) float64 { return map[bool]float64{true: 1 - 0x1p-53, false: 2}[eta < 0x1p-54] },
		"NaN":       func(float64) float64 { return math.NaN() },
	} {
		if got := r.backtrack(4, 1, 1, rounding, lossAt); got != 0 {
			t.Errorf("%s: got %g, want 0", name, got)
		}
	}
}

// TestEpochs wants every sample once an epoch and another order in the next.
func TestEpochs(t *testing.T) {
	d := separated(t, 4, 0.5, func(s *Spec) { s.Method, s.Batch = "sgd", 3 })
	d.batch, d.epoch = 3, make([]int, 8)
	var orders [][]int
	for d.t = range 6 {
		d.chooseBatch()
		if d.t%3 == 0 {
			orders = append(orders, slices.Clone(d.epoch))
		}
	}
	for _, order := range orders {
		if sorted := slices.Sorted(slices.Values(order)); !slices.Equal(sorted, []int{0, 1, 2, 3, 4, 5, 6, 7}) {
			t.Errorf("an epoch visits %v, want each of 8 samples once", order)
		}
	}
	if slices.Equal(orders[0], orders[1]) {
		t.Errorf("two epochs have the same order %v", orders[0])
	}
}

// TestRecorded wants every iteration up to 2,000 and about a thousand rows a factor e after.
func TestRecorded(t *testing.T) {
	count := 0
	for iteration := range 1_000_000 {
		if recorded(iteration) {
			count++
		} else if iteration < 2000 {
			t.Fatalf("iteration %d is not recorded", iteration)
		}
	}
	if count < 2000+5000 || count > 2000+10000 {
		t.Errorf("a million iterations have %d rows, want 7,000 to 12,000", count)
	}
}

// TestForeignCheckpoint wants a checkpoint of another run refused.
func TestForeignCheckpoint(t *testing.T) {
	var saved *runfolder.Checkpoint
	first := separated(t, 16, 0.5, nil)
	first.Save = func(c *runfolder.Checkpoint) error { saved = c; return nil }
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := first.Run(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := separated(t, 32, 0.5, nil).Run(t.Context(), saved); !errors.Is(err, ErrCheckpoint) {
		t.Errorf("got error %v, want ErrCheckpoint", err)
	}
}

// TestVariationColumns wants V_p in the rows of the cadence and the last one, equal to
// the p-variation of the weights the run ends with.
func TestVariationColumns(t *testing.T) {
	d := separated(t, 16, 0.5, func(s *Spec) { s.Stop, s.Variation = Stop{Iterations: new(7)}, 3 })
	out, err := d.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range out.Rows {
		if want := i%3 == 0 || i == 7; (row.Variation2 != nil) != want || (row.Variation1 != nil) != want {
			t.Errorf("iteration %d: V_2 recorded is %t, want %t", i, row.Variation2 != nil, want)
		}
	}
	path := rescaledPath(t, d, d.Theta)
	want, err := pvar.Compute(pvar.Points{Dim: 100, Data: path.Data}, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	last := out.Rows[7]
	if !(math.Abs(*last.Variation1-want[0].Value) <= 1e-12) || !(math.Abs(*last.Variation2-want[1].Value) <= 1e-12) {
		t.Errorf("V_1, V_2 are %g, %g, want %g, %g", *last.Variation1, *last.Variation2, want[0].Value, want[1].Value)
	}
}
