package tangent

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/resnet"
)

// TestSingular wants a kernel without an inverse refused by name.
func TestSingular(t *testing.T) {
	few := random(t, resnet.Spec{Width: 2, Readout: "orthonormal"}, 1, 3, 2, 2, 1)
	twice := random(t, resnet.Spec{Width: 3, Bias: true, Embed: "orthonormal", Readout: "orthonormal"}, 4, 3, 2, 1, 2)
	copy(twice.x[4:], twice.x[:2])
	twice.Move(twice.theta)
	for want, m := range map[string]*Model{
		"lambda_min of the tangent kernel is not positive: 3 samples × 2 outputs exceed the 4 trained parameters": few,
		"lambda_min of the tangent kernel is not positive: samples 0 and 2 have the same input":                   twice,
	} {
		k, err := m.Prove(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if k.Zero.Issued || k.Descent.Issued || k.Zero.Why != want || k.Descent.Why != want || k.LossNeeded != nil {
			t.Errorf("got %+v, want refused as %s", k, want)
		}
	}
}

// TestLargeStep follows steps between N/β² and 2N/β², which Theorem 3 allows at a smaller residual.
func TestLargeStep(t *testing.T) {
	issued := 0
	for seed := range uint64(12) {
		m := draw(t, seed)
		theta := slices.Clone(m.theta)
		first, err := m.Prove(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if first.LossNeeded == nil {
			continue
		}
		size := 1e-3 * math.Sqrt(2*float64(m.samples)**first.LossNeeded) * *first.LambdaMin / *first.LambdaMax / norm(m.Residual())
		for i, r := range m.Residual() {
			m.y[i] += r - size*r
		}
		m.Move(theta)
		step := 1.7 * float64(m.samples) / *first.LambdaMax
		k, err := m.Prove(t.Context(), Options{Step: step})
		if err != nil {
			t.Fatal(err)
		}
		if !k.Descent.Issued {
			if !strings.Contains(k.Descent.Why, "Theorem 3 does not close") {
				t.Errorf("seed %d: refused as %s", seed, k.Descent.Why)
			}
			continue
		}
		if k.Proven == nil {
			t.Fatalf("seed %d: rounding is not bounded: %s", seed, k.RoundingWhy)
		}
		issued++
		start, w, factor := slices.Clone(theta), newWalker(t, m, theta, k.Proven), math.Sqrt(*k.Proven.Descent.LossFactor)
		for range 20 {
			w.step(t, seed, factor)
		}
		axpy(start, -1, w.at)
		// Errors e of the steps add up to added/β at most. Each adds βe to a residual, and so νβ²e/(1 − q), νβ² < 2, to the way from there on.
		if most := *k.Proven.Descent.Length + w.added/w.beta*(1+2/(1-factor)); !(norm(start)*(1-1e-12) <= most) {
			t.Errorf("seed %d: moved by %g, certified %g", seed, norm(start), most)
		}
	}
	if issued < 3 {
		t.Errorf("got %d certificates, want 3 at least", issued)
	}
}

// TestWorkers wants the same numbers from any number of workers.
func TestWorkers(t *testing.T) {
	for _, c := range readGolden(t)[:3] {
		one, err := c.model(t, 1).Prove(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		four, err := c.model(t, 4).Prove(t.Context(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		if *one.LambdaMin != *four.LambdaMin || *one.CurvatureAtCentre != *four.CurvatureAtCentre || *one.Zero.Distance != *four.Zero.Distance {
			t.Errorf("%s: results depend on the number of workers", c.Name)
		}
	}
}

// TestOverflow wants nothing issued where the kernel overflows though the outputs are small.
func TestOverflow(t *testing.T) {
	for _, size := range []float64{1e150, 1e160, 1e300} {
		m := random(t, resnet.Spec{Width: 2, Embed: "trained", Readout: "orthonormal"}, 2, 2, 3, 1, 1)
		for i := range m.x {
			m.x[i] *= size
		}
		for i := range m.embed {
			m.embed[i] /= size
		}
		m.Move(m.theta)
		k, err := m.Prove(t.Context(), Options{})
		if err != nil {
			t.Fatalf("inputs of size %g: %v", size, err)
		}
		if k.Zero.Issued || k.Descent.Issued {
			t.Errorf("inputs of size %g: got %+v and %+v, want both refused", size, k.Zero, k.Descent)
		}
	}
}
