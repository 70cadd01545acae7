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
	entries := n.Width + n.middle() // the state, or what the norm makes of it
	if n.Norm() != nil {
		entries++
	}
	if n.keepValues() {
		entries += n.middle()
	}
	if n.keepBranches() {
		entries += n.Width
	}
	return entries
}

// A cut says what a chain keeps of the forward pass for the backward pass.
type cut struct {
	segment int // layers whose states and slopes are kept at a time
	kept    int // layers, the last ones, whose σ is kept: states and slopes follow from it. The others are whole segments.
}

// A worker keeps the states of the whole depth while they take at most twice nearStates
// bytes, about a usual second-level cache. Beyond, up to farStates, reading back costs
// less than computing again, a third of a step. With tanh half the bytes do, σ alone, from
// which states come back in segments of nearValues: as many of the last layers are kept as
// fit farValues beside the weights, about a usual third-level cache. The rest is recomputed in
// segments. What a layer costs to compute again grows with its width for each byte, so
// that layers wider than 32 are kept for longer.
//
// Measured at width 10, float32, two workers: at L = 1000, σ alone took 7.3 ms where
// states and slopes took 8.8; at L = 3162, 8 MB of σ a worker 18.0 where segments took 22.0; at
// L = 10000, 26 MB of it 89 where segments took 78. At (10,8,100000), where the weights alone
// take 40 MB, 12 MB of σ took 24.5 where segments took 20.5.
const (
	farStates  = 8 << 20
	farValues  = 24 << 20 // of two workers or more, with the weights
	nearStates = 1 << 20
	nearValues = 128 << 10
)

// wide returns how many times as long a layer of net is kept as a narrow one.
func wide(net *Network) int64 { return int64(max(1, net.Width/32)) }

// nearWeights is about how many weights stay in the nearest cache with their gradient.
const nearWeights = 2048

// nearLayers returns how many layers of a net that have so many weights, at least one, and
// how many weights they have.
func nearLayers(net *Network) (layers, weights int) {
	layer := net.before.rows * net.before.cols
	if layer == 0 { // block outer has no map before σ
		layer = net.Width * net.Width
	}
	layers = max(1, nearWeights/layer)
	return layers, layers * layer
}

// prefetches says whether the backward pass of a chain should prefetch each layer. It goes
// from the last layer to the first, but forward within a layer, which the hardware does not
// follow where a layer is a few cache lines in memory. At width 16, 16 samples and 3000
// layers a gradient took 6.7 instead of 7.4 ms in float64, at width 20 and 8000 layers with
// GELU 26 instead of 29. Where all is in a cache it would cost a twentieth; narrower layers
// fit the processor's own queues, wider ones its prediction.
func prefetches[T Float](net *Network) bool {
	var zero T
	size := int(unsafe.Sizeof(zero))
	layer := net.before.rows * net.before.cols * size
	return net.Layout.Trained*size > 4*nearStates && 512 <= layer && layer <= 4096
}

// cutOf returns the cut of a chain for one of that many workers, for tiles of n columns and
// memory bytes for what it keeps.
func cutOf[T Float](net *Network, n, workers int, memory int64) cut {
	state, layer := columnBytes[T](net, n)
	depth := int64(net.Depth)
	if kind, _ := chained(net); kind != kernel.TanhValue || net.Width == 1 || layer*depth <= 2*nearStates {
		return cut{segment: segmentLength[T](net, n, memory)}
	}
	var zero T
	room := (farValues*wide(net) - int64(net.Layout.Trained)*int64(unsafe.Sizeof(zero))) / int64(max(2, workers))
	if least := farStates / 2 * wide(net); state*depth <= least {
		room = least
	}
	near := int64(nearValues)
	if state*depth > room { // some are recomputed
		near = nearStates / 2
	}
	k := min(depth, max(4, near/layer)) // a state is copied for each segment
	segments := (depth + k - 1) / k
	kept := min(room, memory-state*segments-layer*k) / state
	if kept < k {
		return cut{segment: segmentLength[T](net, n, memory)}
	}
	recomputed := (max(0, depth-kept) + k - 1) / k // segments
	return cut{segment: int(k), kept: int(depth - recomputed*k)}
}

// columnBytes returns the bytes of a state and of a kept layer of n columns.
func columnBytes[T Float](net *Network, n int) (state, layer int64) {
	var zero T
	entry := int64(unsafe.Sizeof(zero)) * int64(n)
	return entry * int64(net.Width), entry * int64(net.layerEntries())
}

// segmentLength returns the number of layers K whose states are kept at a time where
// the others are recomputed; where nothing fits, the K that takes the least.
func segmentLength[T Float](net *Network, n int, memory int64) int {
	state, layer := columnBytes[T](net, n)
	bytes := func(k int) int64 {
		segments := (net.Depth + k - 1) / k
		return state*int64(segments) + int64(k)*layer
	}
	best := net.Depth
	if layer*int64(net.Depth) > farStates*wide(net) {
		best = int(max(1, nearStates/layer))
	}
	for k := net.Depth; k >= 1 && bytes(best) > memory; k = k * 7 / 8 {
		if bytes(k) < bytes(best) {
			best = k
		}
	}
	return best
}
