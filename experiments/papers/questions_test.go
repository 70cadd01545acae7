package papers

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/plan/study"
)

// TestQuestions wants the studies of `make questions` to be there, each one to be run and to be valid.
func TestQuestions(t *testing.T) {
	const folder = "../questions"
	script, err := os.ReadFile(filepath.Join(folder, "run.sh"))
	if err != nil {
		t.Fatal(err)
	}
	loop := regexp.MustCompile(`for study in (.*); do`).FindSubmatch(script)
	if loop == nil {
		t.Fatal("got a script without a loop over studies")
	}
	named := strings.Fields(string(loop[1]))
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var there []string
	for _, file := range files {
		there = append(there, strings.TrimSuffix(filepath.Base(file), ".yaml"))
		s, err := study.Load(file, nil)
		if err == nil {
			_, err = s.Runs()
		}
		if err != nil {
			t.Error(err)
		}
	}
	slices.Sort(named)
	slices.Sort(there)
	if !slices.Equal(named, there) {
		t.Errorf("got the studies %v, want those that run.sh runs: %v", there, named)
	}
	for _, name := range named {
		if !strings.Contains(string(script), "$out/"+name+`"`) {
			t.Errorf("%s: got a study that no command reads", name)
		}
	}
}
