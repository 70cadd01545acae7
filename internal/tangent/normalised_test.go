package tangent

import (
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/resnet"
)

// TestNormalised holds the kernel and DFᵀr of blocks behind a norm to the Gram matrix and the gradient of package resnet, wants
// Newton steps to lower the loss, and every certificate refused by name.
func TestNormalised(t *testing.T) {
	for _, spec := range []resnet.Spec{
		{Block: "inner", NormKind: "layer", Bias: true, Embed: "trained"},
		{Block: "outer", NormKind: "rms", Residual: "layered", Activation: "gelu"},
		{Block: "mlp", NormKind: "layer", Residual: "shared", Bias: true, Readout: "trained"},
		{Block: "mlp", NormKind: "rms", Embed: "trained"},
	} {
		spec.Normalise, spec.Width = "pre", 4
		const inputs, outputs, samples = 3, 2, 5
		m := random(t, spec, 6, samples, inputs, outputs, 3)
		e, err := resnet.NewEvaluator[float64](m.net, resnet.Samples{X: m.x, Y: m.y}, resnet.Options{Workers: 1})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		want, got := make([]float64, m.Trained()), make([]float64, m.Trained())
		if loss := e.Gradient(m.theta, want).Loss; !(math.Abs(m.Loss()/loss-1) <= 1e-12) {
			t.Errorf("%s, %s: loss: got %g, want %g", spec.Block, spec.NormKind, m.Loss(), loss)
		}
		m.Pull(got, m.Residual())
		for i := range got {
			got[i] = got[i]/samples - want[i]
		}
		if !(norm(got) <= 1e-12*norm(want)) {
			t.Errorf("%s, %s: DFᵀr is %g of it off", spec.Block, spec.NormKind, norm(got)/norm(want))
		}
		gram, err := e.Gram(m.theta)
		if err != nil {
			t.Fatal(err)
		}
		k := m.Kernel()
		for i := range samples * outputs {
			for j := range samples * outputs {
				if want := samples * gram.At(i, j); !(math.Abs(k.At(i, j)-want) <= 1e-11*k.Trace()) {
					t.Fatalf("%s, %s: kernel at (%d,%d): got %g, want %g", spec.Block, spec.NormKind, i, j, k.At(i, j), want)
				}
			}
		}
		proved, err := m.Prove(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		const why = "the blocks are normalised (pre), the statements are about blocks that see the states as they are"
		if proved.Zero.Issued || proved.Descent.Issued || proved.Zero.Why != why || proved.Descent.Why != why {
			t.Errorf("got %+v, want refused as %s", proved, why)
		}
		before, n := m.Loss(), Newton{Model: m}
		for range 25 {
			if _, err := n.Step(t.Context(), m.theta); err != nil {
				t.Fatal(err)
			}
		}
		if !(m.Loss() <= 1e-6*before) {
			t.Errorf("%s, %s: 25 Newton steps took the loss from %g to %g, want a millionth", spec.Block, spec.NormKind, before, m.Loss())
		}
	}
}
