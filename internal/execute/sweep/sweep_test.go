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

	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/runfolder"
)

const text = `name: s
depths: [2, 4]
data: {kind: separated, width: 3, samples: 2, distance: 0.3}
train: {stop: {iterations: 5}}
`

func plan(t *testing.T, text string) *Plan {
	t.Helper()
	s, err := study.Parse("s.yaml", []byte(text), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPlan(s)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

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
		p := plan(t, test.text)
		report, err := p.Run(t.Context(), Options{Out: out, Workers: 1, Observe: func(e Event) {
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
	p := plan(t, long)
	if _, err := p.Run(t.Context(), Options{Out: whole, Workers: 1}); err != nil {
		t.Fatal(err)
	}
	folder := runfolder.RunDir(broken, p.Runs[0].ID)
	for range 2 { // two interrupts leave two checkpoints
		ctx, cancel := context.WithCancel(t.Context())
		report, err := p.Run(ctx, Options{Out: broken, Workers: 1, Observe: func(e Event) {
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
	report, err := p.Run(t.Context(), Options{Out: broken, Workers: 1, Observe: func(e Event) {
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
	p := plan(t, text)
	if _, err := p.Run(t.Context(), Options{Out: out, Workers: 1, Only: func(*study.Run) bool { return false }}); err != nil {
		t.Fatal(err)
	}
	other := runfolder.NewKeeper(0, "")
	defer other.Close()
	if _, _, err := other.Acquire(t.Context(), runfolder.RunDir(out, p.Runs[0].ID)); err != nil {
		t.Fatal(err)
	}
	_, err := plan(t, strings.Replace(text, "[2, 4]", "[4]", 1)).Run(t.Context(), Options{Out: out, Workers: 1})
	if !errors.Is(err, ErrBusy) || !strings.Contains(err.Error(), p.Runs[0].ID) {
		t.Errorf("got %v, want ErrBusy and the run", err)
	}
	report, err := p.Run(t.Context(), Options{Out: out, Workers: 1, Leave: true})
	if err != nil || report.Done != 1 || report.Left != 1 {
		t.Errorf("got %+v, %v, want one run done and one left", report, err)
	}
}

// TestRunStoppedBeforeItsStart trains nothing, and the next call trains everything.
func TestRunStoppedBeforeItsStart(t *testing.T) {
	out := t.TempDir()
	p := plan(t, text)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	report, err := p.Run(ctx, Options{Out: out, Workers: 1})
	if err != nil || !report.Stopped || report.Done != 0 {
		t.Errorf("got %+v, %v, want it stopped with nothing done", report, err)
	}
	if report, err = p.Run(t.Context(), Options{Out: out, Workers: 1}); err != nil || report.Done != 2 || report.Stopped {
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
		_, err := plan(t, text).Run(t.Context(), Options{Out: out, Workers: 1})
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

// TestWeightBytes holds the estimate to the files: what is more in them is a header
// of less than 4 kB.
func TestWeightBytes(t *testing.T) {
	for _, more := range []string{"", "dtype: float32\n", "network: {bias: true, residual: layered, width: 5, embed: trained}\n", "network: {block: mlp, hidden: 7}\n"} {
		out := t.TempDir()
		p := plan(t, text+more)
		if _, err := p.Run(t.Context(), Options{Out: out, Workers: 1}); err != nil {
			t.Fatal(err)
		}
		for i := range p.Runs {
			info, err := os.Stat(filepath.Join(runfolder.RunDir(out, p.Runs[i].ID), "weights.safetensors"))
			if err != nil {
				t.Fatal(err)
			}
			if want := p.weightBytes(&p.Runs[i]); !(want > 0 && want <= float64(info.Size()) && float64(info.Size()) <= want+4096) {
				t.Errorf("%sdepth %d: got %g bytes, the file has %d", more, p.Runs[i].Depth, want, info.Size())
			}
		}
	}
}

// TestNewPlanReportsAllFaults has two data sets that cannot be loaded.
func TestNewPlanReportsAllFaults(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"a.csv": "5,2\n3,x\n", "b.csv": "5,2\n3,NaN\n", "s.yaml": "name: s\ndepths: [2, 4]\ndata: [{kind: csv, path: a.csv, name: a}, {kind: csv, path: b.csv, name: b}]\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s, err := study.Load(filepath.Join(dir, "s.yaml"), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewPlan(s)
	want := "dataset: " + dir + "/a.csv: line 2, column 2: got \"x\", want a finite number\n" +
		"dataset: " + dir + "/b.csv: line 2, column 2: got \"NaN\", want a finite number (a missing value: fill it in or leave its row out)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestNoWorkers wants no folder made for nobody to work in.
func TestNoWorkers(t *testing.T) {
	out := filepath.Join(t.TempDir(), "out")
	_, err := plan(t, text).Run(t.Context(), Options{Out: out})
	if want := "sweep: workers: got 0, want at least 1"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v for the folder, want none", err)
	}
}

// TestMemoryShare wants a limit, however small, to stay one, and the evaluators of all
// runs at work together to keep it.
func TestMemoryShare(t *testing.T) {
	const held = "name: s\ndepths: [2]\ndata: {kind: rotation, width: 3, samples: 4, test: 2, angle: 0.3}\ntrain: {method: sgd, batch: 2}\n"
	p := plan(t, held)
	run := &p.Runs[0]
	for _, c := range []struct {
		limit          int64
		workers, cores int
		want           int64
	}{{0, 1, 2, 0}, {1, 1, 2, 1}, {1200, 1, 2, 200}, {1200, 2, 2, 400}} {
		if got := memoryShare(c.limit, run, p.set(run), c.workers, c.cores); got != c.want {
			t.Errorf("%d bytes, %d of %d cores, three evaluators: got %d, want %d", c.limit, c.workers, c.cores, got, c.want)
		}
	}
}

// TestWorkers wants a run of few samples to have one core while others are as long,
// and as many as it can use when it is most of what is left.
func TestWorkers(t *testing.T) {
	p := plan(t, text)
	set := p.set(&p.Runs[0])
	for _, test := range []struct {
		samples, cores int
		share          float64
		want           int
	}{
		{8, 4, 1, 1}, // one tile
		{100, 2, 0.5, 1},
		{100, 2, 0.9, 2},
		{100, 2, 1, 2},
		{100, 4, 0.5, 2},
		{10000, 2, 0.1, 2}, // enough samples for all cores
	} {
		set.Samples = test.samples
		if got := p.coresOf(&p.Runs[0], test.share, test.cores); got != test.want {
			t.Errorf("%+v: got %d workers", test, got)
		}
	}
}

// TestRunThatDoesNotFit has a run whose weights alone are larger than any memory.
func TestRunThatDoesNotFit(t *testing.T) {
	p := plan(t, "name: s\ndepths: [2, 10000000]\ndata: {kind: separated, width: 1000, samples: 2, distance: 0.3}\n")
	options := &Options{Out: t.TempDir()}
	err := p.checkMemory(p.tasks(options))
	want := "sweep: run " + p.Runs[1].ID + ": got "
	if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "GB of memory for this process, want at least 3.2e+05 GB; choose a smaller depth or width") {
		t.Errorf("got %v, want it to begin with %s", err, want)
	}
	options.Only = func(run *study.Run) bool { return run.Depth == 2 }
	if err := p.checkMemory(p.tasks(options)); err != nil {
		t.Errorf("got %v for the small run alone", err)
	}
}
