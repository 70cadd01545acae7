package resnet

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
)

// orthonormal returns a random (rows, cols) matrix, row-major, whose columns (when
// rows ≥ cols) or rows (otherwise) are orthonormal, uniformly distributed: the Q of
// a Gaussian matrix with the signs of R's diagonal made positive [Mezzadri 2007].
func orthonormal(rows, cols int, random *rand.Rand) []float64 {
	long, short := max(rows, cols), min(rows, cols)
	gauss := mat.NewDense(long, short, nil)
	for i := range long {
		for j := range short {
			gauss.Set(i, j, random.NormFloat64())
		}
	}
	var qr mat.QR
	qr.Factorize(gauss)
	var q, r mat.Dense
	qr.QTo(&q)
	qr.RTo(&r)
	frame := make([]float64, rows*cols)
	for i := range rows {
		for j := range cols {
			a, b := i, j
			if rows < cols {
				a, b = j, i
			}
			v := q.At(a, b)
			if r.At(b, b) < 0 {
				v = -v
			}
			frame[i*cols+j] = v
		}
	}
	return frame
}
