package train

import (
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Steps are the steps of a descent for whoever times them: as Run makes them, with nothing recorded, nothing
// measured but what step rule certified needs, and no rule that stops. After the last iteration of Spec.Stop the schedule begins again.
type Steps[T kernel.Float] struct{ descent *Descent[T] }

// Steps returns the steps of the descent from its first iterate on. Neither Run nor Costs may follow.
func (d *Descent[T]) Steps() (*Steps[T], error) {
	if err := d.begin(nil); err != nil {
		return nil, err
	}
	if !d.rule.certified() {
		d.certify = nil
	}
	return &Steps[T]{d}, nil
}

// Step makes one step and returns the loss before it, that of the mini-batch where there are mini-batches: then the
// loss over all samples, which Run computes once an epoch, is no part of it.
func (s *Steps[T]) Step() (loss float64, err error) {
	d := s.descent
	var row runfolder.Row
	if d.Batch != nil {
		row.Iteration = int64(d.t)
		loss = d.lookBatch(&row)
	} else {
		row, _ = d.look()
		loss = *row.Loss
	}
	if err := d.measure(row, false); err != nil {
		return 0, err
	}
	var eta float64
	if d.rule.searches() {
		eta = d.search(row)
	} else if eta, err = d.stepSize(row); err != nil {
		return 0, err
	}
	d.step(&row, eta)
	if d.t++; d.t >= *d.Spec.Stop.Iterations {
		d.t = 0
	}
	return loss, nil
}

// Descends says whether one worker moves each layer on its way back, and the others have nothing to do.
func (s *Steps[T]) Descends() bool { return s.descent.descends() }

// Gradient returns the loss and the gradient at the iterate at hand, of the mini-batch that is next where there are
// mini-batches. The slice is the descent's own.
func (s *Steps[T]) Gradient() (loss float64, gradient []T) {
	d := s.descent
	if d.Batch != nil {
		return d.lookBatch(&runfolder.Row{}), d.grad
	}
	return d.Full.Gradient(d.Theta, d.grad).Loss, d.grad
}

// Order returns the indices of the samples in the order of the epoch at hand, nil without mini-batches. It is
// known from the first Step or Gradient on.
func (s *Steps[T]) Order() []int { return s.descent.epoch }
