package train

import (
	"fmt"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/runfolder"
)

// stepSize returns η of the step from this iterate, for rules that do not search.
func (d *Descent[T]) stepSize(row runfolder.Row) (float64, error) {
	if !d.rule.certified() {
		return d.rule.size(d.t), nil
	}
	eta, err := d.certify.stepSize(*row.Loss)
	if err != nil {
		return 0, fmt.Errorf("train: depth %d, iteration %d: step rule certified: %w; choose another train.step.rule", d.Network.Depth, d.t, err)
	}
	return d.rule.Value * eta, nil
}

// search returns the η that Armijo's rule accepts, 0 when none lowers J. It starts one
// factor above the last η, and where that fails, as after a step that rounding made small,
// at η₀.
func (d *Descent[T]) search(row runfolder.Row) float64 {
	if newton, ok := d.stepper.update.(*levenberg[T]); ok {
		return d.searchNewton(newton)
	}
	first := d.rule.size(d.t)
	if d.lastEta > 0 && d.lastEta/d.rule.Factor < first {
		if eta := d.searchFrom(d.lastEta/d.rule.Factor, row); eta > 0 {
			return eta
		}
	}
	return d.searchFrom(first, row)
}

func (d *Descent[T]) searchFrom(first float64, row runfolder.Row) float64 {
	ops := kernel.For[T]()
	trained := d.Network.Layout.Trained
	return d.rule.backtrack(first, objectiveOf(row), d.gradientSquare(), d.rounding(), func(eta float64) float64 {
		copy(d.trial[:trained], d.Theta[:trained])
		ops.AddScaled(d.trial[:trained], T(-eta), d.grad)
		d.evaluated(1)
		loss := d.Full.Loss(d.trial).Loss
		if d.penalty != nil {
			loss += d.penalty.Value(d.trial)
		}
		return loss
	})
}
