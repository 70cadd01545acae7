package pvar

import (
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

// space measures distances between points. It is not safe for concurrent use.
type space struct {
	// raw returns d(x, y), or its square where squared is set, which saves the
	// Euclidean metric a root for each pair.
	raw     func(x, y []float64) float64
	squared bool
	// within reports whether d(x, y) ≤ limit, at less cost than raw; it may return false
	// where the two agree up to rounding. It is nil where raw is cheap.
	within func(x, y []float64, limit float64) bool
}

// distance returns d(x, y).
func (s *space) distance(x, y []float64) float64 {
	raw := s.raw(x, y)
	if s.squared {
		return math.Sqrt(raw)
	}
	return raw
}

// space returns the distances in R^dim under m.
func (m Metric) space(dim int) space {
	switch m.kind {
	case spectral:
		return newSpectral(m.rows, m.cols).space()
	case l1:
		return space{raw: func(x, y []float64) float64 {
			sum := 0.0
			for k, v := range x {
				sum += math.Abs(v - y[k])
			}
			return sum
		}}
	case sup:
		return space{raw: func(x, y []float64) float64 {
			largest := 0.0
			for k, v := range x {
				largest = max(largest, math.Abs(v-y[k]))
			}
			return largest
		}}
	}
	if dim >= vectorDim {
		return space{raw: kernel.For[float64]().SumSquaredDifferences, squared: true}
	}
	return space{raw: squaredDistance, squared: true}
}

// vectorDim is the dimension from which a call of the kernel pays for itself.
const vectorDim = 16

func squaredDistance(x, y []float64) float64 {
	sum := 0.0
	y = y[:len(x)]
	for k, v := range x {
		d := v - y[k]
		sum += float64(d * d) // no fused multiply-add: the same bits on every machine
	}
	return sum
}

// spectralNorm measures rows×cols matrices by their largest singular value.
type spectralNorm struct {
	rows, cols, order int // order is the smaller of the two
	difference        *mat.Dense
	values            []float64
	svd               mat.SVD
	gram, factor      []float64 // (order, order), lower triangles
}

func newSpectral(rows, cols int) *spectralNorm {
	order := min(rows, cols)
	return &spectralNorm{
		rows: rows, cols: cols, order: order,
		difference: mat.NewDense(rows, cols, nil), values: make([]float64, order),
		gram: make([]float64, order*order), factor: make([]float64, order*order),
	}
}

func (s *spectralNorm) space() space { return space{raw: s.raw, within: s.within} }

func (s *spectralNorm) subtract(x, y []float64) []float64 {
	d := s.difference.RawMatrix().Data
	for k := range d {
		d[k] = x[k] - y[k]
	}
	return d
}

func (s *spectralNorm) raw(x, y []float64) float64 {
	s.subtract(x, y)
	if !s.svd.Factorize(s.difference, mat.SVDNone) {
		// LAPACK's QR iteration ends for every finite matrix; this is a bug there.
		panic("pvar: the singular values of a finite matrix were not found")
	}
	return s.svd.Values(s.values)[0]
}

// within decides σ_max(B) ≤ limit for B = x − y without singular values: by the Frobenius
// norm if that is small or large enough, otherwise by whether limit²·I − G has a Cholesky
// factor, where G is the smaller of BBᵀ and BᵀB. A factorisation that completes in floating
// point proves G ≤ limit²(1 + c·2⁻⁵³)·I for a c of order (rows + cols)·order, which is
// within the rounding that the note on exactness allows for.
func (s *spectralNorm) within(x, y []float64, limit float64) bool {
	if !(limit >= 0) {
		return false
	}
	b, square := s.subtract(x, y), 0.0
	for _, v := range b {
		square += v * v
	}
	if square <= limit*limit {
		return true
	}
	n := s.order
	if square > limit*limit*float64(n) { // σ_max² is at least the mean of the squares
		return false
	}
	s.multiply(b)
	// factor = lower Cholesky factor of limit²·I − G, row by row.
	for i := range n {
		row := s.factor[i*n : i*n+i+1]
		for j := range i + 1 {
			v := -s.gram[i*n+j]
			if i == j {
				v += limit * limit
			}
			other := s.factor[j*n : j*n+j]
			for k, o := range other {
				v -= row[k] * o
			}
			switch {
			case i > j:
				row[j] = v / s.factor[j*n+j]
			case v > 0:
				row[i] = math.Sqrt(v)
			default:
				return false
			}
		}
	}
	return true
}

// multiply sets gram to the lower triangle of BBᵀ (rows ≤ cols) or BᵀB.
func (s *spectralNorm) multiply(b []float64) {
	n, c := s.order, s.cols
	if s.rows <= s.cols {
		for i := range n {
			for j := range i + 1 {
				sum, other := 0.0, b[j*c:(j+1)*c]
				for k, v := range b[i*c : (i+1)*c] {
					sum += v * other[k]
				}
				s.gram[i*n+j] = sum
			}
		}
		return
	}
	clear(s.gram)
	for r := range s.rows {
		row := b[r*c : (r+1)*c]
		for i, v := range row {
			for j, w := range row[:i+1] {
				s.gram[i*n+j] += v * w
			}
		}
	}
}
