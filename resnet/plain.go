package resnet

import (
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// plain is the engine of any network, and the oracle of chain. Layer by layer, forward and
// backward are
//
//	x = norm(h)     u = W x + b     z = σ(u)      f = V z + c      h ← h + δ f
//	q = δ p         t = Vᵀ q        e = t ⊙ σ′(u)    p ← p + norm′(h) Wᵀ e
//
// with x = h and no norm′ without a norm, u = x and p ← p + norm′(h) e where no map is before σ, f = z and t = q where
// none is behind it. A function given to forwardWith or backwardWith is called with each layer: that of
// the gradient adds q zᵀ, e xᵀ and ⟨p, f⟩.
type plain[T Float] struct {
	segments[T]
	ops *kernel.Ops[T]
	// Where σ, W and b come from: the kernel and θ, unless they are replaced.
	sigma   func(k int, s, ds, u []T)
	weights func(a *affine, theta []T, k int) []T
	bias    func(a *affine, theta []T, k int) []T

	kept    tape[T] // of a segment, what backward reads
	scratch tape[T] // of one layer at a time, in the same memory
	layer   layer[T]
	product []T // u (m,n)
	scaled  []T // q (d,n)
	pulled  []T // t (m,n)
	errors  []T // e (m,n), in the memory of t
	norm    norming[T]
}

// A layer is what an engine knows of layer k, k = 0..L−1. On the way back next is undefined,
// as is what keeps left out.
type layer[T Float] struct {
	k            int
	h, next      []T // input and output (d,n)
	x, r         []T // what the block sees (d,n): norm(h) with its r (n), h itself without a norm
	slope, value []T // σ′(u) and z (m,n)
	branch       []T // f (d,n)

	// Backward alone.
	p, q []T // adjoints of next and f (d,n); q is nil without a map behind σ
	t, e []T // adjoints of z and u (m,n); t is nil likewise, and undefined where e shares its memory
	g    []T // adjoint of x (d,n), centred where the norm does that; nil without a norm
}

// keeps says what a plain engine keeps for backward, of all layers of a segment.
type keeps struct{ states, norms, slopes, values, branches bool }

// keptByGradient is what the gradient reads.
func (n *Network) keptByGradient() keeps {
	normed := n.Norm() != nil
	return keeps{states: !normed, norms: normed, slopes: true, values: n.keepValues(), branches: n.keepBranches()}
}

// A tape holds what layers leave behind.
type tape[T Float] struct{ states, norms, scales, slopes, values, branches track[T] }

// A track has a block (rows,n) for each layer, or one or two that layers take in turn.
type track[T Float] struct {
	data       []T
	mask, rows int // the block of layer j is j & mask
}

func (t *track[T]) at(j, n int) []T { return block(t.data, j&t.mask, t.rows*n) }

func newPlain[T Float](mem *alloc.Account, net *Network, ops *kernel.Ops[T], n, length int, keep keeps) *plain[T] {
	d, m := net.Width, net.middle()
	p := &plain[T]{
		segments: newSegments[T](mem, net, length, n), ops: ops, sigma: activate(net, ops),
		weights: func(a *affine, theta []T, k int) []T { w, _ := weightsOf(a, theta, k); return w },
		bias:    func(a *affine, theta []T, k int) []T { _, b := weightsOf(a, theta, k); return b },
		product: alloc.Make[T](mem, m*n), scaled: alloc.Make[T](mem, d*n), pulled: alloc.Make[T](mem, m*n),
	}
	p.errors = p.pulled
	p.norm = newNorming(mem, net, ops, n)
	tracks := func(all bool, length, turns, rows int) (kept, scratch track[T]) {
		if !all {
			length = turns
		}
		scratch = track[T]{alloc.Make[T](mem, max(length, turns)*rows*n), turns - 1, rows}
		kept = scratch
		if all {
			kept.mask = -1
		}
		return kept, scratch
	}
	p.kept.states, p.scratch.states = tracks(keep.states, length+1, 2, d)
	if p.norm.present() {
		p.kept.norms, p.scratch.norms = tracks(keep.norms, length, 1, d)
		p.kept.scales, p.scratch.scales = tracks(keep.norms, length, 1, 1)
	}
	p.kept.slopes, p.scratch.slopes = tracks(keep.slopes, length, 1, m)
	p.kept.values, p.scratch.values = tracks(keep.values, length, 1, m)
	p.kept.branches, p.scratch.branches = tracks(keep.branches, length, 1, d)
	return p
}

// activate returns σ and σ′ for a whole layer.
func activate[T Float](net *Network, ops *kernel.Ops[T]) func(k int, s, ds, u []T) {
	kind := vectorised[net.Activation]
	return func(_ int, s, ds, u []T) { ops.Activate(kind, s, ds, u) }
}

// scaleIndex returns where δ of layer k stands in θ.
func (n *Network) scaleIndex(k int) int {
	if n.Residual == "layered" {
		return n.delta.Offset + k
	}
	return n.delta.Offset
}

func (p *plain[T]) forward(theta []T, n int, keep bool) []T {
	return p.forwardWith(theta, n, keep, nil)
}

// forwardWith is forward that calls see with each layer once its output is known.
func (p *plain[T]) forwardWith(theta []T, n int, keep bool, see func(*layer[T])) (last []T) {
	for g := range p.count() {
		tape := &p.scratch
		if keep && g+1 == p.count() {
			tape = &p.kept
		}
		last = p.segment(theta, g, n, tape, see)
		p.finish(g, last, n)
	}
	return last
}

// segment takes the tile through segment g and returns its last state.
func (p *plain[T]) segment(theta []T, g, n int, tape *tape[T], see func(*layer[T])) []T {
	first, end := p.bounds(g)
	copy(tape.states.at(0, n), p.start(g, n))
	for k := first; k < end; k++ {
		l := p.at(k, k-first, n, tape)
		p.layerForward(theta, l, n)
		if see != nil {
			see(l)
		}
	}
	return tape.states.at(end-first, n)
}

// at returns layer k, which is the j-th of its segment.
func (p *plain[T]) at(k, j, n int, tape *tape[T]) *layer[T] {
	l := &p.layer
	l.k, l.h, l.next = k, tape.states.at(j, n), tape.states.at(j+1, n)
	l.x = l.h
	if p.norm.present() {
		l.x, l.r = tape.norms.at(j, n), tape.scales.at(j, n)
	}
	l.slope, l.value = tape.slopes.at(j, n), tape.values.at(j, n)
	l.branch = l.value
	if p.net.behind.present {
		l.branch = tape.branches.at(j, n)
	}
	return l
}

func (p *plain[T]) layerForward(theta []T, l *layer[T], n int) {
	if p.norm.present() {
		p.norm.to(l.x, l.r, l.h)
	}
	u := l.x
	if a := &p.net.before; a.present {
		u = p.product[:a.rows*n]
		p.ops.Affine(u, p.weights(a, theta, l.k), l.x, p.bias(a, theta, l.k), a.rows, a.cols, n)
	}
	p.sigma(l.k, l.value, l.slope, u)
	if a := &p.net.behind; a.present {
		p.ops.Affine(l.branch, p.weights(a, theta, l.k), l.value, p.bias(a, theta, l.k), a.rows, a.cols, n)
	}
	p.ops.SumScaled(l.next, theta[p.net.scaleIndex(l.k)], l.branch, l.h)
}

func (p *plain[T]) backward(theta, adjoint []T, n int, g *gradient[T]) {
	p.backwardWith(theta, adjoint, n, g.visit)
}

// backwardWith turns the adjoint of h_L into that of h_0 and calls visit, unless it is nil,
// with each layer while its p is still that of the layer's output.
func (p *plain[T]) backwardWith(theta, adjoint []T, n int, visit func(*layer[T])) {
	for g := p.count() - 1; g >= 0; g-- {
		if g+1 < p.count() {
			p.segment(theta, g, n, &p.kept, nil)
		}
		first, end := p.bounds(g)
		for k := end - 1; k >= first; k-- {
			l := p.at(k, k-first, n, &p.kept)
			l.p = adjoint
			p.layerBackward(theta, l, n, visit)
		}
	}
}

func (p *plain[T]) layerBackward(theta []T, l *layer[T], n int, visit func(*layer[T])) {
	delta := theta[p.net.scaleIndex(l.k)]
	l.e = p.errors[:p.net.middle()*n]
	if a := &p.net.behind; a.present {
		l.q, l.t = p.scaled[:a.rows*n], p.pulled[:a.cols*n]
		p.ops.Scale(l.q, delta, l.p)
		p.ops.SetTransposed(l.t, p.weights(a, theta, l.k), l.q, a.rows, a.cols, n)
		p.ops.ScaleMul(l.e, 1, l.t, l.slope)
	} else {
		p.ops.ScaleMul(l.e, delta, l.p, l.slope)
	}
	if p.norm.present() {
		l.g = p.norm.pull[:p.net.Width*n]
		clear(l.g)
		p.pullMap(l.g, theta, l, n)
		p.norm.centre(l.g, n)
	}
	if visit != nil {
		visit(l)
	}
	if p.norm.present() {
		p.norm.add(l.p, l.g, l)
	} else {
		p.pullMap(l.p, theta, l, n)
	}
}

// pullMap adds Wᵀ e to the adjoint of x, e where no map is before σ.
func (p *plain[T]) pullMap(to, theta []T, l *layer[T], n int) {
	if a := &p.net.before; a.present {
		p.ops.AddTransposed(to, p.weights(a, theta, l.k), l.e, a.rows, a.cols, n)
	} else {
		p.ops.AddScaled(to, 1, l.e)
	}
}
