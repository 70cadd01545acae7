package resnet

import (
	"math"

	"gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/mat"
)

// A spectrum is the memory for singular values of small matrices, reused from one
// layer to the next.
//
// They are square roots of the eigenvalues of the Gram matrix G of the shorter side,
// reduced to tridiagonal form by Householder reflections (Golub and Van Loan, section
// 8.3.1); a dense SVD of a 10×10 matrix takes four times as long. G is rounded by at
// most γ(length)·trace G in norm, its eigenvalues by the solver by a few units of
// trace G for each row: both are added to the largest and taken from the smallest.
// Where that would show in the smallest one it is taken from an SVD instead.
type spectrum struct {
	scaled, gram, diagonal, below, work []float64
	rows                                int // of gram
	trace                               float64
}

// largest returns an upper bound of ‖m‖₂ for m (rows, cols), 0 for the zero matrix
// and NaN where entries are not finite.
func (s *spectrum) largest(m []float64, rows, cols int) float64 {
	scale := s.reduce(m, rows, cols)
	if scale == 0 || math.IsNaN(scale) {
		return scale
	}
	return scale * math.Sqrt(s.diagonal[s.rows-1]+s.margin(max(rows, cols)))
}

// smallest returns a lower bound of the smallest of min(rows, cols) singular values of m.
func (s *spectrum) smallest(m []float64, rows, cols int) float64 {
	scale := s.reduce(m, rows, cols)
	if scale == 0 || math.IsNaN(scale) {
		return scale
	}
	margin := s.margin(max(rows, cols))
	if least := s.diagonal[0]; margin <= 1e-3*least {
		return scale * math.Sqrt(least-margin)
	}
	var svd mat.SVD
	if !svd.Factorize(mat.NewDense(rows, cols, s.scaled), mat.SVDNone) {
		return 0 // a lower bound in any case
	}
	values := svd.Values(nil)
	// The backward error of the SVD, as certify grants it.
	return scale * math.Max(0, values[len(values)-1]-8*float64(max(rows, cols))*0x1p-53*values[0])
}

// margin bounds the error of the eigenvalues of the Gram matrix of that many terms.
func (s *spectrum) margin(terms int) float64 {
	return (float64(terms) + 8*float64(s.rows)) * 0x1p-53 * s.trace
}

// reduce computes the eigenvalues of the Gram matrix of m over scale², in increasing
// order, and returns scale, the largest |entry|.
func (s *spectrum) reduce(m []float64, rows, cols int) (scale float64) {
	for _, v := range m {
		scale = math.Max(scale, math.Abs(v))
	}
	if scale == 0 {
		return 0
	}
	if math.IsNaN(scale) || math.IsInf(scale, 1) {
		return math.NaN()
	}
	n := min(rows, cols)
	s.rows = n
	s.scaled, s.gram = resize(s.scaled, len(m)), resize(s.gram, n*n)
	s.diagonal, s.below, s.work = resize(s.diagonal, n), resize(s.below, n), resize(s.work, n)
	inverse := 1 / scale
	for i, v := range m {
		s.scaled[i] = v * inverse
	}
	s.fill(rows, cols)
	s.trace = 0
	for i := range n {
		s.trace += s.gram[i*n+i]
	}
	s.tridiagonalise()
	if !(gonum.Implementation{}).Dsterf(n, s.diagonal, s.below[:max(0, n-1)]) {
		return math.NaN() // more than 30 n sweeps: not met with finite entries
	}
	return scale
}

// fill computes the lower triangle of the Gram matrix of the scaled entries.
func (s *spectrum) fill(rows, cols int) {
	x, n := s.scaled, s.rows
	if rows <= cols {
		for i := range n {
			a := x[i*cols : (i+1)*cols]
			for j := range i + 1 {
				s.gram[i*n+j] = dot(a, x[j*cols:])
			}
		}
		return
	}
	clear(s.gram)
	for r := range rows {
		row := x[r*cols : (r+1)*cols]
		for i, v := range row {
			out := s.gram[i*n : i*n+i+1]
			for j := range out {
				out[j] += v * row[j]
			}
		}
	}
}

// dot returns Σ a_i b_i in four chains.
func dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return (s0 + s2) + (s1 + s3)
}

// tridiagonalise turns the lower triangle of gram into diagonal and below by a
// reflection for each row from the last up: I − v vᵀ/h with v the row left of the
// diagonal, its last entry enlarged by the row's norm.
func (s *spectrum) tridiagonalise() {
	n, a := s.rows, s.gram
	for i := n - 1; i >= 1; i-- {
		v := a[i*n : i*n+i]
		square := dot(v, v)
		if rest := square - v[i-1]*v[i-1]; !(rest > 0) { // nothing to reflect
			s.below[i-1] = v[i-1]
			continue
		}
		norm := math.Copysign(math.Sqrt(square), v[i-1])
		h := square + v[i-1]*norm // vᵀv/2 after the change
		v[i-1] += norm
		s.below[i-1] = -norm
		// p = A v / h from the lower triangle, q = p − (pᵀv/2h) v, A ← A − v qᵀ − q vᵀ.
		p := s.work[:i]
		clear(p)
		for r := range i {
			row := a[r*n : r*n+r+1]
			sum, vr := row[r]*v[r], v[r]
			for c, x := range row[:r] {
				sum += x * v[c]
				p[c] += x * vr
			}
			p[r] += sum
		}
		k := dot(v, p) / (2 * h * h)
		for r := range p {
			p[r] = p[r]/h - k*v[r]
		}
		for r := range i {
			row, vr, qr := a[r*n:r*n+r+1], v[r], p[r]
			for c := range row {
				row[c] -= vr*p[c] + qr*v[c]
			}
		}
	}
	for i := range n {
		s.diagonal[i] = a[i*n+i]
	}
}

// widenTo copies src to dst in float64.
func widenTo[T float32 | float64](dst []float64, src []T) {
	for i, v := range src {
		dst[i] = float64(v)
	}
}
