package sweep

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"sync"
	"time"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// executeRun trains one run in its folder, from its checkpoint if there is one, and
// writes what it leaves behind. An interrupted run leaves a checkpoint. A worker that
// has lost the run leaves nothing. idle is called once nothing is left to compute.
func executeRun[T kernel.Float](ctx context.Context, w *work, t *task, held *lease.Held, workers int, idle func()) (train.Outcome, error) {
	run, folder, set := t.run, t.folder, w.plan.Set(t.run)
	meta := w.meta(run, set)
	_, before := runfolder.Open(folder)
	if err := runfolder.Claim(folder, run.Hash); err != nil {
		return train.Outcome{}, err
	}
	if damaged, ok := errors.AsType[*runfolder.DamagedError](before); ok {
		w.observe(Event{Kind: Warned, Run: run, Err: damaged})
	}
	create := sync.OnceValue(func() error { return runfolder.Begin(folder, meta) })
	resume, err := runfolder.ReadCheckpoint(folder)
	switch {
	case errors.Is(err, runfolder.ErrNoCheckpoint):
		resume = w.goOn(t)
	case err != nil:
		return train.Outcome{}, err
	case resume.Hash != run.Hash:
		return train.Outcome{}, fmt.Errorf("checkpoint: got one of run %s, want %s; remove %s to start the run again", resume.Hash, run.Hash, folder)
	case resume.Arithmetic != w.options.arithmetic():
		return train.Outcome{}, &runfolder.MixtureError{
			Where:      [2]string{"the checkpoint of " + folder, "what this one would compute from it"},
			Arithmetic: [2]string{resume.Arithmetic, w.options.arithmetic()},
		}
	case resume.Damaged != nil:
		w.observe(Event{Kind: Warned, Run: run, Err: fmt.Errorf("going on from the checkpoint before: %w", resume.Damaged)})
	}
	memory, err := plan.Memory(run, workers, w.options.Workers)
	if err != nil {
		return train.Outcome{}, err
	}
	live := newLive(folder, resume, held.Check, create)
	save := func(c *runfolder.Checkpoint) error {
		if err := held.Check(); err != nil {
			return err
		}
		if err := create(); err != nil {
			return err
		}
		c.Hash, c.Arithmetic = run.Hash, w.options.arithmetic()
		return runfolder.WriteCheckpoint(folder, c)
	}
	observe := func(row runfolder.Row) {
		held.Progress(int(row.Iteration), lossOf(row))
		live.add(row)
		w.observe(Event{Kind: Advanced, Run: run, Row: row})
	}
	d, outcome, err := plan.Train(ctx, w.plan.Problem(run), resnet.Options{Workers: workers, Memory: memory}, func(d *plan.Descent[T]) {
		d.Every, d.Cores, d.Wanted, d.Save, d.Observe = w.options.Checkpoint, w.options.Workers, w.wanted(), save, observe
	}, resume)
	if err != nil || outcome.Stop == train.StopInterrupted {
		return outcome, err
	}
	defer d.Close()
	if err := held.Check(); err != nil {
		return outcome, err
	}
	meta.End = time.Now().UTC()
	if err := d.EvaluateEnd(&outcome); err != nil {
		return outcome, err
	}
	summary := runfolder.Summary{
		Iterations: outcome.Iterations, Stop: outcome.Stop, Loss: outcome.Loss, TestLoss: outcome.TestLoss, ValidationLoss: outcome.ValidationLoss, Seconds: outcome.Seconds,
		LayerIterations: outcome.LayerIterations, LayerEvaluations: &outcome.LayerEvaluations, Flops: new(w.plan.FlopsOf(run, outcome)), Levels: outcome.Levels,
	}
	if outcome.Violation != nil {
		summary.Violation = outcome.Violation.Error()
	}
	staging, err := runfolder.Stage(folder)
	if err != nil {
		return outcome, err
	}
	staging.Idle = idle
	summary.SHA256, err = runfolder.WriteStates(staging.Dir, train.States(d.Full, d.Network, d.Theta))
	if err == nil && outcome.Norms != nil {
		var sums map[string]string
		sums, err = runfolder.WriteNorms(staging.Dir, outcome.Norms)
		maps.Copy(summary.SHA256, sums)
	}
	if err == nil && outcome.Certification != nil {
		var sums map[string]string
		sums, err = runfolder.WriteCertification(staging.Dir, outcome.Certification)
		maps.Copy(summary.SHA256, sums)
	}
	if err == nil && outcome.End != nil {
		outcome.End.Hash, outcome.End.Arithmetic = run.Hash, w.options.arithmetic()
		var sums map[string]string
		sums, err = runfolder.WriteEnd(staging.Dir, outcome.End)
		maps.Copy(summary.SHA256, sums)
	}
	if err != nil {
		return outcome, errors.Join(err, staging.Discard())
	}
	return outcome, staging.Finish(meta, outcome.Rows, train.Weights(d.Network, d.Theta, d.Initial), summary)
}

// goOn returns the state at the end of the run that t goes on from, nil where it starts at its
// beginning. The state is read anew at each start until the run has a checkpoint of its own.
func (w *work) goOn(t *task) *runfolder.Checkpoint {
	if t.source == nil || t.again {
		if t.anew != "" {
			w.observe(Event{Kind: Anew, Run: t.run, Err: errors.New(t.anew)})
		}
		return nil
	}
	state, err := w.plan.GoOn(t.run, t.source)
	if err != nil {
		w.observe(Event{Kind: Warned, Run: t.run, Err: fmt.Errorf("starting anew: going on from %s: %w", t.source.Run.Dir, err)})
		return nil
	}
	w.observe(Event{Kind: GoesOn, Run: t.run, Source: t.source})
	return state
}

// wanted returns a function that says whether a checkpoint was asked for since its last call.
func (w *work) wanted() func() bool {
	seen := w.saves.Load()
	return func() bool {
		now := w.saves.Load()
		asked := now != seen
		seen = now
		return asked
	}
}

// meta says what run.json holds for a run that starts now.
func (w *work) meta(run *study.Run, set *dataset.Set) runfolder.Meta {
	network := run.Network
	meta := runfolder.Meta{
		ID: run.ID, Hash: run.Hash, Group: run.Group, Study: run.Study,
		Data: run.Data.Name, DataAbout: set.About(), Depth: run.Depth, Width: network.Width, Hidden: network.Hidden,
		Samples: set.Samples, Inputs: set.Inputs, Outputs: set.Outputs,
		Seed: run.Seed, DType: run.DType, Block: network.Block, Activation: network.Activation,
		Residual: network.Residual, Normalise: network.Normalise, Bias: network.Bias, Loss: network.Loss, Method: run.Train.Method, Altered: run.Train.Update() != run.Train.Method, Penalty: run.Train.Penalty.String(), Alpha: *network.Alpha,
		Coupled: resnet.Coupled(run.Initial), Drawn: drawn(run, set), Base: base(run),
		Step: run.Step(), Settings: run.Settings, Config: run.Config(),
		Version: w.options.Version, Environment: maps.Clone(w.environment), Start: time.Now().UTC(),
	}
	if meta.Drawn.Batches {
		meta.Batch = run.Train.Batch
	}
	meta.SetArithmetic(w.options.arithmetic())
	return meta
}

// drawn says what of a run is random.
func drawn(run *study.Run, set *dataset.Set) *runfolder.Drawn {
	d := &runfolder.Drawn{
		Weights: resnet.Drawn(run.Initial, run.Network),
		Batches: run.Train.Batch > 0 && run.Train.Batch < set.Samples,
	}
	if run.Data.Drawn() {
		d.Data = run.Data.Seed
	}
	return d
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
