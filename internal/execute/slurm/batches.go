package slurm

import (
	"cmp"
	"slices"
	"time"

	"github.com/deeplimit/deeplimit/internal/plan/engine"
)

// A Run is a run to submit.
type Run struct {
	ID   string
	Time time.Duration // about how long it takes on one core
}

// Work of a task. Slurm starts a few tasks a second, so a short one costs more than it
// does; half of the limit is left to estimates that are wrong by two.
const (
	leastWork = time.Minute
	mostShare = 0.5 // of the time limit
	spread    = 100 // tasks to spread a study over when nothing says how many may run at once
)

// Batches deals runs to tasks, the costly ones first, and returns the IDs of each task
// in the order of its index: every run in exactly one batch, no batch empty.
//
// With Options.PerTask each has that many, the last one what is left. Otherwise a task
// has about as much work as spreads all of it evenly over Options.ArrayLimit tasks
// (100 when there is no limit), but at least a minute's and at most half the time
// limit's, on the cores of a task. A run that is longer is a task of its own: it goes
// on from its checkpoint after the limit.
func Batches(runs []Run, o engine.Options) [][]string {
	runs = slices.Clone(runs)
	slices.SortStableFunc(runs, func(a, b Run) int { return cmp.Compare(b.Time, a.Time) })
	most := work(o, runs)
	var batches [][]string
	var left time.Duration // room in the last batch
	for _, run := range runs {
		full := run.Time > left
		if o.PerTask > 0 {
			full = len(batches) == 0 || len(batches[len(batches)-1]) == o.PerTask
		}
		if full || len(batches) == 0 {
			batches = append(batches, nil)
			left = most
		}
		last := &batches[len(batches)-1]
		*last = append(*last, run.ID)
		left -= run.Time
	}
	return batches
}

// work returns how much work of one core a task is given.
func work(o engine.Options, runs []Run) time.Duration {
	total := 0.0
	for _, run := range runs {
		total += run.Time.Seconds()
	}
	cores := float64(o.CPUs)
	seconds := max(leastWork.Seconds()*cores, total/float64(cmp.Or(o.ArrayLimit, spread)))
	if o.Time > 0 {
		seconds = min(seconds, mostShare*o.Time.Seconds()*cores)
	}
	const most = 1e9 // seconds: no task needs to be told apart from one of 30 years
	return time.Duration(min(seconds, most) * float64(time.Second))
}
