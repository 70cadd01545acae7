//go:build unix

package faults

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/runfolder"
)

// liveFile is the one stored file that has no checksum: it shows a curve while it grows.
const liveFile = "live.jsonl"

// read returns what the readers of a stored file get from it, with an error where they
// say that it is not what was written.
func read(out, path string) (any, error) {
	dir, name := filepath.Split(path)
	dir = filepath.Clean(dir)
	switch {
	case name == "study.yaml" || name == "study.json":
		return runfolder.StudyName(out)
	case name == "runs.json":
		return runfolder.ReadManifest(out)
	case name == "notes.json":
		return runfolder.ReadNotes(out)
	case name == "submission.json":
		return runfolder.Submissions(out)
	case filepath.Base(dir) == "ensembles":
		return runfolder.Ensembles(out)
	case filepath.Base(dir) == "checkpoint":
		c, err := runfolder.ReadCheckpoint(filepath.Dir(dir))
		if err == nil {
			err = c.Damaged
		}
		return c, err
	case strings.HasPrefix(name, "lease."):
		lease, err := runfolder.ReadLease(dir)
		return lease, errors.Join(err, lease.Damaged)
	case name == "failure.json":
		return runfolder.ReadFailure(dir)
	case name == liveFile:
		rows, _, err := runfolder.ReadLive(dir, 0)
		return rows, err
	}
	if filepath.Base(dir) == "transfer" {
		dir = filepath.Dir(dir)
	}
	run, err := runfolder.Open(dir)
	if err != nil || !run.Done() {
		return run, err
	}
	if name == "transfer.json" || filepath.Base(filepath.Dir(path)) == "transfer" {
		t, err := run.Transfer()
		if err != nil {
			return nil, err
		}
		limit, err := run.Limit(t)
		if errors.Is(err, fs.ErrNotExist) { // that of the deepest run alone is stored
			err = nil
		}
		return []any{t, limit}, err
	}
	return run, runfolder.Verify(dir)
}

// storedStudies returns two studies with every kind of file that is stored: a finished
// one, and one with an interrupted run.
func storedStudies(t *testing.T) map[string]string {
	t.Helper()
	study := writeStudy(t, strings.Replace(small, "[2, 3]", "[8, 16]", 1))
	finished := filepath.Join(t.TempDir(), "out")
	mustRun(t, runArgs(study, finished)...)
	mustRun(t, "transfer", finished, "--depth", "32")
	mustRun(t, "probe", study, "--out", finished, "--draws", "2")
	mustRun(t, "status", finished, "--note", "a note", "--tag", "paper")
	s := runfolder.Submission{Name: "small-1", Tasks: 2, Only: []string{"depth < 8"}, Command: []string{"sbatch"}}
	if _, err := runfolder.WriteSubmission(finished, s, "#!/bin/sh\n"); err != nil {
		t.Fatal(err)
	}
	interrupted := interruptedStudy(t, writeStudy(t, small))
	folders, err := filepath.Glob(filepath.Join(interrupted, "runs/*/checkpoint"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("got checkpoints %v, %v, want one folder", folders, err)
	}
	run := filepath.Dir(folders[0])
	c, err := runfolder.ReadCheckpoint(run)
	if err != nil {
		t.Fatal(err)
	}
	if err := runfolder.RewriteLive(run, c.Rows); err != nil {
		t.Fatal(err)
	}
	if err := runfolder.WriteFailure(run, runfolder.Failure{Error: "no room", Host: "there", Attempts: 1}); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"finished": finished, "interrupted": interrupted}
}

// TestEveryByte damages every byte of every stored text and cuts it at every length, and
// does so with every eighth byte of tables and tensors: their readers name the file, or
// get what was written.
func TestEveryByte(t *testing.T) {
	t.Parallel()
	for name, out := range storedStudies(t) {
		files := slices.DeleteFunc(storedFiles(t, out), func(path string) bool {
			return !checked(path) && filepath.Base(path) != liveFile || disk.Temporary(filepath.Base(path))
		})
		tried, named, at := 0, map[string]bool{}, 0
		for _, path := range files {
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := read(out, path)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			// Written in place: a file that is made anew for each is synced by some systems.
			file, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			check := func(what string, content []byte) {
				tried++
				_, err := file.WriteAt(content, 0)
				if err = errors.Join(err, file.Truncate(int64(len(content)))); err != nil {
					t.Fatal(err)
				}
				got, err := read(out, path)
				switch {
				case err != nil && strings.Contains(err.Error(), path):
					named[path] = true
				case err != nil:
					t.Errorf("%s, %s: not named: %v", path, what, err)
				case filepath.Base(path) == liveFile: // whole lines, of which one may be garbled
				default:
					if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
						t.Errorf("%s, %s: not detected (-want +got)\n%s", path, what, diff)
					}
				}
			}
			apart := *bytesApart
			if slices.Contains([]string{".parquet", ".safetensors"}, filepath.Ext(path)) {
				apart *= 8
			}
			for i := range whole {
				if at++; at%apart != 0 {
					continue
				}
				check(fmt.Sprintf("cut to %d bytes", i), whole[:i])
				flipped := slices.Clone(whole)
				flipped[i] ^= byte(1 + at%255)
				check(fmt.Sprintf("byte %d is %#x", i, flipped[i]), flipped)
			}
			_, err = file.WriteAt(whole, 0)
			if err = errors.Join(err, file.Close()); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("%s study: %d changes of %d files, %d of which were named", name, tried, len(files), len(named))
	}
}

// checked says whether a stored file has a checksum. That of a batch script is nobody's:
// it is a copy of what the queue was given.
func checked(path string) bool {
	name := filepath.Base(path)
	return name != liveFile && name != "job.sh" && filepath.Base(filepath.Dir(path)) != "report" && filepath.Base(filepath.Dir(path)) != "figures"
}

// storedFiles returns every file below dir that is not empty.
func storedFiles(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Size() > 0 {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
