package tangent

import (
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/certify"
)

// TestTop holds the largest eigenvalue, and its bound, to all eigenvalues, also where Lanczos' method has nothing to go by: multiples of 1, rank one, a start without the top
// eigenvector, an eigenvalue that nearly occurs twice.
func TestTop(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 7))
	gram := func(n, rank int) *mat.SymDense {
		a := mat.NewDense(n, rank, nil)
		for i := range n {
			for j := range rank {
				a.Set(i, j, rng.NormFloat64())
			}
		}
		s := mat.NewSymDense(n, nil)
		s.SymOuterK(1, a)
		return s
	}
	with := func(n int, of func(i int) float64) *mat.SymDense {
		s := mat.NewSymDense(n, nil)
		for i := range n {
			s.SetSym(i, i, of(i))
		}
		return s
	}
	all := map[string]*mat.SymDense{
		"one": with(24, func(int) float64 { return 3 }), "falling": with(40, func(i int) float64 { return math.Pow(2, -float64(i)) }),
		"last": with(40, func(i int) float64 { return float64(i / 39) }), "twice": with(64, func(i int) float64 { return 2 - 1e-12*float64(i) }),
		"close": with(64, func(i int) float64 { return 1 + 1e-4*float64(i) }), "large": with(20, func(i int) float64 { return 1e80 * float64(i) }), "rank one": gram(33, 1),
	}
	for _, n := range []int{2, 11, 12, 13, 16, 64, 70} {
		all[string(rune('a'+n%26))+" of some size"] = gram(n, n)
	}
	hidden := with(16, func(int) float64 { return 0.5 }) // its top eigenvector is at right angles to the start
	v := mat.NewVecDense(16, nil)
	start := func(i int) float64 { _, part := math.Modf(float64(i) * 0.6180339887498949); return 0.5 + part }
	v.SetVec(3, start(4))
	v.SetVec(4, -start(3))
	hidden.SymRankOne(hidden, 1, v)
	all["hidden"] = hidden
	for name, s := range all {
		n := s.SymmetricDim()
		var eigen mat.EigenSym
		if !eigen.Factorize(s, false) {
			t.Fatal("no eigenvalues")
		}
		want := eigen.Values(nil)[n-1]
		m := newMatrix(n+1, n+1) // what is asked for is a leading block
		for i := range n + 1 {
			for j := range n + 1 {
				m.at(i)[j] = 1e85
				if i < n && j < n {
					m.at(i)[j] = s.At(i, j)
				}
			}
		}
		for _, u := range []float64{0, unit} {
			got := newAlgebra(roundoff{u}).top(m, n)
			if !(math.Abs(got-want) <= 1e-9*want) || u > 0 && !(got >= want*(1-1e-14)) {
				t.Errorf("%s (%d,%d), unit %g: got %.17g, want %.17g", name, n, n, u, got, want)
			}
		}
	}
	g := newAlgebra(roundoff{unit})
	if got := g.top(newMatrix(16, 16), 16); got != 0 {
		t.Errorf("zero: got %g", got)
	}
	m := newMatrix(16, 16)
	for i := range 16 {
		m.at(i)[i] = -1
	}
	if got := newAlgebra(roundoff{}).top(m, 16); got != 0 {
		t.Errorf("negative: got %g", got)
	}
	m.at(0)[0] = 1e-3 // the start has a negative quotient
	if got := newAlgebra(roundoff{}).top(m, 16); !(math.Abs(got-1e-3) <= 1e-12) {
		t.Errorf("indefinite: got %g, want 1e-3", got)
	}
	m.at(2)[3] = math.NaN()
	if got := g.top(m, 16); !math.IsNaN(got) {
		t.Errorf("not finite: got %g", got)
	}
}

// TestCholesky wants RᵀR to be the matrix, solutions to solve, and a matrix that is not positive definite refused.
func TestCholesky(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 7))
	var c cholesky
	for _, n := range []int{1, 3, 8, 13, 64, 129, 300} {
		a := newMatrix(n, n+2)
		for i := range n {
			for j := range n + 2 {
				a.at(i)[j] = rng.NormFloat64()
			}
		}
		s := mat.NewSymDense(n, nil)
		for i := range n {
			for j := range n {
				s.SetSym(i, j, dot(a.at(i), a.at(j)))
			}
		}
		rows := rowsOf(s)
		for i := range n { // both triangles
			for j := range i {
				rows(i)[j] = s.At(i, j)
			}
		}
		if c.fill(rows, n, 0.5); !c.factorises() {
			t.Fatalf("(%d,%d) does not factorise", n, n)
		}
		trace := mat.Trace(s)
		for i := range n {
			for j := i; j < n; j++ {
				sum := 0.0
				for k := range i + 1 {
					sum += c.row(k)[i-k] * c.row(k)[j-k]
				}
				if i == j {
					sum -= 0.5
				}
				if !(math.Abs(sum-s.At(i, j)) <= 1e-14*trace) {
					t.Fatalf("(%d,%d): RᵀR is %g at (%d,%d), want %g", n, n, sum, i, j, s.At(i, j))
				}
			}
		}
		x, b := make([]float64, n), make([]float64, n)
		for i := range n {
			x[i] = rng.NormFloat64()
		}
		for i := range n {
			b[i] = dot(rows(i), x) + 0.5*x[i]
		}
		c.solve(b)
		axpy(b, -1, x)
		if !(norm(b) <= 1e-14*trace*norm(x)) {
			t.Errorf("(%d,%d): the solution is off by %g", n, n, norm(b))
		}
		if c.fill(rows, n, -trace); c.factorises() {
			t.Errorf("(%d,%d): a negative matrix factorises", n, n)
		}
	}
}

// TestSpectrum holds the extreme eigenvalues of a kernel that is large enough for Lanczos' method to all of them.
func TestSpectrum(t *testing.T) {
	for seed := range uint64(4) {
		m := random(t, draw(t, seed).net.Spec, 6, 2*manyOutputs/3, 3, 2, seed)
		k := m.Kernel()
		var eigen mat.EigenSym
		if !eigen.Factorize(k, false) {
			t.Fatal("no eigenvalues")
		}
		values := eigen.Values(nil)
		low, high := values[0], values[len(values)-1]
		s, err := m.spectralOf(t.Context(), &certify.Tangent{Samples: m.samples, Outputs: m.outputs, Residual: norm(m.Residual())}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(s.LambdaMin-low) <= 1e-9*low+1e-14*high && math.Abs(s.LambdaMax-high) <= 1e-9*high) {
			t.Errorf("seed %d: got %g to %g, want %g to %g", seed, s.LambdaMin, s.LambdaMax, low, high)
		}
	}
}
