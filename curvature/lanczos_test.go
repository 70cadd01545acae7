package curvature

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"
)

// dense returns the product with a symmetric matrix.
func dense(a *mat.SymDense) func(dst, v []float64) error {
	n, _ := a.Dims()
	return func(dst, v []float64) error {
		mat.NewVecDense(n, dst).MulVec(a, mat.NewVecDense(n, v))
		return nil
	}
}

// withSpectrum returns a symmetric matrix with these eigenvalues and random eigenvectors.
func withSpectrum(values []float64, random *rand.Rand) *mat.SymDense {
	n := len(values)
	g := mat.NewDense(n, n, nil)
	for i := range n {
		for j := range n {
			g.Set(i, j, random.NormFloat64())
		}
	}
	var qr mat.QR
	qr.Factorize(g)
	var q, scaled, a mat.Dense
	qr.QTo(&q)
	scaled.Apply(func(_, j int, v float64) float64 { return v * values[j] }, &q)
	a.Mul(&scaled, q.T())
	s := mat.NewSymDense(n, nil)
	for i := range n {
		for j := range i + 1 {
			s.SetSym(i, j, (a.At(i, j)+a.At(j, i))/2)
		}
	}
	return s
}

// TestFind wants the planted extremes of random matrices of every kind of spectrum,
// repeated and zero eigenvalues included, and residuals that bound the error.
func TestFind(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 40).Draw(t, "n")
		kind := rapid.SampledFrom([]string{"random", "repeated", "low rank", "zero"}).Draw(t, "kind")
		random := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
		values := make([]float64, n)
		for i := range values {
			switch {
			case kind == "repeated":
				values[i] = float64(random.IntN(3)) - 1
			case kind == "random" || kind == "low rank" && i < n/3:
				values[i] = random.NormFloat64()
			}
		}
		low, high, size := math.Inf(1), math.Inf(-1), 1e-300
		for _, v := range values {
			low, high, size = min(low, v), max(high, v), max(size, math.Abs(v))
		}
		got, err := Find(n, dense(withSpectrum(values, random)), Options{Tolerance: 1e-12})
		if err != nil {
			t.Fatal(err)
		}
		// Rounding: n products of n terms.
		tolerance := float64(n*n)*0x1p-50*size + got.LargestResidual + got.SmallestResidual
		if !got.Converged || !(math.Abs(got.Largest-high) <= tolerance) || !(math.Abs(got.Smallest-low) <= tolerance) {
			t.Fatalf("%s: got %+v, want [%g, %g]", kind, got, low, high)
		}
	})
}

// TestFindLarge wants outlying eigenvalues of a large operator in few products, and
// those of its bulk not to count as found before they are.
func TestFindLarge(t *testing.T) {
	const n = 5000
	value := func(i int) float64 {
		switch i {
		case 17:
			return 3
		case 4000:
			return -0.5
		}
		return float64(i) / n * 0.1
	}
	product := func(dst, v []float64) error {
		for i := range dst {
			dst[i] = value(i) * v[i]
		}
		return nil
	}
	got, err := Find(n, product, Options{Tolerance: 1e-8})
	if err != nil {
		t.Fatal(err)
	}
	if !got.Converged || !(math.Abs(got.Largest-3) <= 1e-14) || !(math.Abs(got.Smallest+0.5) <= 1e-14) || got.Products > 40 {
		t.Errorf("got %+v, want -0.5 and 3 in at most 40 products", got)
	}
	got, err = Find(n, product, Options{Tolerance: 1e-8, Products: 3})
	if err != nil || got.Converged || got.Products != 3 {
		t.Errorf("three products: got %+v, error %v, want them not to have converged", got, err)
	}
	if off := math.Abs(got.Largest - 3); !(off <= got.LargestResidual) {
		t.Errorf("three products: largest is off by %g, residual %g", off, got.LargestResidual)
	}
}

// TestFindRefuses wants errors for what no operator is, and those of the product.
func TestFindRefuses(t *testing.T) {
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		n       int
		product func(dst, v []float64) error
		options Options
	}{
		"no dimension":  {0, nil, Options{}},
		"no products":   {3, nil, Options{Products: -1}},
		"NaN tolerance": {3, nil, Options{Tolerance: math.NaN()}},
		"NaN product":   {3, func(dst, _ []float64) error { dst[1] = math.NaN(); return nil }, Options{}},
		"failure":       {3, func(_, _ []float64) error { return failed }, Options{}},
	} {
		if _, err := Find(c.n, c.product, c.options); err == nil || name == "failure" && !errors.Is(err, failed) || name == "NaN product" && !errors.Is(err, ErrNotFinite) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}
