package faults

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// TestOutputs makes every call of the operating system fail in turn of the commands that
// draw and tabulate a finished study: the program names the file and the fault, or names
// a run that it could not read, or does without; and the command that follows leaves the
// files that it leaves when nothing befalls it.
func TestOutputs(t *testing.T) {
	t.Parallel()
	study := writeStudy(t, small)
	finished := filepath.Join(t.TempDir(), "out")
	mustRun(t, runArgs(study, finished)...)
	for name, args := range map[string][]string{
		"analyze": {"analyze", finished, "--json"},
		"figure":  {"figure", "loss", "norms-training", finished, "--format", "svg"},
		"report":  {"report", finished, "--format", "svg"},
		"export":  {"export", finished, "--out", filepath.Join(finished, "report", "tables")},
	} {
		t.Run(name, func(t *testing.T) { // one after the other, in one folder
			outputs := filepath.Join(finished, "report")
			begin := func() {
				if err := os.RemoveAll(outputs); err != nil {
					t.Fatal(err)
				}
			}
			begin()
			code, stdout, stderr, made := underFault(t, fault{}, args...)
			if code != 0 {
				t.Fatal(stderr)
			}
			want := contents(t, outputs)
			counts := made.Counts
			tried, survived := 0, 0
			for i, f := range faultsOf(counts) {
				if i%*stride != 0 {
					continue
				}
				begin()
				code, got, stderr, made := underFault(t, f, args...)
				if len(made.Struck) == 0 {
					continue
				}
				tried++
				switch {
				case code == 0 && got == stdout && maps.Equal(want, contents(t, outputs)):
					survived++
				case f.named(made.Struck, stderr+got):
				case code == 0 && f.named(made.Struck, strings.Join(slices.Collect(maps.Values(contents(t, outputs))), "\n")):
				default:
					t.Errorf("%v at %v: code %d, and nothing names it:\n%s", f, made.Struck[0], code, stderr)
				}
				mustRun(t, args...)
				if !maps.Equal(want, contents(t, outputs)) {
					t.Errorf("%v at %v: the next one leaves other files than one that nothing befell", f, made.Struck[0])
				}
			}
			t.Logf("%v: %d faults tried, %d survived", counts, tried, survived)
		})
	}
}

// contents returns the files of a folder by name: none when it is not there.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	if _, err := os.Stat(dir); err != nil {
		return files
	}
	for _, path := range storedFiles(t, dir) {
		if disk.Temporary(filepath.Base(path)) { // of one who could not remove it
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[path] = string(text)
	}
	return files
}
