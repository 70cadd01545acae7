package resnet

import "math"

// Gradient descent with one tile: on the way back each layer's weights move as soon as
// no state behind them needs them any more, while their gradient is in the nearest cache. No
// gradient goes through memory, so that a step of a long network reads its weights twice
// and writes them once.

// weightsAlone says whether the weights of the inner block are all that is trained, and
// the kernels take its layers in one call.
func weightsAlone(net *Network) bool {
	return fused(net) && net.before.bias == nil && net.Layout.Trained == net.Depth*net.Width*net.Width
}

// Descends says whether Ahead and Descend are for this problem: its samples, all of
// them, are one tile, and A is all that is trained.
func (e *Evaluator[T]) Descends() bool { return e.block != nil }

// Ahead returns J(θ) and keeps what Back or Descend needs, one of which may follow as
// long as θ is the same and nothing else but Norms and Split was called in between. It is
// for problems of which Descends says so.
func (e *Evaluator[T]) Ahead(theta []T) Evaluation {
	h, sum, correct := e.passes[0].ahead(theta, &e.tiles[0], e.total)
	e.reached = h
	e.losses[0] = Evaluation{sum, correct}
	return e.collect()
}

// Back writes ∇J(θ) to grad after Ahead: with it, it is Gradient.
func (e *Evaluator[T]) Back(theta, grad []T) {
	e.grad = grad
	e.marks[0].Store(0)
	e.passes[0].back(theta, grad, e.reached, &e.tiles[0], true, gate{own: &e.marks[0]})
	e.deal(e.reducePhase)
}

// Descend makes θ ← θ − η∇J(θ) after Ahead, with the bits of Back followed by
// kernel.Ops.AddScaled, and GradientSquare is that of ∇J(θ). Unless norms is nil,
// norms[k] becomes ‖∂J/∂A_k‖_F, as of LayerNormsTo.
func (e *Evaluator[T]) Descend(theta []T, eta float64, norms []float64) {
	p, n, size := e.passes[0], e.tiles[0].n, e.net.Width*e.net.Width
	layers := e.normed / size // of a norm block
	p.pullback(theta, nil, e.reached, n)
	for g := p.segments() - 1; g >= 0; g-- {
		p.recall(theta, g, n)
		first := g * p.segment
		for end := min(first+p.segment, e.net.Depth); end > first; {
			begin := (end - 1) / layers * layers // of the norm block
			from := max(begin, first)
			grad := e.block[(from-begin)*size : (end-begin)*size]
			if p.chained {
				p.stretchBack(theta, grad, from, end, first, n, true)
			} else {
				clear(grad)
				for k := end - 1; k >= from; k-- {
					p.fusedBack(theta, block(grad, k-from, size), nil, k, k-first, n)
				}
			}
			if norms != nil {
				for k := range end - from {
					norms[from+k] = math.Sqrt(e.ops.SumSquares(grad[k*size : (k+1)*size]))
				}
			}
			if from == begin {
				whole := min(begin+layers, e.net.Depth) - begin
				all := e.block[:whole*size]
				e.squares[begin/layers] = e.ops.SumSquares(all)
				e.ops.AddScaled(theta[begin*size:][:len(all)], T(-eta), all)
			}
			end = from
		}
	}
}
