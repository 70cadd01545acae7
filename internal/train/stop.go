package train

import (
	"math"
)

// stop returns the reason to end at this iterate, "" to go on. Rules about J look
// only at fresh losses, those over all samples; divergence looks at any. Divergence and plateau are those of the
// objective, J and the penalty.
func (d *Descent[T]) stop(loss, objective float64, fresh bool) string {
	rules := d.Spec.Stop
	if math.IsNaN(d.first) {
		d.first = objective
	}
	switch {
	case math.IsNaN(objective) || math.IsInf(objective, 0) || objective > rules.Divergence*d.first:
		return StopDiverged
	case fresh && rules.Loss > 0 && loss <= rules.Loss:
		return StopLoss
	case d.t >= *rules.Iterations:
		return StopIterations
	case rules.Seconds > 0 && d.elapsed() >= rules.Seconds:
		return StopTime
	}
	if !fresh {
		return ""
	}
	if objective < d.best*(1-1e-6) {
		d.best, d.bestAt = objective, d.t
	} else if rules.Plateau > 0 && d.t-d.bestAt >= rules.Plateau {
		return StopPlateau
	}
	return ""
}

// rounding returns the unit roundoff of the element type.
func (d *Descent[T]) rounding() float64 {
	if d.precision() == "float32" {
		return 0x1p-24
	}
	return 0x1p-53
}

// precision returns the name of the element type.
func (d *Descent[T]) precision() string {
	if _, single := any(T(0)).(float32); single {
		return "float32"
	}
	return "float64"
}
