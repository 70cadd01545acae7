package resnet

import (
	"unsafe"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

// keepValues says whether the backward pass reads σ(u) of every layer.
func (n *Network) keepValues() bool { return n.behind.present || n.Residual != "fixed" }

// keepBranches says whether it reads f_k apart from σ(u).
func (n *Network) keepBranches() bool { return n.behind.present && n.Residual != "fixed" }

// layerEntries returns how many numbers a kept layer takes for each column.
func (n *Network) layerEntries() int {
	entries := n.Width + n.middle()
	if n.keepValues() {
		entries += n.middle()
	}
	if n.keepBranches() {
		entries += n.Width
	}
	return entries
}

// A cut says what a worker keeps of the way forward for the way back.
type cut struct {
	segment int  // layers whose states are at hand at a time
	kept    bool // whether σ of all layers is kept: states and slopes follow from it
}

// A worker keeps the states of the whole depth while they take at most twice nearStates
// bytes, about a usual second-level cache. Beyond, up to farStates, reading back costs
// less than computing again, a third of a step; with tanh half the bytes do, σ alone, from
// which states come back in segments of nearValues. Beyond
// that, segments of nearStates bytes are recomputed. What a layer costs to compute again grows with its
// width for each byte, so that wider ones than 32 are kept for longer.
// Measured at width 10 with 64 columns, float32: 37 GFLOP/s with 5 MB kept, 18 with
// 50 MB kept, 29 with segments; with two workers at L = 1000, σ alone took 7.3 ms where
// states and slopes took 8.8. At (128,512,64) in float64 12 MB kept took 40.6 ms, segments 47.
const (
	farStates  = 8 << 20
	nearStates = 1 << 20
	nearValues = 128 << 10
)

// farStatesOf returns farStates for layers as wide as those of net.
func farStatesOf(net *Network) int64 { return farStates * int64(max(1, net.Width/32)) }

// unforeseen says whether the way back should ask for each layer's weights and gradient
// ahead. It goes from the last layer to the first, but forward within a layer, which
// the hardware does not follow where a layer is a few cache lines in memory: setting the
// gradient to zero then waits for each. At (10,8,100000) in float64 that took 130 of 800 ns
// a layer. Narrower layers fit the processor's own queues, wider ones its prediction.
func unforeseen[T kernel.Float](net *Network) bool {
	var zero T
	size := int(unsafe.Sizeof(zero))
	layer := net.before.rows * net.before.cols * size
	return net.Layout.Trained*size > 4*nearStates && 512 <= layer && layer <= 4096
}

// cutOf returns the cut for one worker with tiles of n columns and memory bytes for
// what it keeps.
func cutOf[T kernel.Float](net *Network, n int, memory int64) cut {
	state, layer := columnBytes[T](net, n)
	if all := layer * int64(net.Depth); valued(net) && net.Width > 1 && 2*nearStates < all && all <= farStatesOf(net) {
		k := min(net.Depth, max(1, int(nearValues/layer)))
		segments := (net.Depth + k - 1) / k
		if state*int64(net.Depth+segments)+layer*int64(k) <= memory {
			return cut{segment: k, kept: true}
		}
	}
	return cut{segment: segmentLength[T](net, n, memory)}
}

// columnBytes returns the bytes of a state and of a kept layer of n columns.
func columnBytes[T kernel.Float](net *Network, n int) (state, layer int64) {
	var zero T
	entry := int64(unsafe.Sizeof(zero)) * int64(n)
	return entry * int64(net.Width), entry * int64(net.layerEntries())
}

// segmentLength returns the number of layers K whose states are kept at a time where
// the others are recomputed; where nothing fits, the K that takes the least.
func segmentLength[T kernel.Float](net *Network, n int, memory int64) int {
	state, layer := columnBytes[T](net, n)
	bytes := func(k int) int64 {
		segments := (net.Depth + k - 1) / k
		return state*int64(segments) + int64(k)*layer
	}
	best := net.Depth
	if layer*int64(net.Depth) > farStatesOf(net) {
		best = int(max(1, nearStates/layer))
	}
	for k := net.Depth; k >= 1 && bytes(best) > memory; k = k * 7 / 8 {
		if bytes(k) < bytes(best) {
			best = k
		}
	}
	return best
}
