package sweep

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/deeplimit/deeplimit/internal/plan/plantest"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestEndOfFloat32 holds the end losses of a run in float32 to the definition, computed in
// float64 from the stored weights: on training samples and on the test set.
func TestEndOfFloat32(t *testing.T) {
	p := plantest.New(t, "s.yaml", `name: s
depths: [8]
dtype: float32
data: {kind: rotation, width: 3, samples: 4, test: 5, angle: 0.3}
train: {step: {value: 2}, stop: {iterations: 20000}, certify: {cadence: off}}
`)
	out := filepath.Join(t.TempDir(), "out")
	if _, err := Run(t.Context(), p, Options{Out: out, Workers: 2}); err != nil {
		t.Fatal(err)
	}
	run, err := runfolder.Open(runfolder.RunDir(out, p.Runs[0].ID))
	if err != nil {
		t.Fatal(err)
	}
	weights, err := run.Weights()
	if err != nil {
		t.Fatal(err)
	}
	set := p.Set(&p.Runs[0])
	training, test := loss(weights, set.X, set.Y, 3), loss(weights, set.Test.X, set.Test.Y, 3)
	if !(math.Abs(run.Summary.Loss-training) <= 1e-10*training) {
		t.Errorf("the loss is %g, want %g", run.Summary.Loss, training)
	}
	if run.Summary.TestLoss == nil || !(math.Abs(*run.Summary.TestLoss-test) <= 1e-10*test) {
		t.Errorf("the test loss is %v, want %g", run.Summary.TestLoss, test)
	}
	rows, err := run.Trace()
	if err != nil {
		t.Fatal(err)
	}
	if seen := *rows[len(rows)-1].Loss; !(math.Abs(seen-training) > 1e-4*training) {
		t.Errorf("the descent saw %g, which is as good as %g: this run shows nothing", seen, training)
	}
}

// loss returns (1/2N) Σ‖h_L(x) − y‖² of h_k = h_(k−1) + δ tanh(A_k h_(k−1)).
func loss(w runfolder.Weights, x, y []float64, width int) float64 {
	a, delta := w.Tensors["A"].Data, w.Tensors["delta"].Data
	sum := 0.0
	for i := 0; i < len(x); i += width {
		h := append([]float64(nil), x[i:i+width]...)
		for k := range delta {
			next := append([]float64(nil), h...)
			for r := range width {
				z := 0.0
				for c := range width {
					z += a[(k*width+r)*width+c] * h[c]
				}
				next[r] += delta[k] * math.Tanh(z)
			}
			h = next
		}
		for j, v := range h {
			sum += (v - y[i+j]) * (v - y[i+j])
		}
	}
	return sum / (2 * float64(len(x)/width))
}
