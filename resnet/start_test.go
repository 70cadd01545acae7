package resnet

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// TestStart holds a Starter to the evaluator of the network that Parameters gives: the
// states as HiddenStates returns them, and the adjoints from gradients. For one sample
// ∂J/∂E = p_0 xᵀ and ∂J/∂C = r h_Lᵀ, so ‖∂J/∂E‖ = ‖p_0‖‖x‖ and p_L = Cᵀ r.
func TestStart(t *testing.T) {
	for _, spec := range []Spec{
		{Block: "mlp", Activation: "relu", Hidden: 7},
		{Block: "mlp", Activation: "gelu", Hidden: 3, Bias: true},
		{Block: "inner", Activation: "tanh"},
		{Block: "inner", Activation: "silu", Bias: true},
		{Block: "outer", Activation: "sin", Bias: true},
		{Block: "mlp", Activation: "gelu", Hidden: 3, Normalise: "pre"},
		{Block: "outer", Activation: "tanh", Normalise: "pre", NormKind: "layer"},
	} {
		for _, initial := range []Initial{
			{Kind: "uniform"},
			{Kind: "truncated-normal"},
			{Kind: "normal", Tied: true},
			{Kind: "normal", Coupled: true},
			{Kind: "gaussian-process"},
			{Kind: "fractional-noise", Hurst: 0.7},
			{Kind: "constant"},
		} {
			if spec.Bias {
				initial.Parts = map[string]Initial{"b": {Kind: "normal"}}
			}
			initial.Amplitude, initial.Exponent = at(0.6, 0.1)
			t.Run(fmt.Sprint(spec.Block, spec.Activation, spec.Normalise, initial.Kind, initial.Tied, initial.Coupled), func(t *testing.T) {
				checkStart(t, spec, initial)
			})
		}
	}
}

func checkStart(t *testing.T, spec Spec, initial Initial) {
	const inputs, outputs, depth, seed = 6, 2, 9, 3
	spec.Width, spec.Embed, spec.Readout = 5, "trained", "trained"
	net := netOf(t, spec, depth, inputs, outputs)
	initial, err := initial.Resolve(net.Spec, depth)
	if err != nil {
		t.Fatal(err)
	}
	samples := Samples{X: []float64{1, -2, 0.5, 0.3, 2, -1}, Y: []float64{0.4, -3}}
	theta, err := Parameters[float64](net, initial, seed, "")
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEvaluator[float64](net, samples, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	states, _ := e.HiddenStates(theta, 1)
	first, last := states[:5], states[depth*5:]
	grad := make([]float64, net.Layout.Trained)
	e.Gradient(theta, grad)
	embed, readout := View(net.Layout, grad, "E"), View(net.Layout, grad, "C")
	c := View(net.Layout, theta, "C")
	x := samples.X[0] // p_0 is the first column of ∂J/∂E over x_1, r that of ∂J/∂C over h_L
	entering, leaving := make([]float64, 5), make([]float64, 5)
	for i := range 5 {
		entering[i] = embed[i*inputs] / x
		for j := range outputs {
			leaving[i] += c[j*5+i] * readout[j*5] / last[0]
		}
	}
	distance := func(a, b []float64) float64 {
		sum := 0.0
		for i, v := range a {
			sum += (v - b[i]) * (v - b[i])
		}
		return sum
	}
	zero := make([]float64, 5)
	want := Start{
		Forward:        distance(last, zero) / distance(first, zero),
		Change:         distance(last, first) / distance(first, zero),
		Backward:       distance(entering, zero) / distance(leaving, zero),
		BackwardChange: distance(entering, leaving) / distance(leaving, zero),
	}
	starter := NewStarter[float64](net, initial, "")
	for _, s := range []uint64{8, seed} { // a draw leaves nothing behind for the next
		got, err := starter.Draw(samples, s)
		if err != nil {
			t.Fatal(err)
		}
		if s != seed {
			continue
		}
		for name, pair := range map[string][2]float64{
			"forward": {got.Forward, want.Forward}, "change": {got.Change, want.Change},
			"backward": {got.Backward, want.Backward}, "backward change": {got.BackwardChange, want.BackwardChange},
		} {
			// Each is a quotient of sums of five squares; differences cancel at most to the size of the vectors.
			if tol := 1e-11 * (1 + pair[1]); !(math.Abs(pair[0]-pair[1]) <= tol) {
				t.Errorf("%s: got %v, want %v within %g", name, pair[0], pair[1], tol)
			}
		}
	}
}

// Several samples give the mean of what each gives alone.
func TestStartMeansOverSamples(t *testing.T) {
	net := netOf(t, Spec{Block: "mlp", Activation: "relu", Width: 4}, 6, 3, 2)
	initial, err := Initial{Kind: "normal", Amplitude: ptr(0.5), Exponent: ptr(0)}.Resolve(net.Spec, 6)
	if err != nil {
		t.Fatal(err)
	}
	starter := NewStarter[float64](net, initial, "")
	x, y := []float64{1, 2, 3, -1, 0.5, 2, 0.3, 0.2, -0.9}, []float64{1, 0, 2, 1, -1, 0.5}
	all, err := starter.Draw(Samples{X: x, Y: y}, 1)
	if err != nil {
		t.Fatal(err)
	}
	var mean Start
	for i := range 3 {
		one, err := starter.Draw(Samples{X: x[3*i : 3*i+3], Y: y[2*i : 2*i+2]}, 1)
		if err != nil {
			t.Fatal(err)
		}
		mean.Forward += one.Forward / 3
		mean.Change += one.Change / 3
		mean.Backward += one.Backward / 3
		mean.BackwardChange += one.BackwardChange / 3
	}
	got := []float64{all.Forward, all.Change, all.Backward, all.BackwardChange}
	for i, want := range []float64{mean.Forward, mean.Change, mean.Backward, mean.BackwardChange} {
		if !(math.Abs(got[i]-want) <= 1e-13*want) {
			t.Errorf("number %d: got %v, want %v", i, got[i], want)
		}
	}
	_, err = starter.Draw(Samples{X: make([]float64, 3*257), Y: make([]float64, 2*257)}, 1)
	const want = "resnet: Starter.Draw: got 257 samples and 514 target entries, want 1 to 256 samples with 2 targets each"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestExpectedStart holds the closed form to the mean over draws, to five standard
// errors, at a width where the limit of wide networks would be far off.
func TestExpectedStart(t *testing.T) {
	const draws, depth = 4000, 6
	for _, activation := range []string{"relu", "identity"} {
		for _, kind := range []string{"uniform", "normal", "truncated-normal"} {
			t.Run(activation+"/"+kind, func(t *testing.T) {
				net := netOf(t, Spec{Block: "mlp", Activation: activation, Width: 3, Hidden: 4, Alpha: ptr(0.25)}, depth, 5, 1)
				section := Initial{Kind: kind, Amplitude: ptr(0.5), Exponent: ptr(0), Parts: map[string]Initial{"W": {Amplitude: ptr(0.7), Exponent: ptr(0.2)}}}
				initial, err := section.Resolve(net.Spec, depth)
				if err != nil {
					t.Fatal(err)
				}
				forward, backward := net.ExpectedStart(initial)
				if forward == nil || backward == nil || *forward != *backward {
					t.Fatalf("got %v and %v, want two equal expectations", forward, backward)
				}
				starter := NewStarter[float64](net, initial, "")
				var there, back []float64
				for seed := range uint64(draws) {
					start, err := starter.Draw(Samples{X: []float64{1, 0.2, 0.4, 0.3, 0.1}, Y: []float64{0.5}}, seed)
					if err != nil {
						t.Fatal(err)
					}
					there, back = append(there, start.Forward), append(back, start.Backward)
				}
				for name, values := range map[string][]float64{"forward": there, "backward": back} {
					mean, deviation := stat.MeanStdDev(values, nil)
					if tol := 5 * deviation / math.Sqrt(draws); !(math.Abs(mean-*forward) <= tol) || !(tol < 0.3**forward) {
						t.Errorf("%s: got the mean %v, want %v within %g", name, mean, *forward, tol)
					}
				}
			})
		}
	}
	// Two outputs leave the adjoint without a closed form, other networks both.
	spec, err := Spec{Block: "mlp", Activation: "relu", Width: 3}.Resolve(5, 2)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Spec, *Initial){
		"two outputs": func(*Spec, *Initial) {},
		"tanh":        func(s *Spec, _ *Initial) { s.Activation = "tanh" },
		"outer":       func(s *Spec, _ *Initial) { s.Block, s.Hidden = "outer", 0 },
		"tied":        func(_ *Spec, i *Initial) { i.Tied = true },
		"smooth":      func(_ *Spec, i *Initial) { i.Kind = "gaussian-process" },
	} {
		s, i := spec, Initial{Kind: "normal"}
		change(&s, &i)
		i, err := i.Resolve(s, 4)
		if err != nil {
			t.Fatal(err)
		}
		net, err := New(s, 4, 5, 2)
		if err != nil {
			t.Fatal(err)
		}
		forward, backward := net.ExpectedStart(i)
		if backward != nil || (forward != nil) != (name == "two outputs") {
			t.Errorf("%s: got %v and %v", name, forward, backward)
		}
	}
}

// A Gaussian process at depth L is, bit for bit, the sum that defines it.
func TestSmoothIsTheSeries(t *testing.T) {
	i := Initial{Kind: "gaussian-process", Length: 0.3}
	i.Amplitude, i.Exponent = at(1, 0)
	short, long := drawn(t, i, 8, 3, 5), drawn(t, i, 16, 3, 5)
	for k := range 8 {
		if !slices.Equal(short[k*9:(k+1)*9], long[(2*k+1)*9:(2*k+2)*9]) {
			t.Errorf("layer %d of 8 is not layer %d of 16", k+1, 2*k+2)
		}
	}
}
