package train

import (
	"math"
	"math/bits"
)

// Counts says how often a descent does what it does not do at every step, up to its last
// iteration and at most.
type Counts struct {
	Steps      int
	Rows       int // of the trace
	Full       int // losses over all samples, of a mini-batch run
	Tests      int // losses over the test set
	Norms      int // of all layers
	Measured   int // iterates that are measured for certificates
	Variations int
}

// Count returns the counts of a resolved spec for n training samples, with a test set or
// without.
func (s Spec) Count(n int, test bool) Counts {
	last := *s.Stop.Iterations
	c := Counts{Steps: last, Rows: countRecorded(last, 1) + 1}
	// What is recorded of the multiples of a number is recorded of their count, too.
	more := func(of int) { c.Rows += countRecorded(last/of, 1) - countRecorded(last, of) }
	units, per := last, 1 // of the cadence; steps of one
	if s.Batch > 0 {
		per = (n + s.Batch - 1) / s.Batch
		units = last / per
		c.Full = units + 2
		more(per)
	} else if test {
		every := max(1, last/100)
		c.Tests = last/every + 2
		c.Rows += last/every + 1 - countRecorded(last, every)
	}
	if s.Variation > 0 { // in rows that there are for another reason, too
		others := c.Rows - countRecorded(last, 1)
		c.Variations = min(last/s.Variation+2, countRecorded(last/s.Variation, 1)+others)
		more(s.Variation)
	}
	if test && s.Batch > 0 {
		c.Tests = min(units+2, countRecorded(units, 1)+c.Variations+1)
	}
	if s.Norms != "off" {
		c.Norms = countNorms(last)
	}
	switch s.cadence() {
	case "ends":
		c.Measured = 2
	case "all":
		c.Measured = countRecorded(last, per) + 1
	case "growing":
		c.Measured = min(units+1, 2+(bits.Len(uint(max(0, units-1)))+1)/2+asks)
	}
	c.Rows = min(c.Rows, last+1)
	return c
}

// asks is about how many iterates are measured because the loss has fallen so far that a
// certificate may be had: none where a hypothesis fails, some five in a long descent.
const asks = 1

// countRecorded returns how many of 0, …, last are recorded, multiples of per alone.
func countRecorded(last, per int) int {
	count := min(last, dense-1)/per + 1
	for from, stride := dense, 1; from <= last; from = 2000 * stride {
		stride = max(stride, strideAt(from))
		end := min(last, 2000*stride-1) // as far as the stride is the same
		both := lcm(stride, per)
		count += end/both - (from-1)/both
		if from == 2000*stride {
			break
		}
	}
	return count
}

func lcm(a, b int) int {
	x, y := a, b
	for y > 0 {
		x, y = y, x%y
	}
	return a / x * b
}

// countNorms returns at how many of 0, …, last norms are recorded, the last one among them.
func countNorms(last int) int {
	if last < 8 {
		return last + 1
	}
	count := 8
	for j := 12.0; math.Round(math.Exp2(j/4)) <= float64(last); j++ {
		count++
	}
	return count + 1
}
