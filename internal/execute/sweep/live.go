package sweep

import (
	"math"
	"time"

	"github.com/deeplimit/deeplimit/runfolder"
)

// live shows a run while it grows, once it has lasted for a second: run.json, and then
// its trace. Most runs of a large study end sooner, and nobody could look at them.
type live struct {
	folder string
	check  func() error    // fails when another worker has taken the run over
	create func() error    // makes run.json
	before []runfolder.Row // of the checkpoint that the run goes on from
	rows   []runfolder.Row // not shown yet
	due    time.Time
	shown  bool
}

// liveEvery is the time between additions to the live trace, and before the first.
const liveEvery = time.Second

// newLive returns what shows a run that starts from a checkpoint, or from nil.
func newLive(folder string, resume *runfolder.Checkpoint, check, create func() error) *live {
	l := &live{folder: folder, check: check, create: create, due: time.Now().Add(liveEvery)}
	if resume != nil {
		l.before = resume.Rows
	}
	return l
}

// add shows a row, soon. A live trace that cannot be written does not stop the run: what
// is wrong with the disk shows when the run's own files are written.
func (l *live) add(row runfolder.Row) {
	l.rows = append(l.rows, row)
	now := time.Now()
	if now.Before(l.due) {
		return
	}
	l.due = now.Add(liveEvery)
	switch {
	case l.check() != nil: // the rows and the folder are another worker's now
	case l.shown:
		runfolder.AppendLive(l.folder, l.rows)
	default:
		l.shown = true
		l.create()
		runfolder.RewriteLive(l.folder, append(l.before, l.rows...))
	}
	l.rows = l.rows[:0]
}

// lossOf returns the loss that a row tells, of all samples or the mini-batch.
func lossOf(row runfolder.Row) float64 {
	switch {
	case row.Loss != nil:
		return *row.Loss
	case row.BatchLoss != nil:
		return *row.BatchLoss
	}
	return math.NaN()
}
