package coordinate

import (
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/deeplimit/deeplimit/internal/coordinates"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/plantest"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// of returns the value of a quantity at an iteration.
func of(t *testing.T, run analyze.CoordinateRun, name, part string, iteration int) float64 {
	t.Helper()
	for _, c := range run.Coordinates {
		if c.Name == name && c.Part == part && c.Iteration == iteration {
			return c.Value
		}
	}
	t.Fatalf("%s: got no %s of %q at iteration %d", run.ID, name, part, iteration)
	return 0
}

// TestLinear has one layer without σ, inputs of length 1 that are orthogonal, and one step of size 1 from A = 0: by hand
// A = (1/N) Σ (y_i − x_i) x_iᵀ, so that everything is known, and the network is its own tangent.
func TestLinear(t *testing.T) {
	p := plantest.New(t, "c.yaml", `
name: c
depths: [1]
data: {kind: separated, width: 5, samples: 1, distance: 0.3}
network: {activation: identity, alpha: 1}
initial: {kind: zero}
train: {step: {rule: constant, value: 1}, stop: {iterations: 4}}
`)
	run, err := check(t.Context(), p.Problem(&p.Runs[0]), 2)
	if err != nil {
		t.Fatal(err)
	}
	// One sample: A_1 = (y − x)xᵀ, ‖A_1‖ = 0.3, and the loss is 0 then, so that A_2 = A_1.
	for _, iteration := range []int{1, 2} {
		for _, c := range []struct {
			name, part string
			want       float64
		}{
			{"last-state", "", 0.3},
			{"block-change", "", 0.3},
			{"update-norm", "A", 0.3},
			{"update-rank", "A", 1},
			{"alignment", "A", 1},
			{"block-linearisation", "", 0},
			{"tangent", "", 0},
		} {
			if got := of(t, run, c.name, c.part, iteration); !(math.Abs(got-c.want) <= 1e-9) {
				t.Errorf("%s at %d: got %v, want %v", c.name, iteration, got, c.want)
			}
		}
	}
}

// TestLinearisation holds the linearisation of every block to finite differences: along an update that is small, block and
// network leave it by half as much when the update is half as large.
func TestLinearisation(t *testing.T) {
	for _, block := range []string{"inner", "outer", "mlp", "inner, normalise: pre", "outer, normalise: pre", "mlp, normalise: pre, norm: layer"} {
		t.Run(block, func(t *testing.T) {
			p := plantest.New(t, "c.yaml", `
name: c
depths: [6]
data: {kind: rotation, width: 4, samples: 5, angle: 0.5}
network: {block: `+block+`, activation: tanh, bias: true, alpha: 0.5}
initial: {amplitude: 1, exponent: 0.5}
`)
			problem := p.Problem(&p.Runs[0])
			initial, err := plan.Initial[float64](problem)
			if err != nil {
				t.Fatal(err)
			}
			l, err := coordinates.NewLook(problem.Network, problem.Samples, 0, initial)
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			at := func(step float64) map[string]float64 {
				theta := append([]float64(nil), initial...)
				for i := range problem.Network.Layout.Trained {
					theta[i] += step * math.Sin(float64(3*i+1))
				}
				found, err := l.At(theta)
				if err != nil {
					t.Fatal(err)
				}
				out := map[string]float64{}
				for _, c := range found {
					out[c.Name] = c.Value
				}
				return out
			}
			one, half := at(0.002), at(0.001)
			for _, name := range []string{"block-linearisation", "tangent"} {
				if strings.HasPrefix(block, "outer") && name == "block-linearisation" {
					if !(one[name] <= 1e-12) {
						t.Errorf("got %v, want 0 of a block that is linear in its weights", one[name])
					}
					continue
				}
				if ratio := one[name] / half[name]; !(math.Abs(ratio-2) <= 0.05) || !(one[name] > 1e-5) {
					t.Errorf("%s: got %v and %v, want twice as much for twice the update", name, one[name], half[name])
				}
			}
		})
	}
}

// TestFlat wants adam by its law to change the same at every depth, and the blocks of α = ½, not of α = 1, to become linear.
func TestFlat(t *testing.T) {
	p := plantest.New(t, "c.yaml", `
name: c
depths: [8, 32, 128]
seeds: 3
data: {kind: rotation, width: 6, samples: 8, angle: 0.5}
train: {method: adam, step: {value: 0.02}}
grid: {network.alpha: [0.5, 1]}
`)
	var told atomic.Int64 // runs that were told to be done
	found, err := Check(t.Context(), p, Options{Iterations: 4, Workers: 2, Observe: func(done, total int) {
		if total != len(p.Runs) {
			t.Errorf("observed %d runs, want %d", total, len(p.Runs))
		}
		if done > 0 {
			told.Add(1)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if told.Load() != int64(len(p.Runs)) {
		t.Errorf("%d runs were told to be done, want %d", told.Load(), len(p.Runs))
	}
	seen := 0
	for _, q := range found.Quantities {
		if q.Iteration != 4 {
			continue
		}
		switch q.Name {
		case "last-state", "block-change":
			seen++
			if q.Flat == nil || !*q.Flat || q.Knob != "" {
				t.Errorf("α = %g: %s: got %v and the knob %q, want it flat", q.Alpha, q.Name, q.Exponent, q.Knob)
			}
		case "block-linearisation":
			seen++
			if falls := q.Exponent != nil && q.Exponent.High < -0.5 && q.Knob != ""; falls != (q.Alpha == 0.5) {
				t.Errorf("α = %g: blocks leave their linearisation with exponent %v, want a fall at α = ½ alone", q.Alpha, q.Exponent)
			}
		}
	}
	if seen != 6 {
		t.Errorf("got %d quantities, want 6", seen)
	}
}

// TestTrace wants the columns of the trace to hold what the check finds in the same training, also where that is in float32, to
// its digits, and nothing but what is known at the start.
func TestTrace(t *testing.T) {
	for _, dtype := range []string{"float64", "float32"} {
		p := plantest.New(t, "c.yaml", `
name: c
depths: [6]
dtype: `+dtype+`
data: {kind: rotation, width: 4, samples: 5, angle: 0.5}
network: {block: mlp, bias: true, alpha: 0.5}
initial: {amplitude: 0.5, exponent: 0}
train: {method: adam, step: {value: 0.05}, stop: {iterations: 4}, coordinates: true}
`)
		problem := p.Problem(&p.Runs[0])
		want, err := check(t.Context(), problem, 4)
		if err != nil {
			t.Fatal(err)
		}
		rows, tolerance := rowsOf[float64](t, problem), 0.0
		if dtype == "float32" {
			rows, tolerance = rowsOf[float32](t, problem), 1e-2
		}
		if first := rows[0]; first.LastState == nil || *first.LastState != 0 || first.Tangent != nil || first.UpdateRank != nil {
			t.Errorf("%s: at the start got %+v, want no change and no more", dtype, first)
		}
		for _, c := range want.Coordinates {
			got := rows[c.Iteration].Coordinate(c.Name, c.Part)
			if *got == nil || !(math.Abs(**got-c.Value) <= tolerance*math.Abs(c.Value)) {
				t.Errorf("%s: %s %s at %d: got %v, want %v", dtype, c.Name, c.Part, c.Iteration, *got, c.Value)
			}
		}
	}
}

// rowsOf trains a run and returns its trace.
func rowsOf[T float32 | float64](t *testing.T, p *plan.Problem) []runfolder.Row {
	t.Helper()
	initial, err := plan.Initial[T](p)
	if err != nil {
		t.Fatal(err)
	}
	d, err := plan.NewDescent(p, initial, resnet.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	out, err := d.Run(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return out.Rows
}
