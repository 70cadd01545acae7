package resnet

import (
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// A pass takes a tile from its samples to the loss and back: what stands before and behind
// the layers, which are the engine's. It is one worker's memory.
type pass[T Float] struct {
	engine[T]
	net *Network
	ops *kernel.Ops[T]

	last     []T // h_L of the tile under way (d, n)
	adjoint  []T // p (d, n)
	output   []T // ŷ, then ∂J/∂ŷ (outputs, n)
	sample   []float64
	residual []float64
}

func newPass[T Float](mem *alloc.Account, net *Network, ops *kernel.Ops[T], n int, engine engine[T]) *pass[T] {
	return &pass[T]{
		engine: engine, net: net, ops: ops,
		adjoint: alloc.Make[T](mem, net.Width*n), output: alloc.Make[T](mem, net.Outputs*n),
		sample: alloc.Make[float64](mem, net.Outputs), residual: alloc.Make[float64](mem, net.Outputs),
	}
}

// evaluate returns the sum of losses and the number of correct classes of a tile; with
// keep, differentiate may follow. The gradient will be that of a mean over total samples.
func (p *pass[T]) evaluate(theta []T, t *tile[T], total int, keep bool) Evaluation {
	p.embed(theta, t)
	p.last = p.forward(theta, t.n, keep)
	return p.judge(theta, p.last, t, total)
}

// differentiate adds the tile's part of ∇J after evaluate, to a gradient that has begun.
func (p *pass[T]) differentiate(theta []T, t *tile[T], g *gradient[T]) {
	adjoint := p.pull(theta, t.n)
	g.readout(p.output[:p.net.Outputs*t.n], p.last)
	p.backward(theta, adjoint, t.n, g)
	g.end(adjoint, t.x)
}

// embed sets h_0 = E x.
func (p *pass[T]) embed(theta []T, t *tile[T]) {
	h := p.start(0, t.n)
	if e := p.net.embed; e != nil {
		p.ops.Affine(h, entries(e, theta), t.x, nil, p.net.Width, p.net.Inputs, t.n)
		return
	}
	copy(h, t.x)
}

// predict writes ŷ = C h to p.output.
func (p *pass[T]) predict(theta, h []T, n int) []T {
	output := p.output[:p.net.Outputs*n]
	if c := p.net.readout; c != nil {
		p.ops.Affine(output, entries(c, theta), h, nil, p.net.Outputs, p.net.Width, n)
	} else {
		copy(output, h)
	}
	return output
}

// judge sums the losses of the tile's samples and counts the correct classes,
// given the last state h; output becomes ∂J/∂ŷ (columns without a sample: 0) for a
// mean over total samples.
func (p *pass[T]) judge(theta, h []T, t *tile[T], total int) (sum Evaluation) {
	outputs, n := p.net.Outputs, t.n
	output := p.predict(theta, h, n)
	for c := range n {
		if c >= t.used {
			for i := range outputs {
				output[i*n+c] = 0
			}
			continue
		}
		for i := range outputs {
			p.sample[i] = float64(output[i*n+c])
		}
		if t.want != nil && argmax(p.sample) == t.want[c] {
			sum.Correct++
		}
		sum.Loss += p.net.loss.value(p.residual, p.sample, t.y[c*outputs:(c+1)*outputs])
		for i := range outputs {
			output[i*n+c] = T(p.residual[i] / float64(total))
		}
	}
	return sum
}

// argmax returns the index of the largest entry, the first of equals, −1 when none is a number.
func argmax(v []float64) int {
	best := -1
	for i, x := range v {
		if x == x && (best < 0 || x > v[best]) {
			best = i
		}
	}
	return best
}

// pull returns the adjoint Cᵀ r of h_L for the r in p.output.
func (p *pass[T]) pull(theta []T, n int) []T {
	adjoint, r := p.adjoint[:p.net.Width*n], p.output[:p.net.Outputs*n]
	if c := p.net.readout; c != nil {
		p.ops.SetTransposed(adjoint, entries(c, theta), r, p.net.Outputs, p.net.Width, n)
	} else {
		copy(adjoint, r)
	}
	return adjoint
}
