package analyze

import (
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// Biases have paths and exponents of their own, and |δ| one whatever the signs of δ are.
func TestBiasAndDelta(t *testing.T) {
	dir := t.TempDir()
	if err := runfolder.CreateStudy(dir, "planted", "name: planted\n", nil); err != nil {
		t.Fatal(err)
	}
	for _, depth := range []int{8, 32, 128} {
		size := float64(depth)
		a, b, delta := make([]float64, 4*depth), make([]float64, 2*depth), make([]float64, depth)
		for k := range depth {
			s := (float64(k) + 0.5) / size
			for i := range 4 {
				a[4*k+i] = math.Pow(size, -0.5) * math.Sin(s+float64(i))
			}
			for i := range 2 {
				b[2*k+i] = math.Pow(size, -0.75) * math.Cos(s-float64(i))
			}
			delta[k] = math.Pow(size, -0.4) * math.Pow(-1, float64(k))
		}
		tensors := map[string]runfolder.Tensor{}
		for name, tensor := range map[string]runfolder.Tensor{
			"A": {Shape: []int{depth, 2, 2}, Data: a}, "b": {Shape: []int{depth, 2}, Data: b}, "delta": {Shape: []int{depth}, Data: delta},
		} {
			tensor.DType = "F64"
			tensors[name] = tensor
		}
		meta := runfolder.Meta{
			ID: "r" + string(rune('a'+depth%26)), Hash: "h", Group: "g", Study: "planted", Data: "d", Depth: depth, Width: 2, Seed: 1,
			DType: "float64", Block: "inner", Activation: "relu", Residual: "layered", Bias: true, Alpha: 0.5, Config: []byte("{}"),
		}
		folder := runfolder.RunDir(dir, meta.ID)
		if err := runfolder.Create(folder, meta); err != nil {
			t.Fatal(err)
		}
		loss := 1.0
		err := runfolder.Finish(folder, meta, []runfolder.Row{{Loss: &loss}}, runfolder.Weights{Tensors: tensors}, runfolder.Summary{Stop: "iterations", Loss: 1})
		if err != nil {
			t.Fatal(err)
		}
	}
	result, err := Study(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	g := result.Groups[0]
	if s := g.Exponents["delta"]; !(math.Abs(s.Slope+0.4) <= 1e-12) {
		t.Errorf("delta: got exponent %v, want −0.4", s.Slope)
	}
	if s := g.Exponents["delta_max_frobenius"]; !(math.Abs(s.Slope+0.9) <= 0.01) || g.AlphaPlusBeta == nil || g.AlphaPlusBeta.Value != -s.Slope {
		t.Errorf("δ max‖A‖: got exponent %v and α + β %v, want −0.9 and its negative", s.Slope, g.AlphaPlusBeta)
	}
	for part, want := range map[string]float64{"A": -0.5, "b": -0.75} {
		path, ok := g.Parts[part]
		// The largest of smooth functions at midpoints is its limit to O(L^−2).
		if s := path.Exponents["max_frobenius"]; !ok || !(math.Abs(s.Slope-want) <= 0.01) {
			t.Errorf("%s: got exponent %v, want %v", part, s.Slope, want)
		}
		if r := path.Regime; r.Verdict != "" || len(r.Probability) > 0 || r.Why == "" || len(path.LimitExponents) > 0 {
			t.Errorf("%s: got a verdict %+v from one seed, want a reason why there is none", part, path.Regime)
		}
	}
	if len(g.Parts) != 2 || len(result.Runs[0].Parts) != 2 {
		t.Errorf("got parts %v, want A and b", g.Parts)
	}
}
