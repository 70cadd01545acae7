package compare

import (
	"errors"
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

// distance returns how far two profiles are apart, in the norm of the options.
func (c *comparison) distance(a, b *profile) (float64, error) {
	switch {
	case a.kind == points && (a.samples != b.samples || a.dim != b.dim):
		return 0, fmt.Errorf("got outputs of shapes (%d,%d) and (%d,%d), want the same", a.samples, a.dim, b.samples, b.dim)
	case a.kind == lines && a.dim != b.dim:
		return 0, fmt.Errorf("got hidden states of %d and %d entries a layer for %d samples, want the same width, or --of outputs", a.dim, b.dim, a.samples)
	case a.kind == steps && (a.shape != b.shape || a.dim != b.dim):
		return 0, fmt.Errorf("got layers of shapes %s and %s, want the same widths, or --of outputs", a.shape, b.shape)
	case a.kind == points:
		return pointDistance(a, b, c.options.Norm), nil
	case a.kind == lines:
		return lineDistance(a, b, c.options.Norm), nil
	case a.unit > 0:
		return alignedDistance(a, b, c.options.Norm), nil
	}
	return stepDistance(a, b, c.options.Norm), nil
}

// pointDistance is that of outputs.
func pointDistance(a, b *profile, norm string) float64 {
	sum, most := 0.0, 0.0
	for i := range a.rows() {
		square := squareOf(a.row(i), b.row(i))
		sum += square
		most = max(most, square)
	}
	if norm == "sup" {
		return math.Sqrt(most)
	}
	return math.Sqrt(sum / float64(a.rows()))
}

// ops are the vector operations of the machine.
var ops = kernel.For[float64]()

// squareOf returns ‖x − y‖².
func squareOf(x, y []float64) float64 { return ops.SumSquaredDifferences(x, y) }

// stepDistance is that of step functions.
func stepDistance(a, b *profile, norm string) float64 {
	sum, most := 0.0, 0.0
	var integral []float64
	if norm == "integral" {
		integral = make([]float64, a.dim)
	}
	eachPiece(a.rows(), b.rows(), func(width float64, i, j, _ int) {
		x, y := a.row(i), b.row(j)
		if integral == nil {
			square := squareOf(x, y)
			sum += width * square
			most = max(most, square)
			return
		}
		square := 0.0
		for k, v := range x {
			integral[k] += width * (v - y[k])
			square += integral[k] * integral[k]
		}
		most = max(most, square) // between jumps the integral is linear, so that its norm is largest at one
	})
	if norm == "l2" {
		return math.Sqrt(sum)
	}
	return math.Sqrt(most)
}

// eachPiece calls f with every interval on which two step functions of m and n equal steps are constant: its length,
// the numbers of the steps, and its end in units of 1/(mn).
func eachPiece(m, n int, f func(width float64, i, j, end int)) {
	// Step i of the first ends at (i+1)·n units, and step j of the second at (j+1)·m.
	for i, j, at := 0, 0, 0; i < m; {
		end := min((i+1)*n, (j+1)*m)
		f(float64(end-at)/float64(m)/float64(n), i, j, end)
		at = end
		if end == (j+1)*m {
			j++
		}
		if end == (i+1)*n {
			i++
		}
	}
}

// lineDistance is that of functions that are linear between their rows, at k/L. The integral is exact for l2; sup is,
// as the norm of a linear difference is largest at an end; the norm of an integral is looked at where pieces end.
func lineDistance(a, b *profile, norm string) float64 {
	before, after := make([]float64, a.dim), make([]float64, a.dim)
	integral := make([]float64, a.dim)
	sum, most := 0.0, 0.0
	m, n := a.rows()-1, b.rows()-1
	difference(after, a, b, 0, 0, 0, 0)
	first := ops.SumSquares(after)
	eachPiece(m, n, func(width float64, i, j, end int) {
		before, after = after, before
		difference(after, a, b, i, j, float64(end-i*n)/float64(n), float64(end-j*m)/float64(m))
		last := ops.SumSquares(after)
		switch norm {
		case "l2": // (‖u‖² + ⟨u,v⟩ + ‖v‖²)/3 from u to v
			sum += width * ((first+last)/2 - squareOf(before, after)/6)
		case "sup":
			most = max(most, first, last)
		case "integral":
			for k, u := range before {
				integral[k] += width * (u + after[k]) / 2
			}
			most = max(most, ops.SumSquares(integral))
		}
		first = last
	})
	if norm == "l2" {
		return math.Sqrt(sum)
	}
	return math.Sqrt(most)
}

// difference sets out to a − b, a at the share s of the way from row i to the next and b at t from row j.
func difference(out []float64, a, b *profile, i, j int, s, t float64) {
	if s == 1 && t == 1 && a.rows() == b.rows() {
		x, y := a.row(i+1), b.row(j+1)
		for k := range out {
			out[k] = x[k] - y[k]
		}
		return
	}
	x, xNext := a.row(i), a.row(min(i+1, a.rows()-1))
	y, yNext := b.row(j), b.row(min(j+1, b.rows()-1))
	for k := range out {
		out[k] = x[k] + s*(xNext[k]-x[k]) - y[k] - t*(yNext[k]-y[k])
	}
}

// meanOf returns the mean of profiles of one shape.
func meanOf(profiles []*profile) (*profile, error) {
	mean := *profiles[0]
	mean.data = make([]float64, len(profiles[0].data))
	for _, p := range profiles {
		if p.kind != mean.kind || p.dim != mean.dim || p.shape != mean.shape || len(p.data) != len(mean.data) {
			return nil, errors.New("got runs of different shapes, whose mean cannot be had")
		}
		for i, v := range p.data {
			mean.data[i] += v / float64(len(profiles))
		}
	}
	return &mean, nil
}
