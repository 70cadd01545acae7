package resnet

import (
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// chain is the engine of networks whose layers are next = h + δ σ(A h + b) with a fixed δ,
// no norm: one call takes a tile through a segment, another takes an
// adjoint through a stretch of layers and adds their gradients. With tanh it keeps σ in
// the place of σ′: both σ′ = 1 − σ² and the next state follow from it.
type chain[T Float] struct {
	segments[T]
	ops      *kernel.Ops[T]
	kind     kernel.Activation
	kept     int  // layers, the last ones, of which σ alone is kept all the time
	stretch  int  // layers whose weights and gradients stay in the nearest cache
	prefetch bool // weights and gradients come from memory

	states []T // h of a segment (K+1, d, n)
	slopes []T // σ′ (σ for tanh) of a segment (K, d, n)
	values []T // σ of the layers kept (kept, d, n)
	errors []T // of a stretch (stretch, d, n)
	outer  []T // scratch
}

// vectorised has the kernel of each activation.
var vectorised = map[string]kernel.Activation{
	"tanh": kernel.Tanh, "gelu": kernel.GELU, "sin": kernel.Sin, "silu": kernel.SiLU, "softplus": kernel.Softplus, "elu": kernel.ELU,
	"sigmoid": kernel.Sigmoid, "centred-sigmoid": kernel.CentredSigmoid, "relu": kernel.ReLU, "identity": kernel.Identity,
}

// chained returns σ as a chain keeps it and whether the network is one for a chain.
func chained(net *Network) (kernel.Activation, bool) {
	kind := vectorised[net.Activation]
	if kind == kernel.Tanh {
		kind = kernel.TanhValue
	}
	return kind, net.Block == "inner" && net.Residual == "fixed" && net.Norm() == nil
}

func newChain[T Float](mem *alloc.Account, net *Network, ops *kernel.Ops[T], kind kernel.Activation, n int, c cut) *chain[T] {
	size := net.Width * n
	stretch, _ := nearLayers(net)
	return &chain[T]{
		segments: newSegments[T](mem, net, c.segment, n), ops: ops, kind: kind, kept: c.kept, stretch: stretch, prefetch: prefetches[T](net),
		states: alloc.Make[T](mem, (c.segment+1)*size), slopes: alloc.Make[T](mem, c.segment*size), values: alloc.Make[T](mem, c.kept*size),
		errors: alloc.Make[T](mem, stretch*size), outer: alloc.Make[T](mem, kernel.OuterScratch(net.Width, net.Width, n)),
	}
}

// keeps says whether σ alone is kept of the segment that begins at layer first.
func (c *chain[T]) keeps(first int) bool { return first >= c.net.Depth-c.kept }

// keptFrom returns σ of layer k and all after it.
func (c *chain[T]) keptFrom(k, size int) []T { return c.values[(k-c.net.Depth+c.kept)*size:] }

func (c *chain[T]) forward(theta []T, n int, keep bool) (last []T) {
	size := c.net.Width * n
	for g := range c.count() {
		last = c.states[:size]
		switch first, end := c.bounds(g); {
		case keep && c.keeps(first):
			c.run(theta, g, n, last, c.keptFrom(first, size), 0, size)
		case keep && end == c.net.Depth:
			last = c.keep(theta, g, n)
		default:
			c.run(theta, g, n, last, c.slopes, 0, 0)
		}
		c.finish(g, last, n)
	}
	return last
}

// run takes the tile through segment g. Steps are those of kernel.Ops.Forward.
func (c *chain[T]) run(theta []T, g, n int, next, ds []T, nextStep, dsStep int) {
	first, end := c.bounds(g)
	w, b := layersOf(&c.net.before, theta, first, end)
	c.ops.Forward(c.kind, next, ds, w, b, c.start(g, n), c.delta(theta), c.net.Width, n, end-first, nextStep, dsStep)
}

func (c *chain[T]) delta(theta []T) T { return theta[c.net.delta.Offset] }

// keep is run that keeps all states and slopes, and returns the last state.
func (c *chain[T]) keep(theta []T, g, n int) []T {
	size := c.net.Width * n
	first, end := c.bounds(g)
	copy(c.states, c.start(g, n))
	c.run(theta, g, n, c.states[size:], c.slopes, size, size)
	return block(c.states, end-first, size)
}

// restore brings back the states of segment g and returns its slopes.
func (c *chain[T]) restore(theta []T, g, n int) (slopes []T) {
	size := c.net.Width * n
	first, end := c.bounds(g)
	switch {
	case c.keeps(first):
		slopes = c.keptFrom(first, size)
		copy(c.states, c.start(g, n))
		differences := (end - first - 1) * size
		c.ops.SumScaled(c.states[size:size+differences], c.delta(theta), slopes[:differences], c.states[:differences])
		return slopes
	case end < c.net.Depth:
		c.keep(theta, g, n)
	}
	return c.slopes
}

// A target says where the gradients of the layers first to end−1 go, weights and bias (nil
// without), and whether they are set or added there, and is told when they are there.
type target[T Float] interface {
	place(first, end int) (w, b []T, fresh bool)
	done(first, end int)
}

func (c *chain[T]) backward(theta, p []T, n int, g *gradient[T]) { c.backwardTo(theta, p, n, g) }

// backwardTo is backward for any target. Stretches begin at multiples of their length.
func (c *chain[T]) backwardTo(theta, p []T, n int, to target[T]) {
	d := c.net.Width
	for g := c.count() - 1; g >= 0; g-- {
		slopes := c.restore(theta, g, n)
		for first, end := c.bounds(g); end > first; {
			from := max(first, (end-1)/c.stretch*c.stretch)
			gw, gb, fresh := to.place(from, end)
			w, _ := layersOf(&c.net.before, theta, from, end)
			at := (from - first) * d * n
			c.ops.Backward(c.kind, gw, gb, p, c.errors, w, slopes[at:], c.states[at:], c.delta(theta), d, n, end-from, fresh, c.prefetch, c.outer)
			to.done(from, end)
			end = from
		}
	}
}
