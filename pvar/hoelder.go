package pvar

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// Regularity is how the increments of one path grow with the lag.
type Regularity struct {
	// Mean is the exponent h in (mean_k ‖x_{k+m} − x_k‖²)^½ ∝ m^h: the Hurst exponent of a
	// fractional Brownian path, 1 for a smooth path, 0 for independent noise.
	Mean float64 `json:"mean"`
	// Uniform is the exponent in max_k ‖x_{k+m} − x_k‖ ∝ m^h, the Hölder exponent. For
	// Gaussian paths the modulus of continuity has a factor √log(n/m), which lowers the
	// estimate: by about 1/(2 log n) in dimension 1, less in higher dimension.
	Uniform float64 `json:"uniform"`
	// Lags are the m used: 1, 2, 4, … up to a quarter of the path; RootMeanSquare and
	// Largest are the two left-hand sides there.
	Lags           []int     `json:"lags"`
	RootMeanSquare []float64 `json:"root_mean_square"`
	Largest        []float64 `json:"largest"`
}

// Hoelder estimates the Hölder exponent of a path of 17 points or more (three lags),
// by least squares on log–log axes, Euclidean metric, in n log n distances. It describes one
// path; package scaling fits exponents over depths.
//
// It returns an error for a shorter path, a number that is not finite, or a path on
// which a lag has no increments, such as a constant.
func Hoelder(path Points) (Regularity, error) {
	var r Regularity
	if err := path.check(); err != nil {
		return r, err
	}
	n := path.Len()
	if n < 17 {
		return r, fmt.Errorf("pvar: Hölder exponent: got %d points, want 17 or more", n)
	}
	path, exponent := path.rescaled()
	s := Euclidean.space(path.Dim)
	var logs, means, largests []float64
	for m := 1; m <= (n-1)/4; m *= 2 {
		sum, largest := 0.0, 0.0
		for k := range n - m {
			square := s.raw(path.At(k), path.At(k+m))
			sum += square
			largest = max(largest, square)
		}
		rms := math.Sqrt(sum / float64(n-m))
		if rms == 0 || math.IsInf(rms, 1) {
			return Regularity{}, fmt.Errorf("pvar: Hölder exponent: lag %d: got increments of size %v, want positive finite ones", m, rms)
		}
		r.Lags = append(r.Lags, m)
		r.RootMeanSquare = append(r.RootMeanSquare, math.Ldexp(rms, exponent))
		r.Largest = append(r.Largest, math.Ldexp(math.Sqrt(largest), exponent))
		logs = append(logs, math.Log(float64(m)))
		means = append(means, math.Log(rms))
		largests = append(largests, math.Log(largest)/2)
	}
	_, r.Mean = stat.LinearRegression(logs, means, nil, false)
	_, r.Uniform = stat.LinearRegression(logs, largests, nil, false)
	return r, nil
}
