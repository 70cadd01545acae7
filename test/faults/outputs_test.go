//go:build unix

package faults

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// TestOutputs makes every call of the operating system fail in turn of the commands that
// show a study, a finished one, one with an interrupted run, and an imported one: the
// program ends with an error that names the file and the fault, or shows what it shows when
// nothing befalls it; and so does the command that follows.
func TestOutputs(t *testing.T) {
	t.Parallel()
	study := writeStudy(t, small)
	finished := filepath.Join(t.TempDir(), "finished")
	mustRun(t, runArgs(study, finished)...)
	imported := filepath.Join(t.TempDir(), "imported")
	const checkpoints = "../../internal/read/importer/testdata/residual-"
	mustRun(t, "import", checkpoints+"4.safetensors", checkpoints+"8.safetensors", "--out", imported, "--preset", "layers", "--name", "imported")
	for name, dir := range map[string]string{"finished": finished, "interrupted": interruptedStudy(t, study), "imported": imported} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // but the commands of one folder
			commands := map[string][]string{
				"analyze": {"analyze", dir, "--json"},
				"report":  {"report", dir, "--format", "svg"},
				"export":  {"export", dir, "--out", filepath.Join(dir, "report", "tables")},
				"status":  {"status", dir, "--json"},
				"studies": {"status", filepath.Dir(dir)},
			}
			if name == "finished" {
				commands["figure"] = []string{"figure", "loss", "norms-training", dir, "--format", "svg"}
				commands["map"] = []string{"figure", "map", dir, "--x", "depth", "--y", "seed", "--value", "loss", "--format", "svg"}
			}
			for command, args := range commands {
				faults := faultsOf
				if name != "finished" { // what differs between the folders is what is read
					faults = readFaults
				}
				t.Run(command, func(t *testing.T) { underFaults(t, filepath.Join(dir, "report"), args, faults) })
			}
		})
	}
}

// readFaults returns every fault that reads in such numbers can meet, each once.
func readFaults(counts map[disk.Op]int) []fault {
	list := faultsOf(counts)
	return slices.DeleteFunc(list, func(f fault) bool {
		return f.ForGood || !slices.Contains([]disk.Op{disk.OpOpen, disk.OpRead, disk.OpStat, disk.OpReadDir}, f.Op)
	})
}

// underFaults is TestOutputs for one command and the folder of its files.
func underFaults(t *testing.T, outputs string, args []string, faults func(map[disk.Op]int) []fault) {
	begin := func() {
		if err := os.RemoveAll(outputs); err != nil {
			t.Fatal(err)
		}
	}
	begin()
	wantCode, want, stderr, made := underFault(t, fault{}, args...)
	if wantCode == 2 {
		t.Fatal(stderr)
	}
	files := contents(t, outputs)
	counts := made.Counts
	tried, survived := 0, 0
	for i, f := range faults(counts) {
		if i%*stride != 0 {
			continue
		}
		begin()
		code, got, stderr, made := underFault(t, f, args...)
		if len(made.Struck) == 0 {
			continue
		}
		tried++
		left := contents(t, outputs)
		switch {
		case code == wantCode && got == want && maps.Equal(files, left):
			survived++
		case code == 2 && f.named(made.Struck, stderr+got):
		default:
			t.Errorf("%v at %v: got code %d and something else, want an error that names it:\n%s", f, made.Struck[0], code, stderr)
		}
		if len(left) == 0 || maps.Equal(files, left) {
			continue // nothing for the next one to mend
		}
		if code, got, stderr := program(args...); code != wantCode || got != want {
			t.Errorf("%v at %v: the next one ends with code %d and shows something else:\n%s", f, made.Struck[0], code, stderr)
		}
		if !maps.Equal(files, contents(t, outputs)) {
			t.Errorf("%v at %v: the next one leaves other files than one that nothing befell", f, made.Struck[0])
		}
	}
	t.Logf("%v: %d faults tried, %d survived", counts, tried, survived)
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
