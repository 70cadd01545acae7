package layering

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"testing"
)

// requirement matches a row of the table of docs/dependencies.md: module, reason, licence.
var requirement = regexp.MustCompile("(?m)^\\| `([^`]+\\.[^`]+/[^`]+)` \\| ([^|]+) \\| ([^|]+) \\|$")

// TestDependencies wants docs/dependencies.md to have the modules that go.mod asks for itself,
// and no others.
func TestDependencies(t *testing.T) {
	command := exec.Command("go", "mod", "edit", "-json")
	command.Dir = "../.."
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &file); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, row := range requirement.FindAllSubmatch(page, -1) {
		if path := string(row[1]); listed[path] {
			t.Errorf("docs/dependencies.md: got two rows of %s", path)
		} else {
			listed[path] = true
		}
	}
	direct := 0
	for _, r := range file.Require {
		if r.Indirect {
			continue
		}
		direct++
		if !listed[r.Path] {
			t.Errorf("docs/dependencies.md: got no row of %s, want its reason and its licence", r.Path)
		}
		delete(listed, r.Path)
	}
	if direct < 20 {
		t.Errorf("got %d modules in go.mod, want all that the program asks for", direct)
	}
	for path := range listed {
		t.Errorf("docs/dependencies.md: got a row of %s, want none, as go.mod does not ask for it", path)
	}
}
