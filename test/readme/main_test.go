package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestScript wants every command of a page, in order, and nothing else.
func TestScript(t *testing.T) {
	const page = "# T\n\n    h = 1\n\n```sh\nmake run # x\n```\n\ntext\n\n```yaml s.yaml\nname: s\n```\n```bibtex\n@a\n```\n```python\nprint(1)\n```\n"
	got, err := script(page)
	if want := "make run # x\n\ncat > s.yaml <<'EOF'\nname: s\nEOF\n\npython3 - <<'EOF'\nprint(1)\nEOF\n\n"; err != nil || got != want {
		t.Errorf("got %q, %v\nwant %q", got, err, want)
	}
	if _, err := script("```yaml\nname: s\n```\n"); err == nil {
		t.Error("a yaml block without a name is taken, want an error")
	}
}

// TestReadme wants the script of README.md to be one that bash can read, with the two
// commands that a new reader runs first.
func TestReadme(t *testing.T) {
	page, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	got, err := script(string(page))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got, "make run ") || !strings.Contains(got, "\nmake test ") {
		t.Errorf("got a script that begins %.60q, want make run and make test", got)
	}
	command := exec.Command("bash", "-n")
	command.Stdin = strings.NewReader(got)
	if out, err := command.CombinedOutput(); err != nil {
		t.Errorf("bash -n: %v\n%s", err, out)
	}
}
