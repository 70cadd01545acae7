package sweep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"time"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/study"
	"github.com/deeplimit/deeplimit/train"
	"github.com/deeplimit/deeplimit/weightpath"
)

// executeRun trains one run in its folder, from its checkpoint if there is one, and
// writes what it leaves behind. An interrupted run leaves a checkpoint.
func executeRun[T kernel.Float](ctx context.Context, w *work, run *study.Run, folder string, workers int) (train.Outcome, error) {
	set := w.plan.set(run)
	meta := w.meta(run, set)
	if err := weightpath.Create(folder, meta); err != nil {
		return train.Outcome{}, err
	}
	resume, err := weightpath.ReadCheckpoint(folder)
	switch {
	case errors.Is(err, weightpath.ErrNoCheckpoint):
		resume = nil
	case err != nil:
		return train.Outcome{}, err
	case resume.Hash != run.Hash:
		return train.Outcome{}, fmt.Errorf("checkpoint: got one of run %s, want %s; remove %s to start the run again", resume.Hash, run.Hash, folder)
	case resume.Damaged != nil:
		w.observe(Event{Kind: Warned, Run: run, Err: fmt.Errorf("going on from the checkpoint before: %w", resume.Damaged)})
	}
	d, err := newDescent[T](run, set, workers, w.options.Workers)
	if err != nil {
		return train.Outcome{}, err
	}
	defer d.close()
	d.Every, d.Cores = w.options.Checkpoint, w.options.Workers
	d.Save = func(c *weightpath.Checkpoint) error {
		c.Hash = run.Hash
		return weightpath.WriteCheckpoint(folder, c)
	}
	d.Observe = func(row weightpath.Row) { w.observe(Event{Kind: Advanced, Run: run, Row: row}) }
	outcome, err := d.Run(ctx, resume)
	if err != nil || outcome.Stop == train.StopInterrupted {
		return outcome, err
	}
	meta.End = time.Now().UTC()
	summary := weightpath.Summary{Iterations: outcome.Iterations, Stop: outcome.Stop, Loss: outcome.Loss, Seconds: outcome.Seconds}
	if summary.SHA256, err = weightpath.WriteStates(folder, train.States(d.Full, d.Network, d.Theta)); err != nil {
		return outcome, err
	}
	if outcome.Norms != nil {
		sums, err := weightpath.WriteNorms(folder, outcome.Norms)
		if err != nil {
			return outcome, err
		}
		maps.Copy(summary.SHA256, sums)
	}
	if outcome.Certification != nil {
		sums, err := weightpath.WriteCertification(folder, outcome.Certification)
		if err != nil {
			return outcome, err
		}
		maps.Copy(summary.SHA256, sums)
	}
	err = weightpath.Finish(folder, meta, outcome.Rows, train.Weights(d.Network, d.Theta, d.Initial), summary)
	// The files of a run that broke a promise are kept: they are the evidence.
	return outcome, errors.Join(err, outcome.Violation)
}

// descent is a train.Descent with the evaluators it was given.
type descent[T kernel.Float] struct {
	train.Descent[T]
}

// newDescent builds the network, its initial weights and its evaluators for a run
// on some of the cores.
func newDescent[T kernel.Float](run *study.Run, set *dataset.Set, workers, cores int) (*descent[T], error) {
	net, err := resnet.New(run.Network, run.Depth, set.Inputs, set.Outputs)
	if err != nil {
		return nil, err
	}
	initial, err := resnet.Parameters[T](net, run.Initial, run.Seed, run.Base)
	if err != nil {
		return nil, err
	}
	d := &descent[T]{train.Descent[T]{
		Network: net, Spec: run.Train, Seed: run.Seed,
		Initial: initial, Theta: append([]T(nil), initial...),
	}}
	limit, err := run.Train.MemoryBytes()
	if err != nil {
		return nil, err
	}
	options := resnet.Options{Workers: workers, Memory: memoryShare(limit, run, set, workers, cores)}
	samples := resnet.Samples{X: set.X, Y: set.Y, Labels: set.Labels}
	if d.Full, err = resnet.NewEvaluator[T](net, samples, options); err != nil {
		return nil, err
	}
	if set.Test != nil {
		held := resnet.Samples{X: set.Test.X, Y: set.Test.Y, Labels: set.Test.Labels}
		if d.Test, err = resnet.NewEvaluator[T](net, held, options); err != nil {
			d.close()
			return nil, fmt.Errorf("test set: %w", err)
		}
	}
	if run.Train.Batch > 0 {
		options.Batch = run.Train.Batch
		if d.Batch, err = resnet.NewEvaluator[T](net, samples, options); err != nil {
			d.close()
			return nil, err
		}
	}
	return d, nil
}

// memoryShare returns the part of the limit that each evaluator of a run may take, 0
// for no limit: runs at work share it as they share the cores, and a run shares its
// part among all samples, the mini-batch and the test set.
func memoryShare(limit int64, run *study.Run, set *dataset.Set, workers, cores int) int64 {
	if limit == 0 {
		return 0
	}
	evaluators := 1.0
	if run.Train.Batch > 0 {
		evaluators++
	}
	if set.Test != nil {
		evaluators++
	}
	return max(1, int64(float64(limit)*float64(workers)/(float64(cores)*evaluators)))
}

// close frees the evaluators' workers.
func (d *descent[T]) close() {
	for _, e := range []*resnet.Evaluator[T]{d.Full, d.Batch, d.Test} {
		if e != nil {
			e.Close()
		}
	}
}

// meta says what run.json holds for a run that starts now.
func (w *work) meta(run *study.Run, set *dataset.Set) weightpath.Meta {
	network := run.Network
	return weightpath.Meta{
		ID: run.ID, Hash: run.Hash, Group: run.Group, Study: run.Study,
		Data: run.Data.Name, Depth: run.Depth, Width: network.Width, Hidden: network.Hidden,
		Samples: set.Samples, Inputs: set.Inputs, Outputs: set.Outputs,
		Seed: run.Seed, DType: run.DType, Block: network.Block, Activation: network.Activation,
		Residual: network.Residual, Bias: network.Bias, Loss: network.Loss, Method: run.Train.Method, Alpha: *network.Alpha,
		Coupled: coupled(run.Initial), Base: base(run),
		Settings: run.Settings, Config: run.Config(),
		Version: w.options.Version, Environment: w.environment, Start: time.Now().UTC(),
	}
}

// coupled says whether the initial weights of one seed are, at every depth, the same
// function or noise path of the layer index. Files may hold anything.
func coupled(initial resnet.Initial) bool {
	for _, part := range initial.Parts {
		switch part.Kind {
		case "zero", "constant", "gaussian-process":
		default:
			if !part.Coupled && !part.Tied {
				return false
			}
		}
	}
	return true
}

// base returns the absolute folder that the run's relative file names start from, and
// "" for a run without files.
func base(run *study.Run) string {
	if len(run.Files) == 0 {
		return ""
	}
	path, err := filepath.Abs(run.Base)
	if err != nil {
		return run.Base // the working folder is gone; the name as given is the best there is
	}
	return path
}
