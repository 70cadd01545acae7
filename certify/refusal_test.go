package certify_test

import (
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/field"
)

// ordinary is a small network to which every bound applies.
func ordinary() shape {
	return shape{
		block: "inner", activation: "tanh", L: 4, d: 3, N: 2, m: 3, out: 3, alpha: 0.5,
		amplitude: 0.1, scale: 1, error: 1e-4, seed: 1,
	}
}

// iterate measures n with one certified step, lets edit change what is claimed, and checks it.
func iterate(t *testing.T, n *network, edit func(p *certify.Problem, m *certify.Measurement)) *certify.Iterate {
	t.Helper()
	p, m := n.problem(), n.measureStep(1e-2)
	if edit != nil {
		edit(&p, &m)
	}
	it, err := certify.New(p, m)
	if err != nil {
		t.Fatal(err)
	}
	return it
}

// everyVerdict returns the verdict and reason of every bound and of the certificate by name.
func everyVerdict(t *testing.T, it *certify.Iterate, p certify.Problem) map[string]certify.Bound {
	t.Helper()
	named := map[string]certify.Bound{}
	for _, b := range it.Bounds() {
		named[b.Name] = b
	}
	var h certify.History
	if err := h.Add(it, certify.Stretch{Steps: 1, RootLoss: 1, Lengths: make([]float64, p.Depth)}); err != nil {
		t.Fatal(err)
	}
	bounds, err := h.Bounds(p, certify.Displaced{})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range bounds {
		named[b.Name] = b
	}
	_, err = it.Converge()
	c := certify.Bound{Name: "certificate", Verdict: certify.Holds}
	var refusal *certify.Refusal
	if errors.As(err, &refusal) && refusal.Hypothesis {
		c.Verdict, c.Reason = certify.NotApplicable, refusal.Reason
	} else if err != nil {
		t.Fatal(err)
	}
	named["certificate"] = c
	return named
}

// TestRefusals breaks one hypothesis at a time: exactly the bounds that rest on it
// are not applicable, and say why.
func TestRefusals(t *testing.T) {
	const (
		growth, gradient, pl, smooth, descent, increments = "hidden-growth", "gradient-norm", "pl-ratio", "smoothness", "descent", "gradient-increments"
		displacement, variation, path, certificate        = "displacement", "displacement-variation", "path-variation", "certificate"
	)
	everything := []string{growth, gradient, pl, smooth, descent, increments, displacement, variation, path, certificate}
	except := func(names ...string) []string {
		return slices.DeleteFunc(slices.Clone(everything), func(n string) bool { return slices.Contains(names, n) })
	}
	for _, c := range []struct {
		name    string
		shape   func(s *shape)
		edit    func(p *certify.Problem, m *certify.Measurement)
		refused []string
		reason  string
	}{
		{name: "none", refused: nil},
		{
			name: "sigmoid", shape: func(s *shape) { s.activation = "sigmoid" },
			refused: everything, reason: "σ(0) = 0.5 for sigmoid, the bound needs σ(0) = 0",
		},
		{
			name: "normalised", edit: func(p *certify.Problem, _ *certify.Measurement) { p.Normalise = "pre" },
			refused: everything, reason: "the blocks are normalised (pre), the bound is for blocks that see the states as they are",
		},
		{
			name: "relu, a jump of σ′", shape: func(s *shape) { s.activation = "relu" },
			refused: []string{pl}, reason: "σ′ of relu jumps, the bound needs it continuous",
		},
		{
			name: "relu, no M₂", shape: func(s *shape) { s.activation = "relu" },
			refused: []string{smooth, descent, increments, variation, path}, reason: "sup|σ″| is infinite for relu",
		},
		{
			name: "relu, certificate", shape: func(s *shape) { s.activation = "relu" },
			refused: []string{certificate}, reason: "σ′ of relu jumps, the bound needs it continuous; sup|σ″| is infinite for relu",
		},
		{
			name: "loss", edit: func(p *certify.Problem, _ *certify.Measurement) { p.Loss = "cross-entropy" },
			refused: except(growth), reason: "the loss is cross-entropy, the bound is for squared",
		},
		{
			name: "method", edit: func(p *certify.Problem, _ *certify.Measurement) { p.Method = "adam" },
			refused: []string{descent, displacement, variation, path, certificate}, reason: "the method is adam, the bound is for full-batch gd",
		},
		{
			name: "residual", edit: func(p *certify.Problem, _ *certify.Measurement) { p.Residual = "layered" },
			refused: except(growth, gradient, pl), reason: "the residual scale is trained (layered), the bound needs it fixed",
		},
		{
			name: "embedding", edit: func(p *certify.Problem, _ *certify.Measurement) { p.Embed = "trained" },
			refused: []string{smooth, descent, certificate}, reason: "the embedding is trained, the bound needs it fixed",
		},
		{
			name: "readout", edit: func(p *certify.Problem, _ *certify.Measurement) { p.Readout = "trained" },
			refused: except(growth), reason: "the readout is trained, the bound needs the identity or a fixed orthonormal one",
		},
		{
			name: "outputs", edit: func(p *certify.Problem, _ *certify.Measurement) { p.Outputs = 4 },
			refused: []string{pl, certificate}, reason: "4 outputs exceed the width 3, so that residuals can be invisible to the network",
		},
		{
			name: "samples", shape: func(s *shape) { s.N = 5 },
			refused: []string{pl, certificate}, reason: "N = 5 samples exceed the 3 features of a layer, so that σ_min = 0",
		},
		{
			name: "mlp", shape: func(s *shape) { s.block = "mlp" },
			refused: []string{increments, variation, path, certificate}, reason: "not worked out for block mlp, where the movement of W changes the features of V",
		},
		{
			name: "one layer", shape: func(s *shape) { s.L = 1 },
			refused: []string{increments, variation, path}, reason: "a network of one layer has no increments",
		},
		{
			name: "no loss", edit: func(_ *certify.Problem, m *certify.Measurement) { m.Loss, m.GradientNorm = 0, 0 },
			refused: []string{pl}, reason: "the loss is 0, there is nothing left to descend",
		},
		{
			name: "last iterate", edit: func(_ *certify.Problem, m *certify.Measurement) { m.StepSize, m.NextLoss = nil, nil },
			refused: []string{descent}, reason: "no step leaves this iterate",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := ordinary()
			if c.shape != nil {
				c.shape(&s)
			}
			var p certify.Problem
			it := iterate(t, draw(s), func(q *certify.Problem, m *certify.Measurement) {
				if c.edit != nil {
					c.edit(q, m)
				}
				p = *q
			})
			named := everyVerdict(t, it, p)
			for _, name := range everything {
				b := named[name]
				switch refused := b.Verdict == certify.NotApplicable; {
				case refused && b.Reason == "":
					t.Errorf("%s: not applicable without a reason", name)
				case slices.Contains(c.refused, name) && !(refused && b.Reason == c.reason):
					t.Errorf("%s: %s %q, want not applicable %q", name, b.Verdict, b.Reason, c.reason)
				case refused && !slices.Contains(c.refused, name) && s.activation != "relu":
					t.Errorf("%s: not applicable %q, want it applied", name, b.Reason)
				}
			}
		})
	}
}

// TestNotMeasured: a bound whose quantities were left out is undecided and says so.
func TestNotMeasured(t *testing.T) {
	it := iterate(t, draw(ordinary()), func(_ *certify.Problem, m *certify.Measurement) {
		m.Features, m.Slopes = nil, nil
		m.WeightIncrements, m.GradientIncrements = nil, nil
		m.StepSize, m.NextLoss = nil, nil
	})
	for _, c := range []struct {
		bound  certify.Bound
		reason string
	}{
		{it.PLRatio(), "the singular values of the features were not measured"},
		{it.GradientIncrements(), "the increments over layers were not measured"},
		{it.Smoothness(), "neither the Hessian norm nor a step was measured"},
	} {
		if c.bound.Verdict != certify.Undecided || c.bound.Reason != c.reason {
			t.Errorf("%s: %s %q, want undecided %q", c.bound.Name, c.bound.Verdict, c.bound.Reason, c.reason)
		}
	}
	if v := it.Smoothness().Value; !(v > 0) {
		t.Errorf("smoothness: value %v, want K although there is nothing to compare it with", v)
	}
	_, err := it.Converge()
	want := "certify: iteration 0: no convergence certificate: the singular values of the features were not measured"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}

// TestWithinTheMarginIsUndecided moves a measured quantity onto its bound: one
// rounding margin further decides it either way.
func TestWithinTheMarginIsUndecided(t *testing.T) {
	n := draw(ordinary())
	p, m := n.problem(), n.measureStep(1e-2)
	it, err := certify.New(p, m)
	if err != nil {
		t.Fatal(err)
	}
	bound := it.GradientUpper()
	for _, c := range []struct {
		factor float64
		want   certify.Verdict
	}{{1 - 2*bound.Margin, certify.Holds}, {1, certify.Undecided}, {1 + 2*bound.Margin, certify.Violated}} {
		m.Gradients = []float64{bound.Value * c.factor, 0, 0, 0}
		it, err := certify.New(p, m)
		if err != nil {
			t.Fatal(err)
		}
		if b := it.GradientUpper(); b.Verdict != c.want {
			t.Errorf("measured = bound · (1%+.1e): %s, want %s (margin %.1e)", c.factor-1, b.Verdict, c.want, bound.Margin)
		}
	}
	if !(bound.Margin > 0 && bound.Margin < 1e-12) {
		t.Errorf("margin %g of a float64 network of 4 layers, want below 1e-12", bound.Margin)
	}
}

// TestBadInput lists what New refuses, with the exact message.
func TestBadInput(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(p *certify.Problem, m *certify.Measurement)
		want string
	}{
		{"block", func(p *certify.Problem, _ *certify.Measurement) { p.Block = "conv" }, `certify: block: got "conv", want one of inner, outer, mlp`},
		{"embed", func(p *certify.Problem, _ *certify.Measurement) { p.Embed = "auto" }, `certify: embed: got "auto", want one of identity, orthonormal, trained`},
		{"depth", func(p *certify.Problem, _ *certify.Measurement) { p.Depth = 0 }, `certify: depth: got 0, want at least 1`},
		{"alpha", func(p *certify.Problem, _ *certify.Measurement) { p.Alpha = math.NaN() }, `certify: alpha: got NaN, want a number in [0,1]`},
		{"roundoff", func(p *certify.Problem, _ *certify.Measurement) { p.UnitRoundoff = 0 }, `certify: unit_roundoff: got 0, want 2⁻⁵³ (float64) up to 2⁻¹⁰; 2⁻²⁴ for float32`},
		{"length", func(_ *certify.Problem, m *certify.Measurement) { m.Gradients = m.Gradients[1:] }, `certify: gradients: got 3 values, want 4 for block inner, depth 4, bias false (iteration 0)`},
		{"bias", func(p *certify.Problem, _ *certify.Measurement) { p.Bias = true }, `certify: biases: got 0 values, want 4 for block inner, depth 4, bias true (iteration 0)`},
		{"NaN", func(_ *certify.Problem, m *certify.Measurement) { m.Weights[2] = math.NaN() }, `certify: weights: got NaN at index 2, want finite numbers that are at least 0 (iteration 0)`},
		{"loss", func(_ *certify.Problem, m *certify.Measurement) { m.Loss = math.Inf(1) }, `certify: loss, gradient_norm, step_size, next_loss or hessian_norm: got +Inf at index 0, want finite numbers that are at least 0 (iteration 0)`},
		{"step", func(_ *certify.Problem, m *certify.Measurement) { m.NextLoss = nil }, `certify: step_size and next_loss: got one of them, want both or none (iteration 0)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := draw(ordinary())
			p, m := n.problem(), n.measureStep(1e-2)
			c.edit(&p, &m)
			it, err := certify.New(p, m)
			if it != nil || err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
	p := draw(ordinary()).problem()
	p.Activation = "swish"
	var e *field.Error
	if _, err := certify.New(p, certify.Measurement{}); !errors.As(err, &e) || e.Path != "activation" {
		t.Errorf("error %v, want a *field.Error at activation", err)
	}
}

func TestHypotheses(t *testing.T) {
	n := draw(ordinary())
	it := iterate(t, n, func(p *certify.Problem, _ *certify.Measurement) {
		p.Method, p.Bias = "adam", false
		p.MaxInnerProduct, p.MinInputNorm, p.MaxInputNorm = 0.25, 0.5, 1
	})
	met := map[string]bool{}
	for _, h := range it.Hypotheses() {
		if h.Got == "" || h.Want == "" {
			t.Errorf("%s: got %q, want %q: a number is missing", h.Name, h.Got, h.Want)
		}
		met[h.Name] = h.Met
	}
	for name, want := range map[string]bool{
		"loss": true, "method": false, "activation-origin": true, "activation-smooth": true, "samples": true,
		"unit-norm": false, "separation": false, "initial-size": true,
	} {
		if got, ok := met[name]; !ok || got != want {
			t.Errorf("%s: met %t (listed %t), want %t", name, got, ok, want)
		}
	}
}
