package importer

import (
	"fmt"
	"strconv"
	"time"

	"github.com/deeplimit/deeplimit/runfolder"
)

// A Follower measures the checkpoints of a training one by one, while its recorder writes them. Its rows are those that
// Import with SeriesSteps makes of all of them in the end.
type Follower struct {
	Meta  runfolder.Meta // of the run while the training goes on; its hash is of the first checkpoint
	start *start
}

// Follow reads the checkpoint of step 0. Errors are those of Import, such as a question how shapes are to be read.
func Follow(path string, seed uint64, o Options) (*Follower, error) {
	if err := o.check(); err != nil {
		return nil, fmt.Errorf("importer: %w", err)
	}
	c, err := newCheckpoint(path)
	if err != nil {
		return nil, err
	}
	p, err := newPlan(c, &o)
	if err != nil {
		return nil, err
	}
	p.seed, p.initial, p.step = seed, &p.checkpoint, "0"
	f := &Follower{}
	if f.Meta, err = p.meta(&o); err != nil {
		return nil, err
	}
	f.Meta.End = time.Time{}
	weights, err := p.readWeights(&f.Meta, &o)
	if err != nil {
		return nil, err
	}
	f.start, err = p.newStart(&f.Meta, &o, weights)
	return f, err
}

// Measure returns the row of the checkpoint of a step.
func (f *Follower) Measure(path string, step int) (runfolder.Row, error) {
	c, err := newCheckpoint(path)
	if err != nil {
		return runfolder.Row{}, err
	}
	row, _, err := f.start.measure(&plan{checkpoint: c, time: float64(step)})
	return row, err
}

// CreateStudy makes the folder of a study of weights from elsewhere, or finds it made.
func CreateStudy(dir, name string) error {
	text := fmt.Sprintf("# Imported weights: deeplimit analyze and report work on this folder, run does not.\nname: %s\n", strconv.Quote(name))
	return runfolder.CreateStudy(dir, name, text, nil)
}
