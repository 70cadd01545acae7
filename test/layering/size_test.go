package layering

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// longest is the number of lines up to which a file is still read as a whole.
const longest = 400

// TestSizes wants no file of Go, but what is generated, to be longer than that.
func TestSizes(t *testing.T) {
	command := exec.Command("git", "ls-files", "*.go")
	command.Dir = "../.."
	out, err := command.Output()
	if err != nil {
		t.Skipf("git ls-files: %v; the sources are no clone", err)
	}
	for name := range strings.Lines(string(out)) {
		name = strings.TrimSpace(name)
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			continue // removed, and not yet committed
		}
		if lines := bytes.Count(text, []byte("\n")); lines > longest && !bytes.Contains(text, []byte("DO NOT EDIT")) {
			t.Errorf("%s: got %d lines, want at most %d", name, lines, longest)
		}
	}
}
