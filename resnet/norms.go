package resnet

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

// Norms are the sizes of the weights of a network's first part, over its layers.
type Norms struct {
	MaxFrobenius float64 // max_k ‖A_k‖_F
	RootSquares  float64 // (Σ_k ‖A_k‖_F²)^½
	Displacement float64 // max_k ‖A_k − A_k(0)‖_F
}

// LayerNorms returns ‖A_k‖_F and ‖A_k − A_k(0)‖_F for k = 1..L of the named part of the
// weights (Network.Parts) in theta, with initial as the start. NaN entries give NaN.
func LayerNorms[T kernel.Float](n *Network, part string, theta, initial []T) (norms, moved []float64) {
	ops := kernel.For[T]()
	now, start := View(n.Layout, theta, part), View(n.Layout, initial, part)
	size := len(now) / n.Depth
	norms, moved = make([]float64, n.Depth), make([]float64, n.Depth)
	for k := range n.Depth {
		norms[k] = math.Sqrt(ops.SumSquares(block(now, k, size)))
		moved[k] = math.Sqrt(ops.SumSquaredDifferences(block(now, k, size), block(start, k, size)))
	}
	return norms, moved
}

// WeightNorms returns the norms of A (V for block mlp) in theta, and how far they
// are from initial. NaN entries give NaN.
func WeightNorms[T kernel.Float](n *Network, theta, initial []T) Norms {
	ops := kernel.For[T]()
	part := n.Parts()[0]
	now, start := View(n.Layout, theta, part), View(n.Layout, initial, part)
	size := len(now) / n.Depth
	var top, sum, moved float64
	for k := range n.Depth {
		square := ops.SumSquares(block(now, k, size))
		top = math.Max(top, square)
		sum += square
		moved = math.Max(moved, ops.SumSquaredDifferences(block(now, k, size), block(start, k, size)))
	}
	return Norms{math.Sqrt(top), math.Sqrt(sum), math.Sqrt(moved)}
}
