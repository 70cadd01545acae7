package train

// dense is the number of iterations that are all recorded.
const dense = 2000

// numbered says whether the number of this iteration has a row in the trace; for mini-batches that of the
// epoch which it starts, too, as J over all samples is known there alone.
func (d *Descent[T]) numbered() bool {
	return recorded(d.t) || d.t == d.cascade.First || d.Batch != nil && multiple(d.t, d.perEpoch())
}

// multiple says whether t is n times a number that is recorded.
func multiple(t, n int) bool { return t%n == 0 && recorded(t/n) }

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
