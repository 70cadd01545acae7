package analyze

import (
	"math"
	"testing"

	known "github.com/deeplimit/deeplimit/internal/planted"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Displacements of layer noise alone have the largest norms of noise, which grow like √log L beside L^−½; values alone show
// no such law.
func TestDisplacementOfNoise(t *testing.T) {
	var noise known.Family
	for _, f := range known.Families() {
		if f.Name == "layer noise" {
			noise = f
		}
	}
	var runs []planted
	for _, depth := range []int{16, 32, 64, 128} {
		for seed := range uint64(3) {
			p := plant(depth, seed+1)
			p.change = func(_ *runfolder.Meta, w *runfolder.Weights, _ *runfolder.Summary) {
				scale := math.Pow(float64(depth), p.alpha-1)
				path, zero := noise.Path(seed, depth, 3), make([]float64, 3*depth)
				for i := range path.Data {
					path.Data[i] *= scale
				}
				shape := []int{depth, 1, 3}
				w.Tensors["A"] = runfolder.Tensor{DType: "F64", Shape: shape, Data: path.Data}
				w.Tensors["A_initial"] = runfolder.Tensor{DType: "F64", Shape: shape, Data: zero}
			}
			runs = append(runs, p)
		}
	}
	group := mustStudy(t, writeStudy(t, runs...), Options{}).Groups[0]
	const truth = -0.5 - 0.25
	got, same := group.LimitExponents["displacement"], group.LimitExponents["max_frobenius"]
	if !(got.Low <= truth && truth <= got.High) || got != same {
		t.Errorf("got displacement %+v, largest norm %+v, want one exponent, %v", got, same, truth)
	}
	if v := group.LimitExponents["displacement_variation"]; !(v.Low <= 0.5 && 0.5 <= v.High && v.High-v.Low < 0.3) {
		t.Errorf("got %+v of V_1 of displacements, want 0.5", v)
	}
}
