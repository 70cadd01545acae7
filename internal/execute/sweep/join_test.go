package sweep

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/plantest"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/runfolder"
)

// beat is the time between heartbeats in these tests.
const beat = 20 * time.Millisecond

// held returns a started study of two runs, of which a worker of the given job holds the first.
func held(t *testing.T, job string) (p *plan.Plan, out string, hold *lease.Held) {
	t.Helper()
	p, out = plantest.New(t, "s.yaml", text), t.TempDir()
	if err := Prepare(p, Options{Out: out, Workers: 1}); err != nil {
		t.Fatal(err)
	}
	leases := lease.NewManager(beat, job)
	t.Cleanup(leases.Close)
	hold, _, err := leases.Acquire(t.Context(), runfolder.RunDir(out, p.Runs[0].ID))
	if err != nil {
		t.Fatal(err)
	}
	return p, out, hold
}

// TestLeaveTakesOver has a worker that sent no heartbeat: its run is taken over before
// this process leaves.
func TestLeaveTakesOver(t *testing.T) {
	p, out, hold := held(t, "")
	path := filepath.Join(runfolder.RunDir(out, p.Runs[0].ID), "lease.1")
	lease, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := hold.Release(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, lease, 0o644); err != nil {
		t.Fatal(err)
	}
	report, err := Run(t.Context(), p, Options{Out: out, Workers: 1, Leave: true, Heartbeat: beat})
	if err != nil || report.Done != 2 || report.Left != 0 {
		t.Errorf("got %+v, %v, want both runs done", report, err)
	}
}

// TestJoinWaitsForItsOwnJob has a worker at a run that is of this process's job, as when a
// queue has started it again, or of another one.
func TestJoinWaitsForItsOwnJob(t *testing.T) {
	for job, left := range map[string]int{"7_1": 0, "7_2": 1} {
		p, out, hold := held(t, "7_1")
		time.AfterFunc(500*time.Millisecond, func() { hold.Release() })
		report, err := Run(t.Context(), p, Options{Out: out, Workers: 1, Join: true, Job: job, Heartbeat: beat})
		if err != nil || report.Left != left || report.Done != 2-left {
			t.Errorf("job %s beside one of 7_1: got %+v, %v, want %d runs left", job, report, err, left)
		}
	}
}

// TestJoinLeavesFailures has a run that failed elsewhere: it is neither tried again nor
// counted as a failure of this process until the failure is cleared.
func TestJoinLeavesFailures(t *testing.T) {
	p, out, hold := held(t, "")
	if err := hold.Release(); err != nil {
		t.Fatal(err)
	}
	folder := runfolder.RunDir(out, p.Runs[0].ID)
	if err := runfolder.WriteFailure(folder, runfolder.Failure{Error: "no room", Host: "far", Attempts: 1}); err != nil {
		t.Fatal(err)
	}
	join := Options{Out: out, Workers: 1, Join: true, Heartbeat: beat}
	report, err := Run(t.Context(), p, join)
	if err != nil || report.Left != 1 || report.Done != 1 || len(report.Failed) > 0 {
		t.Errorf("got %+v, %v, want the failed run left", report, err)
	}
	if err := runfolder.ClearFailure(folder); err != nil {
		t.Fatal(err)
	}
	if report, err = Run(t.Context(), p, join); err != nil || report.Done != 2 || report.Left != 0 {
		t.Errorf("cleared: got %+v, %v, want both runs done", report, err)
	}
}

// TestJoinLeavesTheStudy wants runs.json as it was, though the plan that joins is another.
func TestJoinLeavesTheStudy(t *testing.T) {
	p, out := plantest.New(t, "s.yaml", text), t.TempDir()
	if err := Prepare(p, Options{Out: out, Workers: 1}); err != nil {
		t.Fatal(err)
	}
	before, err := runfolder.ReadStarted(out)
	if err != nil || len(before.Runs) != 2 || string(before.Text) != text || !filepath.IsAbs(before.File) {
		t.Fatalf("got %+v, %v, want the study as it was started", before, err)
	}
	first := func(run *study.Run) bool { return run.Depth == 2 }
	if _, err := Run(t.Context(), p, Options{Out: out, Workers: 1, Join: true, Only: first}); err != nil {
		t.Fatal(err)
	}
	if after, err := runfolder.ReadStarted(out); err != nil || len(after.Runs) != 2 {
		t.Errorf("got %+v, %v, want both runs in it still", after, err)
	}
}

// TestLeaveLooksAgain has a worker that shows signs of life when this process first looks,
// and is released while this process works on the other run: it takes that one, too.
func TestLeaveLooksAgain(t *testing.T) {
	p, out, hold := held(t, "")
	begun := false
	report, err := Run(t.Context(), p, Options{Out: out, Workers: 1, Leave: true, Heartbeat: beat, Observe: func(e Event) {
		if e.Kind == Ended && !begun {
			begun = true
			time.Sleep(5 * beat)
			hold.Release()
		}
	}})
	if err != nil || report.Done != 2 || report.Left != 0 {
		t.Errorf("got %+v, %v, want both runs done", report, err)
	}
}
