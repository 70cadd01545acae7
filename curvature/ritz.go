package curvature

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// A ritz holds the eigenvalues θ_i of T in increasing order, its eigenvectors s_i, and
// the residuals |bᵀs_i| of the Ritz vectors Q s_i.
type ritz struct {
	values            []float64
	vectors           mat.Dense
	couplings         []float64 // bᵀs_i
	lowDone, highDone bool
}

func (s *search) ritz() (*ritz, error) {
	m := len(s.basis)
	t := mat.NewSymDense(m, nil)
	for i, row := range s.t {
		for j, v := range row {
			t.SetSym(i, j, v)
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(t, true) {
		return nil, errors.New("curvature: the projected eigenvalue problem did not converge")
	}
	r := &ritz{values: eigen.Values(nil), couplings: make([]float64, m)}
	eigen.VectorsTo(&r.vectors)
	for i := range m {
		for j, b := range s.coupling {
			r.couplings[i] += b * r.vectors.At(j, i)
		}
	}
	// Ask for half: measure computes the final residuals with rounding errors.
	done := func(i int) bool { return math.Abs(r.couplings[i]) <= s.allowed(r.values[i], r)/2 }
	r.lowDone, r.highDone = done(0), done(m-1)
	return r, nil
}

// converged says whether all ends that the options ask for have converged.
func (r *ritz) converged(options Options) bool {
	return r.highDone && (r.lowDone || options.LargestOnly)
}

// allowed returns the residual at which an eigenvalue counts as found.
func (s *search) allowed(value float64, r *ritz) float64 {
	size := max(math.Abs(r.values[0]), math.Abs(r.values[len(r.values)-1]))
	return s.options.Accuracy * max(math.Abs(value), zero*size)
}

// measure computes the eigenvalues and residuals of the outermost Ritz vectors, with a product each.
func (s *search) measure(r *ritz) (Extremes, error) {
	var found Extremes
	for _, end := range []struct {
		to *Eigenvalue
		i  int
	}{{&found.Smallest, 0}, {&found.Largest, len(r.values) - 1}} {
		v := s.combine(r, end.i)
		unit(v, floats.Norm(v, 2))
		w, err := s.apply(v)
		if err != nil {
			return Extremes{}, err
		}
		end.to.Value = floats.Dot(v, w)
		floats.AddScaled(w, -end.to.Value, v)
		end.to.Residual = floats.Norm(w, 2)
		end.to.Converged = end.to.Residual <= s.allowed(end.to.Value, r)
	}
	found.Products = s.products
	return found, nil
}
