package scaling

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// curvatureLevel is the significance at which a quadratic term is reported.
const curvatureLevel = 0.01

// curvature returns a warning if the quadratic term of log y = a_seed + b·log L +
// c·(log L)² is significant at 1 % (two-sided t test), and "" otherwise or when
// too few samples are left to test it.
//
// Each seed has its own level a_seed, because a shift of a whole seed says nothing about
// curvature.
func curvature(samples []Sample, x, y []float64) string {
	groups := bySeed(samples)
	// Centre within seeds, which eliminates a_seed; the design is then two columns:
	// u = x − x̄_seed, and w = (x²)~ made orthogonal to u. x is shifted to its mean
	// first, as x² is nearly a multiple of x when the depths are large.
	shift := stat.Mean(x, nil)
	u, w, v := slices.Clone(x), make([]float64, len(x)), slices.Clone(y)
	for i := range x {
		u[i] -= shift
		w[i] = u[i] * u[i]
	}
	for _, group := range groups {
		for _, column := range [][]float64{u, w, v} {
			mean := 0.0
			for _, i := range group {
				mean += column[i]
			}
			mean /= float64(len(group))
			for _, i := range group {
				column[i] -= mean
			}
		}
	}
	uu, uw, uv := dot(u, u), dot(u, w), dot(u, v)
	if uu == 0 {
		return ""
	}
	for i := range w {
		w[i] -= uw / uu * u[i]
	}
	ww := dot(w, w)
	freedom := float64(len(x) - len(groups) - 2)
	if freedom < 1 || ww <= 1e-12*uu*uu { // fewer than three depths: w vanishes up to rounding
		return ""
	}
	b, c := uv/uu, dot(w, v)/ww
	rss := 0.0
	for i := range v {
		r := v[i] - b*u[i] - c*w[i]
		rss += r * r
	}
	if explained := c * c * ww; explained <= roundingSquares(y) {
		return ""
	}
	t := math.Abs(c) / math.Sqrt(rss/freedom/ww) // +Inf for an exact parabola
	if t < (distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}).Quantile(1-curvatureLevel/2) {
		return ""
	}
	// d/dx of b·u + c·(u² − (uw/uu)·u), at both ends.
	local := func(x float64) float64 { return b + c*(2*(x-shift)-uw/uu) }
	return fmt.Sprintf("the log–log plot is curved: local slope %s at the smallest depth, %s at the largest (quadratic term significant at 1 %%)",
		minus(fixed(local(slices.Min(x)), 3)), minus(fixed(local(slices.Max(x)), 3)))
}

// minus writes a hyphen before a number as the minus sign that it stands for, for prose.
func minus(number string) string { return strings.Replace(number, "-", "−", 1) }

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += v * b[i]
	}
	return sum
}
