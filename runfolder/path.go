package runfolder

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/floats"
)

// Path returns the tensor called part as a path over the layer index: shape
// (L,r,c) gives r×c matrices, (L,r) columns (r×1), (L) numbers (1×1). The data
// are shared with w.
func (w Weights) Path(part string) (Path, error) {
	t, ok := w.Tensors[part]
	if !ok {
		names := slices.Sorted(maps.Keys(w.Tensors))
		return Path{}, fmt.Errorf("runfolder: weights: no tensor %q among %s", part, strings.Join(names, ", "))
	}
	p := Path{Rows: 1, Cols: 1, Data: t.Data}
	switch len(t.Shape) {
	case 3:
		p.Depth, p.Rows, p.Cols = t.Shape[0], t.Shape[1], t.Shape[2]
	case 2:
		p.Depth, p.Rows = t.Shape[0], t.Shape[1]
	case 1:
		p.Depth = t.Shape[0]
	}
	if p.Depth < 1 || p.Rows < 1 || p.Cols < 1 || len(t.Data) != p.Depth*p.Rows*p.Cols {
		return Path{}, fmt.Errorf("runfolder: weights: tensor %q: got shape %v and %d entries, want (L,rows,columns), (L,rows) or (L)",
			part, t.Shape, len(t.Data))
	}
	return p, nil
}

// Matrix returns the row-major (rows, cols) matrix of layer k, 1 ≤ k ≤ L,
// sharing its data with p.
func (p Path) Matrix(k int) []float64 {
	size := p.Rows * p.Cols
	return p.Data[(k-1)*size : k*size : k*size]
}

// Rescaled returns factor · p. With factor L^β it is the rescaled path Ā.
func (p Path) Rescaled(factor float64) Path {
	data := make([]float64, len(p.Data))
	floats.ScaleTo(data, factor, p.Data)
	p.Data = data
	return p
}

// Sub returns the path p − q. With q the initial weights it is the displacement U.
func (p Path) Sub(q Path) (Path, error) {
	if p.Depth != q.Depth || p.Rows != q.Rows || p.Cols != q.Cols {
		return Path{}, fmt.Errorf("runfolder: difference of paths: got shapes (%d,%d,%d) and (%d,%d,%d), want the same",
			p.Depth, p.Rows, p.Cols, q.Depth, q.Rows, q.Cols)
	}
	data := make([]float64, len(p.Data))
	floats.SubTo(data, p.Data, q.Data)
	p.Data = data
	return p, nil
}

// Norms returns ‖A_k‖_F for k = 1..L.
func (p Path) Norms() []float64 {
	norms := make([]float64, p.Depth)
	for k := range norms {
		norms[k] = floats.Norm(p.Matrix(k+1), 2)
	}
	return norms
}

// Increments returns ‖A_{k+1} − A_k‖_F for k = 1..L−1.
func (p Path) Increments() []float64 {
	increments := make([]float64, p.Depth-1)
	for k := range increments {
		increments[k] = floats.Distance(p.Matrix(k+2), p.Matrix(k+1), 2)
	}
	return increments
}

// MaxFrobenius returns max_k ‖A_k‖_F, NaN if an entry is.
func (p Path) MaxFrobenius() float64 { return largest(p.Norms()) }

// RootSumSquares returns (Σ_k ‖A_k‖_F²)^½, the norm of the path as one vector.
func (p Path) RootSumSquares() float64 { return floats.Norm(p.Data, 2) }

// MaxIncrement returns max_k ‖A_{k+1} − A_k‖_F; 0 for L = 1, NaN if an entry is.
func (p Path) MaxIncrement() float64 { return largest(p.Increments()) }

// QuadraticVariation returns Σ_k ‖A_{k+1} − A_k‖_F² over all neighbouring layers:
// a lower bound of the 2-variation V_2, which is a supremum over partitions. It is NaN where the
// increments are so small that the sum is no normal float64.
func (p Path) QuadraticVariation() float64 {
	sum, most := 0.0, 0.0
	for _, v := range p.Increments() {
		sum += v * v
		most = max(most, v)
	}
	if most > 0 && sum < 0x1p-1022 {
		return math.NaN()
	}
	return sum
}

// RootQuadraticVariation returns the square root of QuadraticVariation, for increments of any
// size.
func (p Path) RootQuadraticVariation() float64 { return floats.Norm(p.Increments(), 2) }

// largest returns the maximum of non-negative values: 0 without any, NaN if one is.
func largest(values []float64) float64 {
	most := 0.0
	for _, v := range values {
		most = max(most, v)
	}
	return most
}
