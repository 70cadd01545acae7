package train

// dense is the number of iterations that are all recorded.
const dense = 2000

// traced says whether this iterate has a row in the trace: by the number of its
// iteration; for mini-batches by that of the epoch it starts, too, as J over all
// samples is known there alone; when the test set is looked at; and every
// train.variation iterations.
func (d *Descent[T]) traced() bool {
	multiple := func(of int) bool { return d.t%of == 0 && recorded(d.t/of) }
	switch {
	case recorded(d.t):
		return true
	case d.Spec.Variation > 0 && multiple(d.Spec.Variation):
		return true
	case d.Batch != nil:
		return multiple(d.perEpoch())
	}
	return (d.Test != nil || d.Validation != nil) && d.testTime()
}

// recorded says whether index t is kept: every one up to 2,000, after that the
// multiples of a power of two that is between a 2,000th and a 1,000th of t, so that
// t grows by a factor e over 1,000 to 2,000 kept indices.
func recorded(t int) bool {
	if t < dense {
		return true
	}
	return t%max(1, strideAt(t)) == 0
}

// strideAt returns the distance between recorded iterations near t: the power of two
// at or below t/1000.
func strideAt(t int) int {
	stride := 1
	for stride*2 <= t/1000 {
		stride *= 2
	}
	return stride
}
