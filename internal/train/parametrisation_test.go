package train

import (
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/resnet"
)

// TestCompleteP holds complete-p and depth-mup at the base width to the prescription of CompleteP's
// authors: with m = L/L₀ weights and biases of the layers have the step times m^(α−1) and ε times
// m^−α; decay, embedding and readout are as written.
func TestCompleteP(t *testing.T) {
	for _, name := range []string{"complete-p", "depth-mup"} {
		alpha := 0.5
		network, err := resnet.Spec{Block: "mlp", Alpha: &alpha, Width: 8, Hidden: 8, Bias: true, Embed: "trained", Readout: "trained"}.Resolve(3, 2)
		if err != nil {
			t.Fatal(err)
		}
		spec, err := Spec{Method: "adamw", Parametrisation: name, WeightDecay: new(Decay(0.1)), Step: Step{Value: 0.02, BaseDepth: 4, BaseWidth: 8}}.Resolve(0)
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range []string{"V", "W", "b", "c", "E", "C"} {
			step, epsilon := 0.02, 1e-8
			if g != "E" && g != "C" {
				step, epsilon = 0.02*0.25, 1e-8*0.25 // m = 16
			}
			if got := spec.factors(g, 64, network); !near(0.02*got.step, step) || !near(1e-8*got.epsilon, epsilon) || got.decay != 1 {
				t.Errorf("%s: %s: got %+v, want step %g, ε %g and λ as written", name, g, got, step, epsilon)
			}
		}
		if law := spec.At(4, network); len(law.Parts) > 0 || *law.First != 0.02 || law.Epsilon != 1e-8 || law.Decay != 0.1 {
			t.Errorf("%s at the base depth: got %+v, want the values as written", name, law)
		}
	}
}

// TestParametrisationsAtBase wants every parametrisation to leave the values of the base sizes alone.
func TestParametrisationsAtBase(t *testing.T) {
	for _, name := range Parametrisations {
		for _, method := range Methods {
			alpha, _ := ParametrisedAlpha(name)
			network, err := resnet.Spec{Block: "mlp", Alpha: &alpha, Width: 8, Hidden: 8, Bias: true, Embed: "trained", Readout: "trained"}.Resolve(3, 2)
			if err != nil {
				t.Fatal(err)
			}
			spec, err := Spec{Method: method, Parametrisation: name, Step: Step{BaseDepth: 4, BaseWidth: 8}}.Resolve(0)
			if err != nil {
				t.Fatal(err)
			}
			for _, g := range network.Trained() {
				if f := spec.factors(g, 4, network); f != (factors{1, 1, 1}) {
					t.Errorf("%s, %s: %s: got %+v at the base sizes, want 1", name, method, g, f)
				}
			}
		}
	}
}

// TestWidthOfParametrisations wants a step to move what a layer passes on by the amount that the
// papers say at a width 16 times the base: all by one with mup, and with ntk along the gradient by
// 1/√16, the output alone by one.
func TestWidthOfParametrisations(t *testing.T) {
	const n = 16.0
	// aligned is how many entries of a row of each group add up.
	aligned := map[string]float64{"A": n, "V": n, "W": n, "E": 1, "b": 1, "c": 1, "C": n}
	for _, c := range []struct {
		name           string
		adjoint, moved float64 // of the entries of the adjoint of h, and of h by a step along the gradient
	}{{"mup", 1 / n, 1}, {"ntk", 1 / math.Sqrt(n), 1 / math.Sqrt(n)}} {
		for _, method := range []string{"gd", "adam"} {
			alpha := 0.5
			network, err := resnet.Spec{Block: "mlp", Alpha: &alpha, Width: 16, Hidden: 16, Bias: true, Embed: "trained", Readout: "trained"}.Resolve(3, 2)
			if err != nil {
				t.Fatal(err)
			}
			spec, err := Spec{Method: method, Parametrisation: c.name}.Resolve(0)
			if err != nil {
				t.Fatal(err)
			}
			for g, entries := range aligned {
				f := spec.factors(g, 1, network)
				gradient, want := c.adjoint, 1.0
				if g == "C" {
					gradient = 1
				}
				moved := f.step * entries
				if method == "gd" {
					moved *= gradient
					if g != "C" {
						want = c.moved
					}
				}
				if !near(moved, want) {
					t.Errorf("%s, %s: a step of %s moves what it passes on by %g, want %g", c.name, method, g, moved, want)
				}
				if !near(f.epsilon, gradient) {
					t.Errorf("%s: ε of %s is times %g, want %g, as its gradient is", c.name, g, f.epsilon, gradient)
				}
			}
		}
	}
}
