package certify_test

import (
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/certify"
	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// TestCertifiedStepSize checks the two sides of the inequality that defines it,
// and that the loss falls by η‖∇J‖²/2 at least.
func TestCertifiedStepSize(t *testing.T) {
	for _, block := range []string{"inner", "outer", "mlp"} {
		t.Run(block, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				s := drawShape(t, block, rapid.SampledFrom([]string{"tanh", "gelu", "identity"}).Draw(t, "activation"))
				n := draw(s)
				state := n.evaluate()
				it, err := certify.New(n.problem(), n.measure(state))
				if err != nil {
					t.Fatal(err)
				}
				η, err := it.CertifiedStepSize()
				if err != nil {
					if k := it.SmoothnessAt(0); !math.IsInf(k, 1) {
						t.Fatalf("%v, but K(0) = %v", err, k)
					}
					return
				}
				if k := it.SmoothnessAt(η); !(η*k <= 1) {
					t.Fatalf("η = %v, ηK = %v", η, η*k)
				}
				if k := it.SmoothnessAt(1.0101 * η); !(1.0101*η*k >= 1) {
					t.Fatalf("η = %v, but 1.0101η is certified as well: ηK = %v", η, 1.0101*η*k)
				}
				_, _, residual, gradient := it.Noise()
				n.step(state, η)
				limit := state.loss - η/2*state.gradient*state.gradient
				// Two losses off by their noise, the gradient by its own.
				noise := 4*residual*(math.Sqrt(2*state.loss)+residual) + η*state.gradient*norm(gradient) + 1e-13*state.loss
				if next := n.evaluate().loss; !(next <= limit+noise) {
					t.Fatalf("J = %v after the step, want at most %v", next, limit)
				}
			})
		})
	}
}

func TestNoCertifiedStepSize(t *testing.T) {
	it := iterate(t, draw(ordinary()), func(p *certify.Problem, _ *certify.Measurement) { p.Method = "momentum" })
	_, err := it.CertifiedStepSize()
	want := "certify: iteration 0: no certified step size: the method is momentum, the bound is for full-batch gd"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
	it = iterate(t, draw(ordinary()), func(_ *certify.Problem, m *certify.Measurement) { m.Weights[0] = 1e3 })
	if η, err := it.CertifiedStepSize(); err == nil {
		t.Errorf("η = %v although e^S overflows, want an error", η)
	}
}

// TestHessianNormIsBelowSmoothness compares K with the largest eigenvalue of a
// dense Hessian by central differences of the gradient (error about 1e-8 relative).
func TestHessianNormIsBelowSmoothness(t *testing.T) {
	least := math.Inf(1)
	for seed := range uint64(60) {
		s := shape{
			block: []string{"inner", "outer", "mlp"}[seed%3], activation: []string{"tanh", "gelu", "softplus", "identity"}[seed%4],
			L: 1 + int(seed%3), d: 1 + int(seed%2), N: 1, m: 2, out: 1, alpha: 0.5,
			amplitude: 0.1, scale: 1, error: math.Pow(10, 1-float64(seed%4)), bias: seed%5 == 0, seed: seed,
		}
		n := draw(s)
		state := n.evaluate()
		m := n.measure(state)
		curvature := hessianNorm(n)
		m.HessianNorm = &curvature
		it, err := certify.New(n.problem(), m)
		if err != nil {
			t.Fatal(err)
		}
		b := it.Smoothness()
		if b.Verdict != certify.Holds || !(math.Abs(b.Measured-curvature) <= 1e-12*b.Value) {
			t.Errorf("%+v: %+v", s, b)
		}
		least = min(least, b.Slack)
	}
	if !(least < 1.3) {
		t.Errorf("smallest slack of K %v, want one below 1.3", least)
	}
}

// hessianNorm returns max|λ(∇²J)| from 2P gradients, P the number of parameters.
func hessianNorm(n *network) float64 {
	const h = 1e-5
	var slots []*float64
	for k := range n.v {
		groups := [][]float64{n.v[k].RawMatrix().Data}
		if n.w != nil {
			groups = append(groups, n.w[k].RawMatrix().Data)
		}
		if n.b != nil {
			groups = append(groups, n.b[k])
		}
		if n.c != nil {
			groups = append(groups, n.c[k])
		}
		for _, g := range groups {
			for j := range g {
				slots = append(slots, &g[j])
			}
		}
	}
	gradient := func() []float64 {
		s := n.evaluate()
		var g []float64
		for k := range n.v {
			g = append(g, s.layer(k)...)
		}
		return g
	}
	hessian := mat.NewSymDense(len(slots), nil)
	for i, slot := range slots {
		at := *slot
		*slot = at + h
		above := gradient()
		*slot = at - h
		below := gradient()
		*slot = at
		for j := i; j < len(slots); j++ {
			hessian.SetSym(i, j, (above[j]-below[j])/(2*h))
		}
	}
	var e mat.EigenSym
	e.Factorize(hessian, false)
	var largest float64
	for _, λ := range e.Values(nil) {
		largest = max(largest, math.Abs(λ))
	}
	return largest
}
