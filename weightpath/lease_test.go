package weightpath

import (
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
	"time"
)

// keeper returns one that is closed with the test. Its runs pass for those of another
// machine, so that only silence tells whether it is alive.
func keeper(t *testing.T, every time.Duration) *Keeper {
	t.Helper()
	k := NewKeeper(every, "")
	k.self.Scope = "elsewhere"
	t.Cleanup(k.Close)
	return k
}

func acquire(t *testing.T, k *Keeper, dir string) (*Hold, context.Context) {
	t.Helper()
	h, ctx, err := k.Acquire(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	return h, ctx
}

func TestLeaseHasOneHolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	one, other := keeper(t, 0), keeper(t, 0)
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
	if lease, err := ReadLease(dir); err != nil || !lease.Released || lease.Alive(time.Now()) {
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
			h, _ := acquire(t, keeper(t, 0), run)
			h.Release()
		case 2:
			dead := NewKeeper(0, "")
			dead.self.PID = 1 << 30 // no process has this number
			if _, _, err := dead.Acquire(t.Context(), run); err != nil {
				t.Fatal(err)
			}
		}
		var group sync.WaitGroup
		var won atomic.Int32
		for range 8 {
			k := keeper(t, 0)
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

// TestLeaseTakenOverFromTheSilent has a holder that falls silent while a contender
// looks on, and comes back later.
func TestLeaseTakenOverFromTheSilent(t *testing.T) {
	const every = 5 * time.Millisecond
	dir := filepath.Join(t.TempDir(), "run")
	one, other := keeper(t, every), keeper(t, every)
	h, lost := acquire(t, one, dir)
	h.Progress(7, 0.5)
	for range 40 { // much longer than the patience
		if _, _, err := other.Acquire(t.Context(), dir); err == nil {
			t.Fatal("got a run whose holder is alive")
		}
		time.Sleep(every)
	}
	lease, err := ReadLease(dir)
	if err != nil || lease.Iteration != 7 || lease.From != 7 || lease.Loss == nil || *lease.Loss != 0.5 || lease.Beats == 0 {
		t.Errorf("got %+v, %v, want its signs of life", lease, err)
	}
	h.mu.Lock() // stops its signs of life, as SIGSTOP would
	var second *Hold
	for deadline := time.Now().Add(10 * time.Second); second == nil; time.Sleep(every) {
		if second, _, err = other.Acquire(t.Context(), dir); err != nil && time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	h.mu.Unlock()
	select {
	case <-lost.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("the first holder did not notice")
	}
	if cause := context.Cause(lost); !errors.Is(cause, ErrLost) {
		t.Errorf("got cause %v, want ErrLost", cause)
	}
	if err := h.Release(); err != nil {
		t.Error(err)
	}
	if err := second.Check(); err != nil {
		t.Errorf("the second holder: %v", err)
	}
}

func TestLeaseOfFinishedRun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	h, _ := acquire(t, keeper(t, 0), dir)
	if err := os.Remove(filepath.Join(dir, "lease.1")); err != nil {
		t.Fatal(err)
	}
	if err := h.Check(); !errors.Is(err, ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
	if err := h.Release(); err != nil {
		t.Error(err)
	}
	if _, err := ReadLease(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want no lease", err)
	}
}

func TestLeaseCannotBeTaken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	_, _, err := keeper(t, 0).Acquire(t.Context(), file)
	if err == nil || !strings.HasPrefix(err.Error(), "weightpath: lease: open "+file) {
		t.Errorf("got %v", err)
	}
}
