package resnet

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/internal/random"
)

// TestGram holds the neural tangent matrix to D Dᵀ/N, the rows of D from gradients of
// losses whose only residual is one output of one sample: for all blocks, biases,
// trained scales, embeddings and readouts, and whatever part of the states is kept.
// Errors are those of sums of the 23 layers, some hundred units of the entries.
func TestGram(t *testing.T) {
	for _, name := range []string{"inner", "outer", "mlp"} {
		for _, spec := range []Spec{{}, {Bias: true}, {Bias: true, Residual: "layered", Embed: "trained", Readout: "trained"}, {Residual: "shared"}, {Bias: true, Normalise: "pre", NormKind: "layer"}} {
			spec.Block = name
			net, _, theta := large(t, spec)
			const n = 5
			samples := randomSamples(random.New(6, "gram"), net, n)
			out := make([]float64, n*net.Outputs)
			e := newTestEvaluator(t, net, samples, Options{Workers: 1})
			if err := e.Outputs(theta, out); err != nil {
				t.Fatal(err)
			}
			d := mat.NewDense(len(out), net.Layout.Trained, nil)
			for r := range out {
				alone := Samples{X: samples.X, Y: slices.Clone(out)}
				alone.Y[r]--
				one := newTestEvaluator(t, net, alone, Options{Workers: 1})
				one.Gradient(theta, d.RawRowView(r)) // (1/N) ∂ŷ_r/∂θ
			}
			var want mat.Dense
			want.Mul(d, d.T())
			want.Scale(n, &want)
			largest := mat.Max(&want)
			for _, options := range []Options{{Workers: 1}, {Workers: 1, Memory: 1}} {
				got, err := newTestEvaluator(t, net, samples, options).Gram(theta)
				if err != nil {
					t.Fatal(err)
				}
				for i := range out {
					for j := range out {
						if !(math.Abs(got.At(i, j)-want.At(i, j)) <= 1e-12*largest) {
							t.Fatalf("%+v, entry (%d,%d): got %v, want %v", spec, i, j, got.At(i, j), want.At(i, j))
						}
					}
				}
			}
			single := newTestEvaluator(t, net, samples, Options{Workers: 1})
			loss, grad := gradientOf(t, net, samples, theta, Options{Workers: 1})
			k, err := single.Gram(theta)
			if err != nil {
				t.Fatal(err)
			}
			var eigen mat.EigenSym
			if !eigen.Factorize(k, false) {
				t.Fatal("no eigenvalues")
			}
			square := 0.0
			for _, v := range grad {
				square += v * v
			}
			least := eigen.Values(nil)[0]
			if !(square >= 2*least*loss*(1-1e-9)) {
				t.Errorf("%+v: ‖∇J‖² = %g < 2 λ_min J = %g", spec, square, 2*least*loss)
			}
		}
	}
}

// TestGramRefuses wants more than 2000 outputs refused.
func TestGramRefuses(t *testing.T) {
	net, samples, theta := large(t, Spec{})
	for len(samples.X)/net.Inputs*net.Outputs <= MostOutputs {
		samples.X, samples.Y = append(samples.X, samples.X...), append(samples.Y, samples.Y...)
	}
	want := fmt.Sprintf("resnet: Gram: got %d samples × %d outputs, want at most 2000 together", len(samples.X)/net.Inputs, net.Outputs)
	if _, err := newTestEvaluator(t, net, samples, Options{Workers: 1}).Gram(theta); err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
}

func newTestEvaluator(t *testing.T, net *Network, samples Samples, options Options) *Evaluator[float64] {
	t.Helper()
	e, err := NewEvaluator[float64](net, samples, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}
