package train

import (
	"errors"
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/runfolder"
)

// An Outcome is how a run ended.
type Outcome struct {
	Iterations int
	Stop       string
	Detail     string // for a diverged run: iteration, loss, step size
	Loss       float64
	TestLoss   *float64 // nil without a test set

	ValidationLoss *float64 // nil without a validation set

	// Levels are those of a cascade, none without one; the others are as in runfolder.Summary.
	Levels                            []runfolder.Level
	LayerIterations, LayerEvaluations int

	Seconds float64
	Rows    []runfolder.Row
	Norms   *runfolder.Norms // of all layers at some iterations, nil with Spec.Norms off
	// End is the state before the last look, for GoOn; nil where none is kept.
	End *runfolder.Checkpoint
	// Certification is what Spec.Certify measured, nil when it is off. Violation is the
	// first broken promise of a certificate, a *certify.Violation: a fault of
	// deeplimit, for which the run's result is not to be trusted.
	Certification *runfolder.Certification
	Violation     error
}

// outcome returns how the run ended, or its level.
func (d *Descent[T]) outcome(stop string, row runfolder.Row) Outcome {
	out := Outcome{
		Iterations: d.t, Stop: stop, Seconds: d.elapsed(), Rows: d.rows, Norms: d.norms, End: d.end, Loss: math.NaN(),
		Levels: d.endedLevels(stop), LayerIterations: d.layerIterations(), LayerEvaluations: d.cascade.Evaluations,
	}
	if d.certify != nil {
		out.Certification, out.Violation = &d.certify.record, d.certify.violation
	}
	if d.Spec.ProvesKernel() && d.Next == nil && stop != StopInterrupted && stop != StopDiverged {
		d.proveKernel(&out)
	}
	switch {
	case row.Loss != nil:
		out.Loss = *row.Loss
	case row.BatchLoss != nil:
		out.Loss = *row.BatchLoss
	}
	out.TestLoss, out.ValidationLoss = row.TestLoss, row.ValidationLoss
	if stop == StopDiverged {
		advice := "before the first step; the data or the initial weights are too large for " + d.precision()
		if d.t > 0 {
			advice = fmt.Sprintf("step size %.3g; try a smaller train.step.value", d.lastEta)
		}
		out.Detail = fmt.Sprintf("train: depth %d, iteration %d: loss is %.3g (%s)", d.Network.Depth, d.t, out.Loss, advice)
	}
	return out
}

// ErrCheckpoint is wrapped when a checkpoint does not fit the run it is given to.
var ErrCheckpoint = errors.New("checkpoint does not belong to this run")
