package tangent

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/lapack"
	"gonum.org/v1/gonum/lapack/lapack64"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

// A matrix is row-major with rows and columns padded by zeros to multiples of kernel.Lanes, so that
// the kernels take any product.
type matrix struct {
	rows, cols int // padded
	data       []float64
}

func newMatrix(rows, cols int) matrix {
	rows, cols = pad(rows), pad(cols)
	return matrix{rows, cols, make([]float64, rows*cols)}
}

// at returns row i.
func (m matrix) at(i int) []float64 { return block(m.data, i, m.cols) }

// part returns the j-th of equal blocks of rows, each a matrix of that many rows.
func (m matrix) part(j, rows int) matrix {
	return matrix{rows, m.cols, block(m.data, j, rows*m.cols)}
}

// fill copies a row-major (rows,cols) array in.
func (m matrix) fill(a []float64, cols int) {
	for i := range len(a) / cols {
		copy(m.at(i), a[i*cols:(i+1)*cols])
	}
}

// An algebra multiplies, with the memory for it, and bounds eigenvalues.
type algebra struct {
	roundoff
	ops     *kernel.Ops[float64]
	scratch []float64
	square  []float64 // for eigenvalues
	full    []float64 // both triangles
	values  []float64
	work    []float64
	search  lanczos
	factor  cholesky
}

func newAlgebra(r roundoff) *algebra { return &algebra{roundoff: r, ops: kernel.For[float64]()} }

// product computes dst = a b.
func (g *algebra) product(dst, a, b matrix) {
	g.ops.Affine(dst.data, a.data, b.data, nil, a.rows, a.cols, b.cols)
}

// addTransposed adds aᵀ b to dst.
func (g *algebra) addTransposed(dst, a, b matrix) {
	g.ops.AddTransposed(dst.data, a.data, b.data, a.rows, a.cols, b.cols)
}

// addOuter adds a bᵀ to dst.
func (g *algebra) addOuter(dst, a, b matrix) {
	if need := kernel.OuterScratch(a.rows, b.rows, a.cols); len(g.scratch) < need {
		g.scratch = make([]float64, need)
	}
	g.ops.AddOuter(dst.data, a.data, b.data, a.rows, b.rows, a.cols, g.scratch)
}

// top returns the largest eigenvalue of the leading n × n block of a symmetric matrix, of which it reads the upper triangle, at least 0:
// an upper bound where rounding counts. It is NaN where the block is not finite.
func (g *algebra) top(m matrix, n int) float64 {
	if n == 1 {
		return max(0, m.data[0])
	}
	if len(g.square) < n*n {
		g.square, g.values = make([]float64, n*n), make([]float64, n)
	}
	sum := 0.0
	for i := range n {
		row := m.at(i)[:n]
		copy(g.square[i*n:], row)
		for _, v := range row {
			sum += math.Abs(v)
		}
	}
	switch {
	case !(sum <= math.MaxFloat64):
		return math.NaN()
	case sum == 0:
		return 0
	case g.u > 0 && sum < 0x1p-250:
		return 2 * sum
	}
	row := func(i int) []float64 { return m.at(i)[:n] }
	if n >= fewest {
		a, size := g.leading(m, n), pad(n)
		near := g.search.largest(size, func(to, from []float64) { g.ops.Affine(to, from, a, nil, 1, size, size) })
		if bound := (roundoff{unit}).boundTop(row, n, near, &g.factor); bound <= near*(1+tight) {
			if g.u == 0 {
				return near
			}
			return bound
		}
		for i := range n {
			copy(g.square[i*n:], row(i))
		}
	}
	a := blas64.Symmetric{N: n, Stride: n, Data: g.square[:n*n], Uplo: blas.Upper}
	if len(g.work) == 0 || len(g.work) < 3*n {
		size := []float64{0}
		lapack64.Syev(lapack.EVNone, a, g.values[:n], size, -1)
		g.work = make([]float64, int(size[0])+3*n)
	}
	if !lapack64.Syev(lapack.EVNone, a, g.values[:n], g.work, len(g.work)) {
		return math.NaN()
	}
	if g.u == 0 {
		return max(0, g.values[n-1])
	}
	return g.boundTop(row, n, g.values[n-1], &g.factor)
}

// tight is the relative part by which a bound of an eigenvalue may exceed what Lanczos' method finds.
const tight = 3e-10

// leading returns the leading block (n,n) of m, padded.
func (g *algebra) leading(m matrix, n int) []float64 {
	size := pad(n)
	if n == m.cols {
		return m.data[:n*n]
	}
	if len(g.full) != size*size {
		g.full = make([]float64, size*size)
	}
	clear(g.full)
	for i := range n {
		copy(g.full[i*size:], m.at(i)[:n])
	}
	return g.full
}

// root returns (λ + err)^½, λ as top returns it and err a bound of the error of the matrix.
func (g *algebra) root(m matrix, n int, err float64) float64 {
	return g.up(math.Sqrt(g.up(g.top(m, n) + err)))
}

// frobenius returns the Frobenius norm.
func (m matrix) frobenius() float64 { return math.Sqrt(kernels.SumSquares(m.data)) }

// spectral returns the spectral norm of the leading rows × cols of a row-major array of that shape.
func (g *algebra) spectral(a []float64, rows, cols int) float64 {
	n := min(rows, cols)
	gram := newMatrix(n, n)
	if rows <= cols {
		for i := range n {
			for j := range n {
				gram.at(i)[j] = dot(a[i*cols:(i+1)*cols], a[j*cols:(j+1)*cols])
			}
		}
	} else {
		for r := range rows {
			row := a[r*cols : (r+1)*cols]
			for i, v := range row {
				axpy(gram.at(i)[:n], v, row)
			}
		}
	}
	return g.root(gram, n, g.wide(g.gamma(max(rows, cols))*square(norm(a))))
}
