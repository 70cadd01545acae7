package survey

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Look returns how a run with a folder stands. What cannot be read is a failure with its
// reason. progress says how far the checkpoint in a folder is, as runfolder.ReadProgress.
func Look(m *runfolder.Member, now time.Time, progress func(dir string) (runfolder.Progress, error)) Run {
	r := Run{Planned: runfolder.Planned{ID: m.ID}, Dir: m.Dir, Extra: m.Plan == nil, Loss: math.NaN(), State: Pending}
	if m.Plan != nil {
		r.Planned = *m.Plan
	}
	switch {
	case m.Barred:
		r.State, r.Reason = Failed, m.Err.Error()
		return r
	case m.Run != nil:
		r.describe(&m.Run.Meta)
		if m.Run.Done() {
			r.finished(m.Run.Summary)
			r.LayerIterations = m.Run.LayerIterations()
			return r
		}
		r.Start, r.State = m.Run.Meta.Start, Interrupted
	case runfolder.Unreadable(m.Err):
		r.unread(m.Err)
		return r
	}
	r.unfinished(now, progress)
	return r
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
func (r *Run) unfinished(now time.Time, progress func(dir string) (runfolder.Progress, error)) {
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
			r.State, r.ETA = Running, eta(&lease, r.Iterations, now)
			r.resumed(progress, func(saved int) bool { return saved > lease.Iteration }) // it has given no sign since
			return
		}
		r.State = Interrupted
		if lease.Damaged != nil {
			r.Reason = lease.Damaged.Error()
		} else if !lease.Released {
			r.Reason = fmt.Sprintf("no heartbeat of process %d on %s since %s", lease.PID, lease.Host, lease.Beat.Local().Format(time.DateTime))
		}
	}
	if !r.resumed(progress, func(int) bool { return true }) {
		return
	}
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
// its worker told last, if that is wanted. Without a good checkpoint that stays. It reports
// whether the checkpoint, if there is one, could be read.
func (r *Run) resumed(progress func(dir string) (runfolder.Progress, error), wanted func(iteration int) bool) bool {
	saved, err := progress(r.Dir)
	if disk.Failed(err) {
		r.unread(err)
		return false
	}
	if err != nil || !wanted(saved.Iteration) {
		return true
	}
	if saved.Iteration != r.Iteration || !math.IsNaN(saved.Loss) {
		r.Loss = saved.Loss
	}
	r.Iteration = saved.Iteration
	return true
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
