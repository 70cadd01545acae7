//go:build unix

package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// underFault runs the program in a process whose disk has a fault.
func underFault(t *testing.T, f fault, args ...string) (code int, stdout, stderr string, made calls) {
	t.Helper()
	spec, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	report := filepath.Join(t.TempDir(), "calls.json")
	cmd := exec.CommandContext(t.Context(), "faulty", append([]string{string(spec), report}, args...)...)
	var out, text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &text
	if err := cmd.Run(); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			t.Fatal(err)
		}
		code = exit.ExitCode()
	}
	content, err := os.ReadFile(report)
	if err != nil {
		t.Fatalf("%v: %v\n%s", f, err, text.String())
	}
	if err := json.Unmarshal(content, &made); err != nil {
		t.Fatal(err)
	}
	return code, out.String(), text.String(), made
}

// faultsOf returns every fault that calls in such numbers can meet.
func faultsOf(counts map[disk.Op]int) (list []fault) {
	for _, op := range slices.Sorted(maps.Keys(counts)) {
		errs := []string{"EIO"}
		switch op {
		case disk.OpWrite:
			errs = append(errs, "ENOSPC", "short")
		case disk.OpCreate, disk.OpMkdir, disk.OpSync, disk.OpRename, disk.OpLink:
			errs = append(errs, "ENOSPC")
		}
		for n := 1; n <= counts[op]; n++ {
			for _, err := range errs {
				list = append(list, fault{Op: op, N: n, Error: err}, fault{Op: op, N: n, Error: err, ForGood: true})
			}
			if op == disk.OpWrite { // a quota is for good
				list = append(list, fault{Op: op, N: n, Error: "EDQUOT", ForGood: true})
			}
		}
	}
	return list
}

// TestEveryCall makes every call of the operating system fail in turn, of a study that
// is run from its start and of one that is taken up again after a fault: the program
// names the file and the fault, or does without; and a later run gives the results of
// one that nothing befell.
func TestEveryCall(t *testing.T) {
	t.Parallel()
	study := writeStudy(t, small)
	want := undisturbed(t, study)
	interrupted := interruptedStudy(t, study)
	for _, start := range []struct {
		name string
		from string // folder to begin with, "" for none
	}{{"new", ""}, {"resumed", interrupted}} {
		t.Run(start.name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			begin := func() {
				if err := os.RemoveAll(out); err != nil {
					t.Fatal(err)
				}
				if start.from != "" {
					if err := os.CopyFS(out, os.DirFS(start.from)); err != nil {
						t.Fatal(err)
					}
				}
			}
			begin()
			_, _, _, undisturbed := underFault(t, fault{}, runArgs(study, out)...)
			counts := undisturbed.Counts
			survived, tried := 0, 0
			for i, f := range faultsOf(counts) {
				if i%*stride != 0 {
					continue
				}
				tried++
				begin()
				code, stdout, stderr, made := underFault(t, f, runArgs(study, out)...)
				struck := made.Struck
				switch {
				case len(struck) == 0: // calls of the lease depend on the clock a little
					continue
				case code == 0:
					survived++
					if err := want.stands(out, stdout); err != nil {
						t.Errorf("%v at %v, survived: %v", f, struck[0], err)
					}
				default:
					if !f.named(struck, stderr) {
						t.Errorf("%v: the message names none of %v:\n%s", f, struck, stderr)
					}
				}
				code, stdout, stderr = program(runArgs(study, out)...)
				if code != 0 {
					t.Errorf("%v at %v: the next run ends with code %d:\n%s", f, struck[0], code, stderr)
				}
				if err := want.stands(out, stdout); err != nil {
					t.Errorf("%v at %v, in the next run: %v", f, struck[0], err)
				}
			}
			t.Logf("%v: %d faults tried, %d survived", counts, tried, survived)
		})
	}
}

// temporary matches the name of a file that is being written, and its own name in it.
var temporary = regexp.MustCompile(`\.([^/]+)\.\d+\.tmp$`)

// named says whether the program's message names the fault and a file that it struck.
func (f fault) named(struck []disk.Call, stderr string) bool {
	return strings.Contains(stderr, faultErrors[f.Error].Error()) && slices.ContainsFunc(struck, func(c disk.Call) bool {
		return strings.Contains(stderr, c.Path) || strings.Contains(stderr, temporary.ReplaceAllString(c.Path, "$1"))
	})
}

// interruptedStudy returns a study folder whose disk failed in the middle: a run has two
// checkpoints, and a third that is half-written.
func interruptedStudy(t *testing.T, study string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "interrupted")
	code, _, stderr, _ := underFault(t, fault{Error: "stop", Stop: true}, runArgs(study, out)...)
	if code == 0 || !strings.Contains(stderr, faultErrors["stop"].Error()) {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	return out
}
