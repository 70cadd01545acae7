package lease

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/deeplimit/deeplimit/runfolder"
)

// ErrLost says that another worker has taken over a run: this one was silent for too
// long, as when its machine sleeps.
var ErrLost = errors.New("lease: another worker has taken over the run")

// ErrGone says that somebody has removed the folder of a run while a worker was at it.
var ErrGone = errors.New("lease: the run folder was removed while a worker was at it")

// A HeldError says that another worker works on a run.
type HeldError struct {
	Dir   string
	Lease runfolder.Lease
}

// Error returns who works on which run.
func (e *HeldError) Error() string {
	switch {
	case e.Lease.Damaged != nil:
		return e.Lease.Damaged.Error()
	case e.Lease.Owner == "": // gone before it was read
		return fmt.Sprintf("lease: %s: another worker works on this run", e.Dir)
	}
	return fmt.Sprintf("lease: %s: process %d on %s works on this run since %s", e.Dir, e.Lease.PID, e.Lease.Host, e.Lease.Since.Format(time.RFC3339))
}

// A Held lease is that of a run which this worker has taken.
type Held struct {
	manager *Manager
	dir     string
	cancel  context.CancelCauseFunc

	mu     sync.Mutex
	record runfolder.Lease
	due    time.Time // when the next heartbeat is
	sent   time.Time // when the last one was
}

// Progress sets what the next heartbeat says; the first call says where this worker
// started. A loss that is not finite is left out.
func (h *Held) Progress(iteration int, loss float64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.record.Loss == nil && h.record.Iteration == 0 {
		h.record.From = iteration
	}
	h.record.Iteration, h.record.Loss = iteration, nil
	if !math.IsNaN(loss) && !math.IsInf(loss, 0) {
		h.record.Loss = &loss
	}
}

// Check returns ErrLost when another worker has taken over the run, ErrGone when its folder
// was removed.
func (h *Held) Check() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.note(check(h.dir, &h.record))
}

// Attempt returns how often a worker took the run, this time included.
func (h *Held) Attempt() int { return h.record.Attempt }

// Owner returns the name of this lease, which no other one has.
func (h *Held) Owner() string { return h.record.Owner }

// renew writes the lease when a heartbeat is due. Errors of the system are left to the next
// one: what they cost is that the worker may be taken for dead.
func (h *Held) renew(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now.Before(h.due) {
		return
	}
	h.due = now.Add(h.manager.every)
	h.record.Beat = now.UTC()
	h.record.Beats++
	if h.note(write(h.dir, &h.record)) == nil {
		h.sent = now
	}
}

// note ends the lease's context when err says that the run is lost, or gone.
func (h *Held) note(err error) error {
	for _, end := range []error{ErrLost, ErrGone} {
		if errors.Is(err, end) {
			if end == ErrLost && time.Since(h.sent) < h.record.Patience()/2 {
				h.manager.mistrust.Store(true)
			}
			h.cancel(end)
			h.drop()
		}
	}
	return err
}

// drop takes the lease from the manager's list.
func (h *Held) drop() {
	h.manager.mu.Lock()
	defer h.manager.mu.Unlock()
	delete(h.manager.held, h)
}

// Release lets others take the run at once. It does nothing to a run that is finished,
// or lost.
func (h *Held) Release() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.cancel(context.Canceled)
	h.drop()
	h.record.Released = true
	h.record.Beat = time.Now().UTC()
	if err := write(h.dir, &h.record); err != nil && !errors.Is(err, ErrLost) && !errors.Is(err, ErrGone) {
		return err
	}
	return nil
}

// Finished ends the lease of a run that turned out to be finished, and tidies it.
func (h *Held) Finished() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer h.cancel(context.Canceled)
	h.drop()
	return runfolder.Tidy(h.dir)
}
