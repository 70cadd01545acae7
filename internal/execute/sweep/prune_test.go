package sweep

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/internal/plan/plantest"
	"github.com/deeplimit/deeplimit/runfolder"
)

const (
	twoDepths = "name: s\ndepths: [2, 3]\ndata: {kind: separated, width: 2, samples: 2, distance: 0.3}\ntrain: {stop: {iterations: 2}}\n"
	oneDepth  = "name: s\ndepths: [2]\ndata: {kind: separated, width: 2, samples: 2, distance: 0.3}\ntrain: {stop: {iterations: 2}}\n"
)

// shrunk returns the folder of a study that lost its second depth, and the ID of each run.
func shrunk(t *testing.T, out string) (kept, orphan string) {
	t.Helper()
	p := plantest.New(t, "s.yaml", twoDepths)
	for _, text := range []string{twoDepths, oneDepth} {
		if _, err := Run(t.Context(), plantest.New(t, "s.yaml", text), Options{Out: out, Workers: 1}); err != nil {
			t.Fatal(err)
		}
	}
	return p.Runs[0].ID, p.Runs[1].ID
}

func gone(t *testing.T, out, id string) bool {
	t.Helper()
	_, err := os.Lstat(runfolder.RunDir(out, id))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return err != nil
}

// TestPrune removes the run that the study has lost and refuses the one that it has, unless
// that is asked for.
func TestPrune(t *testing.T) {
	out := t.TempDir()
	kept, orphan := shrunk(t, out)
	failed := Prune(t.Context(), out, []string{kept, orphan, "../x"}, PruneOptions{})
	if len(failed) != 2 || !errors.Is(failed[kept], ErrMember) || failed["../x"] == nil {
		t.Errorf("got %v, want the member and the path refused", failed)
	}
	if gone(t, out, kept) || !gone(t, out, orphan) {
		t.Error("want the orphan gone alone")
	}
	if names, err := os.ReadDir(runfolder.RunDir(out, kept)); err != nil || len(names) == 0 {
		t.Error(err)
	} else {
		for _, name := range names {
			if filepath.Ext(name.Name()) == ".1" {
				t.Errorf("got %s, want the lease tidied", name)
			}
		}
	}
	if failed := Prune(t.Context(), out, []string{kept}, PruneOptions{Members: true}); len(failed) > 0 || !gone(t, out, kept) {
		t.Errorf("got %v, want the member gone", failed)
	}
}

// TestPruneOfHeldRun leaves a run that a worker holds, and takes one whose worker is dead.
func TestPruneOfHeldRun(t *testing.T) {
	out := t.TempDir()
	_, orphan := shrunk(t, out)
	dir := runfolder.RunDir(out, orphan)
	worker := lease.NewManager(time.Hour, "")
	defer worker.Close()
	held, _, err := worker.Acquire(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	failed := Prune(t.Context(), out, []string{orphan}, PruneOptions{})
	if _, ok := errors.AsType[*lease.HeldError](failed[orphan]); !ok || gone(t, out, orphan) {
		t.Errorf("got %v, want it left to its worker", failed)
	}
	if err := held.Check(); err != nil {
		t.Errorf("the worker: %v", err)
	}
	if err := held.Release(); err != nil {
		t.Fatal(err)
	}

	// One of another machine that was killed a year ago shows no sign while it is watched.
	old := time.Now().Add(-time.Hour)
	record := runfolder.Lease{Owner: "x", Host: "far", PID: 5, Since: old, Beat: old, Every: 0.001}
	text, err := record.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(runfolder.LeaseFile(dir, 7), text, 0o644); err != nil {
		t.Fatal(err)
	}
	told := 0
	failed = Prune(t.Context(), out, []string{orphan}, PruneOptions{Waiting: func(*lease.HeldError) { told++ }})
	if len(failed) > 0 || !gone(t, out, orphan) || told != 1 {
		t.Errorf("got %v, told %d times, want it removed after a look", failed, told)
	}
}

// TestPruneCutShort makes every call of the system fail in turn, once or with all that follow:
// a fault is told or harmless, the member of the study stays whole, the orphan is whole or in
// nobody's sight, and the next call removes it.
func TestPruneCutShort(t *testing.T) {
	whole := t.TempDir()
	kept, orphan := shrunk(t, whole)
	for step := 2; ; step++ {
		stop, forGood := step/2, step%2 == 0
		out := filepath.Join(t.TempDir(), "out")
		if err := os.CopyFS(out, os.DirFS(whole)); err != nil {
			t.Fatal(err)
		}
		calls := 0
		disk.Intercept(func(disk.Call) error {
			if calls++; calls == stop || forGood && calls > stop {
				return syscall.EIO
			}
			return nil
		})
		failed := Prune(t.Context(), out, []string{orphan}, PruneOptions{})
		disk.Intercept(nil)
		if calls < stop {
			if len(failed) > 0 || !gone(t, out, orphan) {
				t.Errorf("got %v, want it removed", failed)
			}
			return
		}
		if !gone(t, out, orphan) {
			if len(failed) == 0 {
				t.Errorf("call %d: got no error and the run still there", stop)
			}
			if err := runfolder.Verify(runfolder.RunDir(out, orphan)); err != nil {
				t.Errorf("call %d: %v", stop, err)
			}
		}
		if err := runfolder.Verify(runfolder.RunDir(out, kept)); err != nil {
			t.Errorf("call %d, the member: %v", stop, err)
		}
		leases, err := filepath.Glob(filepath.Join(runfolder.RunDir(out, orphan), "lease.*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range leases { // that of a process which is gone; this one is not
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
		if failed := Prune(t.Context(), out, []string{orphan}, PruneOptions{}); len(failed) > 0 || !gone(t, out, orphan) {
			t.Errorf("call %d, again: got %v, want it removed", stop, failed)
		}
		if left, err := os.ReadDir(runfolder.RunDir(out, "")); err != nil || len(left) != 1 {
			t.Errorf("call %d, again: got %v, %v, want the member alone", stop, left, err)
		}
	}
}
