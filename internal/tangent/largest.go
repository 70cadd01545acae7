package tangent

import "math"

// fewest is the least size of a matrix whose largest eigenvalue is looked for by Lanczos' method; smaller ones are reduced to tridiagonal form.
const fewest = 12

// A lanczos looks for the largest eigenvalue of symmetric matrices, with the memory for it. It takes no part in any proof: what it finds is held to
// a Cholesky factor.
type lanczos struct {
	last, at, next   []float64
	diagonal, beside []float64 // of the tridiagonal matrix; squares of the entries beside its diagonal
}

// largest returns about the largest eigenvalue of a positive semidefinite matrix of that size, given by its products with vectors: that eigenvalue but for rounding, unless
// the start has nearly no part of its eigenvector. There is no orthogonalisation, which that eigenvalue does not need.
func (l *lanczos) largest(n int, multiply func(to, from []float64)) float64 {
	if len(l.last) != n {
		*l = lanczos{last: make([]float64, n), at: make([]float64, n), next: make([]float64, n)}
	}
	size := 0.0
	for i := range l.at {
		_, part := math.Modf(float64(i) * 0.6180339887498949)
		l.at[i] = 0.5 + part
		size += square(l.at[i])
	}
	kernels.Scale(l.at, 1/math.Sqrt(size), l.at)
	clear(l.last)
	l.diagonal, l.beside = l.diagonal[:0], l.beside[:0]
	found := 0.0
	for beta := 0.0; len(l.diagonal) < 3*n+20; {
		multiply(l.next, l.at)
		axpy(l.next, -beta, l.last)
		alpha := dot(l.next, l.at)
		axpy(l.next, -alpha, l.at)
		l.diagonal = append(l.diagonal, alpha)
		found = max(found, alpha)
		beta = norm(l.next)
		last := !(beta > 0x1p-45*found)
		if last || len(l.diagonal)%4 == 0 {
			low, settled := l.raise(found)
			if found = low; settled || last {
				break
			}
		}
		l.beside = append(l.beside, beta*beta)
		kernels.Scale(l.last, 1/beta, l.next)
		l.last, l.at = l.at, l.last
	}
	return found * (1 + settling)
}

// settling is the relative part that the eigenvalue of the tridiagonal matrix grows by at most where it counts as found.
const settling = 0x1p-45

// raise returns a number below the largest eigenvalue of the tridiagonal matrix, given one that is not negative, closer by a factor of 1000 at least. It says whether there was nothing to
// gain.
func (l *lanczos) raise(low float64) (raised float64, settled bool) {
	step := max(settling*low, 0x1p-1000)
	high := low + step
	if l.above(high) {
		return low, true
	}
	for ; !l.above(high) && high <= math.MaxFloat64; high = low + step {
		low, step = high, 4*step
	}
	for range 10 {
		if middle := low + 0.5*(high-low); l.above(middle) {
			high = middle
		} else {
			low = middle
		}
	}
	return low, false
}

// above says whether x is above all eigenvalues of the tridiagonal matrix T: whether x − T has positive pivots.
func (l *lanczos) above(x float64) bool {
	pivot := x - l.diagonal[0]
	for i, squared := range l.beside[:len(l.diagonal)-1] {
		if !(pivot > 0) {
			return false
		}
		pivot = x - l.diagonal[i+1] - squared/pivot
	}
	return pivot > 0
}
