// Package curvature finds the extreme eigenvalues of a symmetric operator, such as the
// Hessian of a loss, from products with vectors alone, each with a bound on its error.
//
// Find takes the operator as a function that writes dst = H v for vectors of n float64
// numbers. The result is an Eigenvalue for each end of the spectrum, with a residual within
// which an eigenvalue of H lies, and says whether it is as small as Options.Accuracy asks
// for; a search that runs out of products is no error.
//
// The cost is that of the products, a few dozen for well separated ends and up to
// Options.Products, and 4n·Vectors operations beside each. Memory is n·(Vectors + 4)
// numbers; Fit chooses Vectors for a limit in bytes. Digits and Text write an eigenvalue with
// the digits that its residual leaves. Results depend on Options.Seed and the operator alone.
package curvature

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/floats"

	"github.com/deeplimit/deeplimit/internal/random"
)

// Options says when Find stops. Zero values mean the default.
type Options struct {
	// Accuracy ends the search at an end of the spectrum once the residual of its
	// eigenvalue θ is at most Accuracy·max(|θ|, size/10⁴), where size is the largest |eigenvalue|
	// met: an eigenvalue of zero counts as found, too. The default is 1e-4.
	Accuracy float64
	// LargestOnly ends the search when the largest eigenvalue has converged.
	LargestOnly bool
	// Products is the largest number of products, at least 3; default Products.
	Products int
	// Vectors is the largest number of vectors stored, at least 8; default Vectors.
	Vectors int
	Seed    uint64 // of the random first vector
}

// Vectors and Products are the defaults of Options.
const (
	Vectors  = 64
	Products = 1000
)

// Fit returns the Options.Vectors with which Find in dimension n takes at most memory
// bytes, and 8, the fewest that Find takes, where these do not fit. A memory of 0 is no limit.
func Fit(n int, memory int64) int {
	if memory == 0 {
		return Vectors
	}
	return int(max(8, min(Vectors, memory/8/int64(n)-4)))
}

// zero is the share of the largest |eigenvalue| below which accuracy is absolute.
const zero = 1e-4

// An Eigenvalue is a Rayleigh quotient vᵀHv/vᵀv. It lies inside the spectrum: the true
// largest eigenvalue may be larger, but not smaller.
type Eigenvalue struct {
	Value float64
	// Residual is ‖Hv − Value·v‖/‖v‖. Some eigenvalue of H lies within that distance of Value
	// (Parlett, The Symmetric Eigenvalue Problem, theorem 4.5.1). That none lies further
	// out is not proved; after a random start it holds with probability close to 1.
	Residual float64
	// Converged says whether Residual is as small as Options.Accuracy asks for.
	Converged bool
}

// Extremes are the outermost eigenvalues of a symmetric operator H.
type Extremes struct {
	Largest, Smallest Eigenvalue
	Products          int // taken, at most Options.Products
}

// ErrNotFinite is wrapped when a product has entries that are not finite.
var ErrNotFinite = errors.New("a product is not finite")

// Find returns the extreme eigenvalues of the symmetric n×n operator whose products
// dst = H v the function computes. It must not keep dst or v, and H must be symmetric:
// Find does not check it.
//
// The method is Lanczos with thick restarts (Wu, Simon, SIAM J. Matrix Anal. Appl. 22,
// 2000): once Vectors vectors are stored, the Ritz vectors next to the two ends replace
// them. Each new vector is orthogonalised against all stored ones, so that no eigenvalue
// shows up twice, and once more where that took more than half of it away (Parlett,
// section 6.9).
//
// The search ends when both ends have converged at two checks in a row, or after Products
// products, the last two of which give the residuals. Errors are those of product,
// ErrNotFinite, and options out of range.
func Find(n int, product func(dst, v []float64) error, options Options) (Extremes, error) {
	if n < 1 {
		return Extremes{}, fmt.Errorf("curvature: Find: got dimension %d, want at least 1", n)
	}
	if options.Accuracy == 0 {
		options.Accuracy = 1e-4
	}
	if options.Products == 0 {
		options.Products = Products
	}
	if options.Vectors == 0 {
		options.Vectors = Vectors
	}
	if !(options.Accuracy > 0) || options.Products < 3 || options.Vectors < 8 {
		return Extremes{}, fmt.Errorf("curvature: Find: got accuracy %v, %d products and %d vectors, want an accuracy above 0, 3 products and 8 vectors at least",
			options.Accuracy, options.Products, options.Vectors)
	}
	s := &search{options: options, product: product, n: n}
	s.next, s.length = start(n, options.Seed), 1
	settled := 0
	for {
		if err := s.extend(); err != nil {
			return Extremes{}, err
		}
		m := len(s.basis)
		last := s.closed() || s.products >= options.Products-2
		full := m == min(n, options.Vectors)
		if !last && !full && m >= 10 && s.products%8 != 0 {
			continue
		}
		r, err := s.ritz()
		if err != nil {
			return Extremes{}, err
		}
		if settled++; !r.converged(options) {
			settled = 0
		}
		if last || settled == 2 {
			return s.measure(r)
		}
		if full {
			s.restart(r)
		}
	}
}

// A search holds an orthonormal basis Q and T = QᵀHQ, of HQ = QT + q bᵀ with a unit
// vector q orthogonal to Q.
type search struct {
	options  Options
	product  func(dst, v []float64) error
	n        int
	products int
	basis    [][]float64
	t        [][]float64 // rows of T up to the diagonal
	next     []float64   // q
	coupling []float64   // b
	length   float64     // of q before it was normalised
	size     float64     // largest |entry| of T so far
}

// extend appends q to the basis.
func (s *search) extend() error {
	q := s.next
	w, err := s.apply(q)
	if err != nil {
		return err
	}
	// Subtract the known components first, so that little is left for orthogonalise.
	own := floats.Dot(q, w)
	floats.AddScaled(w, -own, q)
	for i, b := range s.coupling {
		if b != 0 {
			floats.AddScaled(w, -b, s.basis[i])
		}
	}
	s.t = append(s.t, append(s.coupling, own))
	s.basis = append(s.basis, q)
	s.size = max(s.size, math.Abs(own))
	s.length = orthogonalise(w, s.basis)
	s.next = unit(w, s.length)
	s.coupling = make([]float64, len(s.basis))
	s.coupling[len(s.basis)-1] = s.length
	s.size = max(s.size, s.length)
	return nil
}

// closed says whether only rounding errors are left outside the basis, which then spans an
// invariant subspace of H.
func (s *search) closed() bool {
	return len(s.basis) == s.n || s.length <= float64(s.n)*0x1p-52*s.size
}

// apply returns H v.
func (s *search) apply(v []float64) ([]float64, error) {
	w := make([]float64, s.n)
	if err := s.product(w, v); err != nil {
		return nil, err
	}
	s.products++
	if norm := floats.Norm(w, 2); math.IsNaN(norm) || math.IsInf(norm, 0) {
		return nil, fmt.Errorf("curvature: product %d: %w", s.products, ErrNotFinite)
	}
	return w, nil
}

// restart replaces the basis by the Ritz vectors next to both ends, a quarter of its size at
// each. Where one end has converged it keeps three there and more at the other.
func (s *search) restart(r *ritz) {
	m := len(s.basis)
	low, high := m/4, m/4
	switch {
	case s.options.LargestOnly:
		low, high = 1, m/2-1
	case r.lowDone:
		low, high = 3, m/2-3
	case r.highDone:
		low, high = m/2-3, 3
	}
	var kept []int
	s.t, s.coupling = nil, nil
	for i := range m {
		if i >= low && i < m-high {
			continue
		}
		kept = append(kept, i)
		row := make([]float64, len(kept))
		row[len(kept)-1] = r.values[i]
		s.t = append(s.t, row)
		s.coupling = append(s.coupling, r.couplings[i])
	}
	s.replace(r, kept)
}

// replace puts the Ritz vectors in the place of the basis, some entries of all at a time, so
// that no second basis is in memory.
func (s *search) replace(r *ritz, kept []int) {
	const length = 256
	part := make([]float64, length*len(kept))
	for first := 0; first < s.n; first += length {
		end := min(first+length, s.n)
		clear(part)
		for k, i := range kept {
			v := part[k*length:][:end-first]
			for j, q := range s.basis {
				floats.AddScaled(v, r.vectors.At(j, i), q[first:end])
			}
		}
		for k := range kept {
			copy(s.basis[k][first:end], part[k*length:])
		}
	}
	clear(s.basis[len(kept):])
	s.basis = s.basis[:len(kept)]
}

// combine returns Ritz vector i.
func (s *search) combine(r *ritz, i int) []float64 {
	v := make([]float64, s.n)
	for j, q := range s.basis {
		floats.AddScaled(v, r.vectors.At(j, i), q)
	}
	return v
}

// orthogonalise subtracts the components of w along the orthonormal basis and returns the
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
		before = after // cancellation: the error of the rest is as large as that of w
	}
	return before
}

// start returns a random unit vector.
func start(n int, seed uint64) []float64 {
	rng := random.New(seed, "curvature")
	q := make([]float64, n)
	for i := range q {
		q[i] = rng.NormFloat64()
	}
	return unit(q, floats.Norm(q, 2))
}

// unit divides w by its norm in place.
func unit(w []float64, norm float64) []float64 {
	if norm > 0 {
		floats.Scale(1/norm, w)
	}
	return w
}
