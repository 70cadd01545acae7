package study

import (
	"math"
	"testing"
)

const mlpHead = "name: s\ndepths: [16]\ndata: {kind: digits, samples: 50}\n"

// TestParametrisedInitial wants the sizes of the initial weights by width, the same at every depth.
func TestParametrisedInitial(t *testing.T) {
	for _, c := range []struct {
		text           string
		v, w           float64
		embed, readout float64
	}{
		{"parametrisation: mup\nnetwork: {block: mlp, width: 16, hidden: 64}", 1.0 / 8, 1.0 / 4, 4, 0.25},
		{"parametrisation: complete-p\nnetwork: {block: mlp, width: 16, hidden: 64}\ntrain: {step: {base-width: 4}}", 1.0 / 8, 1.0 / 4, 2, 0.5},
		{"parametrisation: ntk\nnetwork: {block: mlp, width: 16, hidden: 64}\ninitial: {amplitude: 3, readout: 7}", 3.0 / 8, 3.0 / 4, 0, 7},
		{"parametrisation: mean-field\nnetwork: {block: mlp, width: 16, hidden: 64}", 1.0 / 64, 1.0 / 4, 0, 0},
		{"parametrisation: depth-mup\nnetwork: {block: mlp, width: 16, hidden: 64}\ninitial: {parts: {V: {amplitude: 2}}}\ntrain: {step: {base-width: 16}}", 2.0 / 8, 1.0 / 4, 0, 0},
	} {
		r := mustRuns(t, mlpHead+c.text+"\n")[0]
		for part, want := range map[string]float64{"V": c.v, "W": c.w} {
			if got := r.Initial.Parts[part]; !(math.Abs(*got.Amplitude-want) <= 1e-15) || *got.Exponent != 0 {
				t.Errorf("%s: %s starts at %g·L^−%g, want %g", c.text, part, *got.Amplitude, *got.Exponent, want)
			}
		}
		if r.Initial.Embed != c.embed || r.Initial.Readout != c.readout {
			t.Errorf("%s: E and C times %g and %g, want %g and %g", c.text, r.Initial.Embed, r.Initial.Readout, c.embed, c.readout)
		}
		if again, err := r.Initial.Resolve(r.Network, 16); err != nil || again.Embed != c.embed || *again.Parts["V"].Amplitude != *r.Initial.Parts["V"].Amplitude {
			t.Errorf("%s: resolved again: %+v, %v", c.text, again, err)
		}
	}
}

// TestParametrisedBiases wants the size of a bias with settings of its own not to depend on width, and others to stay zero.
func TestParametrisedBiases(t *testing.T) {
	for _, name := range []string{"ntk", "mup", "complete-p", "depth-mup", "mean-field"} {
		r := mustRuns(t, mlpHead+"parametrisation: "+name+"\nnetwork: {block: mlp, width: 16, hidden: 64, bias: true}\ninitial: {parts: {b: {amplitude: 0.5}}}\n")[0]
		if b := r.Initial.Parts["b"]; b.Amplitude == nil || *b.Amplitude != 0.5 || *b.Exponent != 0 {
			t.Errorf("%s: got b %+v, want amplitude 0.5", name, b)
		}
	}
}

// TestParametrisationRefused wants what a parametrisation excludes.
func TestParametrisationRefused(t *testing.T) {
	for text, want := range map[string]string{
		"parametrisation: muP":                                      `4:18: parametrisation: got "muP", want one of ntk, mean-field, mup, complete-p, depth-mup; did you mean "mup"?`,
		"parametrisation: mup\ntrain: {step: {rule: depth}}":        `5:22: train.step.rule: got "depth", want constant with parametrisation mup, which sets the step size of every depth itself`,
		"parametrisation: mup\ntrain: {step: {groups: apart}}":      `5:24: train.step.groups: got "apart", want it left out, or rule: depth`,
		"parametrisation: depth-mup\nnetwork: {alpha: 1}":           `5:18: network.alpha: got 1, want 0.5 with parametrisation depth-mup (complete-p takes any)`,
		"parametrisation: mean-field":                               `1:1: network.block: got "inner", want mlp with parametrisation mean-field, whose limit is that of wide blocks`,
		"parametrisation: complete-p\nnetwork: {residual: layered}": `5:21: network.residual: got "layered", want fixed with a parametrisation, none of which has a law for a trained one`,
		"train: {step: {base-width: 4}}":                            `4:28: train.step.base-width: got 4, want it left out, or a parametrisation`,
		"initial: {readout: -1}\nnetwork: {width: 9}":               `4:20: initial.readout: got -1, want a finite number > 0`,
		"initial: {embed: 2}":                                       `4:18: initial.embed: got 2, want it left out, or network.embed: orthonormal or trained (E is the identity)`,
	} {
		s, err := Parse("s.yaml", []byte(mlpHead+text+"\n"), nil)
		if err == nil {
			_, err = s.Runs()
		}
		if err == nil || err.Error() != "study: s.yaml:"+want {
			t.Errorf("%s: got\n%v\nwant\nstudy: s.yaml:%s", text, err, want)
		}
	}
	runs := mustRuns(t, mlpHead+"grid: {parametrisation: [mup, complete-p]}\ntrain: {method: adam}\n")
	if len(runs) != 2 || *runs[0].Network.Alpha != 0.5 || *runs[1].Network.Alpha != 1 || runs[0].Hash == runs[1].Hash || runs[1].Fields()["parametrisation"] != "complete-p" {
		t.Errorf("got %+v for a grid over parametrisations", runs)
	}
}
