package train

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/rescale"
	"github.com/deeplimit/deeplimit/resnet"
)

// muon moves the matrix of each layer by its orthogonalised momentum and all other entries
// by Adam [Jordan et al. 2024]: v ← μv + g, u = g + μv, θ ← θ − η √max(1, rows/cols) O(u), where O
// brings the singular values of u near 1. O takes u/‖u‖_F as it is and adds no ε to the norm, as
// the gradient falls with depth and the step must not; O(0) = 0.
type muon[T kernel.Float] struct {
	factor   T
	velocity []T // of the matrices
	rest     *adam[T]
	work     []orthogonal[T] // of each worker
}

func newMuon[T kernel.Float](mem *alloc.Account, net *resnet.Network, spec Spec, workers int) *muon[T] {
	matrices := matrixEntries(net)
	m := &muon[T]{
		factor: T(spec.Momentum), velocity: alloc.Make[T](mem, matrices),
		rest: newAdam[T](mem, spec, matrices, net.Layout.Trained-matrices),
	}
	longest := 0
	for _, g := range net.Layout.Groups {
		if isMatrix(g) {
			longest = max(longest, paddedSize(g.Shape[1], g.Shape[2]))
		}
	}
	for range max(1, workers) {
		m.work = append(m.work, newOrthogonal[T](mem, longest))
	}
	return m
}

func (m *muon[T]) begin(count int) { m.rest.begin(count) }

func (m *muon[T]) moments() map[string][]T {
	all := m.rest.moments()
	all["velocity"] = m.velocity
	return all
}

func (m *muon[T]) move(at span, worker, offset int, theta, grad []T, eta float64) {
	if at.rows == 0 {
		m.rest.move(at, worker, offset, theta, grad, eta)
		return
	}
	velocity := m.velocity[offset:][:len(grad)]
	for i, g := range grad {
		velocity[i] = T(m.factor*velocity[i]) + g
		grad[i] = g + T(m.factor*velocity[i])
	}
	size := at.rows * at.cols
	step := T(eta * math.Sqrt(max(1, float64(at.rows)/float64(at.cols))))
	for k := 0; k < len(grad); k += size {
		m.work[worker].moveAlong(theta[k:k+size], grad[k:k+size], at.rows, at.cols, step)
	}
}

// The polynomial X ← aX + bXXᵀX + c(XXᵀ)²X of Newton and Schulz with the coefficients of
// [Jordan et al. 2024], which brings singular values in (0, 1] to about [0.7, 1.2] in five steps.
const (
	schulzA, schulzB, schulzC = 3.4445, -4.7750, 2.0315
	schulzSteps               = 5
)

// An orthogonal is the memory for one matrix at a time, each side a multiple of kernel.Lanes as
// the kernels want it. The entries beyond those of the matrix are zero and stay so.
type orthogonal[T kernel.Float] struct {
	ops                   *kernel.Ops[T]
	x, next, gram, square []T
	scratch               []T
}

// padded returns the least multiple of kernel.Lanes that is at least n.
func padded(n int) int { return (n + kernel.Lanes - 1) / kernel.Lanes * kernel.Lanes }

// paddedSize returns the longer side of a matrix, padded.
func paddedSize(rows, cols int) int { return padded(max(rows, cols)) }

// newOrthogonal returns the memory for matrices of at most that side.
func newOrthogonal[T kernel.Float](mem *alloc.Account, side int) orthogonal[T] {
	o := orthogonal[T]{ops: kernel.For[T]()}
	for _, array := range []*[]T{&o.x, &o.next, &o.gram, &o.square} {
		*array = alloc.Make[T](mem, side*side)
	}
	o.scratch = alloc.Make[T](mem, kernel.OuterScratch(side, side, side))
	return o
}

// moveAlong computes θ ← θ − step·O(u) for matrices (rows,cols). It takes u·2^−e where squares of u would leave the
// numbers, as O(u) does not depend on the length of u.
func (o *orthogonal[T]) moveAlong(theta, u []T, rows, cols int, step T) {
	square, exponent := o.ops.SumSquares(u), 0
	if !rescale.Safe(square) {
		norm := rescale.Norm(u, nil)
		if norm == 0 {
			return
		}
		_, exponent = math.Frexp(norm)
		square = math.Ldexp(norm, -exponent)
		square *= square
	}
	norm := math.Sqrt(square)
	flat, wide := rows <= cols, max(rows, cols)
	r, n := padded(min(rows, cols)), padded(wide)
	x, next := o.x[:r*n], o.next[:r*n]
	clear(x)
	at := func(i, j int) int { // of entry (i,j) of u in x, whose rows are the fewer ones
		if flat {
			return i*n + j
		}
		return j*n + i
	}
	for i := range rows {
		for j, v := range u[i*cols : (i+1)*cols] {
			scaled := float64(v)
			if exponent != 0 {
				scaled = math.Ldexp(scaled, -exponent)
			}
			x[at(i, j)] = T(scaled / norm)
		}
	}
	for range schulzSteps {
		o.iterate(next, x, r, n)
		x, next = next, x
	}
	for i := range rows {
		for j := range theta[i*cols : (i+1)*cols] {
			theta[i*cols+j] -= T(step * x[at(i, j)])
		}
	}
}

// iterate computes next = (a + bG + cG²)X with G = XXᵀ, for X (r,n).
func (o *orthogonal[T]) iterate(next, x []T, r, n int) {
	gram, square := o.gram[:r*r], o.square[:r*r]
	o.ops.SetOuter(gram, x, x, r, r, n, o.scratch)
	o.ops.Affine(square, gram, gram, nil, r, r, r)
	for i, g := range gram {
		square[i] = T(schulzB*g) + T(schulzC*square[i])
	}
	for i := range r {
		square[i*r+i] += schulzA
	}
	o.ops.Affine(next, square, x, nil, r, r, n)
}
