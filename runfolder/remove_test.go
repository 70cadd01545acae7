package runfolder

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/deeplimit/deeplimit/internal/disk"
)

// studyWith returns a study folder with one finished run that its manifest lists.
func studyWith(t *testing.T) (study, run string) {
	t.Helper()
	study = t.TempDir()
	run = RunDir(study, sampleMeta().ID)
	if err := Create(run, sampleMeta()); err != nil {
		t.Fatal(err)
	}
	if err := Finish(run, sampleMeta(), sampleRows(), sampleWeights(), sampleSummary); err != nil {
		t.Fatal(err)
	}
	m := Manifest{Study: "s", Runs: []Planned{{ID: sampleMeta().ID, Hash: sampleMeta().Hash}}}
	if err := WriteManifest(study, m); err != nil {
		t.Fatal(err)
	}
	return study, run
}

func TestRemove(t *testing.T) {
	for _, dir := range []string{newRun(t), finishedRun(t), filepath.Join(t.TempDir(), "none")} {
		if err := Remove(dir); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) > 0 {
			t.Errorf("%s: got %v, %v beside it, want nothing left", dir, left, err)
		}
	}
}

// TestRemoveCutShort makes every call of Remove fail in turn, once and with all that follow, as
// a kill does: the run is whole, or no reader finds it and the next removal ends the work.
func TestRemoveCutShort(t *testing.T) {
	for step := 2; ; step++ {
		stop, forGood := step/2, step%2 == 0
		study, run := studyWith(t)
		calls := 0
		disk.Intercept(func(disk.Call) error {
			if calls++; calls == stop || forGood && calls > stop {
				return syscall.EIO
			}
			return nil
		})
		err := Remove(run)
		disk.Intercept(nil)
		if calls < stop {
			if err != nil {
				t.Fatal(err)
			}
			if step < 8 {
				t.Errorf("got %d calls, want a rename, a sync and a removal at least", calls)
			}
			return
		}
		if !errors.Is(err, syscall.EIO) {
			t.Errorf("call %d: got %v, want the fault told", stop, err)
		}
		listing, err := OpenStudy(study, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case len(listing.Members) == 1 && len(listing.Others) == 0:
			if err := Verify(run); err != nil {
				t.Errorf("call %d: %v", stop, err)
			}
		case len(listing.Members)+len(listing.Others) > 0:
			t.Errorf("call %d: got %v and %v, want the whole run or nothing", stop, listing.Members, listing.Others)
		}
		if err := errors.Join(Remove(run), RemoveHidden(study)); err != nil {
			t.Errorf("call %d, again: %v", stop, err)
		}
		if left, err := os.ReadDir(filepath.Dir(run)); err != nil || len(left) > 0 {
			t.Errorf("call %d, again: got %v, %v, want nothing left", stop, left, err)
		}
	}
}

// TestRemoveOfStore removes a run that two studies share: the other study keeps it.
func TestRemoveOfStore(t *testing.T) {
	root := t.TempDir()
	store, hash := filepath.Join(root, "store"), "0123456789abcdef0123456789abcdef"
	var links []string
	for _, name := range []string{"a", "b"} {
		study := filepath.Join(root, name)
		if err := os.MkdirAll(RunDir(study, ""), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := LinkRun(study, "run", store, hash); err != nil {
			t.Fatal(err)
		}
		links = append(links, RunDir(study, "run"))
	}
	meta := sampleMeta()
	meta.Hash = hash
	if err := Finish(links[0], meta, sampleRows(), sampleWeights(), sampleSummary); err != nil {
		t.Fatal(err)
	}
	if err := Remove(links[0]); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(links[0]); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want the link gone", err)
	}
	if err := Verify(links[1]); err != nil {
		t.Errorf("the other study: %v", err)
	}
}

func TestHolds(t *testing.T) {
	begun, other := filepath.Join(t.TempDir(), "begun"), filepath.Join(t.TempDir(), "other")
	for _, name := range []string{filepath.Join(begun, "lease.1"), filepath.Join(begun, "checkpoint", "state.safetensors"), filepath.Join(other, "notes.txt")} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for dir, want := range map[string]bool{newRun(t): true, finishedRun(t): true, t.TempDir(): true, begun: true, other: false} {
		if got, err := Holds(dir); err != nil || got != want {
			t.Errorf("%s: got %v, %v, want %v", dir, got, err, want)
		}
	}
}
