package sweep

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/internal/plan/plantest"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/runfolder"
)

const text = `name: s
depths: [2, 4]
data: {kind: separated, width: 3, samples: 2, distance: 0.3}
train: {stop: {iterations: 5}}
`

// TestRunTellsEverything looks at the events and counts of a study that is run, run
// again, and run with a third run to do.
func TestRunTellsEverything(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	const trained, skipped = "started 0 1 2 3 4 5 ended iterations", "skipped"
	for _, test := range []struct {
		text string
		want map[int]string // by depth
	}{
		{text, map[int]string{2: trained, 4: trained}},
		{text, map[int]string{2: skipped, 4: skipped}},
		{strings.Replace(text, "[2, 4]", "[2, 3, 4]", 1), map[int]string{2: skipped, 3: trained, 4: skipped}},
	} {
		told := map[int]string{}
		p := plantest.New(t, "s.yaml", test.text)
		report, err := Run(t.Context(), p, Options{Out: out, Workers: 1, Observe: func(e Event) {
			switch e.Kind {
			case Advanced:
				told[e.Run.Depth] += fmt.Sprint(" ", e.Row.Iteration)
			case Ended:
				told[e.Run.Depth] += " ended " + e.Outcome.Stop
			default:
				told[e.Run.Depth] += e.Kind
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.want, told); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		if report.Done != len(p.Runs) || report.Diverged != 0 || len(report.Failed) != 0 || report.Stopped {
			t.Errorf("got %+v, want %d runs done", report, len(p.Runs))
		}
	}
	if list, err := runfolder.List(out); err != nil || len(list) != 3 {
		t.Errorf("got run folders %v, %v, want 3", list, err)
	}
}

// TestRunSurvivesADamagedCheckpoint cuts the newest checkpoint of an interrupted run
// short. The next start says so, goes on from the one before, and ends with the
// weights of a run never interrupted.
func TestRunSurvivesADamagedCheckpoint(t *testing.T) {
	const long = "name: s\ndepths: [3]\ndata: {kind: separated, width: 3, samples: 2, distance: 0.3}\ntrain: {stop: {iterations: 3000}}\n"
	dir := t.TempDir()
	whole, broken := filepath.Join(dir, "whole"), filepath.Join(dir, "broken")
	p := plantest.New(t, "s.yaml", long)
	if _, err := Run(t.Context(), p, Options{Out: whole, Workers: 1}); err != nil {
		t.Fatal(err)
	}
	folder := runfolder.RunDir(broken, p.Runs[0].ID)
	for range 2 { // two interrupts leave two checkpoints
		ctx, cancel := context.WithCancel(t.Context())
		report, err := Run(ctx, p, Options{Out: broken, Workers: 1, Observe: func(e Event) {
			if e.Kind == Advanced && e.Row.Iteration%1000 == 500 {
				cancel()
			}
		}})
		if err != nil || !report.Stopped {
			t.Fatalf("got %+v, %v, want an interrupted study", report, err)
		}
	}
	state := filepath.Join(folder, "checkpoint", "state.safetensors")
	if err := os.Truncate(state, 1000); err != nil {
		t.Fatal(err)
	}
	var warning error
	report, err := Run(t.Context(), p, Options{Out: broken, Workers: 1, Observe: func(e Event) {
		if e.Kind == Warned {
			warning = e.Err
		}
	}})
	if err != nil || report.Done != 1 {
		t.Fatalf("got %+v, %v, want the run done", report, err)
	}
	if warning == nil || !strings.Contains(warning.Error(), state) {
		t.Errorf("got warning %v, want one that names %s", warning, state)
	}
	want, err := os.ReadFile(filepath.Join(runfolder.RunDir(whole, p.Runs[0].ID), "weights.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(folder, "weights.safetensors"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("weights differ from those of the uninterrupted run (%v)", err)
	}
}

// TestRunRefusesABusyFolder has another worker at a run that a change takes out of the study.
func TestRunRefusesABusyFolder(t *testing.T) {
	out := t.TempDir()
	p := plantest.New(t, "s.yaml", text)
	if _, err := Run(t.Context(), p, Options{Out: out, Workers: 1, Only: func(*study.Run) bool { return false }}); err != nil {
		t.Fatal(err)
	}
	other := lease.NewManager(beat, "")
	defer other.Close()
	if _, _, err := other.Acquire(t.Context(), runfolder.RunDir(out, p.Runs[0].ID)); err != nil {
		t.Fatal(err)
	}
	_, err := Run(t.Context(), plantest.New(t, "s.yaml", strings.Replace(text, "[2, 4]", "[4]", 1)), Options{Out: out, Workers: 1})
	if !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), p.Runs[0].ID) {
		t.Errorf("got %v, want ErrBusy and the run", err)
	}
	report, err := Run(t.Context(), p, Options{Out: out, Workers: 1, Leave: true})
	if err != nil || report.Done != 1 || report.Left != 1 {
		t.Errorf("got %+v, %v, want one run done and one left", report, err)
	}
}

// TestRunStoppedBeforeItsStart trains nothing, and the next call trains everything.
func TestRunStoppedBeforeItsStart(t *testing.T) {
	out := t.TempDir()
	p := plantest.New(t, "s.yaml", text)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report, err := Run(ctx, p, Options{Out: out, Workers: 1})
	if err != nil || !report.Stopped || report.Done != 0 {
		t.Errorf("got %+v, %v, want it stopped with nothing done", report, err)
	}
	if report, err = Run(t.Context(), p, Options{Out: out, Workers: 1}); err != nil || report.Done != 2 || report.Stopped {
		t.Errorf("got %+v, %v, want 2 runs done", report, err)
	}
}

// TestRunLeavesNoFolderBehind has a path that goes through a regular file.
func TestRunLeavesNoFolderBehind(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{file, filepath.Join(file, "a/b")} {
		_, err := Run(t.Context(), plantest.New(t, "s.yaml", text), Options{Out: out, Workers: 1})
		want := "runfolder: listing folder: open " + out + ": not a directory; choose an --out that can be written"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 {
		t.Errorf("got %v, %v, want the file alone", list, err)
	}
}

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	if got := missing(dir); got != nil {
		t.Errorf("got %v, want nothing missing", got)
	}
	a := filepath.Join(dir, "a")
	got := missing(filepath.Join(a, "b"))
	if len(got) != 2 || got[0] != filepath.Join(a, "b") || got[1] != a {
		t.Errorf("got %v, want a/b and a", got)
	}
}

// TestNoWorkers wants no folder made for nobody to work in.
func TestNoWorkers(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	_, err := Run(t.Context(), plantest.New(t, "s.yaml", text), Options{Out: out})
	if want := "sweep: workers: got 0, want at least 1"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v for the folder, want none", err)
	}
}
