package sweep

import (
	"errors"

	"github.com/deeplimit/deeplimit/runfolder"
)

// over reports whether nothing of what is left is for this process to start, now or soon:
// each run has failed, or is held by a worker that has just shown a sign of life. One of
// the same job of a queue is waited for: the queue has started this process in its place.
func (w *work) over(tasks []*task) bool {
	for _, t := range tasks {
		switch {
		case t.givenUp:
		case !t.alive:
			return false
		case w.options.Job != "" && t.holder.Lease.Job == w.options.Job:
			return false
		}
	}
	return true
}

// givenUp reports whether the last attempt at a run failed and this process is not to
// try it again.
func (w *work) givenUp(t *task) bool {
	if !w.options.Join {
		return false
	}
	_, err := runfolder.ReadFailure(t.folder)
	_, damaged := errors.AsType[*runfolder.DamagedError](err)
	return err == nil || damaged
}
