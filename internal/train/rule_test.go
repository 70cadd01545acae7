package train

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestSchedules holds the schedules to their formulas, from η₀ of either rule on.
func TestSchedules(t *testing.T) {
	alpha := 0.75
	network, err := resnet.Spec{Alpha: &alpha}.Resolve(4, 4)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		step Step
		want map[int]float64
	}{
		{"constant", Step{Value: 2}, map[int]float64{0: 8, 7: 8}}, // L^(2α−1) = 4
		{"cosine", Step{Schedule: "cosine", Value: 2, Minimum: 0.1}, map[int]float64{0: 8, 5: 8 * 0.55, 10: 0.8, 20: 0.8}},
		{"decay", Step{Schedule: "decay", Value: 2, Every: 3}, map[int]float64{0: 8, 2: 8, 3: 4, 7: 2}},
		{"cosine of a constant", Step{Rule: "constant", Schedule: "cosine", Value: 2}, map[int]float64{0: 2, 5: 1, 10: 0}},
		{"linear", Step{Schedule: "linear", Value: 2, Minimum: 0.5}, map[int]float64{0: 8, 5: 6, 10: 4, 20: 4}},
		{"warm-up", Step{Value: 2, Warmup: 4}, map[int]float64{0: 2, 1: 4, 3: 8, 4: 8, 9: 8}},
		{"warm-up, then cosine", Step{Schedule: "cosine", Value: 2, Warmup: 4}, map[int]float64{0: 2, 3: 8, 4: 8, 7: 4, 10: 0}},
		{"warm-up, then decay", Step{Schedule: "decay", Value: 2, Warmup: 4, Every: 3}, map[int]float64{3: 8, 6: 8, 7: 4}},
		{"warmup-stable-decay", Step{Schedule: stableDecay, Value: 2, Warmup: 2, Cooldown: 4, Minimum: 0.5}, map[int]float64{0: 4, 1: 8, 6: 8, 7: 7, 8: 6, 9: 5, 10: 4, 11: 4}},
		{"its defaults", Step{Schedule: stableDecay, Value: 2}, map[int]float64{0: 8, 8: 8, 9: 4, 10: 0}},
		{"decay of a constant", Step{Rule: "constant", Schedule: "decay", Value: 2, Factor: 0.1}, map[int]float64{0: 2, 3: 0.2}},
	} {
		spec, err := Spec{Step: c.step, Stop: Stop{Iterations: new(10)}}.Resolve(0)
		if err != nil {
			t.Fatal(err)
		}
		r := newRule(spec, spec.At(16, network).First)
		for iteration, want := range c.want {
			if got := r.size(iteration); !(math.Abs(got-want) <= 1e-14*max(1, want)) {
				t.Errorf("%s at %d: got %g, want %g", c.name, iteration, got, want)
			}
		}
	}
}

// TestAt wants what every rule says of a depth.
func TestAt(t *testing.T) {
	number := func(x float64) *float64 { return &x }
	alpha := 0.5
	network, err := resnet.Spec{Alpha: &alpha}.Resolve(4, 4)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		spec Spec
		want runfolder.StepLaw
	}{
		{Spec{}, runfolder.StepLaw{Rule: "depth", Schedule: "constant", Value: 1, Exponent: number(0), First: number(1)}},
		{Spec{Method: "adam"}, runfolder.StepLaw{Rule: "depth", Schedule: "constant", Value: 0.01, Exponent: number(-0.5), First: number(0.0025), Epsilon: 2.5e-9}},
		{Spec{Method: "adam", Step: Step{Rule: "constant", Schedule: "cosine"}}, runfolder.StepLaw{Rule: "constant", Schedule: "cosine", Value: 0.01, Exponent: number(0), First: number(0.01), Epsilon: 1e-8, Law: number(-0.5)}},
		{Spec{Step: Step{Rule: "armijo", Value: 64}}, runfolder.StepLaw{Rule: "armijo", Schedule: "constant", Value: 64, Exponent: number(0), First: number(64)}},
		{Spec{Step: Step{Rule: "certified"}}, runfolder.StepLaw{Rule: "certified", Schedule: "constant", Value: 1}},
	} {
		spec, err := c.spec.Resolve(0)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, spec.At(16, network), cmp.Comparer(near)); diff != "" {
			t.Errorf("%+v (-want +got):\n%s", c.spec, diff)
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) <= 1e-14*math.Abs(a) }

// TestArmijoFloor trains far beyond what the precision shows and wants every step to lower
// the loss, and the search to give up soon after it no longer can.
func TestArmijoFloor(t *testing.T) {
	for name, run := range map[string]func() (Outcome, error){
		"float64": func() (Outcome, error) { return floorRun[float64](t).Run(t.Context(), nil) },
		"float32": func() (Outcome, error) { return floorRun[float32](t).Run(t.Context(), nil) },
	} {
		out, err := run()
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d iterations, loss %.3g", name, out.Iterations, out.Loss)
		if out.Stop != StopFloor {
			t.Errorf("%s: stopped by %q after %d iterations at a loss of %g, want %q", name, out.Stop, out.Iterations, out.Loss, StopFloor)
		}
		for i, row := range out.Rows[1:] {
			if before := *out.Rows[i].Loss; !(*row.Loss < before) {
				t.Fatalf("%s: iteration %d: the step leads from %g to %g", name, i, before, *row.Loss)
			}
		}
	}
}

func floorRun[T float32 | float64](t *testing.T) *Descent[T] {
	return start[T](t, problem{samples: 8, depth: 16, distance: 0.3, train: Spec{
		Step: Step{Rule: "armijo", Value: 64}, Stop: Stop{Iterations: new(5000)}, Certify: Certify{Cadence: "off"}, Norms: "off",
	}})
}
