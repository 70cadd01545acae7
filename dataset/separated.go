package dataset

import (
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/lapack/lapack64"
	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/internal/random"
)

// separated makes N unit vectors x_i of R^d, orthonormal or with every
// |⟨x_i,x_j⟩| ≤ e^{−4c}/(8N), and targets y_i = x_i + distance·u_i with u_i
// uniform on the unit sphere. [CRX] assumes such inputs for local convergence.
func separated(spec Spec) (*Set, error) {
	n, d, seed := spec.Samples, spec.Width, *spec.Seed
	x := orthonormal(n, d, random.New(seed, "data/inputs"))
	bound := gramRounding(d)
	source := "generated: orthonormal inputs"
	if spec.Separation != nil {
		bound = separationBound(n, *spec.Separation)
		source = "generated: near-orthonormal inputs"
		var err error
		if x, err = nearOrthonormal(x, bound, random.New(seed, "data/gram")); err != nil {
			return nil, err
		}
	}
	if err := checkGram(x, bound); err != nil {
		return nil, err
	}

	set := &Set{
		Name: spec.Name, Inputs: d, Outputs: d, Samples: n,
		X: x.RawMatrix().Data, Y: sphere(n, d, random.New(seed, "data/targets")), Source: source,
	}
	floats.Scale(spec.Distance, set.Y)
	floats.Add(set.Y, set.X)
	return set, nil
}

// separationBound is e^{−4c}/(8N).
func separationBound(n int, c float64) float64 { return math.Exp(-4*c) / (8 * float64(n)) }

// gramRounding is the rounding error allowed in inner products of unit vectors of R^d: a
// computed product has an error of at most d·ε/2, and each of the d Householder reflections
// that make the vectors adds a few ε.
func gramRounding(d int) float64 {
	const epsilon = 0x1p-52
	return 16 * float64(d) * epsilon
}

// orthonormal returns n ≤ d random orthonormal rows of length d, uniform among
// all such frames: the Q of a Gaussian (d,n) matrix, with the signs that make
// the diagonal of R positive.
func orthonormal(n, d int, rng *rand.Rand) *mat.Dense {
	a := blas64.General{Rows: d, Cols: n, Stride: n, Data: make([]float64, d*n)}
	for i := range a.Data {
		a.Data[i] = rng.NormFloat64()
	}
	tau := make([]float64, n)
	// 32·d numbers of workspace are enough for the blocked forms of both calls.
	work := make([]float64, 32*d)
	lapack64.Geqrf(a, tau, work, len(work))
	negative := make([]bool, n)
	for j := range n {
		negative[j] = a.Data[j*n+j] < 0
	}
	lapack64.Orgqr(a, tau, work, len(work))

	x := mat.NewDense(n, d, nil)
	x.Copy(mat.NewDense(d, n, a.Data).T())
	for j, flip := range negative {
		if flip {
			floats.Scale(-1, x.RawRowView(j))
		}
	}
	return x
}

// nearOrthonormal returns unit rows with inner products uniform on
// ±(bound − rounding), made from the orthonormal rows of q (n,d).
//
// G = I + E with such an E is positive definite, because ‖E‖₂ ≤ n·bound ≤ 1/8;
// with G = UᵀU the rows of Uᵀq have the Gram matrix G.
func nearOrthonormal(q *mat.Dense, bound float64, rng *rand.Rand) (*mat.Dense, error) {
	n, d := q.Dims()
	reach := bound - gramRounding(d)
	gram := mat.NewSymDense(n, nil)
	for i := range n {
		gram.SetSym(i, i, 1)
		for j := range i {
			gram.SetSym(i, j, reach*(2*rng.Float64()-1))
		}
	}
	var factor mat.Cholesky
	if !factor.Factorize(gram) {
		return nil, fmt.Errorf("dataset: separated: got a Gram matrix that is not positive definite at bound %g, want ≤ 1/(8N)", bound)
	}
	var u mat.TriDense
	factor.UTo(&u)
	x := mat.NewDense(n, d, nil)
	x.Mul(u.T(), q)
	return x, nil
}

// checkGram verifies the inner products of the finished inputs.
func checkGram(x *mat.Dense, bound float64) error {
	n, d := x.Dims()
	gram := mat.NewSymDense(n, nil)
	gram.SymOuterK(1, x)
	for i := range n {
		if off := math.Abs(gram.At(i, i) - 1); !(off <= gramRounding(d)) {
			return fmt.Errorf("dataset: separated: input %d: got |‖x‖² − 1| = %g, want at most %g", i+1, off, gramRounding(d))
		}
		for j := range i {
			if product := math.Abs(gram.At(i, j)); !(product <= bound) {
				return fmt.Errorf("dataset: separated: inputs %d and %d: got |⟨x_i,x_j⟩| = %g, want at most %g", j+1, i+1, product, bound)
			}
		}
	}
	return nil
}

// sphere returns n independent rows, uniform on the unit sphere of R^d.
func sphere(n, d int, rng *rand.Rand) []float64 {
	x := make([]float64, n*d)
	for i := range n {
		row := x[i*d : (i+1)*d]
		norm := 0.0
		for norm == 0 {
			for j := range row {
				row[j] = rng.NormFloat64()
			}
			norm = floats.Norm(row, 2)
		}
		floats.Scale(1/norm, row)
	}
	return x
}
