package resnet

import (
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/rescale"
)

// Norms are the sizes of the weights of a network's first part, over its layers.
type Norms struct {
	MaxFrobenius float64 // max_k ‖A_k‖_F
	RootSquares  float64 // (Σ_k ‖A_k‖_F²)^½
	Displacement float64 // max_k ‖A_k − A_k(0)‖_F
}

// LayerNorms returns ‖A_k‖_F and ‖A_k − A_k(0)‖_F for k = 1..L of the named part of the
// weights (Network.Parts) in theta, with initial as the start. NaN entries give NaN.
func LayerNorms[T Float](n *Network, part string, theta, initial []T) (norms, moved []float64) {
	ops := kernel.For[T]()
	now, start := View(n.Layout, theta, part), View(n.Layout, initial, part)
	size := len(now) / n.Depth
	norms, moved = make([]float64, n.Depth), make([]float64, n.Depth)
	for k := range n.Depth {
		norms[k] = normOf(ops, block(now, k, size), nil)
		moved[k] = normOf(ops, block(now, k, size), block(start, k, size))
	}
	return norms, moved
}

// normBlock is the number of layers whose norms a worker takes at a time, and whose
// squares are summed before they are added to the others.
const normBlock = 64

// Norms returns the norms of A (V for block mlp) in theta, and how far they are from
// initial, by all workers. NaN entries give NaN.
func (e *Evaluator[T]) Norms(theta, initial []T) Norms {
	part := e.net.Parts()[0]
	now, start := View(e.net.Layout, theta, part), View(e.net.Layout, initial, part)
	size := len(now) / e.net.Depth
	blocks := make([]Norms, (e.net.Depth+normBlock-1)/normBlock) // squares
	e.deal(func(int) {
		for {
			i := int(e.next.Add(1)) - 1
			if i >= len(blocks) {
				return
			}
			for k := i * normBlock; k < min((i+1)*normBlock, e.net.Depth); k++ {
				square := e.ops.SumSquares(block(now, k, size))
				moved := e.ops.SumSquaredDifferences(block(now, k, size), block(start, k, size))
				blocks[i] = Norms{max(blocks[i].MaxFrobenius, square), blocks[i].RootSquares + square, max(blocks[i].Displacement, moved)}
			}
		}
	})
	var all Norms
	for _, b := range blocks {
		all = Norms{max(all.MaxFrobenius, b.MaxFrobenius), all.RootSquares + b.RootSquares, max(all.Displacement, b.Displacement)}
	}
	n := Norms{math.Sqrt(all.MaxFrobenius), math.Sqrt(all.RootSquares), math.Sqrt(all.Displacement)}
	if !rescale.Safe(all.MaxFrobenius) || !rescale.Safe(all.RootSquares) || !rescale.Safe(all.Displacement) && !slices.Equal(now, start) {
		norms, moved := LayerNorms(e.net, part, theta, initial)
		n = Norms{slices.Max(norms), rescale.Norm(norms, nil), slices.Max(moved)}
	}
	return n
}
