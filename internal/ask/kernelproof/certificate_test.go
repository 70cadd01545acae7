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
