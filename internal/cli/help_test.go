package cli

import (
	"runtime"
	"strings"
	"testing"
)

// TestHelpAnywhere wants the same help on machines of any number of cores: manual pages are
// made of it.
func TestHelpAnywhere(t *testing.T) {
	help := func(cores int) string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		var text strings.Builder
		for _, command := range Command().Commands() {
			text.WriteString(command.UsageString())
		}
		return text.String()
	}
	few, many := help(3), help(29)
	if few != many {
		t.Error("got help that names the number of cores, want the same on every machine")
	}
	if n := strings.Count(few, "(default all cores)"); n < 5 {
		t.Errorf("got %d flags whose default is all cores, want those of run, tune and the others", n)
	}
}
