//go:build amd64 && !purego

package kernel

import (
	"os"
	"os/exec"
	"testing"
)

// The committed assembly is what the generator writes. The generator's modules are
// not deeplimit's, so that they may be missing here; CI has them.
func TestGeneratedCodeIsFresh(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and runs the generator")
	}
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", ".")
	list.Dir = "generate"
	list.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly")
	if out, err := list.CombinedOutput(); err != nil {
		t.Skipf("the generator's modules are not in the module cache: %v\n%s", err, out)
	}
	check := exec.CommandContext(t.Context(), "./generate.sh", "--check")
	check.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly")
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
