package train

import (
	"cmp"
	"errors"
	"math"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/machine"
)

func TestSpecResolve(t *testing.T) {
	stop := Stop{Iterations: new(1000), Divergence: 1e6}
	step := Step{Rule: "depth", Schedule: "constant", Value: 1}
	normalised := step
	normalised.Value = 0.01
	for _, c := range []struct {
		name    string
		spec    Spec
		samples int
		want    Spec
	}{
		{"nothing given", Spec{}, 8, Spec{Method: "gd", Step: step, Stop: stop}},
		{"sgd", Spec{Method: "sgd"}, 100, Spec{Method: "sgd", Batch: 32, Step: step, Stop: stop}},
		{"sgd of few samples", Spec{Method: "sgd"}, 8, Spec{Method: "sgd", Batch: 8, Step: step, Stop: stop}},
		{"sgd of unknown samples", Spec{Method: "sgd", Batch: 500}, 0, Spec{Method: "sgd", Batch: 500, Step: step, Stop: stop}},
		{"momentum", Spec{Method: "momentum"}, 8, Spec{Method: "momentum", Momentum: 0.9, Step: step, Stop: stop}},
		{"adam", Spec{Method: "adam", Batch: 4, Epsilon: 1e-6}, 8, Spec{Method: "adam", Batch: 4, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-6, Step: normalised, Stop: stop}},
		{"armijo", Spec{Step: Step{Rule: "armijo", Value: 8}}, 8, Spec{Method: "gd", Step: Step{Rule: "armijo", Schedule: "constant", Value: 8, Factor: 0.5, Slope: 1e-4}, Stop: stop}},
		{"decay", Spec{Step: Step{Schedule: "decay"}}, 8, Spec{Method: "gd", Step: Step{Rule: "depth", Schedule: "decay", Value: 1, Factor: 0.5, Every: 333}, Stop: stop}},
		{"decay of one step", Spec{Step: Step{Schedule: "decay"}, Stop: Stop{Iterations: new(1)}}, 8, Spec{Method: "gd", Step: Step{Rule: "depth", Schedule: "decay", Value: 1, Factor: 0.5, Every: 1}, Stop: Stop{Iterations: new(1), Divergence: 1e6}}},
		{"cosine", Spec{Step: Step{Rule: "constant", Schedule: "cosine", Minimum: 0.1}}, 8, Spec{Method: "gd", Step: Step{Rule: "constant", Schedule: "cosine", Value: 1, Minimum: 0.1}, Stop: stop}},
		{"certified", Spec{Step: Step{Rule: "certified"}, Certify: Certify{Cadence: "all", Gram: true}}, 8, Spec{Method: "gd", Step: Step{Rule: "certified", Schedule: "constant", Value: 1}, Stop: stop, Certify: Certify{Cadence: "all", Gram: true}}},
		{"nesterov", Spec{Method: "nesterov"}, 8, Spec{Method: "nesterov", Momentum: 0.9, Step: step, Stop: stop}},
		{"adamw", Spec{Method: "adamw"}, 8, Spec{Method: "adamw", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: new(Decay(0.01)), Step: normalised, Stop: stop}},
		{"adamw without decay", Spec{Method: "adamw", WeightDecay: new(Decay(0.0))}, 8, Spec{Method: "adamw", Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: new(Decay(0.0)), Step: normalised, Stop: stop}},
		{"gd without decay", Spec{WeightDecay: new(Decay(0.0))}, 8, Spec{Method: "gd", Step: step, Stop: stop}},
		{"default groups", Spec{Method: "lion", Step: Step{Groups: "apart"}}, 8, Spec{Method: "lion", Beta1: 0.9, Beta2: 0.99, Step: normalised, Stop: stop}},
		{"groups and parts", Spec{Step: Step{Groups: "apart", BaseDepth: 8, Parts: Parts{C: 2}}}, 8, Spec{Method: "gd", Step: Step{Rule: "depth", Schedule: "constant", Value: 1, Groups: "apart", BaseDepth: 8, Parts: Parts{C: 2}}, Stop: stop}},
		{"sign", Spec{Method: "sign", Clip: 1}, 8, Spec{Method: "sign", Clip: 1, Step: normalised, Stop: stop}},
		{"lion", Spec{Method: "lion"}, 8, Spec{Method: "lion", Beta1: 0.9, Beta2: 0.99, Step: normalised, Stop: stop}},
		{"muon", Spec{Method: "muon"}, 8, Spec{Method: "muon", Momentum: 0.95, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, Step: normalised, Stop: stop}},
		{"warm-up", Spec{Step: Step{Schedule: "linear", Warmup: 7}}, 8, Spec{Method: "gd", Step: Step{Rule: "depth", Schedule: "linear", Warmup: 7, Value: 1}, Stop: stop}},
		{"warmup-stable-decay", Spec{Step: Step{Schedule: "warmup-stable-decay"}}, 8, Spec{Method: "gd", Step: Step{Rule: "depth", Schedule: "warmup-stable-decay", Warmup: 50, Cooldown: 200, Value: 1}, Stop: stop}},
		{"constant", Spec{Step: Step{Rule: "constant"}}, 8, Spec{Method: "gd", Step: Step{Rule: "constant", Schedule: "constant", Value: 1}, Stop: stop}},
	} {
		got, err := c.spec.Resolve(c.samples)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		c.want.Certify.Cadence = cmp.Or(c.want.Certify.Cadence, "auto")
		if c.want.WeightDecay == nil {
			c.want.WeightDecay = new(Decay(0))
		}
		c.want.Step.BaseDepth, c.want.Step.BaseWidth = cmp.Or(c.want.Step.BaseDepth, 1), cmp.Or(c.want.Step.BaseWidth, 1)
		if diff := gocmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if again, err := got.Resolve(c.samples); err != nil || gocmp.Diff(again, got) != "" {
			t.Errorf("%s: resolved again: got %+v and error %v", c.name, again, err)
		}
	}
}

func TestSpecRefuses(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{Method: "newton"}, `method: got "newton", want one of gd, sgd, momentum, nesterov, adam, adamw, sign, lion, muon, levenberg-marquardt`},
		{Spec{Method: LevenbergMarquardt, Step: Step{Groups: "together"}}, `step.groups: got "together", want it left out with method levenberg-marquardt, whose step rule is its own`},
		{Spec{Method: LevenbergMarquardt, Step: Step{BaseWidth: 8}}, `step.base-width: got 8, want it left out with method levenberg-marquardt, whose step rule is its own`},
		{Spec{Method: LevenbergMarquardt, Clip: 1}, `clip: got 1, want it left out with method levenberg-marquardt`},
		{Spec{Method: LevenbergMarquardt, WeightDecay: new(Decay(0.1))}, `weight-decay: got 0.1, want it left out with method levenberg-marquardt`},
		{Spec{Method: LevenbergMarquardt, Penalty: Penalty{L2: 0.1}}, `method: got "levenberg-marquardt", want another method with train.penalty: this one solves for the loss alone`},
		{Spec{Certify: Certify{Kernel: true}, Penalty: Penalty{L2: 0.1}}, `certify.kernel: got true, want it left out with train.penalty: certificates are about descent on the loss alone`},
		{Spec{Batch: 4}, `batch: got 4, want no batch with method gd, which takes all samples (use method: sgd)`},
		{Spec{Method: "sgd", Batch: -1}, `batch: got -1, want a whole number ≥ 1`},
		{Spec{Method: "sgd", Batch: 32}, `batch: got 32, want at most 8, the number of samples`},
		{Spec{Momentum: 0.9}, `momentum: got 0.9, want it left out, or method: momentum, nesterov or muon`},
		{Spec{Method: "momentum", Momentum: 1}, `momentum: got 1, want a number in (0, 1)`},
		{Spec{Method: "momentum", Beta1: 0.9}, `beta1: got 0.9, want it left out, or method: adam, adamw, lion or muon`},
		{Spec{Method: "adam", Beta2: -1}, `beta2: got -1, want a number in (0, 1)`},
		{Spec{Method: "adam", Epsilon: nan}, `epsilon: got NaN, want a finite number > 0`},
		{Spec{Step: Step{Rule: "line"}}, `step.rule: got "line", want one of depth, constant, armijo, certified`},
		{Spec{Method: "adam", Step: Step{Rule: "certified"}}, `step.rule: got "certified", want depth or constant with method adam (certified needs method: gd)`},
		{Spec{Step: Step{Rule: "certified", Value: 1.5}}, `step.value: got 1.5, want a number in (0, 1] with rule certified`},
		{Spec{Step: Step{Rule: "certified"}, Certify: Certify{Cadence: "off"}}, `certify.cadence: got "off", want another cadence with step rule certified, which works from what is measured`},
		{Spec{Certify: Certify{Cadence: "daily"}}, `certify.cadence: got "daily", want one of auto, growing, all, ends, off`},
		{Spec{Method: "adam", Certify: Certify{Gram: true}}, `certify.gram: got true, want it left out, or a cadence: growing, all or ends (nothing is measured with cadence auto and method adam)`},
		{Spec{Certify: Certify{Cadence: "off", Curvature: true}}, `certify.curvature: got true, want it left out, or a cadence: growing, all or ends (nothing is measured with cadence off and method gd)`},
		{Spec{Method: "adam", Step: Step{Rule: "armijo"}}, `step.rule: got "armijo", want depth or constant with method adam (armijo needs method: gd)`},
		{Spec{Step: Step{Value: -1}}, `step.value: got -1, want a finite number > 0`},
		{Spec{Step: Step{Value: inf}}, `step.value: got +Inf, want a finite number > 0`},
		{Spec{Step: Step{Factor: 0.5}}, `step.factor: got 0.5, want it left out, or rule: armijo or schedule: decay`},
		{Spec{Step: Step{Rule: "armijo", Factor: 1}}, `step.factor: got 1, want a number in (0, 1)`},
		{Spec{Step: Step{Rule: "armijo", Slope: 1}}, `step.slope: got 1, want a number in (0, 1)`},
		{Spec{Step: Step{Rule: "armijo", Every: 3}}, `step.every: got 3, want it left out, or schedule: decay`},
		{Spec{Step: Step{Schedule: "decay", Every: -3}}, `step.every: got -3, want a whole number ≥ 1`},
		{Spec{Step: Step{Minimum: 0.5}}, `step.minimum: got 0.5, want it left out, or schedule: cosine, linear or warmup-stable-decay`},
		{Spec{Step: Step{Rule: "cosine"}}, `step.rule: got "cosine", want one of depth, constant, armijo, certified (cosine is a schedule: write schedule: cosine)`},
		{Spec{Step: Step{Schedule: "armijo"}}, `step.schedule: got "armijo", want one of constant, cosine, linear, decay, warmup-stable-decay (armijo is a rule: write rule: armijo)`},
		{Spec{Step: Step{Schedule: "step"}}, `step.schedule: got "step", want one of constant, cosine, linear, decay, warmup-stable-decay`},
		{Spec{Step: Step{Rule: "armijo", Schedule: "cosine"}}, `step.schedule: got "cosine", want constant with rule armijo, which finds the step size at every iterate (use rule: depth or constant)`},
		{Spec{Step: Step{Schedule: "cosine", Minimum: 2}}, `step.minimum: got 2, want a number in [0, 1]`},
		{Spec{Step: Step{Schedule: "linear", Cooldown: 3}}, `step.cooldown: got 3, want it left out, or schedule: warmup-stable-decay`},
		{Spec{Step: Step{Warmup: -1}}, `step.warmup: got -1, want a whole number ≥ 1`},
		{Spec{Step: Step{Warmup: 1001}}, `step.warmup: got 1001, want at most 1000, as many as stop.iterations`},
		{Spec{Step: Step{Rule: "armijo", Warmup: 3}}, `step.warmup: got 3, want it left out with rule armijo, which finds the step size at every iterate (use rule: depth or constant)`},
		{Spec{Step: Step{Schedule: "warmup-stable-decay", Warmup: 900}}, `step.warmup: got 900, want at most 800, what stop.iterations (1000) leave before a cooldown of 200`},
		{Spec{Step: Step{Schedule: "warmup-stable-decay", Cooldown: 2000}}, `step.warmup: got 50, want at most 0, what stop.iterations (1000) leave before a cooldown of 2000`},
		{Spec{Step: Step{BaseDepth: -2}}, `step.base-depth: got -2, want a depth ≥ 1`},
		{Spec{Step: Step{Rule: "constant", BaseDepth: 8}}, `step.base-depth: got 8, want it left out, or rule: depth or armijo, or a parametrisation`},
		{Spec{Step: Step{BaseWidth: 8}}, `step.base-width: got 8, want it left out, or a parametrisation`},
		{Spec{Parametrisation: "mup", Step: Step{BaseWidth: -8}}, `step.base-width: got -8, want a width ≥ 1`},
		{Spec{Parametrisation: "mup", Step: Step{Rule: "depth"}}, `step.rule: got "depth", want constant with parametrisation mup, which sets the step size of every depth itself`},
		{Spec{Step: Step{Groups: "each"}}, `step.groups: got "each", want one of together, apart`},
		{Spec{Step: Step{Rule: "armijo", Groups: "apart"}}, `step.groups: got "apart", want it left out, or rule: depth`},
		{Spec{Step: Step{Parts: Parts{A: -1}}}, `step.parts.A: got -1, want a finite number > 0`},
		{Spec{Step: Step{Rule: "certified", Parts: Parts{Readout: 1}}}, `step.parts.C: got 1, want it left out with rule certified (use rule: depth or constant)`},
		{Spec{Step: Step{Parts: Parts{A: 1}}, Certify: Certify{Gram: true}}, `certify.gram: got true, want it left out, or a cadence: growing, all or ends (nothing is measured with cadence auto and method altered gd)`},
		{Spec{Clip: -1}, `clip: got -1, want a finite number ≥ 0`},
		{Spec{Clip: inf}, `clip: got +Inf, want a finite number ≥ 0`},
		{Spec{Method: "lion", WeightDecay: new(Decay(-0.1))}, `weight-decay: got -0.1, want a finite number ≥ 0`},
		{Spec{WeightDecay: new(Decay(0.1)), Step: Step{Rule: "armijo"}}, `weight-decay: got 0.1, want it left out with step rule armijo, which finds the step size for steps along the gradient (use rule: depth or constant)`},
		{Spec{Clip: 2, Step: Step{Rule: "certified"}}, `clip: got 2, want it left out with step rule certified, which finds the step size for steps along the gradient (use rule: depth or constant)`},
		{Spec{Method: "lion", Epsilon: 1}, `epsilon: got 1, want it left out, or method: adam, adamw or muon`},
		{Spec{Clip: 1, Certify: Certify{Gram: true}}, `certify.gram: got true, want it left out, or a cadence: growing, all or ends (nothing is measured with cadence auto and method altered gd)`},
		{Spec{Stop: Stop{Loss: -1}}, `stop.loss: got -1, want a finite number ≥ 0`},
		{Spec{Stop: Stop{Iterations: new(-1)}}, `stop.iterations: got -1, want a whole number from 0 to 2^53`},
		{Spec{Stop: Stop{Seconds: inf}}, `stop.seconds: got +Inf, want a finite number ≥ 0`},
		{Spec{Stop: Stop{Plateau: -1}}, `stop.plateau: got -1, want a whole number ≥ 0`},
		{Spec{Stop: Stop{Divergence: 1}}, `stop.divergence: got 1, want a finite number > 1`},
	} {
		_, err := c.spec.Resolve(8)
		if e := new(field.Error); err == nil || err.Error() != c.want || !errors.As(err, &e) {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
}

// TestDefaultMemory wants a quarter of what this process may take.
func TestDefaultMemory(t *testing.T) {
	if got, err := (Spec{}).MemoryBytes(); err != nil || got != machine.Memory()/4 {
		t.Errorf("got %d, %v for no memory, want a quarter of %d", got, err, machine.Memory())
	}
}
