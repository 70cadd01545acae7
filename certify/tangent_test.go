package certify_test

import (
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/certify"
)

// tangent returns an iterate with K = 1 and a curvature of at most m everywhere.
func tangent(residual, m float64) *certify.Tangent {
	return &certify.Tangent{
		Samples: 1, Outputs: 1, Residual: residual, LambdaMin: 1, LambdaMax: 1, NewtonStep: residual,
		Curvature: func(float64) float64 { return m },
	}
}

// TestTangentRefuses wants nothing issued where a number is not one, or a hypothesis fails.
func TestTangentRefuses(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for name, change := range map[string]func(*certify.Tangent){
		"residual NaN":      func(t *certify.Tangent) { t.Residual, t.NewtonStep = nan, nan },
		"residual infinite": func(t *certify.Tangent) { t.Residual, t.NewtonStep = inf, inf },
		"λ_min NaN":         func(t *certify.Tangent) { t.LambdaMin = nan },
		"λ_min 0":           func(t *certify.Tangent) { t.LambdaMin = 0 },
		"λ_max NaN":         func(t *certify.Tangent) { t.LambdaMax = nan },
		"λ_max infinite":    func(t *certify.Tangent) { t.LambdaMax = inf },
		"M NaN":             func(t *certify.Tangent) { t.Curvature = func(float64) float64 { return nan } },
		"M infinite":        func(t *certify.Tangent) { t.Curvature = func(float64) float64 { return inf } },
		"h above ½":         func(t *certify.Tangent) { t.Curvature = func(float64) float64 { return 0.6 } },
	} {
		at := tangent(1, 0.1)
		change(at)
		for _, step := range []float64{0, 0.1, 1.5} {
			if k := at.Kernel(step); k.Zero.Issued || k.Descent.Issued || k.Zero.Why == "" || k.Descent.Why == "" {
				t.Errorf("%s, step %g: got %+v and %+v, want both refused", name, step, k.Zero, k.Descent)
			}
		}
	}
}

// TestTangentSteps holds steps_to to cases in which it is known.
func TestTangentSteps(t *testing.T) {
	for _, c := range []struct{ residual, m, step, want float64 }{
		{0, 0.1, 0, 0},     // a zero already
		{1, 0, 0, 1},       // a linear map and the step 1/λ: one step ends at zero
		{1, 0, 0.5, 47},    // J = ½·4^−t
		{1e-15, 0, 0.5, 0}, // J = 5e-31
	} {
		d := tangent(c.residual, c.m).Descent(c.step)
		if !d.Issued || d.StepsTo == nil || *d.StepsTo != c.want {
			t.Errorf("ρ = %g, M = %g, step %g: got %+v, want %g steps", c.residual, c.m, c.step, d, c.want)
		}
	}
}

// TestLargeStep holds Theorem 3 with a curvature that grows from the centre to its formula at the radius found, and wants it to close where a curvature that is
// everywhere what it is at the rim does not.
func TestLargeStep(t *testing.T) {
	const centre, growth, step = 0.1, 1e4, 0.45
	k := &certify.Tangent{
		Samples: 1, Outputs: 1, LambdaMin: 1, LambdaMax: 4, Centre: centre,
		Curvature: func(radius float64) float64 { return centre + growth*radius }, Growth: func(float64) float64 { return growth },
	}
	most := func(closes func() bool) float64 {
		low, high := 1e-12, 1.0
		for high > low*(1+1e-6) {
			if k.Residual = math.Sqrt(low * high); closes() {
				low = k.Residual
			} else {
				high = k.Residual
			}
		}
		return low
	}
	grown := most(func() bool { return k.Descent(step).Issued })
	k.Growth = nil
	plain := most(func() bool { return k.Descent(step).Issued })
	if !(grown >= 1.2*plain) {
		t.Errorf("closes at a residual of %g, %g with the curvature of the rim", grown, plain)
	}
	k.Growth, k.Residual = func(float64) float64 { return growth }, 0.5*(grown+plain)
	d := k.Descent(step)
	w := d.Radius
	change := w * (centre + growth*w/2)
	q := max(1-step*(1-change)*(1-change), step*(2+change)*(2+change)-1) + (centre+growth*w)*step*step*(2+change)*(2+change)*k.Residual/2
	if !(math.Abs(*d.LossFactor-q*q) <= 1e-12) || !(step*(2+change)*k.Residual/(1-q) <= w) {
		t.Errorf("factor %.15g in the ball of radius %g, want %.15g", *d.LossFactor, w, q*q)
	}
}
