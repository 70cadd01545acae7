package resnet

import (
	"fmt"
	"math"
	"sync"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/rescale"
)

// LayerNormsTo writes ‖v_k‖_F, all parameters of layer k together, to dst (L). v has the
// layout of θ or of a gradient.
func LayerNormsTo[T Float](dst []float64, n *Network, v []T) {
	if len(dst) != n.Depth || len(v) < n.Layout.Trained {
		panic(fmt.Sprintf("resnet: LayerNormsTo: got %d norms of %d entries, want %d of at least %d", len(dst), len(v), n.Depth, n.Layout.Trained))
	}
	ops := kernel.For[T]()
	for k := range dst {
		dst[k] = layerNorm(n, ops, v, nil, k)
	}
}

// LayerDistance returns max_k ‖θ_k − θ′_k‖_F, all parameters of layer k together. NaN
// entries give NaN.
func LayerDistance[T Float](n *Network, theta, other []T) float64 {
	ops := kernel.For[T]()
	most := 0.0
	for k := range n.Depth {
		most = math.Max(most, layerNorm(n, ops, theta, other, k))
	}
	return most
}

// layerNorm returns ‖v_k − w_k‖_F over all parameters of layer k; w is nil for 0.
func layerNorm[T Float](n *Network, ops *kernel.Ops[T], v, w []T, k int) float64 {
	var own, other [4][]T
	layerParts(&own, n, v, k)
	if w != nil {
		layerParts(&other, n, w, k)
	}
	square := 0.0
	for i, x := range own {
		if x != nil {
			square += squareOf(ops, x, other[i])
		}
	}
	if rescale.Safe(square) {
		return math.Sqrt(square)
	}
	norm := 0.0
	for i, x := range own {
		norm = math.Hypot(norm, rescale.Norm(x, other[i]))
	}
	return norm
}

// layerParts sets parts to the weights and biases of layer k in v, nil for absent ones.
func layerParts[T Float](parts *[4][]T, n *Network, v []T, k int) {
	for i, a := range []*affine{&n.before, &n.behind} {
		if a.present {
			parts[2*i], parts[2*i+1] = weightsOf(a, v, k)
		}
	}
}

// squareOf returns ‖x − y‖², ‖x‖² where y is nil.
func squareOf[T Float](ops *kernel.Ops[T], x, y []T) float64 {
	if y == nil {
		return ops.SumSquares(x)
	}
	return ops.SumSquaredDifferences(x, y)
}

// normOf returns ‖x − y‖, ‖x‖ where y is nil, for numbers of any size.
func normOf[T Float](ops *kernel.Ops[T], x, y []T) float64 {
	if square := squareOf(ops, x, y); rescale.Safe(square) {
		return math.Sqrt(square)
	}
	return rescale.Norm(x, y)
}

// stride is what the pieces of inParallel begin at multiples of.
const stride = 64

// pieces returns into how many pieces inParallel cuts n for that many cores.
func pieces(cores, n int) int { return max(1, min(cores, (n+stride-1)/stride)) }

// inParallel calls work for pieces of 0..n−1 that cover it, in as many goroutines as
// cores says, and waits for all.
func inParallel(cores, n int, work func(first, last int)) {
	strides := (n + stride - 1) / stride
	cores = pieces(cores, n)
	var group sync.WaitGroup
	for i := range cores {
		first, last := i*strides/cores*stride, min(n, (i+1)*strides/cores*stride)
		if i+1 == cores {
			work(first, last)
			break
		}
		group.Go(func() { work(first, last) })
	}
	group.Wait()
}
