package certify_test

import (
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
)

func times(a *mat.Dense, x []float64) []float64 {
	r, _ := a.Dims()
	y := make([]float64, r)
	for i := range y {
		for j, v := range a.RawRowView(i) {
			y[i] += v * x[j]
		}
	}
	return y
}

func transposed(a *mat.Dense, x []float64) []float64 {
	r, c := a.Dims()
	y := make([]float64, c)
	for i := range r {
		for j, v := range a.RawRowView(i) {
			y[j] += v * x[i]
		}
	}
	return y
}

func plus(x, y []float64) []float64 {
	s := slices.Clone(x)
	for i := range y {
		s[i] += y[i]
	}
	return s
}

func apply(f func(float64) float64, x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = f(v)
	}
	return y
}

func addOuter(g *mat.Dense, f float64, p, q []float64) {
	for i, v := range p {
		row := g.RawRowView(i)
		for j, u := range q {
			row[j] += f * v * u
		}
	}
}

func zeros(like []*mat.Dense) []*mat.Dense {
	z := make([]*mat.Dense, len(like))
	for k, a := range like {
		z[k] = mat.NewDense(a.RawMatrix().Rows, a.RawMatrix().Cols, nil)
	}
	return z
}

func zeroRows(like [][]float64) [][]float64 {
	z := make([][]float64, len(like))
	for k := range like {
		z[k] = make([]float64, len(like[k]))
	}
	return z
}

func dot(x, y []float64) float64 {
	var sum float64
	for i := range x {
		sum += x[i] * y[i]
	}
	return sum
}

func norm(x []float64) float64 { return mat.Norm(mat.NewVecDense(len(x), x), 2) }

// spectral returns ‖a‖₂; mat.Norm(a, 2) would be the Frobenius norm.
func spectral(a *mat.Dense) float64 { return singularValues(a)[0] }

func singularValues(a *mat.Dense) []float64 {
	var svd mat.SVD
	if !svd.Factorize(a, mat.SVDNone) {
		panic("no singular values")
	}
	return svd.Values(nil)
}

func distance(x, y []float64) float64 {
	d := slices.Clone(x)
	for i := range d {
		d[i] -= y[i]
	}
	return norm(d)
}

// orthonormal returns r orthonormal rows of length c ≥ r.
func orthonormal(rng *rand.Rand, r, c int) *mat.Dense {
	a := mat.NewDense(c, c, nil)
	for i := range c {
		for j := range c {
			a.Set(i, j, rng.NormFloat64())
		}
	}
	var qr mat.QR
	qr.Factorize(a)
	var q mat.Dense
	qr.QTo(&q)
	return mat.DenseCopyOf(q.Slice(0, c, 0, r).T())
}
