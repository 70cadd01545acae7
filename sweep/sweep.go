// Package sweep executes the runs of a study on this machine's cores, each in its
// own run folder, and goes on where an earlier call stopped.
package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"golang.org/x/sync/semaphore"

	"github.com/deeplimit/deeplimit/study"
	"github.com/deeplimit/deeplimit/train"
	"github.com/deeplimit/deeplimit/weightpath"
)

// Options says how to execute a study; nothing in it changes a result.
type Options struct {
	Out        string        // study folder, made when missing
	Workers    int           // cores to use, at least 1
	Checkpoint time.Duration // between checkpoints of a run; 0 for on interrupt only
	Version    string        // of the program, for run.json
	// Observe, if not nil, is told what happens. It is called from several
	// goroutines, one call at a time.
	Observe func(Event)
}

// Kinds of Event.
const (
	Skipped  = "skipped"  // the run was done before
	Started  = "started"  // from iteration 0 or a checkpoint
	Advanced = "advanced" // an iteration was recorded: Row
	Warned   = "warned"   // Err is something the run survived
	Ended    = "ended"    // Outcome
	Failed   = "failed"   // Err
)

// An Event is something that happened to a run.
type Event struct {
	Kind    string
	Run     *study.Run
	Row     weightpath.Row
	Outcome train.Outcome
	Err     error
}

// A Report counts how the runs of a study stand after Run.
type Report struct {
	Done     int // finished, earlier ones included
	Diverged int // of those, the diverged ones
	Failed   []error
	Stopped  bool // the context ended before all runs did
}

// ErrBusy is returned when another process executes runs of the same folder.
var ErrBusy = errors.New("another deeplimit is running this study")

// Run executes every run of the plan that is not done, as many at a time as there
// are cores, one core each unless a run can use more. A run that diverges or fails
// does not stop the others; an ended context stops all, each leaving a checkpoint.
func (p *Plan) Run(ctx context.Context, options Options) (Report, error) {
	if options.Workers < 1 {
		return Report{}, fmt.Errorf("sweep: workers: got %d, want at least 1", options.Workers)
	}
	if err := p.makeFolder(options.Out); err != nil {
		return Report{}, err
	}
	lock := flock.New(filepath.Join(options.Out, ".lock"))
	if free, err := lock.TryLock(); err != nil {
		return Report{}, fmt.Errorf("sweep: %s: lock: %w; %s", options.Out, err, mend(err))
	} else if !free {
		return Report{}, fmt.Errorf("sweep: %s: %w; wait for it or choose another --out", options.Out, ErrBusy)
	}
	defer lock.Unlock() // the file stays: removing it could hand the lock to two others
	w := &work{options: options, plan: p, environment: environment(), cores: semaphore.NewWeighted(int64(options.Workers))}
	return w.all(ctx), nil
}

// work is one call of Plan.Run.
type work struct {
	options Options
	plan    *Plan
	cores   *semaphore.Weighted

	environment map[string]string
	mu          sync.Mutex // guards report and Observe
	report      Report
}

// all executes the runs, the costliest first so that the last cores to finish wait little.
func (w *work) all(ctx context.Context) Report {
	order := make([]*study.Run, len(w.plan.Runs))
	for i := range order {
		order[i] = &w.plan.Runs[i]
	}
	cost := func(run *study.Run) float64 { return w.plan.Flops(run) * float64(run.Steps()) }
	slices.SortStableFunc(order, func(a, b *study.Run) int { return cmp.Compare(cost(b), cost(a)) })
	var group sync.WaitGroup
	for i, run := range order {
		folder := weightpath.RunDir(w.options.Out, run.ID)
		if weightpath.Done(folder) {
			w.skip(run, folder)
			continue
		}
		workers := w.workers(run, len(order)-i)
		if w.cores.Acquire(ctx, int64(workers)) != nil {
			break
		}
		group.Go(func() {
			defer w.cores.Release(int64(workers))
			w.one(ctx, run, folder, workers)
		})
	}
	group.Wait()
	w.report.Stopped = ctx.Err() != nil
	return w.report
}

// workers returns how many cores a run gets when that many are left with it: those
// that it keeps busy, or more where there are too few runs for all cores.
func (w *work) workers(run *study.Run, left int) int {
	busy, most := w.plan.parallelism(run)
	return min(most, w.options.Workers, max(busy, w.options.Workers/left))
}

// skip counts a run that was done before.
func (w *work) skip(run *study.Run, folder string) {
	before, err := weightpath.Open(folder)
	if err == nil {
		err = weightpath.Tidy(folder)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.report.Done++
	if before != nil && before.Summary.Stop == train.StopDiverged {
		w.report.Diverged++
	}
	w.tell(Event{Kind: Skipped, Run: run, Err: err})
}

// one executes a run and counts how it ended.
func (w *work) one(ctx context.Context, run *study.Run, folder string, workers int) {
	w.observe(Event{Kind: Started, Run: run})
	execute := executeRun[float64]
	if run.DType == "float32" {
		execute = executeRun[float32]
	}
	outcome, err := execute(ctx, w, run, folder, workers)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case err != nil:
		err = fmt.Errorf("sweep: run %s: %w", run.ID, err)
		if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			err = fmt.Errorf("%w; free some space, then the same command goes on", err)
		}
		w.report.Failed = append(w.report.Failed, err)
		w.tell(Event{Kind: Failed, Run: run, Err: err})
		return
	case outcome.Stop == train.StopInterrupted:
	case outcome.Stop == train.StopDiverged:
		w.report.Diverged++
		w.report.Done++
	default:
		w.report.Done++
	}
	w.tell(Event{Kind: Ended, Run: run, Outcome: outcome})
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
