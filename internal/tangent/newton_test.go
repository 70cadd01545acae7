package tangent

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// TestNewtonStep wants every step to be −DFᵀ(K + μ)⁻¹r for DF where it starts, also after trials that were refused, and
// to lower the loss.
func TestNewtonStep(t *testing.T) {
	refused := 0
	for seed := range uint64(12) {
		m := draw(t, seed)
		theta := append([]float64(nil), m.theta...)
		d := m.derivative(theta)
		before, start := m.Loss(), append([]float64(nil), theta...)
		r := mat.NewVecDense(len(m.Residual()), append([]float64(nil), m.Residual()...))
		n := Newton{Model: m, Damping: 1e-12}
		length, err := n.Step(t.Context(), theta)
		if err != nil {
			t.Fatal(err)
		}
		if length == 0 || !(m.Loss() < before) {
			t.Errorf("seed %d: the loss goes from %g to %g by a step of length %g", seed, before, m.Loss(), length)
			continue
		}
		if n.Damping > 1e-12 {
			refused++
		}
		axpy(start, -1, theta)
		step := mat.NewVecDense(m.Trained(), start[:m.Trained()])
		if got := mat.Norm(step, 2); !(math.Abs(got-length) <= 1e-12*length+1e-12) {
			t.Errorf("seed %d: moved by %g, want %g", seed, got, length)
		}
		// −step = DFᵀy with (K + μ)y = r for some μ ≥ 0: y from least squares, then μ along y.
		var k mat.SymDense
		k.SymOuterK(1, d)
		var y, rest, left mat.VecDense
		if err := y.SolveVec(d.T(), step); err != nil {
			if _, ill := err.(mat.Condition); !ill {
				t.Fatal(err)
			}
		}
		rest.MulVec(d.T(), &y)
		rest.SubVec(&rest, step)
		if !(mat.Norm(&rest, 2) <= 1e-6*length) {
			t.Errorf("seed %d: the step is %g off the range of DFᵀ", seed, mat.Norm(&rest, 2)/length)
		}
		left.MulVec(&k, &y)
		left.SubVec(r, &left) // μ y
		mu := mat.Dot(&left, &y) / mat.Dot(&y, &y)
		left.AddScaledVec(&left, -mu, &y)
		if !(mu >= -1e-6*mat.Trace(&k)) || !(mat.Norm(&left, 2) <= 1e-5*mat.Norm(r, 2)) {
			t.Errorf("seed %d: (K + μ)y = r fails by %g of r at μ = %g", seed, mat.Norm(&left, 2)/mat.Norm(r, 2), mu)
		}
	}
	if refused == 0 {
		t.Error("no trial was refused")
	}
}
