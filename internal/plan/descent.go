package plan

import (
	"fmt"

	"github.com/deeplimit/deeplimit/internal/coordinates"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A Descent is a train.Descent on a problem, with the evaluators that it owns.
type Descent[T kernel.Float] struct {
	train.Descent[T]
	problem *Problem
	options resnet.Options
	look    *coordinates.Look // nil before the first record, and without train.coordinates
}

// NewDescent returns the descent of a problem from theta, which becomes its own, on
// options.Workers cores. Its evaluators share options.Memory, 0 for no limit. The caller
// closes it.
func NewDescent[T kernel.Float](p *Problem, theta []T, options resnet.Options) (*Descent[T], error) {
	spec := p.Run.Train
	options.Memory = share(options.Memory, p)
	d := &Descent[T]{problem: p, options: options, Descent: train.Descent[T]{
		Network: p.Network, Spec: spec, Seed: p.Run.Seed,
		Initial: append([]T(nil), theta...), Theta: theta,
	}}
	var err error
	if d.Full, err = resnet.NewEvaluator[T](p.Network, p.Samples, options); err != nil {
		return nil, err
	}
	if p.Test != nil {
		if d.Test, err = resnet.NewEvaluator[T](p.Network, *p.Test, options); err != nil {
			d.Close()
			return nil, fmt.Errorf("test set: %w", err)
		}
	}
	if p.Validation != nil {
		if d.Validation, err = resnet.NewEvaluator[T](p.Network, *p.Validation, options); err != nil {
			d.Close()
			return nil, fmt.Errorf("validation set: %w", err)
		}
	}
	if spec.Coordinates {
		d.Changes = d.changes
	}
	if spec.Batch > 0 {
		options.Batch = spec.Batch
		if d.Batch, err = resnet.NewEvaluator[T](p.Network, p.Samples, options); err != nil {
			d.Close()
			return nil, err
		}
	}
	return d, nil
}

// changes fills in what training has changed, in float64 also where the descent is in float32.
func (d *Descent[T]) changes(row *runfolder.Row, initial, theta []T) error {
	if d.look == nil {
		var err error
		if d.look, err = coordinates.NewLook(d.Network, d.problem.Samples, d.options.Memory, inDouble(initial)); err != nil {
			return err
		}
	}
	return d.look.Fill(row, inDouble(theta))
}

// inDouble returns a copy of x in float64.
func inDouble[T kernel.Float](x []T) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = float64(v)
	}
	return out
}

// share returns the part of the limit on memory that each evaluator of a descent may take:
// those of all samples, of the mini-batch, of held-out samples and of the end of the run.
func share(limit int64, p *Problem) int64 {
	if limit == 0 {
		return 0
	}
	evaluators := int64(1)
	if p.Run.DType == "float32" { // and one in float64 for the last weights
		evaluators++
	}
	if p.Run.Train.Batch > 0 {
		evaluators++
	}
	if p.Run.Train.Coordinates {
		evaluators++
	}
	evaluators += int64(len(p.held()))
	return max(1, limit/evaluators)
}

// Close frees the evaluators' workers.
func (d *Descent[T]) Close() {
	for _, e := range []*resnet.Evaluator[T]{d.Full, d.Batch, d.Test, d.Validation} {
		if e != nil {
			e.Close()
		}
	}
	if d.look != nil {
		d.look.Close()
	}
}

// EvaluateEnd sets the losses of an outcome to those of the weights as they are stored,
// evaluated in float64. A descent in float32 sees its own loss with the rounding of its
// hidden states, which is most of it where the loss is small. A diverged run keeps the
// loss that ended it.
func (d *Descent[T]) EvaluateEnd(outcome *train.Outcome) error {
	if double[T]() || outcome.Stop == train.StopDiverged {
		return nil
	}
	theta := inDouble(d.Theta)
	var err error
	if outcome.Loss, err = lossOn(d.Network, d.problem.Samples, d.options, theta); err != nil {
		return err
	}
	for _, held := range []struct {
		samples *resnet.Samples
		loss    **float64
	}{{d.problem.Test, &outcome.TestLoss}, {d.problem.Validation, &outcome.ValidationLoss}} {
		if held.samples == nil {
			continue
		}
		loss, err := lossOn(d.Network, *held.samples, d.options, theta)
		if err != nil {
			return err
		}
		*held.loss = &loss
	}
	return nil
}

// double says whether T is float64.
func double[T kernel.Float]() bool {
	_, ok := any(T(0)).(float64)
	return ok
}

// Loss returns J(θ) over the training samples, in float64.
func (p *Problem) Loss(theta []float64, options resnet.Options) (float64, error) {
	return lossOn(p.Network, p.Samples, options, theta)
}

// lossOn returns J(θ) on the samples.
func lossOn(net *resnet.Network, samples resnet.Samples, options resnet.Options, theta []float64) (float64, error) {
	e, err := resnet.NewEvaluator[float64](net, samples, options)
	if err != nil {
		return 0, err
	}
	defer e.Close()
	return e.Loss(theta).Loss, nil
}
