package resnet

import "fmt"

// Outputs writes ŷ of every chosen sample to out (N,outputs) in float64.
func (e *Evaluator[T]) Outputs(theta []T, out []float64) error {
	if len(out) != e.total*e.net.Outputs {
		return fmt.Errorf("resnet: Outputs: got room for %d entries, want %d", len(out), e.total*e.net.Outputs)
	}
	p, row := e.passes[0], 0
	for i := range e.tiles {
		t := &e.tiles[i]
		p.embed(theta, t)
		var last []T
		for g := range p.segments() {
			last = p.forward(theta, g, t.n, false)
		}
		output := p.predict(theta, last, t.n)
		for c := range t.used {
			for j := range e.net.Outputs {
				out[row*e.net.Outputs+j] = float64(output[j*t.n+c])
			}
			row++
		}
	}
	return nil
}
