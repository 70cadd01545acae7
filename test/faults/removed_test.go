//go:build unix

package faults

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// TestRemoved removes the folder of a run, of the runs, or of the whole study before every
// call of the operating system that a run makes: the program names it, or is done with
// it, and makes nothing again that was removed under it; and a later run gives the
// results of one that nothing befell.
func TestRemoved(t *testing.T) {
	t.Parallel()
	study := writeStudy(t, small)
	want := undisturbed(t, study)
	var run string // that comes second
	for id, o := range want.Runs {
		if o.Meta.Depth == 2 {
			run = id
		}
	}
	reported := func(study, out string) []string {
		return []string{"run", study, "--out", out, "--jobs", "1", "--checkpoint", "1ns", "--format", "svg", "--json"}
	}
	for name, c := range map[string]struct {
		remove string
		args   func(study, out string) []string
	}{"run": {filepath.Join("runs", run), runArgs}, "study": {".", runArgs}, "study with a report": {".", reported}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "out")
			removed := filepath.Join(out, c.remove)
			_, _, _, whole := underFault(t, fault{}, c.args(study, out)...)
			first, apart := 1, max(1, *stride/8)
			if strings.HasSuffix(name, "report") { // what comes before is tried without one
				_, _, _, without := underFault(t, fault{}, runArgs(study, filepath.Join(t.TempDir(), "out"))...)
				first, apart = without.Total, *stride
			}
			tried, survived := 0, 0
			for n := first; n <= whole.Total; n += apart {
				if err := os.RemoveAll(out); err != nil {
					t.Fatal(err)
				}
				f := fault{Remove: removed, N: n}
				code, stdout, stderr, made := underFault(t, f, c.args(study, out)...)
				if len(made.Struck) == 0 {
					continue
				}
				tried++
				if code == 0 {
					survived++
					if stdout != want.Analysis {
						t.Errorf("%v (%v): no error, and another analysis:\n%s", f, made.Struck[0], stderr)
					}
				} else {
					if !strings.Contains(stderr, removed) {
						t.Errorf("%v (%v): the message does not name it:\n%s", f, made.Struck[0], stderr)
					}
					if err := halfThere(out, removed); err != nil {
						t.Errorf("%v (%v): %v\n%s", f, made.Struck[0], err, stderr)
					}
				}
				code, stdout, stderr = program(c.args(study, out)...)
				if code != 0 {
					t.Errorf("%v (%v): the next run ends with code %d:\n%s", f, made.Struck[0], code, stderr)
				}
				if err := want.stands(out, stdout); err != nil {
					t.Errorf("%v (%v), in the next run: %v", f, made.Struck[0], err)
				}
			}
			t.Logf("%d moments tried, %d of which the program did not notice", tried, survived)
		})
	}
}

// halfThere returns what is there of a removed folder that nobody could read.
func halfThere(out, removed string) error {
	if _, err := os.Stat(removed); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if removed != out {
		return errors.New("the folder is there again")
	}
	if _, err := runfolder.StudyName(out); err != nil {
		return err
	}
	_, err := runfolder.ReadManifest(out)
	return err
}
