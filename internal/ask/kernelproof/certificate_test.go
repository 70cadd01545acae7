package kernelproof

import (
	"maps"
	"strings"
	"testing"
)

// TestAgainst changes one thing of a document at a time.
func TestAgainst(t *testing.T) {
	fresh := Document{
		Run: "r", Network: map[string]any{"depth": 4}, Bound: "full", Weights: "w", Inputs: "x", Targets: "y",
		Claims: map[string]string{"lambda_min": "0x1p+00", "zero.distance": "0x1p-10"},
	}
	for want, change := range map[string]func(d *Document){
		"": func(d *Document) { d.Claims["zero.distance"] = "0x1.0000000000001p-10" }, // another machine's rounding
		"weights: got sha256 w in the run, the certificate is of v": func(d *Document) { d.Weights = "v" },
		"samples: got others": func(d *Document) { d.Targets = "z" },
		"network: got {\"depth\":4} in the run, the certificate has":   func(d *Document) { d.Network = map[string]any{"depth": 5} },
		"got a certificate of run q with bound full, want r":           func(d *Document) { d.Run = "q" },
		"got a certificate of run r with bound cheap, want r and full": func(d *Document) { d.Bound = "cheap" },
		"claims: got 1, the run gives 2":                               func(d *Document) { delete(d.Claims, "lambda_min") },
		"claims: got 0, the run gives 2":                               func(d *Document) { d.Claims = nil },
		"claims: zero.distance: got 0.0009765, the run gives 0x1p-10":  func(d *Document) { d.Claims["zero.distance"] = "0.0009765" },
		"claims: zero.distance: got NaN, the run gives 0x1p-10":        func(d *Document) { d.Claims["zero.distance"] = "NaN" },
		"claims: zero.distance: got \"near\", want a number":           func(d *Document) { d.Claims["zero.distance"] = "near" },
		"claims: zero.loss: got 0, the run gives ": func(d *Document) {
			delete(d.Claims, "lambda_min")
			d.Claims["zero.loss"] = "0"
		},
	} {
		d := fresh
		d.Claims = maps.Clone(fresh.Claims)
		change(&d)
		switch err := d.Against(&fresh); {
		case want == "" && err != nil:
			t.Errorf("got %v, want it to hold", err)
		case want != "" && (err == nil || !strings.HasPrefix(err.Error(), want)):
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestBending wants what is claimed of ψ to hold for it, enlarged as it is, and nothing where it has no root or none in the ball.
func TestBending(t *testing.T) {
	for _, m := range []bending{{30, 0}, {30, 4e4}, {1e-3, 4e4}} {
		for _, first := range []float64{1e-9, 1e-4, 1e-3, 2.5e-3} {
			length, end, ok := m.closes(first, 0.25, 1)
			if !ok {
				t.Fatalf("%+v, first step %g: no root", m, first)
			}
			sigma := 0.5
			psi := sigma*(first-length) + m.curvature*length*length/2 + m.growth*length*length*length/6
			if !(psi <= 0) || !(psi >= -1e-5*sigma*first) {
				t.Errorf("%+v, first step %g: ψ is %g at %g", m, first, psi, length)
			}
			if slope := 1 - m.curvature*length/sigma - m.growth*length*length/(2*sigma); !(end < slope) || !(end > slope-1e-5) {
				t.Errorf("%+v, first step %g: −ψ′/σ₀ is %g, claimed %g", m, first, slope, end)
			}
			if _, _, ok := m.closes(first, 0.25, 0.99*length); ok {
				t.Errorf("%+v, first step %g: closes in a ball that is too small", m, first)
			}
		}
		if _, _, ok := m.closes(0.1, 0.25, 1); ok {
			t.Errorf("%+v closes without a root", m)
		}
	}
}
