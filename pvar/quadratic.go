package pvar

import (
	"fmt"
	"math"
)

// QuadraticVariation returns Σ_k ‖x_{k+1} − x_k‖² over all neighbours (Euclidean, for
// matrices Frobenius): a lower bound of V_2, and not equal to it. It is 0 for
// fewer than two points. It returns an error for a number that is not finite, or a
// sum that is too large.
func QuadraticVariation(path Points) (float64, error) {
	if err := path.check(); err != nil {
		return 0, err
	}
	return strideSum(path, 1)
}

// Stride is the quadratic variation over every Stride-th point.
type Stride struct {
	Stride int     `json:"stride"`
	Value  float64 `json:"value"`
}

// DyadicVariations returns the quadratic variation along x_0, x_m, x_2m, … and the
// last point, for m = 1, 2, 4, … up to the first m that steps over the whole path.
//
// For a Brownian path the values agree up to sampling error, for a smooth path they
// grow like m, and for independent layer noise they fall like 1/m. The
// list is empty for fewer than two points. Errors are those of QuadraticVariation.
func DyadicVariations(path Points) ([]Stride, error) {
	if err := path.check(); err != nil {
		return nil, err
	}
	var out []Stride
	for m, last := 1, path.Len()-1; last > 0; m *= 2 {
		v, err := strideSum(path, m)
		if err != nil {
			return nil, err
		}
		out = append(out, Stride{m, v})
		if m >= last {
			break
		}
	}
	return out, nil
}

// strideSum returns the sum of squared steps from 0 by m to the last point.
func strideSum(x Points, m int) (float64, error) {
	s, sum, last := Euclidean.space(x.Dim), 0.0, x.Len()-1
	for i := 0; i < last; i += m {
		sum += s.raw(x.At(i), x.At(min(i+m, last)))
	}
	if math.IsInf(sum, 1) {
		return 0, fmt.Errorf("pvar: quadratic variation: stride %d: got a sum beyond float64, want a rescaled path", m)
	}
	return sum, nil
}
