package resnet

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/alloc"
)

// Gradient descent with one tile moves each layer's weights during the backward pass, while
// their gradient is in the nearest cache. No gradient goes through memory: a step of a
// long network reads its weights twice and writes them once.

// A descent is the target of a chain that moves the weights of a norm block once it has
// their gradient.
type descent[T Float] struct {
	e      *Evaluator[T]
	layers *chain[T]
	block  []T // gradient of the norm block under way
	theta  []T // arguments of the call under way
	eta    T
	norms  []float64
}

// newDescent returns nil where more than the weights of the inner block is trained, or
// where the engine is not a chain.
func newDescent[T Float](mem *alloc.Account, e *Evaluator[T]) *descent[T] {
	layers, ok := e.passes[0].engine.(*chain[T])
	if !ok || e.net.Layout.Trained != e.net.before.weights.Len() {
		return nil
	}
	return &descent[T]{e: e, layers: layers, block: alloc.Make[T](mem, e.normed)}
}

// Descends says whether Ahead and Descend are for this problem: its samples, all of
// them, are one tile, and A is all that is trained.
func (e *Evaluator[T]) Descends() bool { return e.inPlace != nil }

// Ahead returns J(θ) and keeps what Back or Descend needs, one of which may follow as
// long as θ is the same and nothing else but Norms and Split was called in between. It is
// for problems of which Descends says so.
func (e *Evaluator[T]) Ahead(theta []T) Evaluation {
	e.losses[0] = e.passes[0].evaluate(theta, &e.tiles[0], e.total, true)
	return e.collect()
}

// Back writes ∇J(θ) to grad after Ahead: with it, it is Gradient.
func (e *Evaluator[T]) Back(theta, grad []T) {
	e.grad = grad
	e.marks[0].Store(0)
	e.differentiate(0, 0, theta, grad, true, gate{own: &e.marks[0]})
	e.deal(e.reducePhase)
}

// Descend makes θ ← θ − η∇J(θ) after Ahead, with the bits of Back followed by
// kernel.Ops.AddScaled, and GradientSquare is that of ∇J(θ). Unless norms is nil,
// norms[k] becomes ‖∂J/∂A_k‖_F, as of LayerNormsTo.
func (e *Evaluator[T]) Descend(theta []T, eta float64, norms []float64) {
	d, n := e.inPlace, e.tiles[0].n
	d.theta, d.eta, d.norms = theta, T(-eta), norms
	d.layers.backwardTo(theta, e.passes[0].pull(theta, n), n, d)
}

func (d *descent[T]) place(first, end int) (w, b []T, fresh bool) {
	begin := d.begin(first)
	size := d.size()
	return d.block[(first-begin)*size : (end-begin)*size], nil, true
}

func (d *descent[T]) done(first, end int) {
	ops, size, begin := d.e.ops, d.size(), d.begin(first)
	if d.norms != nil {
		for k := first; k < end; k++ {
			d.norms[k] = math.Sqrt(ops.SumSquares(block(d.block, k-begin, size)))
		}
	}
	if first > begin {
		return
	}
	weights := d.theta[begin*size : min(begin*size+len(d.block), d.e.net.Layout.Trained)]
	all := d.block[:len(weights)]
	d.e.squares[begin*size/len(d.block)] = ops.SumSquares(all)
	ops.AddScaled(weights, d.eta, all)
}

// begin returns the first layer of the norm block that layer k belongs to.
func (d *descent[T]) begin(k int) int { return k - k%d.layers.stretch }

func (d *descent[T]) size() int { return d.e.net.Width * d.e.net.Width }
