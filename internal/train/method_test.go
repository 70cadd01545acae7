package train

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/resnet"
)

// independent is testdata/methods.json, made by testdata/methods.py.
type independent struct {
	Sizes               [5]int // depth, width, hidden, inputs, outputs
	Start, Slope, Shift []float64
	Cases               []struct {
		Method                      string
		Eta, Momentum, Beta1, Beta2 float64
		Epsilon, Clip               float64
		Decay                       *Decay `json:"weight_decay"`
		After                       map[string][]float64
	}
}

// alone is a splitter that has two workers one after the other.
func alone(size, part int, f func(worker, begin, end int)) {
	for begin, worker := 0, 0; begin < size; begin, worker = begin+part, 1-worker {
		f(worker, begin, min(begin+part, size))
	}
}

// TestMethodsAgree makes 50 steps by each method and wants the parameters of an independent
// program within 1e-12.
func TestMethodsAgree(t *testing.T) {
	var want independent
	if err := json.Unmarshal(mustRead(t, "testdata/methods.json"), &want); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range want.Cases {
		seen[c.Method] = true
		spec, err := Spec{
			Method: c.Method, Momentum: c.Momentum, Beta1: c.Beta1, Beta2: c.Beta2, Epsilon: c.Epsilon, Clip: c.Clip,
			WeightDecay: c.Decay, Step: Step{Rule: "constant", Value: c.Eta},
		}.Resolve(0)
		if err != nil {
			t.Fatal(err)
		}
		net := mlpNetwork(t, want.Sizes)
		if net.Layout.Trained != len(want.Start) {
			t.Fatalf("got %d trained parameters, want %d", net.Layout.Trained, len(want.Start))
		}
		stepper := NewStepper[float64](&alloc.Account{}, net, spec, 2)
		theta, grad := slices.Clone(want.Start), make([]float64, len(want.Start))
		worst := 0.0
		for step := 1; step <= 50; step++ {
			square := 0.0
			for i, w := range theta {
				before := theta[(i+len(theta)-1)%len(theta)]
				grad[i] = want.Slope[i]*(w-want.Shift[i]) + before*w/10
				square += grad[i] * grad[i]
			}
			stepper.Step(theta, grad, c.Eta, spec.Clip, math.Sqrt(square), alone)
			for i, w := range c.After[strconv.Itoa(step)] {
				if worst = max(worst, math.Abs(theta[i]-w)); !(math.Abs(theta[i]-w) <= 1e-12) {
					t.Fatalf("%s %+v: step %d: parameter %d is %.17g, want %.17g within 1e-12", c.Method, spec, step, i, theta[i], w)
				}
			}
		}
		t.Logf("%s: within %.2g", c.Method, worst)
	}
	for _, method := range Methods {
		if !seen[method] {
			t.Errorf("no case of method %s", method)
		}
	}
}

// mlpNetwork returns a network of block mlp in which everything but δ is trained.
func mlpNetwork(t testing.TB, sizes [5]int) *resnet.Network {
	t.Helper()
	spec, err := resnet.Spec{Block: "mlp", Width: sizes[1], Hidden: sizes[2], Bias: true, Embed: "trained", Readout: "trained"}.Resolve(sizes[3], sizes[4])
	if err != nil {
		t.Fatal(err)
	}
	net, err := resnet.New(spec, sizes[0], sizes[3], sizes[4])
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// TestOrthogonal wants O(u) to keep the singular vectors of u and to bring singular values that
// are not tiny beside the largest near 1, whatever the length of u: u uᵀO = O uᵀu says the former.
func TestOrthogonal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows, cols := rapid.IntRange(1, 12).Draw(t, "rows"), rapid.IntRange(1, 12).Draw(t, "cols")
		scale := math.Pow(10, float64(rapid.IntRange(-290, 290).Draw(t, "scale")))
		u := make([]float64, rows*cols)
		for i := range u {
			u[i] = rapid.Float64Range(-1, 1).Draw(t, "entry") * scale
		}
		norm := 0.0
		for _, v := range u {
			norm += (v / scale) * (v / scale)
		}
		if norm < 1e-20 { // too small beside scale to keep their digits
			return
		}
		minus := make([]float64, rows*cols)
		o := newOrthogonal[float64](&alloc.Account{}, paddedSize(rows, cols))
		o.moveAlong(minus, slices.Clone(u), rows, cols, 1)
		entry := func(m []float64, i, j int) float64 { return m[i*cols+j] }
		var largest float64 // entry of uᵀO − Oᵀu, which vanishes as uᵀO is symmetric
		for j := range cols {
			for k := range cols {
				sum := 0.0
				for i := range rows {
					sum += entry(u, i, j)/scale*entry(minus, i, k) - entry(minus, i, j)*entry(u, i, k)/scale
				}
				largest = max(largest, math.Abs(sum))
			}
		}
		if !(largest <= 1e-11) {
			t.Fatalf("uᵀO is off a symmetric matrix by %g", largest)
		}
		length := 0.0
		for _, v := range minus {
			length += v * v
		}
		if most := 1.21 * 1.21 * float64(min(rows, cols)); !(length <= most && length >= 0.4) {
			t.Fatalf("‖O‖² is %g, want from 0.4 to %g", length, most)
		}
	})
}

// TestPartsAreAlone wants the same bits whatever worker takes which part, in which order.
func TestPartsAreAlone(t *testing.T) {
	backward := func(size, part int, f func(worker, begin, end int)) {
		for begin := (size - 1) / part * part; begin >= 0; begin -= part {
			f(2, begin, min(begin+part, size))
		}
	}
	for _, method := range Methods {
		spec, err := Spec{Method: method, WeightDecay: new(Decay(0.1))}.Resolve(0)
		if err != nil {
			t.Fatal(err)
		}
		net := mlpNetwork(t, [5]int{40, 24, 40, 3, 2})
		var ends [][]float64
		for _, split := range []splitter{alone, backward} {
			theta, grad := make([]float64, net.Layout.Trained), make([]float64, net.Layout.Trained)
			stepper := NewStepper[float64](&alloc.Account{}, net, spec, 3)
			for step := range 3 {
				for i := range grad {
					grad[i] = math.Sin(float64(i + step))
				}
				stepper.Step(theta, grad, 0.1, 50, 100, split)
			}
			ends = append(ends, theta)
		}
		if !slices.Equal(ends[0], ends[1]) {
			t.Errorf("%s: the order of parts shows in the bits", method)
		}
	}
}

// TestMuonOfNothing wants a gradient of zero to move no matrix.
func TestMuonOfNothing(t *testing.T) {
	theta := []float64{1, 2, 3, 4}
	o := newOrthogonal[float64](&alloc.Account{}, paddedSize(2, 2))
	o.moveAlong(theta, make([]float64, 4), 2, 2, 1)
	if !slices.Equal(theta, []float64{1, 2, 3, 4}) {
		t.Errorf("got %v", theta)
	}
}

// TestNotFiniteGradient wants no method to hide a NaN in the gradient.
func TestNotFiniteGradient(t *testing.T) {
	for _, method := range Methods {
		spec, err := Spec{Method: method}.Resolve(0)
		if err != nil {
			t.Fatal(err)
		}
		net := mlpNetwork(t, [5]int{2, 3, 5, 4, 2})
		theta, grad := make([]float64, net.Layout.Trained), make([]float64, net.Layout.Trained)
		grad[1], grad[len(grad)-1] = math.NaN(), math.NaN()
		NewStepper[float64](&alloc.Account{}, net, spec, 2).Step(theta, grad, 1, 0, math.NaN(), alone)
		if !math.IsNaN(theta[1]) || !math.IsNaN(theta[len(theta)-1]) {
			t.Errorf("%s: got %g and %g, want NaN", method, theta[1], theta[len(theta)-1])
		}
	}
}

// TestStateEntries holds the count of what a method keeps to what it keeps.
func TestStateEntries(t *testing.T) {
	for _, method := range Methods {
		spec, err := Spec{Method: method}.Resolve(0)
		if err != nil {
			t.Fatal(err)
		}
		net, kept := mlpNetwork(t, [5]int{2, 3, 5, 4, 2}), 0
		for _, values := range NewStepper[float64](&alloc.Account{}, net, spec, 2).update.moments() {
			kept += len(values)
		}
		if got := StateEntries(net, method); got != kept {
			t.Errorf("%s: got %d entries, want the %d that it keeps", method, got, kept)
		}
	}
}

func benchmarkMethod[T float32 | float64](b *testing.B, method string) {
	spec, err := Spec{Method: method}.Resolve(0)
	if err != nil {
		b.Fatal(err)
	}
	network, err := resnet.Spec{Width: 32}.Resolve(32, 32)
	if err != nil {
		b.Fatal(err)
	}
	net, err := resnet.New(network, 500, 32, 32)
	if err != nil {
		b.Fatal(err)
	}
	theta, grad := make([]T, net.Layout.Trained), make([]T, net.Layout.Trained)
	for i := range grad {
		theta[i], grad[i] = T(i%7), T(i%11)-5
	}
	stepper := NewStepper[T](&alloc.Account{}, net, spec, 2)
	for b.Loop() {
		stepper.Step(theta, grad, 1e-3, 0, 0, alone)
	}
}

// BenchmarkMethod times the step of each method alone, at width 32 and depth 500.
func BenchmarkMethod(b *testing.B) {
	for _, method := range Methods {
		b.Run(fmt.Sprintf("dtype=float64/method=%s", method), func(b *testing.B) { benchmarkMethod[float64](b, method) })
		b.Run(fmt.Sprintf("dtype=float32/method=%s", method), func(b *testing.B) { benchmarkMethod[float32](b, method) })
	}
}
