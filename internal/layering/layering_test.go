// Package layering holds the imports of the project to its architecture.
package layering

import (
	"os/exec"
	"strings"
	"testing"
)

// TestCut wants nothing to the right of weightpath to depend, through any number of
// imports, on what trains.
func TestCut(t *testing.T) {
	const module = "github.com/deeplimit/deeplimit/"
	left := []string{"study", "sweep", "slurm", "dataset", "resnet", "train", "transfer", "edge", "probe", "internal/cli"}
	for _, right := range []string{"activation", "weightpath", "pvar", "scaling", "certify", "proof", "analyze", "report", "importer", "survey", "serve"} {
		out, err := exec.Command("go", "list", "-deps", module+right).CombinedOutput()
		if err != nil {
			t.Fatalf("go list %s: %v\n%s", right, err, out)
		}
		for _, dependency := range strings.Fields(string(out)) {
			for _, forbidden := range left {
				if dependency == module+forbidden {
					t.Errorf("%s depends on %s", right, forbidden)
				}
			}
		}
	}
}
