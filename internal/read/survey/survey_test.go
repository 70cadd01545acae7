package survey

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/runfolder"
)

func meta(id string) runfolder.Meta {
	return runfolder.Meta{
		ID: id, Hash: "h-" + id, Group: "g", Study: "s", Data: "d", Depth: 2, DType: "float64", Version: "v1",
		Environment: map[string]string{"host": "there"}, Start: time.Unix(1e9, 0).UTC(),
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// withChecksum returns a JSON object with its checksum as its last field, as files hold it.
func withChecksum(text string) []byte {
	blank := strings.TrimSuffix(text, "}") + `,"checksum":"` + strings.Repeat("0", 64) + "\"}\n"
	sum := sha256.Sum256([]byte(blank))
	return []byte(strings.Replace(blank, strings.Repeat("0", 64), hex.EncodeToString(sum[:]), 1))
}

// TestRead has a study with a run in every state.
func TestRead(t *testing.T) {
	dir := t.TempDir()
	check(t, runfolder.CreateStudy(dir, "s", "name: s\n", nil))
	ids := []string{"pending", "running", "released", "silent", "killed", "resumed", "torn", "done", "diverged", "failed", "broken", "damaged"}
	m := runfolder.Manifest{Study: "s"}
	for _, id := range ids {
		m.Runs = append(m.Runs, runfolder.Planned{ID: id, Hash: "h-" + id, Iterations: 100})
	}
	check(t, runfolder.WriteManifest(dir, m))
	leases := lease.NewManager(time.Hour, "7_1")
	defer leases.Close()
	folder := func(id string) string { return runfolder.RunDir(dir, id) }
	for _, id := range append(ids[1:], "old", "imported") {
		check(t, runfolder.Create(folder(id), meta(id)))
	}
	for _, id := range []string{"killed", "resumed"} {
		loss := 0.125
		c := runfolder.Checkpoint{Hash: "h-" + id, Iteration: 40, Rows: []runfolder.Row{{Iteration: 40, Loss: &loss}}}
		check(t, runfolder.WriteCheckpoint(folder(id), &c))
	}
	for _, id := range []string{"running", "released", "resumed"} {
		held, _, err := leases.Acquire(t.Context(), folder(id))
		check(t, err)
		if id == "released" {
			check(t, held.Release())
		}
	}
	lease := `{"owner":"x","host":"far","pid":5,"since":"2020-01-01T00:00:00Z","beat":"2020-01-01T00:01:00Z","every":5,"iteration":30,"loss":0.5}`
	check(t, os.WriteFile(filepath.Join(folder("silent"), "lease.3"), withChecksum(lease), 0o644))
	early := strings.Replace(strings.Replace(lease, `"iteration":30`, `"iteration":0`, 1), `"loss":0.5`, `"loss":null`, 1)
	check(t, os.WriteFile(filepath.Join(folder("killed"), "lease.1"), withChecksum(early), 0o644))
	check(t, os.WriteFile(filepath.Join(folder("torn"), "lease.1"), nil, 0o644))
	check(t, runfolder.WriteFailure(folder("failed"), runfolder.Failure{Error: "no room", Host: "far", Attempts: 2}))
	for id, s := range map[string]runfolder.Summary{
		"done": {Stop: "loss", Loss: 0.25, Iterations: 9, Seconds: 2}, "diverged": {Stop: runfolder.Diverged, Loss: math.NaN()},
		"broken": {Stop: "loss", Violation: "a promise"}, "damaged": {Stop: "loss"}, "old": {Stop: "loss"}, "imported": {Stop: runfolder.Imported},
	} {
		check(t, runfolder.Finish(folder(id), meta(id), nil, runfolder.Weights{}, s))
	}
	check(t, os.WriteFile(filepath.Join(folder("damaged"), "result.json"), []byte("{}"), 0o644))

	runs, others, err := Read(dir)
	check(t, err)
	if len(runs) != len(ids)+1 {
		t.Fatalf("got %d runs, want those of the study and the imported one", len(runs))
	}
	want := map[string]State{
		"pending": Pending, "running": Running, "released": Interrupted, "silent": Interrupted, "killed": Interrupted, "resumed": Running, "torn": Interrupted, "done": Done,
		"diverged": Diverged, "failed": Failed, "broken": Failed, "damaged": Failed, "imported": Done,
	}
	byID := map[string]Run{}
	for _, r := range runs {
		byID[r.ID] = r
		if r.State != want[r.ID] {
			t.Errorf("%s: got state %s (%s), want %s", r.ID, r.State, r.Reason, want[r.ID])
		}
	}
	if r := byID["done"]; r.Loss != 0.25 || r.Iteration != 9 || r.Seconds != 2 || r.Stop != "loss" || r.Host != "there" || r.Version != "v1" {
		t.Errorf("done: got %+v", r)
	}
	if r := byID["running"]; r.Job != "7_1" || r.Attempts != 1 {
		t.Errorf("running: got %+v", r)
	}
	if r := byID["silent"]; r.Iteration != 30 || r.Loss != 0.5 || r.Attempts != 3 || !strings.HasPrefix(r.Reason, "no heartbeat of process 5 on far since ") {
		t.Errorf("silent: got %+v", r)
	}
	for _, id := range []string{"killed", "resumed"} { // before a first heartbeat
		if r := byID[id]; r.Iteration != 40 || r.Loss != 0.125 {
			t.Errorf("%s: got iteration %d, loss %g, want those of the checkpoint", id, r.Iteration, r.Loss)
		}
	}
	if r := byID["torn"]; !strings.Contains(r.Reason, "lease.1 is damaged: ") || r.Attempts != 1 {
		t.Errorf("torn: got %+v", r)
	}
	if r := byID["failed"]; r.Reason != "no room" || r.Attempts != 2 || !math.IsNaN(r.Loss) {
		t.Errorf("failed: got %+v", r)
	}
	if r := byID["broken"]; r.Reason != "a promise" {
		t.Errorf("broken: got %+v", r)
	}
	if !strings.Contains(byID["damaged"].Reason, "result.json is damaged") || !byID["imported"].Extra {
		t.Errorf("got %+v and %+v", byID["damaged"], byID["imported"])
	}
	if err != nil || len(others) != 1 || filepath.Base(others[0]) != "old" {
		t.Errorf("got %v, %v, want the run of an earlier form", others, err)
	}
}

func TestReadNothing(t *testing.T) {
	if _, _, err := Read(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want one about study.yaml", err)
	}
}

// TestETA has a worker that made 30 iterations in a minute, a minute ago.
func TestETA(t *testing.T) {
	since := time.Unix(1e9, 0)
	lease := runfolder.Lease{Since: since, Beat: since.Add(time.Minute), From: 10, Iteration: 40}
	for iterations, want := range map[int]time.Duration{100: time.Minute, 60: 0, 40: 0, 0: 0} {
		if got := eta(&lease, iterations, since.Add(2*time.Minute)); got != want {
			t.Errorf("%d iterations: got %v, want %v", iterations, got, want)
		}
	}
}

// TestReadAdmitted reads no file of a run that is not admitted: the reason is the one
// given, not that its record is damaged.
func TestReadAdmitted(t *testing.T) {
	dir := t.TempDir()
	check(t, runfolder.CreateStudy(dir, "s", "name: s\n", nil))
	refused := errors.New("refused")
	for _, id := range []string{"good", "bad"} {
		check(t, runfolder.Create(runfolder.RunDir(dir, id), meta(id)))
	}
	damaged := filepath.Join(runfolder.RunDir(dir, "bad"), "run.json")
	check(t, os.WriteFile(damaged, []byte("damaged"), 0o644))
	runs, _, err := ReadAdmitted(dir, func(id string) error {
		if id == "bad" {
			return refused
		}
		return nil
	})
	check(t, err)
	if len(runs) != 2 || runs[0].State != Failed || runs[0].Reason != "refused" || runs[1].State != Interrupted {
		t.Errorf("got %+v, want the one failed for the reason given, the other interrupted", runs)
	}
}
