package lease

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deeplimit/deeplimit/runfolder"
)

// sampleMeta is the run.json of a run.
var sampleMeta = runfolder.Meta{ID: "run", Hash: "3f2a9c01", Group: "77", Depth: 2, DType: "float64"}

func mustWrite(t *testing.T, data []byte, path ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(path...), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// manager returns one that is closed with the test. Its runs pass for those of another
// machine, so that only silence tells whether it is alive.
func manager(t *testing.T, every time.Duration) *Manager {
	t.Helper()
	k := NewManager(every, "")
	k.self.Scope = "elsewhere"
	t.Cleanup(k.Close)
	return k
}

func acquire(t *testing.T, k *Manager, dir string) (*Held, context.Context) {
	t.Helper()
	h, ctx, err := k.Acquire(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return h, ctx
}

func TestLeaseHasOneHolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	one, other := manager(t, 0), manager(t, 0)
	h, _ := acquire(t, one, dir)
	_, _, err := other.Acquire(t.Context(), dir)
	held, ok := errors.AsType[*HeldError](err)
	if !ok || held.Lease.PID != os.Getpid() || held.Lease.Attempt != 1 {
		t.Fatalf("got %v, want it held by this process", err)
	}
	if err := h.Check(); err != nil {
		t.Error(err)
	}
	if err := h.Release(); err != nil {
		t.Fatal(err)
	}
	if lease, err := runfolder.ReadLease(dir); err != nil || !lease.Released || lease.Alive(time.Now()) {
		t.Errorf("got %+v, %v, want a released lease", lease, err)
	}
	if h, _ := acquire(t, other, dir); h.Attempt() != 2 {
		t.Errorf("got attempt %d, want 2", h.Attempt())
	}
	if err := h.Check(); !errors.Is(err, ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
}

// TestLeaseContenders lets many contenders take runs at once: fresh ones, released ones,
// and those of a dead process. Each is won by one.
func TestLeaseContenders(t *testing.T) {
	dir := t.TempDir()
	for round := range 30 {
		run := filepath.Join(dir, fmt.Sprint(round))
		switch round % 3 {
		case 1:
			h, _ := acquire(t, manager(t, 0), run)
			h.Release()
		case 2:
			dead := NewManager(0, "")
			dead.self.PID = 1 << 30 // no process has this number
			if _, _, err := dead.Acquire(t.Context(), run); err != nil {
				t.Fatal(err)
			}
		}
		var group sync.WaitGroup
		var won atomic.Int32
		for range 8 {
			k := manager(t, 0)
			group.Go(func() {
				_, _, err := k.Acquire(t.Context(), run)
				if err == nil {
					won.Add(1)
				} else if _, ok := errors.AsType[*HeldError](err); !ok {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 {
			t.Errorf("round %d: got %d winners, want 1", round, won.Load())
		}
		if list, err := os.ReadDir(run); err != nil || len(list) != 1+min(1, round%3) {
			t.Errorf("round %d: got files %v, %v", round, list, err)
		}
	}
}

// silence ends the heartbeats of a lease, as SIGSTOP would.
func (h *Held) silence() { h.drop() }

// wake lets the heartbeats of a lease go on.
func (h *Held) wake() {
	h.manager.mu.Lock()
	defer h.manager.mu.Unlock()
	h.manager.held[h] = true
}

// watch looks on at dir with k and wants nobody to be able to take the run meanwhile.
func watch(t *testing.T, k *Manager, dir string, span time.Duration) {
	t.Helper()
	for end := time.Now().Add(span); time.Now().Before(end); time.Sleep(Heartbeat / 2) {
		if _, err := k.Free(dir); err == nil {
			t.Fatal("got a run whose holder is alive, or was a moment ago")
		}
	}
}

const patience = runfolder.MissedBeats * Heartbeat

// TestLeaseTakenOverFromTheSilent has a holder that falls silent while a contender
// looks on, and comes back later.
func TestLeaseTakenOverFromTheSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "run")
		one, other := manager(t, 0), manager(t, 0)
		h, lost := acquire(t, one, dir)
		h.Progress(7, 0.5)
		watch(t, other, dir, 5*patience)
		lease, err := runfolder.ReadLease(dir)
		if err != nil || lease.Iteration != 7 || lease.From != 7 || lease.Loss == nil || *lease.Loss != 0.5 || lease.Beats == 0 {
			t.Errorf("got %+v, %v, want its heartbeats", lease, err)
		}
		h.silence()
		watch(t, other, dir, patience-Heartbeat)
		time.Sleep(2 * Heartbeat)
		second, _ := acquire(t, other, dir)
		h.wake()
		<-lost.Done()
		if cause := context.Cause(lost); !errors.Is(cause, ErrLost) {
			t.Errorf("got cause %v, want ErrLost", cause)
		}
		if err := h.Release(); err != nil {
			t.Error(err)
		}
		if err := second.Check(); err != nil {
			t.Errorf("the second holder: %v", err)
		}
	})
}

// TestLeaseAlive has a manager watch the run of another: it knows that one to be alive
// after a heartbeat since its own first look, and until one is missed.
func TestLeaseAlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "run")
		one, other := manager(t, 0), manager(t, 0)
		h, _ := acquire(t, one, dir)
		alive := func() bool {
			_, err := other.Free(dir)
			held, ok := errors.AsType[*HeldError](err)
			if !ok {
				t.Fatalf("got %v, want it held", err)
			}
			return other.Alive(held)
		}
		for look := range 2 {
			if alive() {
				t.Errorf("look %d: got it alive, want that unknown", look+1)
			}
		}
		time.Sleep(Heartbeat)
		if !alive() {
			t.Error("after a heartbeat: got it unknown")
		}
		h.silence()
		time.Sleep(3 * Heartbeat)
		if alive() {
			t.Error("silent: got it alive")
		}
		h.wake()
		time.Sleep(2 * Heartbeat)
		if !alive() {
			t.Error("awake: got it unknown")
		}
	})
}

// TestLeaseDamaged damages the lease of a holder: one that is alive mends it, and that of
// another is taken over after the patience of who looks on.
func TestLeaseDamaged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "run")
		one, other := manager(t, time.Hour), manager(t, 0)
		one.every = Heartbeat // but its lease says an hour, which nobody can read
		h, _ := acquire(t, one, dir)
		path := runfolder.LeaseFile(dir, 1)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []int{0, bytes.Index(whole, []byte(h.Owner())), bytes.Index(whole, []byte(`"pid": `)) + 7, len(whole) - 2} {
			damaged := bytes.Clone(whole)
			damaged[at] ^= 3
			mustWrite(t, damaged, path)
			watch(t, other, dir, 3*patience)
			if lease, err := runfolder.ReadLease(dir); err != nil || lease.Damaged != nil || lease.Owner != h.Owner() {
				t.Fatalf("byte %d: got %+v, %v, want it mended", at, lease, err)
			}
		}
		h.silence()
		for size := range len(whole) {
			mustWrite(t, whole[:size], path)
			lease, err := runfolder.ReadLease(dir)
			if err != nil || lease.Damaged == nil && (lease.Owner != h.Owner() || lease.PID != os.Getpid()) || lease.Attempt != 1 {
				t.Fatalf("%d bytes: got %+v, %v, want a damaged lease or a whole one", size, lease, err)
			}
		}
		mustWrite(t, whole[:100], path)
		_, err = other.Free(dir)
		if held, ok := errors.AsType[*HeldError](err); !ok || !strings.HasPrefix(held.Error(), "runfolder: "+path+" is damaged: ") {
			t.Errorf("got %v, want the damaged file named", err)
		}
		watch(t, other, dir, patience-Heartbeat)
		time.Sleep(2 * Heartbeat)
		acquire(t, other, dir)
		if err := h.Check(); !errors.Is(err, ErrLost) {
			t.Errorf("got %v, want ErrLost", err)
		}
	})
}

// TestLeaseOfRemovedRun removes the folder of a run, and then that of the study, while
// a worker is at it: nothing is made again where they were.
func TestLeaseOfRemovedRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := filepath.Join(t.TempDir(), "runs")
		dir := filepath.Join(runs, "run")
		if err := os.Mkdir(runs, 0o755); err != nil {
			t.Fatal(err)
		}
		k := manager(t, 0)
		h, gone := acquire(t, k, dir)
		if err := os.RemoveAll(runs); err != nil {
			t.Fatal(err)
		}
		<-gone.Done()
		if cause := context.Cause(gone); !errors.Is(cause, ErrGone) {
			t.Errorf("got cause %v, want ErrGone", cause)
		}
		if err := h.Check(); !errors.Is(err, ErrGone) || !strings.HasSuffix(err.Error(), ": "+dir) {
			t.Errorf("got %v, want ErrGone of %s", err, dir)
		}
		if err := h.Release(); err != nil {
			t.Error(err)
		}
		if err := runfolder.Begin(dir, sampleMeta); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("beginning it: got %v", err)
		}
		_, _, err := k.Acquire(t.Context(), dir)
		if want := "lease: taking run " + dir + ": mkdir " + dir + ": no such file or directory"; err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
		if _, err := os.Stat(runs); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the folder of the runs is there again: %v", err)
		}
	})
}

func TestLeaseOfFinishedRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	h, _ := acquire(t, manager(t, 0), dir)
	if err := os.Remove(filepath.Join(dir, "lease.1")); err != nil {
		t.Fatal(err)
	}
	if err := h.Check(); !errors.Is(err, ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
	if err := h.Release(); err != nil {
		t.Error(err)
	}
	if _, err := runfolder.ReadLease(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want no lease", err)
	}
}

func TestLeaseCannotBeTaken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err := manager(t, 0).Acquire(t.Context(), file)
	if err == nil || !strings.HasPrefix(err.Error(), "runfolder: lease: open "+file) {
		t.Errorf("got %v", err)
	}
}

// TestLeaseOfLivingTakenForDead has two workers that are alive and that each takes for
// dead by its process number, as copies of one virtual machine would be: one keeps the
// run, instead of both taking it from each other for ever.
func TestLeaseOfLivingTakenForDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "run")
		workers := []*Manager{NewManager(0, ""), NewManager(0, "")}
		for i, k := range workers {
			k.self.PID = 1<<30 + i // nobody has these numbers here
			t.Cleanup(k.Close)
		}
		var holds [2]*Held
		taken := 0
		for range 200 {
			for i, k := range workers {
				if holds[i] != nil && holds[i].Check() == nil {
					continue
				}
				h, _, err := k.Acquire(t.Context(), dir)
				if err == nil {
					holds[i] = h
					taken++
				} else if !errors.As(err, new(*HeldError)) {
					t.Fatal(err)
				}
			}
			time.Sleep(Heartbeat / 2)
		}
		if taken != 2 {
			t.Errorf("the run was taken %d times, want once by each", taken)
		}
		if holds[0].Check() == nil || holds[1].Check() != nil {
			t.Error("want the second worker to keep the run")
		}
	})
}

// TestLeaseWithoutContent takes a lease whose checksum holds and that says nothing for a
// damaged one, not for one of process 0 since the year 1.
func TestLeaseWithoutContent(t *testing.T) {
	for name, lease := range map[string]runfolder.Lease{
		"nothing":   {},
		"no times":  {Owner: "o", Host: "h", PID: 5, Every: 5},
		"no pid":    {Owner: "o", Since: time.Unix(1e9, 0), Beat: time.Unix(1e9, 0), Every: 5},
		"no every":  {Owner: "o", PID: 5, Since: time.Unix(1e9, 0), Beat: time.Unix(1e9, 0)},
		"for years": {Owner: "o", PID: 5, Since: time.Unix(1e9, 0), Beat: time.Unix(1e9, 0), Every: 1e12},
	} {
		dir := t.TempDir()
		content, err := lease.Encode()
		if err != nil {
			t.Fatal(err)
		}
		mustWrite(t, content, dir, "lease.1")
		_, err = manager(t, 0).Free(dir)
		if held, ok := errors.AsType[*HeldError](err); !ok || !strings.Contains(held.Error(), "lease.1 is damaged: ") || strings.Contains(held.Error(), "0001") {
			t.Errorf("%s: got %v, want the damaged file named", name, err)
		}
	}
	if text := (&HeldError{Dir: "run"}).Error(); text != "lease: run: another worker works on this run" {
		t.Errorf("got %q", text)
	}
}
