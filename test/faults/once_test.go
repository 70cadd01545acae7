//go:build unix

package faults

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// TestEveryFileIsOpenedOnce counts how often the commands that show a study open its files:
// none twice, of a finished study with all that commands leave in it, of one with a run that
// failed, of an imported one, of a changed one, and where a file is damaged.
func TestEveryFileIsOpenedOnce(t *testing.T) {
	t.Parallel()
	study := writeStudy(t, strings.Replace(small, "[2, 3]", "[8, 16, 32]\nseeds: 2", 1))
	finished := filepath.Join(t.TempDir(), "finished")
	mustRun(t, runArgs(study, finished)...)
	mustRun(t, "transfer", finished, "--depth", "64")
	imported := filepath.Join(t.TempDir(), "imported")
	const checkpoints = "../../internal/read/importer/testdata/residual-"
	mustRun(t, "import", checkpoints+"4.safetensors", checkpoints+"8.safetensors", "--out", imported, "--preset", "layers", "--name", "imported")
	failed := interruptedStudy(t, writeStudy(t, small))
	for _, folder := range matches(t, failed, "runs/*/checkpoint") {
		if err := runfolder.WriteFailure(filepath.Dir(folder), runfolder.Failure{Error: "no room", Host: "there", Attempts: 1}); err != nil {
			t.Fatal(err)
		}
	}
	copied := func(name string) string {
		dir := filepath.Join(t.TempDir(), name)
		if err := os.CopyFS(dir, os.DirFS(finished)); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	changed := copied("changed") // a run of which the study has no more, and one to begin
	manifest, err := runfolder.ReadManifest(changed)
	if err != nil {
		t.Fatal(err)
	}
	manifest.Runs[0].ID = "another"
	if err := runfolder.WriteManifest(changed, manifest); err != nil {
		t.Fatal(err)
	}
	dirs := []string{finished, failed, imported, changed}
	for _, name := range []string{"run.json", "result.json", "trace.parquet", "weights.safetensors", "norms.safetensors", "certificates.json"} {
		dir := copied("damaged-" + name)
		if err := os.WriteFile(matches(t, dir, "runs/*/"+name)[0], []byte("{}"), 0o644); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	for _, dir := range dirs {
		for command, args := range map[string][]string{
			"report":  {"report", dir, "--format", "svg"},
			"figure":  {"figure", "loss", "weights", dir, "--format", "svg"},
			"map":     {"figure", "map", dir, "--x", "depth", "--y", "seed", "--value", "loss", "--format", "svg"},
			"analyze": {"analyze", dir, "--json"},
			"status":  {"status", dir, "--json"},
		} {
			if dir == failed && command == "map" {
				continue // no run is finished
			}
			_, _, stderr, made := underFault(t, fault{}, args...)
			runs := 0
			for path, times := range made.Opened {
				within, inside := strings.CutPrefix(path, dir)
				if !inside || strings.HasPrefix(within, "/report") {
					continue
				}
				if strings.HasPrefix(within, "/runs/") {
					runs++
				}
				if times > 1 {
					t.Errorf("%s %s: %s was opened %d times, want once", filepath.Base(dir), command, within, times)
				}
			}
			if runs == 0 {
				t.Errorf("%s %s: no file of a run was opened:\n%s", filepath.Base(dir), command, stderr)
			}
		}
	}
	// The count sees the files that figures are drawn of.
	_, _, _, made := underFault(t, fault{}, "report", finished, "--format", "svg")
	for _, name := range []string{"run.json", "result.json", "trace.parquet", "weights.safetensors", "states.safetensors", "certificates.json", "transfer.json"} {
		if files := matches(t, finished, "runs/*/"+name); slices.ContainsFunc(files, func(path string) bool { return made.Opened[path] != 1 }) {
			t.Errorf("got the files %s opened %v times, want each once", name, made.Opened)
		}
	}
}

// matches returns the files of a folder with such names, of which there is one at least.
func matches(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: got %v files of %s, want some (%v)", dir, found, pattern, err)
	}
	return found
}
