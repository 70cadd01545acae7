package network

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestSpectrum holds singular values to those that the maps are made of, whole and by search, on either side.
func TestSpectrum(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	frame := func(n, m int) *mat.Dense {
		a := mat.NewDense(n, m, nil)
		for i := range n {
			for j := range m {
				a.Set(i, j, r.NormFloat64())
			}
		}
		var qr mat.QR
		qr.Factorize(a)
		var q mat.Dense
		qr.QTo(&q)
		return mat.DenseCopyOf(q.Slice(0, n, 0, m))
	}
	for _, shape := range [][2]int{{5, 3}, {3, 5}, {20, 12}, {300, 260}, {260, 300}} {
		side := min(shape[0], shape[1])
		values, squares := make([]float64, side), 0.0
		for i := range values {
			values[i] = 3 / float64(1+i)
			squares += values[i] * values[i]
		}
		var a mat.Dense
		a.Product(frame(shape[0], side), mat.NewDiagDense(side, values), frame(shape[1], side).T())
		for _, orientation := range []string{"Ax", "xA"} {
			f := Family{Pattern: "w.{k}", Tensors: []string{"w.0"}, Layers: 1, Rows: shape[0], Columns: shape[1], Shape: shape[:], Orientation: orientation}
			stored := mat.Matrix(&a)
			if orientation == "xA" {
				stored, f.Shape = a.T(), []int{shape[1], shape[0]}
			}
			load := func(*Family, int) ([]float64, error) { return mat.DenseCopyOf(stored).RawMatrix().Data, nil }
			s, err := f.spectrum(context.Background(), load, func(int) {})
			if err != nil {
				t.Fatal(err)
			}
			kept := min(side, keptValues)
			if side > mostWhole {
				kept = 1
			}
			if len(s.SingularValues[0]) != kept {
				t.Fatalf("%v: got %d singular values, want %d", shape, len(s.SingularValues[0]), kept)
			}
			// A Rayleigh quotient is off by the square of its residual, 1e-4, over the gap.
			for i, v := range s.SingularValues[0] {
				if !(math.Abs(v-values[i]) <= 1e-7) {
					t.Errorf("%v: singular value %d: got %v, want %v", shape, i, v, values[i])
				}
			}
			if want := squares / 9; !(math.Abs(float64(s.StableRanks[0])-want) <= 1e-6*want) {
				t.Errorf("%v: stable rank: got %v, want %v", shape, s.StableRanks[0], want)
			}
		}
	}
	zero := Family{Layers: 1, Rows: 2, Columns: 2, Shape: []int{2, 2}, Orientation: "Ax"}
	s, err := zero.spectrum(context.Background(), func(*Family, int) ([]float64, error) { return make([]float64, 4), nil }, func(int) {})
	if err != nil || !math.IsNaN(float64(s.StableRanks[0])) {
		t.Errorf("a layer of zeros: got %+v, %v, want no stable rank", s, err)
	}
}
