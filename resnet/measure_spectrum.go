package resnet

import (
	"math"

	"gonum.org/v1/gonum/lapack/gonum"
	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// A spectrum is the memory for bounds of singular values of small matrices, reused
// from one layer to the next. Rounding is on the safe side of each bound.
type spectrum struct {
	scaled, gram, diagonal, below, work []float64
	rows                                int // of gram
	trace                               float64

	padded, product, scratch []float64
	traces                   [squarings]float64

	matrix []float64 // for the caller: weights of a layer in float64
}

// newSpectrum returns one with memory for the weights of a layer and the features at it.
func newSpectrum(mem *alloc.Account, outer *affine, features *states) *spectrum {
	numbers := func(n int) []float64 { return alloc.Make[float64](mem, n) }
	n, terms := min(outer.rows, outer.cols), max(outer.rows, outer.cols)
	s := &spectrum{
		matrix: numbers(n * terms),
		padded: numbers(n * max(pad(terms), pad(n))), product: numbers(n * pad(n)),
		scratch: numbers(kernel.OuterScratch(n, n, pad(terms))),
	}
	least := 0
	if features.featured {
		least = min(features.samples, features.rows)
		s.scaled = numbers(features.samples * features.rows)
		s.diagonal, s.below, s.work = numbers(least), numbers(least), numbers(least)
	}
	s.gram = numbers(max(n*n, least*least))
	return s
}

// squarings is how often the Gram matrix is squared for an upper bound of a norm.
const squarings = 6

// largest returns an upper bound of ‖m‖₂ for m (rows, cols), 0 for the zero matrix and
// NaN where entries are not finite. With G the Gram matrix of the shorter side, n rows,
//
//	‖m‖₂ = λ^½,   λ = λ_max(G) ≤ ‖G^64‖_F^(1/64) ≤ n^(1/128) λ,
//
// at most a factor n^(1/256) too large (0.9 % for n = 10), and that only where all singular
// values are equal. Six products of the kernel take a third of the time of an
// eigenvalue solver, and a tenth of that of a dense SVD.
//
// M ← G/tr G, then M ← M²/tr M²: as tr M = 1 a product errs by at most γ(n) in norm, which
// is added under each root on the way back.
func (s *spectrum) largest(m []float64, rows, cols int) float64 {
	scale := magnitude(m)
	if scale == 0 || math.IsNaN(scale) {
		return scale
	}
	n, terms := rows, cols
	if cols < rows {
		n, terms = cols, rows
	}
	ops := kernel.For[float64]()
	lanes := pad(terms)
	s.padded = alloc.Resize(&alloc.Account{}, s.padded, n*max(lanes, pad(n)))
	clear(s.padded)
	inverse := 1 / scale
	down, along := lanes, 1 // from row to row of m and from column to column
	if n != rows {
		down, along = 1, lanes
	}
	for r := range rows {
		for c, v := range m[r*cols : (r+1)*cols] {
			s.padded[r*down+c*along] = v * inverse
		}
	}
	s.gram, s.product = alloc.Resize(&alloc.Account{}, s.gram, n*n), alloc.Resize(&alloc.Account{}, s.product, n*pad(n))
	s.scratch = alloc.Resize(&alloc.Account{}, s.scratch, kernel.OuterScratch(n, n, lanes))
	clear(s.gram)
	ops.AddOuter(s.gram, s.padded, s.padded, n, n, lanes, s.scratch)
	first := s.normalise(s.gram, n, n)
	width := pad(n)
	clear(s.padded[:n*width])
	for i := range s.traces {
		for r := range n {
			copy(s.padded[r*width:r*width+n], s.gram[r*n:(r+1)*n])
		}
		ops.Affine(s.product, s.gram, s.padded, nil, n, n, width)
		s.traces[i] = s.normalise(s.product, n, width)
	}
	top := math.Sqrt(ops.SumSquares(s.gram))
	margin := float64(max(n, terms)+8) * 0x1p-53
	for i := squarings - 1; i >= 0; i-- {
		top = math.Sqrt(s.traces[i]*(top*(1+margin)) + margin)
	}
	return scale * math.Sqrt(first*(top+2*margin)) * (1 + 0x1p-50)
}

// normalise copies the first n entries of each of n rows of m to gram, over their
// trace, which it returns.
func (s *spectrum) normalise(m []float64, n, stride int) (trace float64) {
	for i := range n {
		trace += m[i*stride+i]
	}
	inverse := 1 / trace
	for r := range n {
		out := s.gram[r*n : (r+1)*n]
		for c, v := range m[r*stride : r*stride+n] {
			out[c] = v * inverse
		}
	}
	return trace
}

// pad returns the least multiple of kernel.Lanes that is at least n.
func pad(n int) int { return (n + kernel.Lanes - 1) / kernel.Lanes * kernel.Lanes }

// magnitude returns the largest |entry|, NaN where one is not finite.
func magnitude(m []float64) (scale float64) {
	for _, v := range m {
		v = math.Abs(v)
		if !(v <= math.MaxFloat64) {
			return math.NaN()
		}
		scale = max(scale, v)
	}
	return scale
}

// smallest returns a lower bound of the smallest of min(rows, cols) singular values of
// m: the root of the least eigenvalue of the Gram matrix of the shorter side, reduced to
// tridiagonal form by Householder reflections (Golub and Van Loan, section 8.3.1), or
// from a dense SVD, five times as long, where the rounding of the Gram matrix would show.
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
// order, and returns scale, the largest |entry| (NaN where one is not finite).
func (s *spectrum) reduce(m []float64, rows, cols int) (scale float64) {
	if scale = magnitude(m); scale == 0 || math.IsNaN(scale) {
		return scale
	}
	n := min(rows, cols)
	s.rows = n
	s.scaled, s.gram = alloc.Resize(&alloc.Account{}, s.scaled, len(m)), alloc.Resize(&alloc.Account{}, s.gram, n*n)
	s.diagonal, s.below, s.work = alloc.Resize(&alloc.Account{}, s.diagonal, n), alloc.Resize(&alloc.Account{}, s.below, n), alloc.Resize(&alloc.Account{}, s.work, n)
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
