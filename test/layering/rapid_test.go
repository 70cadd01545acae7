package layering

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFixedSeeds wants every package with property tests to fix their seed.
func TestFixedSeeds(t *testing.T) {
	uses, fixes := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir("../..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "rapid_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		uses[filepath.Dir(path)] = uses[filepath.Dir(path)] || strings.Contains(string(text), `"pgregory.net/rapid"`)
		fixes[filepath.Dir(path)] = fixes[filepath.Dir(path)] || strings.Contains(string(text), `"github.com/deeplimit/deeplimit/test/fixedseed"`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for dir := range uses {
		if uses[dir] && !fixes[dir] {
			t.Errorf("%s uses rapid without test/fixedseed", dir)
		}
	}
}
