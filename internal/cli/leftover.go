package cli

import (
	"context"
	"slices"
	"time"

	"github.com/deeplimit/deeplimit/internal/execute/slurm"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

// leftover is what is left to do of the runs that the command wants.
type leftover struct {
	total, done, working int
	open                 []*study.Run // for tasks of this command: not done, and at no other worker or other tasks
	tasks                int          // of this command in the queue, with the same conditions or none
}

// left compares the runs that the command wants with the queue and then, as a task that
// ends leaves results first, with the files.
func (o *runOptions) left(ctx context.Context, client slurm.Client, plan *plan.Plan, dir string) (*leftover, error) {
	wanted, err := chosen(plan, o.share.only)
	if err != nil {
		return nil, err
	}
	arrays, err := client.View(ctx, dir)
	if err != nil {
		return nil, err
	}
	l := &leftover{total: len(wanted)}
	mine, covered := map[string]bool{}, map[string]bool{}
	for _, a := range arrays {
		if len(a.Only) > 0 && !slices.Equal(a.Only, o.share.only) {
			others, _ := chosen(plan, a.Only) // conditions of an earlier form of the study may fit no run
			for id := range others {
				covered[id] = true
			}
			continue
		}
		l.tasks += len(a.Queued)
		for _, task := range a.Queued {
			mine[task.ID()] = true
		}
	}
	states, _, err := survey.Read(dir)
	if err != nil {
		return nil, err
	}
	state := map[string]*survey.Run{}
	for i := range states {
		state[states[i].ID] = &states[i]
	}
	for i := range plan.Runs {
		run := &plan.Runs[i]
		s := state[run.ID]
		working := s != nil && s.State == survey.Running
		switch {
		case !wanted[run.ID]:
			continue
		case s != nil && s.Stop != "": // with a result, if only one that broke a promise
			l.done++
		case !(working && !mine[s.Job]) && !covered[run.ID]:
			l.open = append(l.open, run)
		}
		if working {
			l.working++
		}
	}
	return l, nil
}

// all reports whether every run is done.
func (l *leftover) all() bool { return l.done == l.total }

// tryAgain lets tasks take up runs that have failed.
func (l *leftover) tryAgain(dir string) error {
	for _, run := range l.open {
		if err := runfolder.ClearFailure(runfolder.RunDir(dir, run.ID)); err != nil {
			return err
		}
	}
	return nil
}

// times returns about how long each run takes on a core.
func (l *leftover) times(plan *plan.Plan) []time.Duration {
	list := make([]time.Duration, len(l.open))
	for i, run := range l.open {
		list[i] = plan.Duration(run)
	}
	return list
}

// bytes returns an estimate of the memory of the largest run with so many cores.
func (l *leftover) bytes(plan *plan.Plan, cores int) float64 {
	most := 0.0
	for _, run := range l.open {
		most = max(most, plan.Bytes(run, cores))
	}
	return most
}
