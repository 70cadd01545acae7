package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/runfolder"
)

// work is one call of Plan.Run.
type work struct {
	options Options
	plan    *plan.Plan
	cores   *semaphore.Weighted
	memory  *semaphore.Weighted // bytes that the runs at work may take together, at the least
	syncing *semaphore.Weighted // runs that wait for the disk alone, without cores
	leases  *lease.Manager
	cancel  context.CancelFunc
	saves   atomic.Int64 // checkpoints asked for
	active  atomic.Int64 // runs at work here

	environment map[string]string
	mu          sync.Mutex // guards what follows, and Observe
	report      Report
	back        []*task // taken over or taken by others, to be looked at again
}

// all executes the tasks, the costliest first so that the last cores to finish wait
// little, and returns when each is settled, by whomever, or the context ends.
func (w *work) all(ctx context.Context, tasks []*task) {
	var group sync.WaitGroup
	defer group.Wait()
	slices.SortStableFunc(tasks, func(a, b *task) int { return cmp.Compare(w.cost(b.run), w.cost(a.run)) })
	tasks = slices.DeleteFunc(tasks, func(t *task) bool { return w.refuse(t) || w.skip(t) })
	for ctx.Err() == nil {
		held, started := w.pass(ctx, &group, tasks)
		if len(held) == 0 || w.options.Leave {
			group.Wait()
		}
		w.mu.Lock()
		tasks, w.back = append(held, w.back...), nil
		w.mu.Unlock()
		if len(tasks) == 0 {
			return
		}
		if w.options.Leave && !started && w.over(tasks) { // looks from before a run are too old
			w.report.Left = len(tasks)
			return
		}
		w.wait(ctx, tasks)
	}
}

// pass starts the tasks that nobody else works on and returns the others, and whether
// it has started any.
func (w *work) pass(ctx context.Context, group *sync.WaitGroup, tasks []*task) (held []*task, started bool) {
	left := 0.0 // cost of this task and those after it
	for _, t := range tasks {
		left += w.cost(t.run)
	}
	for _, t := range tasks {
		share := w.cost(t.run) / left
		left -= w.cost(t.run)
		if ctx.Err() != nil {
			return nil, started
		}
		if t.holder != nil && w.settle(t) {
			continue
		}
		t.alive, t.givenUp = false, false
		_, err := w.leases.Free(t.folder)
		if other, ok := errors.AsType[*lease.HeldError](err); ok {
			t.holder, t.alive = other, w.leases.Alive(other)
			held = append(held, t)
			continue
		}
		if err != nil {
			w.failed(t, err)
			continue
		}
		if t.givenUp = w.givenUp(t); t.givenUp {
			held = append(held, t)
			continue
		}
		workers := w.plan.Cores(t.run, share, w.options.Workers)
		if w.cores.Acquire(ctx, int64(workers)) != nil {
			return nil, started
		}
		// Each run fits alone (Plan.CheckMemory).
		bytes := int64(w.plan.LeastBytes(t.run))
		if w.memory.Acquire(ctx, bytes) != nil {
			w.cores.Release(int64(workers))
			return nil, started
		}
		started = true
		w.active.Add(1)
		group.Go(func() {
			cores := loan{w: w, cores: int64(workers)}
			defer cores.end()
			defer w.memory.Release(bytes)
			defer w.active.Add(-1)
			w.one(ctx, t, workers, cores.idle)
		})
	}
	return held, started
}

// cost returns the floating-point operations of a run at most.
func (w *work) cost(run *study.Run) float64 { return w.plan.Flops(run) * float64(run.Steps()) }

// wait gives the others time, and says once whom this process waits for when it has
// nothing else to do.
func (w *work) wait(ctx context.Context, tasks []*task) {
	if w.active.Load() == 0 && !w.options.Leave {
		for _, t := range tasks {
			if t.holder != nil && !t.told {
				t.told = true
				w.observe(Event{Kind: Waiting, Run: t.run, Err: t.holder})
			}
		}
	}
	every := cmp.Or(w.options.Heartbeat, lease.Heartbeat)
	select {
	case <-ctx.Done():
	case <-time.After(min(every/2, time.Second)):
	}
}

// one executes a run and counts how it ended. It calls idle where the run has no more use for its cores.
func (w *work) one(ctx context.Context, t *task, workers int, idle func()) {
	// A look before the lease is taken: a folder that holds something else stays as it is.
	err := runfolder.Vacant(t.folder, t.run.Hash)
	if err != nil && !errors.Is(err, runfolder.ErrDone) {
		w.failed(t, err)
		return
	}
	if err != nil && w.settle(t) {
		return
	}
	held, ctx, err := w.leases.Acquire(ctx, t.folder)
	if other, ok := errors.AsType[*lease.HeldError](err); ok {
		t.holder = other
		w.giveBack(t)
		return
	}
	if err != nil {
		w.failed(t, err)
		return
	}
	defer held.Release()
	if w.settle(t) {
		held.Finished()
		return
	}
	attempts := t.failures
	before, err := runfolder.ReadFailure(t.folder)
	if disk.Failed(err) {
		w.failed(t, err)
		return
	}
	if err == nil && w.options.Join {
		w.giveBack(t)
		return
	}
	if err == nil && before.Attempts > t.failures {
		w.failed(t, fmt.Errorf("on %s: %s", before.Host, before.Error))
		return
	}
	if t.again {
		if err := runfolder.Reset(t.folder); err != nil {
			w.failed(t, err)
			return
		}
	}
	w.observe(Event{Kind: Started, Run: t.run})
	execute := executeRun[float64]
	if t.run.DType == "float32" {
		execute = executeRun[float32]
	}
	outcome, err := execute(ctx, w, t, held, workers, idle)
	switch {
	case errors.Is(err, runfolder.ErrDone) && w.settle(t): // decided by a worker that died, or slept
		held.Finished()
	case errors.Is(context.Cause(ctx), lease.ErrLost), err != nil && errors.Is(held.Check(), lease.ErrLost):
		t.holder = w.holderOf(t)
		w.observe(Event{Kind: Lost, Run: t.run, Err: lease.ErrLost})
		w.giveBack(t)
	case errors.Is(context.Cause(ctx), lease.ErrGone), err != nil && errors.Is(held.Check(), lease.ErrGone):
		w.failed(t, fmt.Errorf("%w: %s; the same command computes it again", lease.ErrGone, t.folder))
	case err != nil:
		w.record(t, attempts+1, err)
		w.failed(t, err)
	case outcome.Violation != nil: // the files are kept: they are the evidence
		w.failed(t, outcome.Violation)
	default:
		w.ended(t, outcome)
	}
}

// holderOf returns who has taken the run of a task over.
func (w *work) holderOf(t *task) *lease.HeldError {
	record, err := runfolder.ReadLease(t.folder)
	if err != nil { // finished meanwhile
		record = runfolder.Lease{}
	}
	return &lease.HeldError{Dir: t.folder, Lease: record}
}

// ended counts a run that was interrupted or has its result.
func (w *work) ended(t *task, outcome train.Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if outcome.Stop != train.StopInterrupted {
		w.report.Done++
	}
	if outcome.Stop == train.StopDiverged {
		w.report.Diverged++
	}
	w.tell(Event{Kind: Ended, Run: t.run, Outcome: outcome})
}

// record leaves the reason of a failure in the run folder. That it cannot be written
// either, on a full disk say, is no news beside the failure itself.
func (w *work) record(t *task, attempts int, err error) {
	runfolder.WriteFailure(t.folder, runfolder.Failure{
		Error: err.Error(), Time: time.Now().UTC(), Host: w.environment["host"], Attempts: attempts,
	})
}

// failed counts a run that has no result, or none to be trusted.
func (w *work) failed(t *task, err error) {
	err = fmt.Errorf("sweep: run %s: %w", t.run.ID, err)
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = fmt.Errorf("%w; free some space, then the same command goes on", err)
	} else if errors.Is(err, syscall.EFBIG) {
		err = fmt.Errorf("%w; raise the limit of this process on the size of files (ulimit -f), then the same command goes on", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report.Failed = append(w.report.Failed, err)
	w.tell(Event{Kind: Failed, Run: t.run, Err: err})
	if w.options.FailFast {
		w.cancel()
	}
}

// refuse counts a run as failed of which it is not known how it stands.
func (w *work) refuse(t *task) bool {
	if t.unread != nil {
		w.failed(t, t.unread)
	}
	return t.unread != nil
}

// skip counts a run that was done before, if it was.
func (w *work) skip(t *task) bool {
	if t.summary == nil || t.again {
		return false
	}
	if t.summary.Violation != "" && !w.options.Join {
		w.failed(t, fmt.Errorf("%s; --rerun failed computes it again", t.summary.Violation))
		return true
	}
	if err := runfolder.Tidy(t.folder); err != nil {
		w.observe(Event{Kind: Warned, Run: t.run, Err: err})
	}
	w.count(t, t.summary, Skipped)
	return true
}

// settle counts a run that another worker has finished since this process looked
// first, and says whether one has.
func (w *work) settle(t *task) bool {
	run, err := runfolder.Open(t.folder)
	if err != nil || !run.Done() || t.summary != nil && t.summary.Checksum == run.Summary.Checksum {
		return false
	}
	if run.Summary.Violation != "" && !w.options.Join {
		w.failed(t, errors.New(run.Summary.Violation))
		return true
	}
	if err := w.options.mixture(t, run.Meta.Arithmetic()); err != nil {
		w.failed(t, err)
		return true
	}
	w.count(t, run.Summary, Elsewhere)
	return true
}

// count adds a run with a result to the report.
func (w *work) count(t *task, s *runfolder.Summary, kind string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report.Done++
	if s.Stop == runfolder.Diverged {
		w.report.Diverged++
	}
	w.tell(Event{Kind: kind, Run: t.run})
}

// giveBack puts a task back, to be looked at again.
func (w *work) giveBack(t *task) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.back = append(w.back, t)
}

// countSaves counts what Options.Saves asks for.
func (w *work) countSaves(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.options.Saves:
			w.saves.Add(1)
		}
	}
}

func (w *work) observe(e Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tell(e)
}

// tell hands an event to the observer; the caller holds mu.
func (w *work) tell(e Event) {
	if w.options.Observe != nil {
		w.options.Observe(e)
	}
}

// A task is a run to execute, as it stood when this process began.
type task struct {
	run      *study.Run
	folder   string
	summary  *runfolder.Summary // of its result; nil for none
	computed string             // with what, runfolder.Meta.Arithmetic
	failures int                // attempts that failed
	unread   error              // why that is not known
	again    bool               // compute it again, from its start
	source   *plan.Source       // that it goes on from where it has no checkpoint of its own; nil for none
	anew     string             // why it goes on from none of those that differ from it in their end alone
	givenUp  bool               // it has failed, and is not tried again here
	holder   *lease.HeldError
	alive    bool // that holder, for certain, at the last look
	told     bool // that holder is waited for
}

// look reads how the run of t stands. A damaged result shows when the run is executed;
// a file that cannot be read is t.unread, as what --rerun asks for depends on it.
func (t *task) look(rerun string) {
	run, err := runfolder.Open(t.folder)
	switch {
	case err == nil:
		t.summary, t.computed = run.Summary, run.Meta.Arithmetic()
	case disk.Failed(err):
		t.unread = err
	}
	failure, err := runfolder.ReadFailure(t.folder)
	_, damaged := errors.AsType[*runfolder.DamagedError](err)
	switch {
	case err == nil:
		t.failures = failure.Attempts
	case damaged:
		t.failures = 1 // at least
	case disk.Failed(err):
		t.unread = err
	}
	broken := t.summary != nil && t.summary.Violation != ""
	diverged := t.summary != nil && t.summary.Stop == runfolder.Diverged
	switch rerun {
	case RerunFailed:
		t.again = t.failures > 0 || broken
	case RerunDiverged:
		t.again = t.failures > 0 || broken || diverged
	case RerunAll:
		t.again = true
	}
}
