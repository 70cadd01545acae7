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
		a := withSpectrum(values, random)
		got, err := Find(n, dense(a), Options{Accuracy: 1e-9, Vectors: rapid.SampledFrom([]int{0, 12}).Draw(t, "vectors")})
		if err != nil {
			t.Fatal(err)
		}
		rounding := float64(n*n) * 0x1p-50 * size // n products of n terms
		check := func(end string, got Eigenvalue, want float64) {
			off := math.Abs(got.Value - want)
			if !got.Converged || !(off <= got.Residual+rounding) || !(off <= 1e-9*max(math.Abs(want), zero*size)+rounding) {
				t.Fatalf("%s: %s: got %+v, want %g", kind, end, got, want)
			}
		}
		check("largest", got.Largest, high)
		check("smallest", got.Smallest, low)
	})
}

// large is an operator of dimension 5000 with the eigenvalues 3 and −0.5 outside a bulk in [0, 0.1].
func large(dst, v []float64) error {
	for i := range dst {
		switch i {
		case 17:
			dst[i] = 3 * v[i]
		case 4000:
			dst[i] = -0.5 * v[i]
		default:
			dst[i] = float64(i) / 5000 * 0.1 * v[i]
		}
	}
	return nil
}

// TestFindLarge wants outlying eigenvalues of a large operator in few products, and
// those of its bulk not to count as found before they are.
func TestFindLarge(t *testing.T) {
	got, err := Find(5000, large, Options{Accuracy: 1e-8})
	if err != nil {
		t.Fatal(err)
	}
	if !got.Largest.Converged || !got.Smallest.Converged || !(math.Abs(got.Largest.Value-3) <= 1e-12) ||
		!(math.Abs(got.Smallest.Value+0.5) <= 1e-12) || got.Products > 50 {
		t.Errorf("got %+v, want -0.5 and 3 in at most 50 products", got)
	}
	got, err = Find(5000, large, Options{Accuracy: 1e-8, Products: 6})
	if err != nil || got.Largest.Converged || got.Products != 6 {
		t.Errorf("six products: got %+v, error %v, want them not to have converged", got, err)
	}
	if off := math.Abs(got.Largest.Value - 3); !(off > 0 && off <= got.Largest.Residual) {
		t.Errorf("six products: largest is off by %g, residual %g", off, got.Largest.Residual)
	}
}

// TestFindSmallEnd wants four digits of an end that is a ten-thousandth of the other and lies
// close to a bulk, where a residual relative to the larger end has none: with few vectors,
// so that the search is restarted.
func TestFindSmallEnd(t *testing.T) {
	const n, low, high = 2000, -2.2e-4, 1
	product := func(dst, v []float64) error {
		for i := range dst {
			value := -2e-4 + 0.01*float64(i)/n
			switch i {
			case 7:
				value = low
			case n - 1:
				value = high
			}
			dst[i] = value * v[i]
		}
		return nil
	}
	got, err := Find(n, product, Options{Vectors: 20})
	if err != nil {
		t.Fatal(err)
	}
	if !got.Smallest.Converged || !(math.Abs(got.Smallest.Value-low) <= 1e-4*-low) || !(got.Smallest.Residual <= 1e-4*-low) || got.Products <= 20 {
		t.Errorf("got %+v, want %g to four digits after a restart", got, low)
	}
	cheap, err := Find(n, product, Options{Vectors: 20, LargestOnly: true})
	if err != nil || !cheap.Largest.Converged || !(cheap.Products < got.Products/2) || !(math.Abs(cheap.Largest.Value-high) <= 1e-4) {
		t.Errorf("largest only: got %+v, error %v, want 1 in fewer products", cheap, err)
	}
}

// TestFindFloat32 wants residuals that products with rounding do not reach to be told.
func TestFindFloat32(t *testing.T) {
	rough := func(dst, v []float64) error {
		if err := large(dst, v); err != nil {
			return err
		}
		for i := range dst {
			dst[i] = float64(float32(dst[i]))
		}
		return nil
	}
	got, err := Find(5000, rough, Options{Accuracy: 1e-12, Products: 200})
	if err != nil || got.Largest.Converged || !(math.Abs(got.Largest.Value-3) <= got.Largest.Residual) {
		t.Errorf("got %+v, error %v, want 3 within a residual above the accuracy", got, err)
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
		"no dimension": {0, nil, Options{}},
		"no products":  {3, nil, Options{Products: -1}},
		"few vectors":  {3, nil, Options{Vectors: 3}},
		"NaN accuracy": {3, nil, Options{Accuracy: math.NaN()}},
		"NaN product":  {3, func(dst, _ []float64) error { dst[1] = math.NaN(); return nil }, Options{}},
		"failure":      {3, func(_, _ []float64) error { return failed }, Options{}},
	} {
		if _, err := Find(c.n, c.product, c.options); err == nil || name == "failure" && !errors.Is(err, failed) || name == "NaN product" && !errors.Is(err, ErrNotFinite) {
			t.Errorf("%s: got error %v", name, err)
		}
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		memory int64
		want   int
	}{{0, Vectors}, {1, 8}, {8 * 1000 * 24, 20}, {1 << 40, Vectors}} {
		if got := Fit(1000, c.memory); got != c.want {
			t.Errorf("%d bytes: got %d vectors, want %d", c.memory, got, c.want)
		}
	}
}
