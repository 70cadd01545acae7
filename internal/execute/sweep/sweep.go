// Package sweep executes the runs of a study on this machine's cores, each in its
// own run folder, goes on where an earlier call stopped, and shares the runs with other
// processes that work on the same folder.
package sweep

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/internal/machine"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Options says how to execute a study; nothing in it changes a result.
type Options struct {
	Out        string        // study folder, made when missing
	Store      string        // folder that keeps the run folders, "" for Out itself
	Workers    int           // cores to use, at least 1
	Checkpoint time.Duration // between checkpoints of a run; 0 for on interrupt only
	Heartbeat  time.Duration // between heartbeats of a run, 0 for lease.Heartbeat
	Job        string        // of a cluster's queue that this process is part of, "" for none
	Version    string        // of the program, for run.json
	Arithmetic string        // of the program, "" for machine.Arithmetic
	// Only, if not nil, says which runs to execute; the others stay part of the study.
	Only func(*study.Run) bool
	// Rerun says what to compute again from its start: RerunFailed, RerunDiverged or
	// RerunAll; "" for nothing that has a result.
	Rerun string
	// FailFast stops the other runs, with checkpoints, when one fails.
	FailFast bool
	// Join takes part in a study that Prepare or another process has started. What the study
	// folder says of the study stays as it is, runs that have failed are left for the next
	// start to try again, and the report counts failures of this process alone. It implies
	// Leave.
	Join bool
	// Leave returns, rather than wait, when the runs that are left are at work elsewhere, by
	// heartbeats of their workers. Runs of workers that show none are taken over first.
	Leave bool
	// Saves, if not nil, asks the runs at work for a checkpoint now, each time it is sent to.
	Saves <-chan struct{}
	// Observe, if not nil, is told what happens. It is called from several
	// goroutines, one call at a time.
	Observe func(Event)
}

// arithmetic returns what the results of this process are computed with.
func (o *Options) arithmetic() string { return cmp.Or(o.Arithmetic, machine.Arithmetic()) }

// What Options.Rerun can be.
const (
	RerunFailed   = "failed"   // runs whose last attempt failed, and those that broke a promise
	RerunDiverged = "diverged" // those and the diverged ones
	RerunAll      = "all"      // every run
)

// Kinds of Event.
const (
	Skipped   = "skipped"   // the run was done before
	Started   = "started"   // from iteration 0 or a checkpoint
	GoesOn    = "goes on"   // from Source, a finished run that differs in when it stops alone
	Anew      = "anew"      // from iteration 0, though there is such a run; Err says why
	Advanced  = "advanced"  // an iteration was recorded: Row
	Warned    = "warned"    // Err is something the run survived
	Ended     = "ended"     // Outcome
	Failed    = "failed"    // Err
	Waiting   = "waiting"   // nothing is left to do here; Err says who works on the run
	Elsewhere = "elsewhere" // another worker has done the run meanwhile
	Lost      = "lost"      // another worker has taken the run over, as this one was silent too long
)

// An Event is something that happened to a run.
type Event struct {
	Kind    string
	Run     *study.Run
	Row     runfolder.Row
	Outcome train.Outcome
	Source  *plan.Source
	Err     error
}

// A Report counts how the runs of a study, of those that Options.Only wants, stand
// after Run.
type Report struct {
	Done     int // finished, earlier ones and those done elsewhere included
	Diverged int // of those, the diverged ones
	Failed   []error
	Left     int  // at work elsewhere, or failed with Options.Join; with Options.Leave
	Stopped  bool // the context ended before all runs did
}

// ErrBusy is returned when other processes work on runs of the same folder that are no
// part of this plan.
var ErrBusy = errors.New("another deeplimit is running this study as it was before a change")

// Run executes every run of the plan that is not done, as many at a time as there
// are cores, one core each unless a run can use more. A run that diverges or fails
// does not stop the others; an ended context stops all, each leaving a checkpoint.
//
// Any number of processes, on any number of machines that see the same folder, may run
// the same plan at once and share its runs. Each returns when all runs are done,
// whoever did them, and takes over those of a worker that died.
func Run(ctx context.Context, p *plan.Plan, options Options) (Report, error) {
	if options.Workers < 1 {
		return Report{}, fmt.Errorf("sweep: workers: got %d, want at least 1", options.Workers)
	}
	switch options.Rerun {
	case "", RerunFailed, RerunDiverged, RerunAll:
	default:
		return Report{}, fmt.Errorf("sweep: rerun: got %q, want %s, %s or %s", options.Rerun, RerunFailed, RerunDiverged, RerunAll)
	}
	options.Leave = options.Leave || options.Join
	tasks, err := begin(p, &options)
	if err != nil {
		return Report{}, err
	}
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	w := &work{
		options: options, plan: p, environment: environment(), cancel: cancel,
		cores:   semaphore.NewWeighted(int64(options.Workers)),
		memory:  semaphore.NewWeighted(cmp.Or(machine.Memory(), math.MaxInt64)),
		syncing: semaphore.NewWeighted(int64(options.Workers)),
		leases:  lease.NewManager(options.Heartbeat, options.Job),
	}
	defer w.leases.Close()
	go w.countSaves(running)
	w.all(running, tasks)
	w.report.Stopped = ctx.Err() != nil
	return w.report, nil
}
