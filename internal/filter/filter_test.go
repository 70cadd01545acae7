package filter

import (
	"math"
	"strings"
	"testing"
)

var run = Fields{
	"depth": 256, "seed": uint64(3), "dtype": "float64",
	"data":    Fields{"name": "digits", "kind": "digits", "noise": math.NaN()},
	"network": Fields{"alpha": 0.5, "bias": false},
}

func TestMatch(t *testing.T) {
	for condition, want := range map[string]bool{
		"depth >= 256": true, "depth>256": false, "depth in [64, 256]": true, "depth in 1..300": true,
		"seed == 3": true, "seed < 3": false, "network.alpha < 1 and not network.bias": true,
		"network.alpha == 1 or depth < 10": false, `data == "digits"`: true, `data != "digits"`: false,
		`data in ["mnist", "digits"]`: true, `data startsWith "dig"`: true, `data.kind matches "^d"`: true,
		"data.noise > 0": false, "data.noise <= 0": false, `dtype == "float32"`: false, "network.alpha == 0.5": true,
	} {
		f, err := New([]string{condition}, run)
		if err != nil {
			t.Errorf("%s: %v", condition, err)
			continue
		}
		if got, err := f.Match(run); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", condition, got, err, want)
		}
	}
	for _, conditions := range [][]string{nil, {"depth > 1", "seed > 1"}} {
		if f, err := New(conditions, run); err != nil {
			t.Error(err)
		} else if got, err := f.Match(run); err != nil || !got {
			t.Errorf("%q: got %v, %v, want true", conditions, got, err)
		}
	}
	if f, err := New([]string{"depth > 1", "seed > 3"}, run); err != nil {
		t.Error(err)
	} else if got, err := f.Match(run); err != nil || got {
		t.Errorf("got %v, %v, want false, as one of two does not hold", got, err)
	}
}

func TestNewRefuses(t *testing.T) {
	for condition, want := range map[string]string{
		"dept > 3":          `"dept > 3": dept: got an unknown name, want one of data.kind, data.name, data.noise, depth, dtype, network.alpha, network.bias, seed`,
		"network.alfa > 3":  `"network.alfa > 3": network.alfa: got an unknown name, want one of `,
		"depth.x > 3":       `"depth.x > 3": depth.x: got an unknown name, want one of `,
		"depth":             `got "depth", want a condition such as depth >= 256: `,
		`depth > "x"`:       `got "depth > \"x\"", want a condition such as depth >= 256: `,
		"depth >":           `got "depth >", which cannot be read: `,
		"":                  `got "", which cannot be read: `,
		"depth > nosuch(3)": `"depth > nosuch(3)": nosuch: got an unknown name, want one of `,
	} {
		if _, err := New([]string{condition}, run); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: got %v, want %s…", condition, err, want)
		}
	}
}
