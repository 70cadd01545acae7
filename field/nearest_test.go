package field

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	known := []string{"rate", "depth", "width", "regime", "gate"}
	for word, want := range map[string][]string{
		"rate": {"rate", "gate"}, "rte": {"rate", "gate"}, "detph": {"depth"}, "wdith": {"width"}, "dpt": {"depth"}, "xyz": {}, "": {},
	} {
		if got := Nearest(word, known); !slices.Equal(got, want) {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

// TestMean asks about words a typing error away, and not about those of too few letters.
func TestMean(t *testing.T) {
	known := []string{"tanh", "relu", "lp", "mup"}
	for word, want := range map[string]string{
		"tahn": `; did you mean "tanh"?`, "rleu": `; did you mean "relu"?`, "muP": `; did you mean "mup"?`, "l2": "", "x": "", "": "", "sigmoid": "",
	} {
		if got := Mean(word, known); got != want {
			t.Errorf("Mean(%q) = %q, want %q", word, got, want)
		}
	}
}
