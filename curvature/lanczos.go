// Package curvature finds extreme eigenvalues of symmetric operators, such as the
// Hessian of a loss, from products with vectors alone.
package curvature

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/internal/stream"
)

// Options says how far to go. Zero values mean the default.
type Options struct {
	// Tolerance ends the search once both residuals are at most that multiple of the
	// largest |eigenvalue| met; default 1e-6.
	Tolerance float64
	// Products is the largest number of products, and of vectors kept; default 200.
	Products int
	Seed     uint64 // of the first vector
}

// Extremes are the outermost eigenvalues of a symmetric operator H as the search met
// them: Ritz values, which lie inside the spectrum. Some eigenvalue of H is within
// LargestResidual = ‖Hx − λx‖ of Largest, x its unit Ritz vector; likewise Smallest.
type Extremes struct {
	Largest, Smallest                 float64
	LargestResidual, SmallestResidual float64
	Products                          int
	// Converged says whether the residuals are within the tolerance: always, up to
	// rounding, after as many products as H has dimensions.
	Converged bool
}

// ErrNotFinite is wrapped when a product has entries that are not finite.
var ErrNotFinite = errors.New("a product is not finite")

// Find returns the extreme eigenvalues of the symmetric n×n operator that product
// writes to dst = H v, by the Lanczos method with full reorthogonalisation: each new
// vector is made orthogonal to all before it, so that no eigenvalue shows up again as a
// ghost (Parlett, The Symmetric Eigenvalue Problem, chapter 13), and once more where that
// took more than half of it away (section 6.9). It takes n·Products numbers of memory,
// and 4n operations for each pair of vectors.
//
// Neither dst nor v may be kept. Errors are those of product, and ErrNotFinite.
func Find(n int, product func(dst, v []float64) error, options Options) (Extremes, error) {
	if n < 1 {
		return Extremes{}, fmt.Errorf("curvature: Find: got dimension %d, want at least 1", n)
	}
	if options.Tolerance == 0 {
		options.Tolerance = 1e-6
	}
	if options.Products == 0 {
		options.Products = 200
	}
	if !(options.Tolerance > 0) || options.Products < 1 {
		return Extremes{}, fmt.Errorf("curvature: Find: got tolerance %v and %d products, want both positive", options.Tolerance, options.Products)
	}
	most := min(n, options.Products)
	basis := [][]float64{start(n, options.Seed)}
	var diagonal, below []float64 // of the tridiagonal matrix T = QᵀHQ
	for m := 1; ; m++ {
		q, w := basis[m-1], make([]float64, n)
		if err := product(w, q); err != nil {
			return Extremes{}, err
		}
		if norm := floats.Norm(w, 2); math.IsNaN(norm) || math.IsInf(norm, 0) {
			return Extremes{}, fmt.Errorf("curvature: product %d: %w", m, ErrNotFinite)
		}
		diagonal = append(diagonal, floats.Dot(q, w))
		floats.AddScaled(w, -diagonal[m-1], q)
		if m > 1 {
			floats.AddScaled(w, -below[m-2], basis[m-2])
		}
		next := orthogonalise(w, basis)
		if m < most && !worthwhile(m) && next > 0 {
			below, basis = append(below, next), append(basis, unit(w, next))
			continue
		}
		found, size, err := ritz(diagonal, below, next)
		if err != nil {
			return Extremes{}, err
		}
		found.Products = m
		// A vector of rounding errors alone: the basis spans all that H can reach.
		closed := m == n || next <= float64(n)*0x1p-52*size
		worst := max(found.LargestResidual, found.SmallestResidual)
		found.Converged = closed || worst <= options.Tolerance*size
		if found.Converged || m == most {
			return found, nil
		}
		below, basis = append(below, next), append(basis, unit(w, next))
	}
}

// orthogonalise takes out of w what it has along the orthonormal basis and returns the
// norm of the rest.
func orthogonalise(w []float64, basis [][]float64) float64 {
	before := floats.Norm(w, 2)
	for range 2 {
		for _, v := range basis {
			floats.AddScaled(w, -floats.Dot(v, w), v)
		}
		after := floats.Norm(w, 2)
		if after > before/2 {
			return after
		}
		before = after // cancellation: the rest is as inexact as what was taken out is large
	}
	return before
}

// worthwhile says whether to look at the eigenvalues of T, which costs m³, after m
// products: every time at first, then every tenth.
func worthwhile(m int) bool { return m < 10 || m%10 == 0 }

// start returns a random unit vector.
func start(n int, seed uint64) []float64 {
	random := stream.New(seed, "curvature")
	q := make([]float64, n)
	for i := range q {
		q[i] = random.NormFloat64()
	}
	return unit(q, floats.Norm(q, 2))
}

// unit divides w by its norm in place.
func unit(w []float64, norm float64) []float64 {
	for i := range w {
		w[i] /= norm
	}
	return w
}

// ritz returns the extreme eigenvalues θ of T with residuals |next · s_m|, s the unit
// eigenvector of T, and the largest |θ|.
func ritz(diagonal, below []float64, next float64) (found Extremes, size float64, err error) {
	m := len(diagonal)
	t := mat.NewSymDense(m, nil)
	for i, v := range diagonal {
		t.SetSym(i, i, v)
		if i+1 < m {
			t.SetSym(i, i+1, below[i])
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(t, true) {
		return Extremes{}, 0, errors.New("curvature: the tridiagonal eigenvalue problem did not converge")
	}
	values := eigen.Values(nil)
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	found = Extremes{
		Smallest: values[0], SmallestResidual: math.Abs(next * vectors.At(m-1, 0)),
		Largest: values[m-1], LargestResidual: math.Abs(next * vectors.At(m-1, m-1)),
	}
	return found, max(math.Abs(values[0]), math.Abs(values[m-1])), nil
}
