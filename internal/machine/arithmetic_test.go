package machine

import (
	"runtime"
	"strings"
	"testing"
)

// TestArithmetic wants the architecture and, on amd64, one of its four levels, where the flags of
// internal/machine/overlay are not given; with them (make bits), that every architecture computes the same.
func TestArithmetic(t *testing.T) {
	if noAssembly {
		if got := Arithmetic(); got != Portable {
			t.Errorf("got %q, check %#x, want %q, check %#x", got, check(), Portable, uint64(portableCheck))
		}
		return
	}
	architecture, level, _ := strings.Cut(Arithmetic(), " ")
	if architecture != runtime.GOARCH {
		t.Errorf("got %q, want it to begin with %s", Arithmetic(), runtime.GOARCH)
	}
	if amd64 := runtime.GOARCH == "amd64"; amd64 != (len(level) == 2 && level[0] == 'v' && strings.Contains("1234", level[1:])) {
		t.Errorf("got level %q on %s, want v1 to v4 on amd64 alone", level, runtime.GOARCH)
	}
}
