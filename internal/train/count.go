package train

import (
	"math"
	"math/bits"
)

// Counts says how often a descent does what it does not do at every step, up to its last
// iteration and at most.
type Counts struct {
	Steps    int
	Rows     int // of the trace
	Full     int // losses over all samples, of a mini-batch run
	Tests    int // losses over the test set
	Norms    int // of all layers
	Measured int // iterates that are measured for certificates
	Records  int // of statistics of paths
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
		more(per)
	}
	numbered := c.Rows
	late := countNorms(units) - countNorms(min(units, dense-1)) // of a geometric cadence, and not numbered
	between := 0                                                // records between epochs, or that may be
	switch s.recordCadence() {
	case "geometric":
		c.Records = countNorms(units) + 1
		c.Rows += late
	case "all":
		c.Records, between = numbered, numbered-countRecorded(units, 1)
	case "ends":
		c.Records = 2
	}
	if s.Variation > 0 {
		every := countRecorded(last/s.Variation, 1)
		c.Records += every + 1
		between += every
		more(s.Variation)
	}
	c.Records += len(s.Record.Losses)
	c.Rows += len(s.Record.Losses)
	if s.Batch > 0 {
		c.Full = min(units+2+between, last+2)
	}
	if test {
		switch s.Test.Cadence {
		case "":
			c.Tests = c.Records + 1
		case "all":
			c.Tests = numbered + c.Records
		default:
			c.Tests = 2
		}
		if s.Test.Every > 0 {
			c.Tests += countRecorded(last/s.Test.Every, 1)
			more(s.Test.Every)
		}
	}
	c.Records, c.Tests = min(c.Records, last+1), min(c.Tests, last+1)
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
