package resnet

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

// normedSpecs calls test with each block × norm × residual scale, with and without bias, E and C, for activations in turn.
func normedSpecs(t *testing.T, test func(t *testing.T, spec Spec, inputs, outputs int)) {
	activations := []string{"tanh", "gelu", "identity", "relu", "softplus"}
	turn := 0
	for _, block := range []string{"inner", "outer", "mlp"} {
		for _, norm := range []string{"rms", "layer"} {
			for _, residual := range []string{"fixed", "shared", "layered"} {
				for _, bias := range []bool{false, true} {
					spec := Spec{Block: block, Activation: activations[turn%len(activations)], Residual: residual, Bias: bias, Normalise: "pre", NormKind: norm}
					inputs, outputs := 3, 3
					if turn%2 == 0 {
						spec.Embed, spec.Readout, inputs, outputs = "trained", "trained", 5, 2
					}
					spec.Loss = []string{"squared", "cross-entropy"}[turn/2%2]
					spec.NormEpsilon = []float64{0.03, 0.3}[turn/3%2]
					turn++
					t.Run(fmt.Sprintf("%s/%s/%s/%s/bias=%t", block, norm, spec.Activation, residual, bias), func(t *testing.T) { test(t, spec, inputs, outputs) })
				}
			}
		}
	}
}

// TestNormalisedGradient and TestNormalisedHessian are TestGradient and TestHessianVector behind a norm, with an ε that keeps third
// derivatives within what those tests allow for.
func TestNormalisedGradient(t *testing.T) { normedSpecs(t, holdGradient) }

func TestNormalisedHessian(t *testing.T) { normedSpecs(t, holdHessian) }

// TestNormalisedGolden holds loss and gradients to those of an independent program, testdata/normalised.py, in float64 to
// 1e-12 of the largest entry and in float32 to 1e-5 of it.
func TestNormalisedGolden(t *testing.T) {
	text, err := os.ReadFile("testdata/normalised.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Block, Norm, Activation string
		Epsilon, Loss           float64
		Gradient                map[string][]float64
	}
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("no cases")
	}
	const depth, width, hidden, inputs, outputs, samples = 3, 4, 5, 3, 2, 6
	wave := func(v []float64, first float64) {
		for i := range v {
			v[i] = 0.7 * math.Sin(first+1.3*float64(i))
		}
	}
	for _, c := range cases {
		spec := Spec{
			Block: c.Block, Activation: c.Activation, Residual: "layered", Bias: true, Width: width,
			Normalise: "pre", NormKind: c.Norm, NormEpsilon: c.Epsilon, Embed: "trained", Readout: "trained",
		}
		names := []string{"A", "b", "delta", "E", "C"}
		if c.Block == "mlp" {
			spec.Hidden, names = hidden, []string{"V", "W", "b", "c", "delta", "E", "C"}
		}
		net := netOf(t, spec, depth, inputs, outputs)
		theta := make([]float64, net.Layout.Size)
		for j, name := range names {
			wave(View(net.Layout, theta, name), float64(1+j))
		}
		data := Samples{X: make([]float64, samples*inputs), Y: make([]float64, samples*outputs)}
		wave(data.X, 0.2)
		wave(data.Y, 0.4)
		clear(data.X[(samples-1)*inputs:])
		check := func(loss float64, gradient func(name string) []float64, tol float64) {
			if !(math.Abs(loss/c.Loss-1) <= tol) {
				t.Errorf("%s, %s, %s: loss: got %.17g, want %.17g", c.Block, c.Norm, c.Activation, loss, c.Loss)
			}
			largest := 0.0
			for _, want := range c.Gradient {
				for _, v := range want {
					largest = max(largest, math.Abs(v))
				}
			}
			for _, name := range names {
				got := gradient(name)
				for i, want := range c.Gradient[name] {
					if !(math.Abs(got[i]-want) <= tol*largest) {
						t.Fatalf("%s, %s, %s: gradient of %s at %d: got %.17g, want %.17g", c.Block, c.Norm, c.Activation, name, i, got[i], want)
					}
				}
			}
		}
		loss, grad := gradientOf(t, net, data, theta, Options{Workers: 1})
		check(loss, func(name string) []float64 { return View(net.Layout, grad, name) }, 1e-12)
		loss, single := gradientOf(t, net, data, rounded(theta), Options{Workers: 1})
		check(loss, func(name string) []float64 {
			wide := make([]float64, 0, net.Layout.Trained)
			for _, v := range View(net.Layout, single, name) {
				wide = append(wide, float64(v))
			}
			return wide
		}, 1e-5)
	}
}

// TestNormalisedTiers wants the same bits from every tier of the kernel.
func TestNormalisedTiers(t *testing.T) {
	t.Cleanup(func() {
		if err := kernel.SetTier(""); err != nil {
			t.Error(err)
		}
	})
	for _, kind := range []string{"rms", "layer"} {
		net, samples, theta := large(t, Spec{Block: "mlp", Activation: "gelu", Normalise: "pre", NormKind: kind})
		var want []float64
		var want32 []float32
		for _, ops := range kernel.Tiers[float64]() {
			if err := kernel.SetTier(ops.Tier); err != nil {
				t.Fatal(err)
			}
			_, grad := gradientOf(t, net, samples, theta, Options{Workers: 1})
			_, grad32 := gradientOf(t, net, samples, rounded(theta), Options{Workers: 1})
			if want == nil {
				want, want32 = grad, grad32
			}
			if !slices.Equal(grad, want) || !slices.Equal(grad32, want32) {
				t.Errorf("%s: the gradient of tier %s has other bits than that of the best", kind, ops.Tier)
			}
		}
	}
}

// TestNormalisedStates wants what a block adds to be the same for states of any length, up to ε, and finite numbers for
// states of zeros.
func TestNormalisedStates(t *testing.T) {
	spec := Spec{Block: "mlp", Normalise: "pre", NormKind: "layer", Bias: true, NormEpsilon: 1e-18}
	net, samples, theta := small(t, spec, 3, 3, 5)
	added := func(factor float64) []float64 {
		x := make([]float64, len(samples.X))
		for i, v := range samples.X {
			x[i] = factor * v
		}
		e, err := NewEvaluator[float64](net, Samples{X: x, Y: samples.Y}, Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		states, count := e.HiddenStates(theta, 7)
		var out []float64
		for s := range count {
			for i := range net.Width {
				at := s * (net.Depth + 1) * net.Width
				out = append(out, states[at+net.Width+i]-states[at+i])
			}
		}
		if loss, grad := e.Loss(theta).Loss, make([]float64, net.Layout.Trained); !(loss <= math.MaxFloat64) || !(e.Gradient(theta, grad).Loss == loss) || !(norm(grad) <= math.MaxFloat64) {
			t.Errorf("factor %g: got loss %g and a gradient of norm %g, want finite numbers", factor, loss, norm(grad))
		}
		return out
	}
	want := added(1)
	for _, factor := range []float64{1e-3, 17, 1e4} {
		for i, got := range added(factor) {
			// Cancellation of the state, and ε against the mean square.
			if !(math.Abs(got-want[i]) <= 1e-9+1e-15*factor*10) {
				t.Errorf("factor %g: the first block adds %g, want %g", factor, got, want[i])
			}
		}
	}
	added(0)
}

// TestNorm holds the derivative of the norm of one vector to central differences.
func TestNorm(t *testing.T) {
	h, g := []float64{1, -2, 0.5, 3}, []float64{0.3, 0.1, -0.7, 0.2}
	for _, n := range []*Norm{{Epsilon: 1e-3}, {Centred: true, Epsilon: 1e-3}} {
		const step = 1e-6
		ahead, behind, x, y := make([]float64, 4), make([]float64, 4), make([]float64, 4), make([]float64, 4)
		for i := range h {
			ahead[i], behind[i] = h[i]+step*g[i], h[i]-step*g[i]
		}
		n.To(ahead, ahead)
		n.To(behind, behind)
		r := n.To(x, h)
		n.AddDerivative(y, append([]float64(nil), g...), x, r)
		for i := range y {
			if want := (ahead[i] - behind[i]) / (2 * step); !(math.Abs(y[i]-want) <= 1e-9) {
				t.Errorf("%+v: derivative at %d: got %g, want %g", *n, i, y[i], want)
			}
		}
	}
}
