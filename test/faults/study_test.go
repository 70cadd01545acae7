//go:build unix

package faults

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/deeplimit/deeplimit/internal/cli"
	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/runfolder"
)

// How much is tried; `make faults` asks for more.
var (
	stride     = flag.Int("stride", 97, "try every how manieth fault, of calls and of places")
	flips      = flag.Int("flips", 40, "files to damage in a finished study, and in an interrupted one, for the whole program")
	bytesApart = flag.Int("bytes", 97, "damage every how manieth byte of all stored files, and cut them there, for their readers")
	kills      = flag.Int("kills", 8, "kills of running studies")
	binary     = flag.String("binary", "deeplimit", "program to kill; this test is one under that name")
	seed       = flag.Uint64("seed", 1, "of the random places and moments")
)

// TestMain makes the test binary be the program when it is called deeplimit, which
// stands in PATH while tests run.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"deeplimit": func() { os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr)) },
		"faulty":    faultyProgram,
		"limited":   limitedProgram,
	})
}

// small is a study of two runs, each of a few iterations with a certificate.
const small = `name: small
depths: [2, 3]
data: {kind: separated, width: 3, samples: 2, distance: 0.3}
train: {step: {value: 2}, stop: {iterations: 3}}
`

// writeStudy writes a study file into a new folder and returns its path.
func writeStudy(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "study.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// program calls deeplimit in this process.
func program(args ...string) (code int, stdout, stderr string) {
	var out, text bytes.Buffer
	code = cli.Main(args, &out, &text)
	return code, out.String(), text.String()
}

// mustRun calls deeplimit and returns what it prints.
func mustRun(t *testing.T, args ...string) string {
	t.Helper()
	code, stdout, stderr := program(args...)
	if code != 0 {
		t.Fatalf("deeplimit %s: exit code %d\n%s", strings.Join(args, " "), code, stderr)
	}
	return stdout
}

// runArgs is a run of one job with a checkpoint after every iteration.
func runArgs(study, out string) []string {
	return []string{"run", study, "--out", out, "--jobs", "1", "--checkpoint", "1ns", "--no-report", "--json"}
}

// A result is what a study leaves behind that does not depend on the clock.
type result struct {
	Analysis string // as run prints it
	Runs     map[string]outcome
}

type outcome struct {
	Meta    runfolder.Meta
	Summary runfolder.Summary
	Rows    []runfolder.Row
	Files   map[string][]byte // the others, byte for byte
}

// resultOf reads a finished study, of which every file is checked, and wants nothing
// there but its results.
func resultOf(dir, analysis string) (result, error) {
	r := result{analysis, map[string]outcome{}}
	folders, err := runfolder.List(dir)
	if err != nil {
		return r, err
	}
	for _, folder := range folders {
		o, err := outcomeOf(folder)
		if err != nil {
			return r, err
		}
		r.Runs[o.Meta.ID] = o
	}
	return r, leftovers(dir)
}

func outcomeOf(folder string) (outcome, error) {
	if err := runfolder.Verify(folder); err != nil {
		return outcome{}, err
	}
	run, err := runfolder.Open(folder)
	if err != nil {
		return outcome{}, err
	}
	o := outcome{Meta: run.Meta, Summary: *run.Summary, Files: map[string][]byte{}}
	if o.Rows, err = run.Trace(); err != nil {
		return outcome{}, err
	}
	for i := range o.Rows {
		o.Rows[i].Seconds = 0
	}
	for name := range run.Summary.SHA256 {
		if name == "run.json" || name == "trace.parquet" {
			continue
		}
		if o.Files[name], err = os.ReadFile(filepath.Join(folder, name)); err != nil {
			return outcome{}, err
		}
	}
	o.Meta.Start, o.Meta.End = time.Time{}, time.Time{}
	o.Summary.Seconds, o.Summary.Checksum, o.Summary.SHA256 = 0, "", nil
	return o, nil
}

// leftovers names what an unfinished run or a killed process has left among the runs.
func leftovers(dir string) error {
	var found []error
	err := filepath.WalkDir(filepath.Join(dir, "runs"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && (disk.Temporary(entry.Name()) || entry.Name() == "checkpoint") {
			found = append(found, fmt.Errorf("%s is left", path))
		}
		return err
	})
	return errors.Join(append(found, err)...)
}

// stands returns how the study in dir differs from a finished one with this result.
func (want result) stands(dir, analysis string) error {
	got, err := resultOf(dir, analysis)
	if err != nil {
		return err
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("the result differs from that of an undisturbed study (-want +got):\n%s", diff)
	}
	return nil
}

// undisturbed runs a study that nothing befalls and returns its result.
func undisturbed(t *testing.T, study string) result {
	t.Helper()
	out := filepath.Join(t.TempDir(), "undisturbed")
	r, err := resultOf(out, mustRun(t, runArgs(study, out)...))
	if err != nil {
		t.Fatal(err)
	}
	return r
}
