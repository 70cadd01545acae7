package scaling

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/pvar"
)

// MinSplit is the smallest depth at which Split tells a trend from noise: it leaves a few
// degrees of freedom beside the straight line, which is not penalised.
const MinSplit = 8

// Split returns a path as the sum of a smooth trend and noise, both of the path's shape.
//
// The trend minimises Σ_k ‖x_k − z_k‖² + λ Σ_k ‖z_{k+1} − 2z_k + z_{k−1}‖² (the
// discrete smoothing spline of Whittaker; ends are free, straight lines pass
// unchanged). One λ for all entries minimises the generalised cross-validation score
//
//	n·RSS(λ) / (n − tr H(λ))²
//
// over a grid with two points a decade. This λ is right when the noise is independent
// over layers; a path without such noise is all trend, up to the smallest λ.
//
// It returns an error for fewer than 8 points or a number that is not finite.
func Split(path pvar.Points) (trend, noise pvar.Points, err error) {
	n := path.Len()
	if n < MinSplit {
		return trend, noise, fmt.Errorf("scaling: split: got %d points, want %d or more", n, MinSplit)
	}
	for i, v := range path.Data {
		if notFinite(v) {
			return trend, noise, fmt.Errorf("scaling: split: point %d: got %v, want a finite number", i/path.Dim, v)
		}
	}
	smooth, best := make([]float64, len(path.Data)), make([]float64, len(path.Data))
	score := math.Inf(1)
	// From a spline through the points (λ = 10⁻³ damps the fastest wave, with second
	// differences 4, by 1.6 %) to a straight line (λ = n⁴ damps half a wave).
	for lambda := 1e-3; lambda <= math.Pow(float64(n), 4); lambda *= math.Sqrt(10) {
		whittaker(smooth, path.Data, path.Dim, lambda)
		rss := 0.0
		for i, v := range path.Data {
			rss += (v - smooth[i]) * (v - smooth[i])
		}
		if g := rss / math.Pow(float64(n)-hatTrace(n, lambda), 2); g < score {
			score = g
			best, smooth = smooth, best
		}
	}
	trend = pvar.Points{Dim: path.Dim, Data: best}
	noise = pvar.Points{Dim: path.Dim, Data: make([]float64, len(path.Data))}
	for i, v := range path.Data {
		noise.Data[i] = v - trend.Data[i]
	}
	return trend, noise, nil
}

// whittaker sets z to the minimiser of ‖x − z‖² + λ‖D z‖² for a path x in R^dim, D the
// (n−2, n) matrix of second differences, by solving (I + λDᵀD) z = x. The matrix is
// positive definite with two bands on either side of the diagonal; factor is LDLᵀ
// without pivoting, n·(dim + 1) steps of a few flops.
func whittaker(z, x []float64, dim int, lambda float64) {
	n := len(x) / dim
	// Row i of the factor: 1/d_i and the entries of L at (i, i−1) and (i, i−2).
	inverse, near, far := make([]float64, n), make([]float64, n), make([]float64, n)
	for i := range n {
		diagonal, a, b := bands(i, n)
		pivot := 1 + lambda*diagonal
		if i >= 2 {
			far[i] = lambda * b * inverse[i-2]
			pivot -= far[i] * far[i] / inverse[i-2]
		}
		if i >= 1 {
			off := lambda * a
			if i >= 2 {
				off -= far[i] * near[i-1] / inverse[i-2]
			}
			near[i] = off * inverse[i-1]
			pivot -= near[i] * off
		}
		inverse[i] = 1 / pivot
	}
	copy(z, x)
	for i := 1; i < n; i++ {
		for k := range dim {
			v := z[i*dim+k] - near[i]*z[(i-1)*dim+k]
			if i >= 2 {
				v -= far[i] * z[(i-2)*dim+k]
			}
			z[i*dim+k] = v
		}
	}
	for i := n - 1; i >= 0; i-- {
		for k := range dim {
			v := z[i*dim+k] * inverse[i]
			if i+1 < n {
				v -= near[i+1] * z[(i+1)*dim+k]
			}
			if i+2 < n {
				v -= far[i+2] * z[(i+2)*dim+k]
			}
			z[i*dim+k] = v
		}
	}
}

// bands returns the entries (i,i), (i,i−1) and (i,i−2) of DᵀD, the sum over the rows
// (1, −2, 1) of D that reach them; n ≥ 4.
func bands(i, n int) (diagonal, near, far float64) {
	row := func(start int) bool { return start >= 0 && start+2 < n }
	if row(i) {
		diagonal++
	}
	if row(i - 1) {
		diagonal += 4
		near -= 2
	}
	if row(i - 2) {
		diagonal++
		near -= 2
		far++
	}
	return diagonal, near, far
}

// hatTrace returns tr (I + λDᵀD)⁻¹, the degrees of freedom of the trend. DᵀD is the
// discrete free beam: two zero eigenvalues (straight lines) and, to within 1 %,
// (2 − 2 cos(π(k − ½)/n))² for k = 2 … n−1, as the free beam's wave numbers are
// 1.506π, 2.4998π, 3.5000π, …
func hatTrace(n int, lambda float64) float64 {
	trace := 2.0
	for k := 2; k < n; k++ {
		mu := 2 - 2*math.Cos(math.Pi*(float64(k)-0.5)/float64(n))
		trace += 1 / (1 + lambda*mu*mu)
	}
	return trace
}
