// Package pvar computes the exact p-variation of a path in a metric space, with
// the partition that attains it.
//
// For points x_0 … x_{n−1} and p ≥ 1
//
//	V_p = max over 0 = k_0 < k_1 < … < k_m = n−1 of Σ_j d(x_{k_j}, x_{k_{j+1}})^p,
//
// a maximum over all partitions of the index set, not over the finest one: the
// sum over all neighbours is only a lower bound for p > 1. V_p here is the sum;
// its p-th root, Variation.Norm, is the p-variation norm.
package pvar

import (
	"encoding/json"
	"fmt"
	"math"
)

// Points is a path of n points in R^Dim, row-major: point i is
// Data[i·Dim : (i+1)·Dim]. A path of matrices is the path of their entries.
type Points struct {
	Dim  int
	Data []float64
}

// Len returns n, the number of points.
func (x Points) Len() int {
	if x.Dim < 1 {
		return 0
	}
	return len(x.Data) / x.Dim
}

// At returns point i, aliasing Data.
func (x Points) At(i int) []float64 { return x.Data[i*x.Dim : (i+1)*x.Dim] }

// Scalars returns the path of the numbers in x, aliasing it.
func Scalars(x []float64) Points { return Points{Dim: 1, Data: x} }

// check returns an error unless the shape is that of a path and every number is finite.
func (x Points) check() error {
	if x.Dim < 1 {
		return fmt.Errorf("pvar: path: got dimension %d, want at least 1", x.Dim)
	}
	if len(x.Data)%x.Dim != 0 {
		return fmt.Errorf("pvar: path: got %d numbers, want a multiple of the dimension %d", len(x.Data), x.Dim)
	}
	for i, v := range x.Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("pvar: path: point %d, entry %d: got %v, want a finite number", i/x.Dim, i%x.Dim, v)
		}
	}
	return nil
}

// Variation is the p-variation of a path for one p.
type Variation struct {
	P     float64
	Value float64 // the sum, without the p-th root
	// Partition holds the indices k_0 < … < k_m of a maximising partition, from
	// the first point to the last: a witness whose sum is Value. A path of one
	// point has the partition [0], the empty path the empty one.
	Partition []int
}

// Norm returns Value^(1/P), the p-variation norm.
func (v Variation) Norm() float64 { return math.Pow(v.Value, 1/v.P) }

// MarshalJSON writes {"p", "value", "norm", "partition"}.
func (v Variation) MarshalJSON() ([]byte, error) {
	partition := v.Partition
	if partition == nil {
		partition = []int{}
	}
	return json.Marshal(struct {
		P         float64 `json:"p"`
		Value     float64 `json:"value"`
		Norm      float64 `json:"norm"`
		Partition []int   `json:"partition"`
	}{v.P, v.Value, v.Norm(), partition})
}

// Compute returns the p-variation of path for each of ps, in their order, under
// the Euclidean metric (for matrices, the Frobenius metric). See ComputeIn.
func Compute(path Points, ps ...float64) ([]Variation, error) {
	return ComputeIn(Euclidean, path, ps...)
}

// ComputeIn returns the p-variation of path under metric for each of ps, in
// their order. The empty path and a path of one point have variation 0.
//
// It returns an error if a p is not a number ≥ 1 or is infinite, if a number of
// the path is NaN or infinite (with its place), if the shape does not suit the
// metric, or if a value leaves the range of float64.
func ComputeIn(metric Metric, path Points, ps ...float64) ([]Variation, error) {
	if err := path.check(); err != nil {
		return nil, err
	}
	if err := metric.check(path.Dim); err != nil {
		return nil, err
	}
	for _, p := range ps {
		if !(p >= 1) || math.IsInf(p, 0) {
			return nil, fmt.Errorf("pvar: p: got %v, want a finite number ≥ 1", p)
		}
	}
	out := make([]Variation, len(ps))
	for k, p := range ps {
		out[k] = definition(metric.distance(path), path.Len(), p)
	}
	return out, nil
}

// definition evaluates the definition by dynamic programming over all pairs:
// V(j) = max_{i<j} V(i) + d(i,j)^p. It costs n²/2 distances and is what the fast
// algorithms are tested against.
func definition(distance func(i, j int) float64, n int, p float64) Variation {
	v := Variation{P: p}
	if n == 0 {
		return v
	}
	value, from := make([]float64, n), make([]int, n)
	for j := 1; j < n; j++ {
		value[j] = math.Inf(-1)
		for i := range j {
			if s := value[i] + math.Pow(distance(i, j), p); s > value[j] {
				value[j], from[j] = s, i
			}
		}
	}
	v.Value, v.Partition = value[n-1], trace(from)
	return v
}

// trace returns the partition that ends at the last point, where from[j] is the
// predecessor of j and from[0] is not read.
func trace(from []int) []int {
	m := 1
	for j := len(from) - 1; j > 0; j = from[j] {
		m++
	}
	partition := make([]int, m)
	for j := len(from) - 1; j > 0; j = from[j] {
		m--
		partition[m] = j
	}
	return partition
}
