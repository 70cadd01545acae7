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
