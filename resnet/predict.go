package resnet

import (
	"fmt"

	"github.com/deeplimit/deeplimit/internal/alloc"
)

// Data returns the inputs (N,inputs) and targets (N,outputs) of all samples, chosen or not. They may not be changed.
func (e *Evaluator[T]) Data() (x, y []float64) { return e.samples.X, e.samples.Y }

// Outputs writes ŷ of every chosen sample to out (N,outputs) in float64.
func (e *Evaluator[T]) Outputs(theta []T, out []float64) error {
	if len(out) != e.total*e.net.Outputs {
		return fmt.Errorf("resnet: Outputs: got room for %d entries, want %d", len(out), e.total*e.net.Outputs)
	}
	p, row := e.passes[0], 0
	for i := range e.tiles {
		t := &e.tiles[i]
		p.embed(theta, t)
		output := p.predict(theta, p.forward(theta, t.n, false), t.n)
		for c := range t.used {
			for j := range e.net.Outputs {
				out[row*e.net.Outputs+j] = float64(output[j*t.n+c])
			}
			row++
		}
	}
	return nil
}

// HiddenStates returns h_k(x_i), k = 0..L, of the first samples chosen, at most a tile
// of them: (samples, L+1, d) in float64.
func (e *Evaluator[T]) HiddenStates(theta []T, samples int) (states []float64, count int) {
	t, d := &e.tiles[0], e.net.Width
	size := (e.net.Depth + 1) * d
	states = e.newHidden(&alloc.Account{}, samples)
	count = len(states) / size
	put := func(k int, h []T) {
		for c := range count {
			for i := range d {
				states[c*size+k*d+i] = float64(h[i*t.n+c])
			}
		}
	}
	e.newReader(&alloc.Account{}).read(theta, t, func(l *layer[T]) {
		put(l.k, l.h)
		if l.k+1 == e.net.Depth {
			put(l.k+1, l.next)
		}
	})
	return states, count
}

// newHidden returns room for the hidden states of the first samples, at most a tile of them.
func (e *Evaluator[T]) newHidden(mem *alloc.Account, samples int) []float64 {
	return alloc.Make[float64](mem, min(samples, e.total, e.width)*(e.net.Depth+1)*e.net.Width)
}
