package tangent

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

// A cholesky holds a symmetric matrix (n,n), and then its factor R, A = RᵀR, with the memory for them: the upper triangle, in rows padded to size entries, and nothing of use below. Sums run in an
// order that n fixes, so that the bits are the same on every machine.
type cholesky struct {
	n, size  int
	a        []float64 // (size,size)
	negative []float64 // −R of the rows above and the columns of a panel
}

// panelRows is how many rows of a large matrix are taken at a time; small ones take kernel.Lanes.
const panelRows = 32

// begin makes room for a matrix (n,n), which is 0 and 1 on the diagonal beyond n.
func (c *cholesky) begin(n int) {
	c.n, c.size = n, pad(n)
	if len(c.a) != c.size*c.size {
		c.a = make([]float64, c.size*c.size)
	}
	clear(c.a)
	for i := n; i < c.size; i++ {
		c.a[i*c.size+i] = 1
	}
}

// row returns row i from the diagonal on.
func (c *cholesky) row(i int) []float64 { return c.a[i*c.size+i : i*c.size+c.n] }

// factorises says whether Cholesky's algorithm runs to completion on the matrix. Its divisions are divisions, which the bound of its error needs.
func (c *cholesky) factorises() bool {
	rows := kernel.Lanes
	if c.size > 4*panelRows {
		rows = panelRows
	}
	if len(c.negative) < rows*c.size {
		c.negative = make([]float64, rows*c.size)
	}
	for first := 0; first < c.size; first += rows {
		if !c.panel(first, min(rows, c.size-first)) {
			return false
		}
	}
	return true
}

// panel computes that many rows of R from first on, given those above.
func (c *cholesky) panel(first, rows int) bool {
	size := c.size
	for k := range first {
		to := c.negative[k*rows:]
		for j, v := range c.a[k*size+first:][:rows] {
			to[j] = -v
		}
	}
	panel := c.a[first*size : (first+rows)*size]
	if first > 0 {
		kernels.AddTransposed(panel, c.negative, c.a, first, rows, size)
	}
	for j := range rows {
		row := panel[j*size+first : (j+1)*size]
		for i := range j {
			above := panel[i*size+first : (i+1)*size]
			kernels.AddScaled(row, -above[j], above)
		}
		pivot := row[j]
		if !(pivot > 0 && pivot <= math.MaxFloat64) {
			return false
		}
		pivot = math.Sqrt(pivot)
		row[j] = pivot
		for i := j + 1; i < len(row); i++ {
			row[i] /= pivot
		}
	}
	return true
}

// solve overwrites b (n) with A⁻¹ b.
func (c *cholesky) solve(b []float64) {
	for i, v := range b { // Rᵀ z = b
		v /= c.row(i)[0]
		b[i] = v
		axpy(b[i+1:], -v, c.row(i)[1:])
	}
	for i := len(b) - 1; i >= 0; i-- {
		row := c.row(i)
		b[i] = (b[i] - dot(row[1:], b[i+1:])) / row[0]
	}
}

// fill sets the matrix to the symmetric matrix whose rows are given, plus shift on its diagonal.
func (c *cholesky) fill(rows func(i int) []float64, n int, shift float64) {
	c.begin(n)
	for i := range n {
		row := c.row(i)
		copy(row, rows(i)[i:n])
		row[0] += shift
	}
}
