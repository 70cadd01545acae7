package analyze

import (
	"math"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/read/proof"
)

// TestKernelGroup recovers planted exponents, and reads the sign of the interval of the loss needed in its sentence.
func TestKernelGroup(t *testing.T) {
	for _, c := range []struct {
		power, noise float64
		want         string
	}{
		{-2, 0.01, "The region of the certificate shrinks with depth: "},
		{1, 0.01, "The region of the certificate grows with depth: "},
		{0, 0.5, "The region of the certificate is not seen to depend on depth: "},
	} {
		var rows []KernelRun
		for i, depth := range []int{8, 16, 32, 64} {
			for seed := range uint64(4) {
				off := math.Exp(c.noise * math.Sin(float64(7*i)+5*float64(seed)))
				low, high, newton, needed := off/float64(depth), 1., 1e-3, 1e-8*off*math.Pow(float64(depth), c.power)
				step, factor := 2., 0.5
				p := &proof.Report{StepSize: 4, Kernel: &certify.Kernel{LambdaMin: &low, LambdaMax: &high, NewtonStep: &newton, LossNeeded: &needed}}
				p.Kernel.Descent = certify.LinearDescent{Issued: true, Step: &step, LossFactor: &factor}
				run := Run{Depth: depth, Seed: seed, Rate: &Rate{Rho: 0.2, Linear: true}}
				rows = append(rows, NewKernelRun(&run, p))
			}
		}
		g := NewKernelGroup(&Group{}, rows)
		if !strings.HasPrefix(g.Sentence, c.want) {
			t.Errorf("got %q, want %s…", g.Sentence, c.want)
		}
		for key, want := range map[string]float64{"lambda_min": -1, "condition": 1, "loss_needed": c.power} {
			if s, ok := g.Exponents[key]; !ok || !(math.Abs(s.Slope-want) <= c.noise) {
				t.Errorf("%s: got %v, want %g", key, s.Slope, want)
			}
		}
		if *rows[0].CertifiedRate != 0.25 || *rows[0].ObservedRate != 0.2 {
			t.Errorf("got rates %g and %g, want 1/4 and 1/5", *rows[0].CertifiedRate, *rows[0].ObservedRate)
		}
		if why := g.Missing["distance"]; why == "" {
			t.Error("an exponent of distances that no run has")
		}
	}
}

// TestSingularKernel wants λ_min of a kernel without an inverse, which is rounding, in no exponent.
func TestSingularKernel(t *testing.T) {
	low, high := 1e-17, 1.
	row := NewKernelRun(&Run{}, &proof.Report{Kernel: &certify.Kernel{LambdaMin: &low, LambdaMax: &high}})
	if row.LambdaMin != nil || row.Condition != nil || row.CertifiedRate != nil {
		t.Errorf("got %+v, want no number", row)
	}
}
