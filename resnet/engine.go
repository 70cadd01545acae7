package resnet

import (
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// An engine takes tiles of samples through the layers, and their adjoints back. There are
// two, with the same bits: plain computes any network, one layer at a time, as the package
// comment writes it; chain leaves many layers to one call of the kernel where it has one.
// An engine is one worker's: it owns the memory for the states.
//
// Letters: n columns of the tile, d width, m rows of the activation, K layers of a segment.
type engine[T Float] interface {
	// start returns the place of the first state of segment g (d,n): of h_0 for g = 0.
	start(g, n int) []T
	// forward takes a tile from h_0 to h_L, which it returns; backward may follow with keep.
	forward(theta []T, n int, keep bool) []T
	// backward turns the adjoint p of h_L into that of h_0 and adds the layers' gradients.
	backward(theta, p []T, n int, g *gradient[T])
}

// newEngine chooses the engine of one of that many workers, for tiles of at most n columns
// and memory bytes for states.
func newEngine[T Float](mem *alloc.Account, net *Network, ops *kernel.Ops[T], n, workers int, memory int64) engine[T] {
	if kind, ok := chained(net); ok {
		return newChain(mem, net, ops, kind, n, cutOf[T](net, n, workers, memory))
	}
	return newPlain(mem, net, ops, n, segmentLength[T](net, n, memory), net.keptByGradient())
}

// segments are the layers cut into runs of K. An engine keeps what backward reads of one
// segment at a time, and the first state of each, from which it computes the others again.
// The cut changes no result.
type segments[T Float] struct {
	net    *Network
	length int // K
	starts []T // (⌈L/K⌉, d, n)
}

func newSegments[T Float](mem *alloc.Account, net *Network, length, n int) segments[T] {
	s := segments[T]{net: net, length: length}
	s.starts = alloc.Make[T](mem, s.count()*net.Width*n)
	return s
}

func (s *segments[T]) count() int { return (s.net.Depth + s.length - 1) / s.length }

// bounds returns the first and the past-last layer of segment g.
func (s *segments[T]) bounds(g int) (first, end int) {
	return g * s.length, min((g+1)*s.length, s.net.Depth)
}

func (s *segments[T]) start(g, n int) []T { return block(s.starts, g, s.net.Width*n) }

// finish makes h, the last state of segment g, the first of the next.
func (s *segments[T]) finish(g int, h []T, n int) {
	if g+1 < s.count() {
		copy(s.start(g+1, n), h)
	}
}

func block[T any](s []T, j, size int) []T { return s[j*size : (j+1)*size : (j+1)*size] }

// weightsOf returns M (rows,cols) and the bias (nil without one) of layer k, k = 0..L−1.
func weightsOf[T any](a *affine, theta []T, k int) (w, b []T) { return layersOf(a, theta, k, k+1) }

// layersOf returns them of the layers first to end−1, one behind the other.
func layersOf[T any](a *affine, theta []T, first, end int) (w, b []T) {
	size := a.rows * a.cols
	w = theta[a.weights.Offset:][first*size : end*size]
	if a.bias != nil {
		b = theta[a.bias.Offset:][first*a.rows : end*a.rows]
	}
	return w, b
}
