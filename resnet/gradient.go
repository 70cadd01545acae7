package resnet

import (
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// A gradient adds what one tile contributes to ∇J, behind the tile before it at the gate:
// begin, readout, the layers from the last to the first, end.
type gradient[T Float] struct {
	net   *Network
	ops   *kernel.Ops[T]
	visit func(*layer[T]) // the method layer; made once, as a method value allocates
	outer []T             // scratch
	sums[T]
}

// sums is where a tile's contribution goes.
type sums[T Float] struct {
	to    []T  // of length Layout.Trained
	n     int  // columns of the tile
	fresh bool // the layers' entries are set, not added to; those of δ, E and C are zero
	turn  gate
	scale T // derivative by a δ that all layers share
}

func newGradient[T Float](mem *alloc.Account, net *Network, ops *kernel.Ops[T], n int) *gradient[T] {
	d, m := net.Width, net.middle()
	g := &gradient[T]{net: net, ops: ops, outer: alloc.Make[T](mem, kernel.OuterScratch(max(d, m, net.Outputs), max(d, m, net.Inputs), n))}
	g.visit = g.layer
	return g
}

// begin waits for the tile before to have its readout done.
func (g *gradient[T]) begin(to []T, n int, fresh bool, turn gate) {
	turn.ahead = g.net.Depth
	g.sums = sums[T]{to: to, n: n, fresh: fresh, turn: turn}
	turn.wait(1)
}

// readout adds the derivative by C, given r = ∂J/∂ŷ and h = h_L.
func (g *gradient[T]) readout(r, h []T) {
	if c := g.net.readout; c != nil && c.Trained {
		g.ops.AddOuter(entries(c, g.to), r, h, g.net.Outputs, g.net.Width, g.n, g.outer)
	}
}

// layer adds the derivatives by the parameters of a layer.
func (g *gradient[T]) layer(l *layer[T]) {
	g.turn.enter(l.k, l.k+1, g.net.Depth)
	if g.net.Residual != "fixed" {
		g.addScale(l.k, T(inner(l.p, l.branch)))
	}
	if a := &g.net.behind; a.present {
		g.add(a, l.k, l.q, l.value)
	}
	if a := &g.net.before; a.present {
		g.add(a, l.k, l.e, l.x)
	}
}

// addScale adds to the derivative by δ_k. One that all layers share is summed over the
// tile first, as the tile before may be at other layers still.
func (g *gradient[T]) addScale(k int, v T) {
	if g.net.Residual == "shared" {
		g.scale += v
		return
	}
	g.to[g.net.scaleIndex(k)] += v
}

// add adds E Xᵀ and the row sums of E, the derivatives by layer k's map of X.
func (g *gradient[T]) add(a *affine, k int, e, x []T) {
	w, b := weightsOf(a, g.to, k)
	if g.fresh {
		g.ops.SetOuter(w, e, x, a.rows, a.cols, g.n, g.outer)
		clear(b)
	} else {
		g.ops.AddOuter(w, e, x, a.rows, a.cols, g.n, g.outer)
	}
	if b != nil {
		g.ops.AddRowSums(b, e, a.rows, g.n)
	}
}

// place and done make a gradient the target of a chain.
func (g *gradient[T]) place(first, end int) (w, b []T, fresh bool) {
	g.turn.enter(first, end, g.net.Depth)
	w, b = layersOf(&g.net.before, g.to, first, end)
	return w, b, g.fresh
}

func (g *gradient[T]) done(int, int) {}

// end adds the derivatives by a shared δ and by E, given p = ∂J/∂h_0 and the inputs x.
func (g *gradient[T]) end(p, x []T) {
	g.turn.wait(finished)
	if g.net.Residual == "shared" {
		g.to[g.net.delta.Offset] += g.scale
	}
	if e := g.net.embed; e != nil && e.Trained {
		g.ops.AddOuter(entries(e, g.to), p, x, g.net.Width, g.net.Inputs, g.n, g.outer)
	}
}

// inner returns Σ x_i y_i in float64, in order.
func inner[T Float](x, y []T) float64 {
	sum := 0.0
	for i, v := range x {
		sum += float64(float64(v) * float64(y[i])) // rounded, so that no machine fuses it
	}
	return sum
}
