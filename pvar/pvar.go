// Package pvar computes the exact p-variation of a path of vectors or matrices, with the
// partition that attains it.
//
//	variations, err := pvar.Compute(pvar.Scalars(x), 1, 2) // V_1 and V_2 of a slice
//
// For points x_0 … x_{n−1} and p ≥ 1
//
//	V_p = max over 0 = k_0 < k_1 < … < k_m = n−1 of Σ_j d(x_{k_j}, x_{k_{j+1}})^p,
//
// a maximum over all partitions of the index set, not over the finest one: the
// sum over all neighbours is only a lower bound for p > 1. V_p here is the sum, in the unit
// of d to the power p; its p-th root, Variation.Norm, is the p-variation norm in the unit
// of d.
//
// A path is a Points: n points of R^Dim, row-major in one slice; of r×c matrices with
// Dim = r·c. The distance d is Euclidean (Compute, for matrices Frobenius), or spectral,
// ℓ¹ or ℓ^∞ (ComputeIn with a Metric). Numbers must be finite and p ≥ 1; other input is an
// error that names the point.
//
// QuadraticVariation and DyadicVariations give sums over all neighbours and over every m-th
// point, Hoelder the growth of increments with the lag.
//
// # Cost
//
// For p = 1 the finest partition is best by the triangle inequality. Scalar paths
// take time linear in n, up to the cost of solving an equation (scalar.go): a Brownian path
// of a million points takes 0.15 s for p = 2 on one core. Paths in R^Dim take a dynamic
// programme over a dyadic tree that excludes blocks of pairs by bounds of distances (search.go),
// in the Euclidean metric of second order (euclidean.go): n log n distances on lines and n² at
// worst. The several p of one call run in parallel. Nothing is approximated: only pairs are
// skipped that are proved not to be better. Memory is a few words for each point, and for
// Euclidean paths a copy for each p at work.
//
// # Exactness
//
// Value is the sum over Partition in compensated summation, so it exceeds V_p by no
// more than the rounding of one term. It falls short only where rounding decided a
// comparison: let τ bound the relative error of a computed d^p or of a bound on it,
//
//	τ = (p·(Dim + 8) + 2·|p·log d| + 8)·2⁻⁵³.
//
// The search prefers one predecessor to another only if it offers as much up to the factor
// 1 ± 2τ, so by induction over the m steps of the best partition
//
//	V_p·(1 − 2(m+1)τ) ≤ Value ≤ V_p·(1 + τ).
package pvar

import (
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"sync"

	"github.com/deeplimit/deeplimit/internal/rescale"
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
	if x.Len() > math.MaxInt32 {
		return fmt.Errorf("pvar: path: got %d points, want at most %d", x.Len(), math.MaxInt32)
	}
	for i, v := range x.Data {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("pvar: path: point %d, entry %d: got %v, want a finite number", i/x.Dim, i%x.Dim, v)
		}
	}
	return nil
}

// rescaled returns x·2^−exponent and the exponent, which is 0 unless squares of
// differences would overflow or underflow. Entries far below the largest difference may
// then become 0, which is within the rounding of a distance.
func (x Points) rescaled() (Points, int) {
	exponent := rescale.Exponent(rescale.Spread(x.Dim, x.Data))
	return Points{Dim: x.Dim, Data: rescale.By(x.Data, -exponent)}, exponent
}

// Variation is the p-variation of a path for one p.
type Variation struct {
	P float64
	// Value is the sum, without the p-th root; NaN where it is no normal float64, such as
	// for steps of 1e-200 and p = 2. Norm is its p-th root, the p-variation norm.
	Value, Norm float64
	// Partition holds the indices k_0 < … < k_m of a maximising partition, from
	// the first point to the last: a witness whose sum is Value. A path of one
	// point has the partition [0], the empty path the empty one.
	Partition []int
}

// MarshalJSON writes {"p", "value", "norm", "partition"}; a value of NaN is null.
func (v Variation) MarshalJSON() ([]byte, error) {
	partition := v.Partition
	if partition == nil {
		partition = []int{}
	}
	value := &v.Value
	if math.IsNaN(v.Value) {
		value = nil
	}
	return json.Marshal(struct {
		P         float64  `json:"p"`
		Value     *float64 `json:"value"`
		Norm      float64  `json:"norm"`
		Partition []int    `json:"partition"`
	}{v.P, value, v.Norm, partition})
}

// Compute returns the p-variation of path for each of ps, in their order, under
// the Euclidean metric (for matrices, the Frobenius metric). See ComputeIn.
func Compute(path Points, ps ...float64) ([]Variation, error) {
	return ComputeIn(Euclidean, path, ps...)
}

// ComputeIn returns the p-variation of path under metric for each of ps, in
// their order. The empty path and a path of one point have variation 0.
//
// Steps may have any size: norms scale with the path, V_p(c·x)^(1/p) = c·V_p(x)^(1/p), and
// only Value is NaN where it is outside the range of float64.
//
// It returns an error if a p is less than 1, NaN or infinite, if a number of the path is
// NaN or infinite (with its index), if the shape does not suit the metric, if a distance
// exceeds the range of float64, or if the sum does at every scale of the path, as for p of
// several hundred.
//
// The ps run in parallel on as many goroutines as there are processors; the result does not
// depend on their number. They share no distances, because each p excludes other pairs.
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
	scales := newScales(metric, path)
	out, errs := make([]Variation, len(ps)), make([]error, len(ps))
	var wait sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for k, p := range ps {
		slots <- struct{}{}
		wait.Go(func() {
			out[k], errs[k] = scales.compute(p)
			<-slots
		})
	}
	wait.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// trace returns the partition that ends at the last point, where from[j] is the
// predecessor of j and from[0] is not read.
func trace[I int | int32](from []I) []int {
	m := 1
	for j := len(from) - 1; j > 0; j = int(from[j]) {
		m++
	}
	partition := make([]int, m)
	for j := len(from) - 1; j > 0; j = int(from[j]) {
		m--
		partition[m] = j
	}
	return partition
}
