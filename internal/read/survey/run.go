package survey

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"time"

	"github.com/deeplimit/deeplimit/runfolder"
)

// look fills in how the run stands. What cannot be read is a failure with its reason.
func (r *Run) look(now time.Time, admit func(id string) error) {
	r.Loss = math.NaN()
	if err := admit(r.ID); err != nil {
		r.State, r.Reason = Failed, err.Error()
		return
	}
	r.State = Pending
	run, err := runfolder.Open(r.Dir)
	switch {
	case err == nil:
		r.describe(&run.Meta)
		if run.Done() {
			r.finished(run.Summary)
			return
		}
		r.Start, r.State = run.Meta.Start, Interrupted
	case runfolder.Unreadable(err):
		r.unread(err)
		return
	}
	r.unfinished(now)
}

// unread marks a run of which a file cannot be read.
func (r *Run) unread(err error) { r.State, r.Reason, r.Err = Failed, err.Error(), err }

// describe takes from run.json what the manifest does not say.
func (r *Run) describe(meta *runfolder.Meta) {
	r.Host, r.Version = meta.Environment["host"], meta.Version
	if r.Extra {
		r.Hash, r.Group, r.Data, r.Depth, r.Seed, r.Settings = meta.Hash, meta.Group, meta.Data, meta.Depth, meta.Seed, meta.Settings
	}
	r.Start, r.Beat = meta.Start, meta.End
}

// finished fills in how a run with a result stands.
func (r *Run) finished(s *runfolder.Summary) {
	r.State = Done
	if s.Stop == runfolder.Diverged {
		r.State = Diverged
	}
	if s.Violation != "" {
		r.State, r.Reason = Failed, s.Violation
	}
	r.Iteration, r.Loss, r.Stop, r.Seconds = s.Iterations, s.Loss, s.Stop, s.Seconds
}

// unfinished fills in how a run without a result stands.
func (r *Run) unfinished(now time.Time) {
	lease, err := runfolder.ReadLease(r.Dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.unread(err)
		return
	}
	if err == nil {
		r.Host, r.Job, r.Attempts = lease.Host, lease.Job, lease.Attempt
		r.Start, r.Beat, r.Iteration = lease.Since, lease.Beat, lease.Iteration
		r.Seconds = lease.Beat.Sub(lease.Since).Seconds()
		if lease.Loss != nil {
			r.Loss = *lease.Loss
		}
		if lease.Alive(now) {
			r.resumed(func(saved int) bool { return saved > lease.Iteration }) // it has given no sign since
			r.State, r.ETA = Running, eta(&lease, r.Iterations, now)
			return
		}
		r.State = Interrupted
		if lease.Damaged != nil {
			r.Reason = lease.Damaged.Error()
		} else if !lease.Released {
			r.Reason = fmt.Sprintf("no sign of life of process %d on %s since %s", lease.PID, lease.Host, lease.Beat.Local().Format(time.DateTime))
		}
	}
	r.resumed(func(int) bool { return true })
	failure, err := runfolder.ReadFailure(r.Dir)
	switch {
	case err == nil:
		r.State, r.Reason, r.Attempts = Failed, failure.Error, failure.Attempts
		r.Host, r.Beat = failure.Host, failure.Time
	case !errors.Is(err, fs.ErrNotExist):
		r.unread(err)
	}
}

// resumed puts what the checkpoint holds, from which the run goes on, in the place of what
// its worker told last, if that is wanted. Without a checkpoint that stays.
func (r *Run) resumed(wanted func(iteration int) bool) {
	saved, err := runfolder.ReadProgress(r.Dir)
	if err != nil || !wanted(saved.Iteration) {
		return
	}
	if saved.Iteration != r.Iteration || !math.IsNaN(saved.Loss) {
		r.Loss = saved.Loss
	}
	r.Iteration = saved.Iteration
}

// eta returns how long a worker takes to the last iteration that its run may have, at
// the speed it has shown. Both times are by the worker's clock.
func eta(lease *runfolder.Lease, iterations int, now time.Time) time.Duration {
	made, took := lease.Iteration-lease.From, lease.Beat.Sub(lease.Since)
	if made <= 0 || took <= 0 || iterations <= lease.Iteration {
		return 0
	}
	left := time.Duration(float64(took) / float64(made) * float64(iterations-lease.Iteration))
	return max(0, left-min(now.Sub(lease.Beat), left))
}
