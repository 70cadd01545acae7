package layering

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/deeplimit/deeplimit/"

// A floor is a set of packages, or of folders of packages, and the floors that they may
// import beside their own.
type floor struct {
	name  string
	holds []string
	on    []string
}

// floors are those of docs/architecture.md, from the ground up.
var floors = []floor{
	{"ground", []string{
		"field", "internal/kernel", "internal/random", "internal/disk", "internal/process", "internal/half",
		"internal/npy", "internal/plain", "internal/table", "internal/filter", "internal/glossary", "internal/machine",
		"internal/rescale", "internal/formula", "internal/enclosure", "internal/grouped", "internal/tensorheader", "internal/parquetheader", "internal/yamltext", "internal/alloc", "docs",
	}, nil},
	{"mathematics", []string{"activation", "pvar", "scaling", "layerorder", "certify", "curvature", "internal/assignment", "internal/planted"}, []string{"ground"}},
	{"files", []string{"runfolder", "tensorfile"}, []string{"ground", "mathematics"}},
	{"network", []string{"dataset", "resnet", "internal/coordinates", "internal/prolong", "internal/tangent", "internal/train"}, []string{"ground", "mathematics", "files"}},
	{"plan", []string{"internal/plan"}, []string{"ground", "mathematics", "files", "network"}},
	{"execute", []string{"internal/execute"}, []string{"ground", "mathematics", "files", "network", "plan"}},
	{"read", []string{"internal/read"}, []string{"ground", "mathematics", "files"}},
	{"ask", []string{"internal/ask"}, []string{"ground", "mathematics", "files", "network", "plan", "read"}},
	{"show", []string{"internal/show"}, []string{"ground", "mathematics", "files", "read"}},
	{"command", []string{"internal/cli", "cmd"}, []string{"ground", "mathematics", "files", "network", "plan", "execute", "read", "ask", "show"}},
	{"outside", []string{"experiments", "test"}, []string{"ground", "mathematics", "files", "network", "plan", "execute", "read", "ask", "show", "command"}},
}

// floorOf returns the floor of a package, nil if it stands on none.
func floorOf(path string) *floor {
	for i := range floors {
		if slices.ContainsFunc(floors[i].holds, func(room string) bool { return path == room || strings.HasPrefix(path, room+"/") }) {
			return &floors[i]
		}
	}
	return nil
}

// TestFloors wants every package to stand on a floor and to import only what its floor may.
func TestFloors(t *testing.T) {
	command := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "./...")
	command.Dir = "../.."
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	seen := map[string]bool{}
	for line := range strings.Lines(string(out)) {
		paths := strings.Fields(line)
		name, own := strings.CutPrefix(paths[0], module)
		if !own {
			t.Fatalf("got the package %s, want one of %s", paths[0], module)
		}
		from := floorOf(name)
		if from == nil {
			t.Errorf("%s stands on no floor; add it to one, here and in docs/architecture.md", name)
			continue
		}
		for _, room := range from.holds {
			seen[room] = seen[room] || name == room || strings.HasPrefix(name, room+"/")
		}
		for _, path := range paths[1:] {
			imported, own := strings.CutPrefix(path, module)
			if !own {
				continue
			}
			if to := floorOf(imported); to != nil && to != from && !slices.Contains(from.on, to.name) {
				t.Errorf("%s (%s) imports %s (%s), want only %s", name, from.name, imported, to.name, strings.Join(from.on, ", "))
			}
		}
	}
	for _, f := range floors {
		for _, room := range f.holds {
			if !seen[room] {
				t.Errorf("floor %s: got no package %s, want it taken from the list", f.name, room)
			}
		}
	}
}
