// Package train moves the parameters of a network downhill: the descent loop with
// its method, step-size rule and stopping rule, the trace it leaves, checkpoints
// and exact resume.
package train

import (
	"context"
	"math"
	"time"

	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Reasons for which a run ends, as result.json and tables show them. Diverged means
// that J exceeded stop.divergence·J(0) or was not finite, floor that Armijo's search found no
// step that lowers J: it is as low as the precision shows, or the gradient is zero.
const (
	StopLoss        = "loss"       // J fell to stop.loss
	StopIterations  = "iterations" // stop.iterations steps were made
	StopTime        = "time"       // stop.seconds passed
	StopPlateau     = "plateau"    // J stopped falling
	StopFloor       = runfolder.Floor
	StopDiverged    = runfolder.Diverged
	StopInterrupted = "interrupted" // the context ended; a checkpoint holds the state
)

// A Descent is one run in memory. The caller fills the exported fields; evaluators
// stay the caller's to close.
type Descent[T kernel.Float] struct {
	Network *resnet.Network
	Spec    Spec // resolved
	Seed    uint64
	Theta   []T                  // parameters, moved in place; Layout.Size entries
	Initial []T                  // parameters at iteration 0
	Full    *resnet.Evaluator[T] // all training samples
	Batch   *resnet.Evaluator[T] // for mini-batches; nil for full-batch descent
	Test    *resnet.Evaluator[T] // held-out samples, or nil

	Validation *resnet.Evaluator[T] // other held-out samples, or nil

	// Changes, if not nil, fills into the row of each record what training has changed in the network.
	Changes func(row *runfolder.Row, initial, theta []T) error

	Cores int // goroutines for what Spec.Certify measures; 0 for one

	// Observe, if not nil, is called with every recorded row, in order, after the step
	// from its iterate.
	Observe func(runfolder.Row)
	// Save, if not nil, stores a checkpoint; it is called every Every while the run
	// goes on, when Wanted says so after a step, and when the context ends.
	Save   func(*runfolder.Checkpoint) error
	Every  time.Duration
	Wanted func() bool // may be nil

	// Next is the level of a cascade that follows; nil in its last one, and without a cascade.
	Next *Next[T]

	cascade  cascadeState
	end      *runfolder.Checkpoint // as of Outcome
	before   *Descent[T]           // the level before, until the descent begins
	lastLoss float64               // J of the iterate at hand, NaN where it is not known
	stepper  *Stepper[T]
	penalty  *Regulariser[T] // nil without a penalty
	square   float64         // ‖∇(J + R)‖², with a penalty
	split    splitter        // Full.Split
	rule     rule
	certify  *certification[T] // nil when nothing is measured
	ahead    bool              // whether only the loss is known of the iterate, and Full.Descend makes the step
	grad     []T
	trial    []T // for Armijo
	rows     []runfolder.Row
	norms    *runfolder.Norms                // nil when none are recorded
	blank    map[string]runfolder.LayerNorms // memory for norms
	t        int                             // iteration
	seconds  float64                         // training time before this start
	begun    time.Time
	lastEta  float64 // η of the last step
	levels   int     // of Spec.Record.Losses that J was at or below
	first    float64 // J(0)
	best     float64 // smallest J that counted as progress
	bestAt   int
	epoch    []int // order of the samples in the epoch under way
	batch    int   // samples of a mini-batch
	permuted bool  // whether epoch holds the order of this epoch
}

// Run descends until a stopping rule holds and returns how it ended. resume, if
// not nil, is the checkpoint to go on from; the outcome is then the same, byte for
// byte but for seconds, as that of a run never interrupted. An ended context gives
// StopInterrupted and no error, after Save. Divergence is an outcome, not an error.
func (d *Descent[T]) Run(ctx context.Context, resume *runfolder.Checkpoint) (Outcome, error) {
	if err := d.begin(resume); err != nil {
		return Outcome{}, err
	}
	saved := d.begun
	for {
		row, stop := d.look()
		if stop == "" && ctx.Err() != nil {
			if err := d.save(); err != nil {
				return Outcome{}, err
			}
			return d.outcome(StopInterrupted, row), nil
		}
		evaluations := d.cascade.Evaluations
		deeper, stop, err := d.leaves(row, stop)
		if err != nil {
			return Outcome{}, err
		}
		eta, searches := 0.0, d.rule.searches()
		if stop == "" && searches && !deeper {
			if eta = d.search(row); eta == 0 {
				deeper, stop, _ = d.leaves(row, StopFloor)
			}
		}
		if stop != "" {
			if err := d.keepEnd(stop, evaluations); err != nil {
				return Outcome{}, err
			}
		}
		d.counted(row, stop, deeper)
		if deeper {
			return d.outcome(Deeper, row), nil
		}
		if err := d.measure(row, stop != ""); err != nil {
			return Outcome{}, err
		}
		if stop == "" && !searches {
			var err error
			if eta, err = d.stepSize(row); err != nil {
				return Outcome{}, err
			}
		}
		if stop == "" {
			row.StepSize = &eta
		}
		record, tested, traced := d.times(row, stop != "")
		if traced {
			if err := d.complete(&row, record, tested); err != nil {
				return Outcome{}, err
			}
		}
		if d.norms != nil && (stop != "" || geometric(d.t) || d.t == d.cascade.First) {
			d.recordNorms()
		}
		if stop == "" {
			d.step(&row, eta)
		}
		if traced {
			d.record(row)
		}
		if stop != "" {
			return d.outcome(stop, row), nil
		}
		d.t++
		due := d.Every > 0 && time.Since(saved) >= d.Every
		if wanted := d.Wanted != nil && d.Wanted(); d.Save != nil && (due || wanted) {
			if err := d.save(); err != nil {
				return Outcome{}, err
			}
			saved = time.Now()
		}
	}
}

// begin makes what the loop needs, as it is at iteration 0 or in the checkpoint.
func (d *Descent[T]) begin(resume *runfolder.Checkpoint) error {
	d.reserve(&alloc.Account{}, d.Full.Len(), d.Full.Workers())
	d.split = d.Full.Split
	copy(d.trial, d.Theta)
	if d.Batch != nil {
		d.batch = min(d.Spec.Batch, d.Full.Len())
	}
	d.best, d.first = math.Inf(1), math.NaN()
	if d.certify != nil {
		d.certify.record.Problem = d.Full.Problem(d.Spec.Update())
	}
	if resume != nil {
		if err := d.restore(resume); err != nil {
			return err
		}
	} else if d.before != nil {
		if err := d.follow(); err != nil {
			return err
		}
	}
	d.begun = time.Now()
	return nil
}

// reserve makes the memory of the descent on that many samples with steps made by that many
// workers, its rows apart.
func (d *Descent[T]) reserve(mem *alloc.Account, samples, workers int) {
	law := d.Spec.At(d.Network.Depth, d.Network.Spec)
	trained := d.Network.Layout.Trained
	d.stepper = NewStepper[T](mem, d.Network, d.Spec, workers)
	d.rule = newRule(d.Spec, law.First)
	d.penalty = NewRegulariser[T](d.Spec.Penalty, d.Network)
	d.grad = alloc.Make[T](mem, trained)
	if d.rule.searches() {
		d.trial = alloc.Make[T](mem, d.Network.Layout.Size)
	}
	if d.Spec.Batch > 0 {
		d.epoch = alloc.Make[int](mem, samples)
	}
	d.certify = newCertification(mem, d)
	if d.Spec.Norms != "off" {
		d.norms = &runfolder.Norms{Parts: map[string]runfolder.LayerNorms{}}
		d.blank = newNorms(mem, d.Network, *d.Spec.Stop.Iterations)
	}
}

// look computes loss and gradient at the iterate and says whether to stop here.
func (d *Descent[T]) look() (row runfolder.Row, stop string) {
	row = runfolder.Row{Iteration: int64(d.t)}
	var loss float64
	fresh := true // whether loss is J over all samples
	switch {
	case d.Batch == nil && d.descends():
		all := d.Full.Ahead(d.Theta)
		loss, d.ahead = all.Loss, true
		d.setLoss(&row, all)
	case d.Batch == nil:
		all := d.Full.Gradient(d.Theta, d.grad)
		loss = all.Loss
		d.setLoss(&row, all)
		d.setGradient(&row)
		d.objective(&row)
	default:
		fresh = d.epochStart() || d.t >= *d.Spec.Stop.Iterations
		if fresh {
			all := d.Full.Loss(d.Theta)
			loss = all.Loss
			d.setLoss(&row, all)
		}
		part := d.lookBatch(&row)
		if !fresh {
			loss = part
		}
	}
	objective := loss
	if row.Penalty != nil {
		objective += *row.Penalty
	}
	stop = d.stop(loss, objective, fresh)
	if stop == StopTime && !fresh {
		d.setLoss(&row, d.Full.Loss(d.Theta))
	}
	if d.ahead && (stop != "" || d.certify != nil && d.certify.due(loss, false)) {
		d.Full.Back(d.Theta, d.grad)
		d.ahead = false
		d.setGradient(&row)
	}
	return row, stop
}

// lookBatch computes loss, which it returns, and gradient on the mini-batch of the iteration.
func (d *Descent[T]) lookBatch(row *runfolder.Row) float64 {
	d.chooseBatch()
	part := d.Batch.Gradient(d.Theta, d.grad)
	norm := math.Sqrt(d.Batch.GradientSquare())
	row.BatchLoss, row.GradientNorm = &part.Loss, &norm
	d.objective(row)
	return part.Loss
}

// descends says whether steps may be made by Full.Descend: those of gradient descent
// with a size that depends on the number of the iteration alone.
func (d *Descent[T]) descends() bool {
	return d.Spec.Update() == "gd" && d.penalty == nil && !d.rule.searches() && !d.rule.certified() && d.Full.Descends()
}

// step moves the weights by a step of size eta and tells the certification of it.
func (d *Descent[T]) step(row *runfolder.Row, eta float64) {
	theta := d.Theta[:d.Network.Layout.Trained]
	var norms []float64 // of the gradient of each layer
	if d.certify != nil && d.certify.descends() {
		norms = d.certify.norms
	}
	if d.ahead {
		d.Full.Descend(d.Theta, eta, norms)
		d.stepper.count++
		d.ahead = false
		d.setGradient(row)
	} else {
		if norms != nil {
			resnet.LayerNormsTo(norms, d.Network, d.grad)
		}
		norm := 0.0 // of what is clipped
		switch {
		case d.penalty != nil:
			norm = math.Sqrt(d.square)
		case row.GradientNorm != nil:
			norm = *row.GradientNorm
		}
		d.stepper.Step(theta, d.grad, eta, d.Spec.Clip, norm, d.split)
	}
	if d.certify != nil {
		d.certify.step(eta, lossOf(*row))
	}
	d.lastEta = eta
}

// setGradient fills what follows from the gradient over all samples.
func (d *Descent[T]) setGradient(row *runfolder.Row) {
	square := d.Full.GradientSquare()
	norm, ratio := math.Sqrt(square), square/(2*lossOf(*row))
	row.GradientNorm, row.PLRatio = &norm, &ratio
}

// setLoss fills J and the share of correct classes.
func (d *Descent[T]) setLoss(row *runfolder.Row, all resnet.Evaluation) {
	row.Loss = &all.Loss
	if d.Full.Classifies() {
		share := float64(all.Correct) / float64(d.Full.Len())
		row.Accuracy = &share
	}
}

// measure lets the certification look at this iterate.
func (d *Descent[T]) measure(row runfolder.Row, last bool) error {
	if d.certify == nil {
		return nil
	}
	return d.certify.look(lossOf(row), last)
}

// lossOf returns J over all samples, NaN where it is not known.
func lossOf(row runfolder.Row) float64 {
	if row.Loss == nil {
		return math.NaN()
	}
	return *row.Loss
}

// heldOut returns the loss on samples of their own, and for classes the share of correct ones; nil
// where there are no samples.
func (d *Descent[T]) heldOut(e *resnet.Evaluator[T]) (loss, accuracy *float64) {
	if e == nil {
		return nil, nil
	}
	d.evaluated(1)
	held := e.Loss(d.Theta)
	if e.Classifies() {
		accuracy = new(float64(held.Correct) / float64(e.Len()))
	}
	return &held.Loss, accuracy
}

// record hands a complete row on.
func (d *Descent[T]) record(row runfolder.Row) {
	row.Seconds = d.elapsed()
	d.setLevel(&row)
	d.rows = append(d.rows, row)
	if d.Observe != nil {
		d.Observe(row)
	}
}

func (d *Descent[T]) elapsed() float64 { return d.seconds + time.Since(d.begun).Seconds() }
