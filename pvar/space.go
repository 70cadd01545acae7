package pvar

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

// space measures distances between the points of a path. It is not safe for
// concurrent use.
type space struct {
	// raw returns d(x_i, x_j), or its square where squared is set, which spares the
	// Euclidean metric a root for each pair.
	raw     func(i, j int) float64
	squared bool
	// bound returns a cheap upper bound of raw; nil where raw is cheap itself.
	bound func(i, j int) float64
}

func (s *space) root(raw float64) float64 {
	if s.squared {
		return math.Sqrt(raw)
	}
	return raw
}

func (s *space) unroot(d float64) float64 {
	if s.squared {
		return d * d
	}
	return d
}

// space returns the distances of x under m.
func (m Metric) space(x Points) space {
	switch m.kind {
	case spectral:
		frobenius := squaredDistance(x)
		return space{
			raw:   spectralDistance(x, m.rows, m.cols),
			bound: func(i, j int) float64 { return math.Sqrt(frobenius(i, j)) },
		}
	case l1:
		return space{raw: func(i, j int) float64 {
			xj, sum := x.At(j), 0.0
			for k, v := range x.At(i) {
				sum += math.Abs(v - xj[k])
			}
			return sum
		}}
	case sup:
		return space{raw: func(i, j int) float64 {
			xj, largest := x.At(j), 0.0
			for k, v := range x.At(i) {
				largest = max(largest, math.Abs(v-xj[k]))
			}
			return largest
		}}
	}
	return space{raw: squaredDistance(x), squared: true}
}

// vectorDim is the dimension from which a call of the kernel pays for itself.
const vectorDim = 16

// squaredDistance returns the function (i, j) ↦ ‖x_i − x_j‖².
func squaredDistance(x Points) func(i, j int) float64 {
	dim, data := x.Dim, x.Data
	if dim >= vectorDim {
		squares := kernel.For[float64]().SumSquaredDifferences
		return func(i, j int) float64 {
			return squares(data[i*dim:(i+1)*dim], data[j*dim:(j+1)*dim])
		}
	}
	return func(i, j int) float64 {
		xi, xj := data[i*dim:(i+1)*dim], data[j*dim:(j+1)*dim]
		sum := 0.0
		for k, v := range xi {
			d := v - xj[k]
			sum += d * d
		}
		return sum
	}
}

// spectralDistance returns the function (i, j) ↦ ‖x_i − x_j‖₂ for rows×cols matrices.
func spectralDistance(x Points, rows, cols int) func(i, j int) float64 {
	difference := make([]float64, x.Dim)
	a := mat.NewDense(rows, cols, difference)
	values := make([]float64, min(rows, cols))
	var svd mat.SVD
	return func(i, j int) float64 {
		xi, xj := x.At(i), x.At(j)
		for k := range difference {
			difference[k] = xi[k] - xj[k]
		}
		if !svd.Factorize(a, mat.SVDNone) {
			// LAPACK's QR iteration ends for every finite matrix; this is a bug there.
			panic("pvar: the singular values of a finite matrix were not found")
		}
		return svd.Values(values)[0]
	}
}
