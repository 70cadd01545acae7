package pvar

import (
	"encoding/json"
	"fmt"
	"math"
)

// QuadraticVariation returns Σ_k ‖x_{k+1} − x_k‖² over all neighbours (Euclidean, for
// matrices Frobenius): a lower bound of V_2, and not equal to it. It is 0 for
// fewer than two points. It returns an error for a number that is not finite, or a
// sum that float64 cannot hold as a normal number.
func QuadraticVariation(path Points) (float64, error) {
	if err := path.check(); err != nil {
		return 0, err
	}
	s, err := strideSum(path, 1)
	if err == nil && math.IsNaN(s.Value) {
		err = fmt.Errorf("pvar: quadratic variation: got %v², outside the range of float64; want a rescaled path", s.Root)
	}
	return s.Value, err
}

// Stride is the quadratic variation over every Stride-th point: NaN where float64 cannot hold it as a
// normal number, and its square root.
type Stride struct {
	Stride      int
	Value, Root float64
}

// MarshalJSON writes {"stride", "value", "root"}; a value that float64 cannot hold is null.
func (s Stride) MarshalJSON() ([]byte, error) {
	value := &s.Value
	if math.IsNaN(s.Value) {
		value = nil
	}
	return json.Marshal(struct {
		Stride int      `json:"stride"`
		Value  *float64 `json:"value"`
		Root   float64  `json:"root"`
	}{s.Stride, value, s.Root})
}

// DyadicVariations returns the quadratic variation along x_0, x_m, x_2m, … and the
// last point, for m = 1, 2, 4, … up to the first m that steps over the whole path.
//
// For a Brownian path the values agree up to sampling error, for a smooth path they
// grow like m, and for independent layer noise they fall like 1/m. The
// list is empty for fewer than two points. It returns an error for a number that is not finite, or
// a root beyond float64.
func DyadicVariations(path Points) ([]Stride, error) {
	if err := path.check(); err != nil {
		return nil, err
	}
	var out []Stride
	for m, last := 1, path.Len()-1; last > 0; m *= 2 {
		s, err := strideSum(path, m)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
		if m >= last {
			break
		}
	}
	return out, nil
}

// strideSum returns the sum of squared steps from 0 by m to the last point.
func strideSum(path Points, m int) (Stride, error) {
	x, exponent := path.rescaled()
	s, sum, last := Euclidean.space(x.Dim), 0.0, x.Len()-1
	for i := 0; i < last; i += m {
		sum += s.raw(x.At(i), x.At(min(i+m, last)))
	}
	out := Stride{m, math.Ldexp(sum, 2*exponent), math.Ldexp(math.Sqrt(sum), exponent)}
	if math.IsInf(out.Root, 1) {
		return out, fmt.Errorf("pvar: quadratic variation: stride %d: got a root beyond float64, want a rescaled path", m)
	}
	if sum > 0 && !normal(out.Value) {
		out.Value = math.NaN()
	}
	return out, nil
}
