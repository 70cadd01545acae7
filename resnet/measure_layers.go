package resnet

import (
	"fmt"
	"math"
	"sync"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

// LayerNormsTo writes ‖v_k‖_F, all parameters of layer k together, to dst (L). v has the
// layout of θ or of a gradient.
func LayerNormsTo[T kernel.Float](dst []float64, n *Network, v []T) {
	if len(dst) != n.Depth || len(v) < n.Layout.Trained {
		panic(fmt.Sprintf("resnet: LayerNormsTo: got %d norms of %d entries, want %d of at least %d", len(dst), len(v), n.Depth, n.Layout.Trained))
	}
	ops := kernel.For[T]()
	for k := range dst {
		dst[k] = math.Sqrt(layerSquare(n, ops, v, k))
	}
}

// LayerDistance returns max_k ‖θ_k − θ′_k‖_F, all parameters of layer k together. NaN
// entries give NaN.
func LayerDistance[T kernel.Float](n *Network, theta, other []T) float64 {
	ops := kernel.For[T]()
	most := 0.0
	for k := range n.Depth {
		square := 0.0
		for _, a := range []*affine{&n.before, &n.behind} {
			if !a.present {
				continue
			}
			w, b := weightsOf(a, theta, k)
			w1, b1 := weightsOf(a, other, k)
			square += ops.SumSquaredDifferences(w, w1)
			if b != nil {
				square += ops.SumSquaredDifferences(b, b1)
			}
		}
		most = math.Max(most, square)
	}
	return math.Sqrt(most)
}

// layerSquare returns ‖v_k‖_F².
func layerSquare[T kernel.Float](n *Network, ops *kernel.Ops[T], v []T, k int) float64 {
	square := 0.0
	for _, a := range []*affine{&n.before, &n.behind} {
		if !a.present {
			continue
		}
		w, b := weightsOf(a, v, k)
		square += ops.SumSquares(w)
		if b != nil {
			square += ops.SumSquares(b)
		}
	}
	return square
}

// stride is what the pieces of inParallel begin at multiples of.
const stride = 64

// inParallel calls work for pieces of 0..n−1 that cover it, in as many goroutines as
// cores says, and waits for all.
func inParallel(cores, n int, work func(first, last int)) {
	strides := (n + stride - 1) / stride
	cores = max(1, min(cores, strides))
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
