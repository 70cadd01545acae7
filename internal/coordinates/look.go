// Package coordinates measures what training has changed in a network: its last hidden state, the part of each block, the
// weights, and how far blocks and network have left their linearisations at the start. docs/tune.md has the formulas.
package coordinates

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

const (
	mostSamples = 16 // whose hidden states are looked at
	mostLayers  = 64 // evenly spaced, whose updates and blocks are
	// difference is how far along an update the network is evaluated to know its derivative: the error of a central
	// difference is its square.
	difference = 1e-4
)

// A Look compares a network in training with the one it started as.
type Look struct {
	net       *resnet.Network
	sigma     activation.Function
	evaluator *resnet.Evaluator[float64]
	initial   []float64
	states    []float64 // hidden states at the start, (samples, L+1, d)
	samples   int
	outputs   []float64 // at the start, of all samples
	layers    []int     // that are looked at, from 0
}

// NewLook returns the look at a network that starts from initial, with hidden states and outputs of samples. The caller closes it.
func NewLook(net *resnet.Network, samples resnet.Samples, memory int64, initial []float64) (*Look, error) {
	sigma, err := activation.ByName(net.Spec.Activation)
	if err != nil {
		return nil, err
	}
	evaluator, err := resnet.NewEvaluator[float64](net, samples, resnet.Options{Workers: 1, Memory: memory})
	if err != nil {
		return nil, err
	}
	l := &Look{net: net, sigma: sigma, evaluator: evaluator, initial: initial}
	l.states, l.samples = evaluator.HiddenStates(initial, mostSamples)
	depth := net.Depth
	for i := range min(depth, mostLayers) {
		l.layers = append(l.layers, i*depth/min(depth, mostLayers))
	}
	l.outputs, err = l.predict(initial)
	return l, err
}

// Close frees what the evaluator works with.
func (l *Look) Close() { l.evaluator.Close() }

// A Change is one of the numbers, of a part of the weights or, for "", of the network; NaN where it is not known.
type Change struct {
	Name, Part string
	Value      float64
}

// predict returns the outputs of all samples.
func (l *Look) predict(theta []float64) ([]float64, error) {
	out := make([]float64, l.evaluator.Len()*l.net.Outputs)
	return out, l.evaluator.Outputs(theta, out)
}

// state returns h_k of a sample.
func (l *Look) state(states []float64, sample, k int) []float64 {
	d := l.net.Width
	from := (sample*(l.net.Depth+1) + k) * d
	return states[from : from+d]
}

// At returns the changes of the weights theta.
func (l *Look) At(theta []float64) ([]Change, error) {
	states, _ := l.evaluator.HiddenStates(theta, mostSamples)
	var out []Change
	add := func(name, part string, value float64) {
		out = append(out, Change{name, part, value})
	}
	add("last-state", "", l.lastState(states))
	add("block-change", "", l.blockChange(states))
	for _, part := range l.net.Parts() {
		norm, rank, alignment := l.update(theta, states, part)
		add("update-norm", part, norm)
		add("update-rank", part, rank)
		add("alignment", part, alignment)
	}
	add("block-linearisation", "", l.blockLinearisation(theta, states))
	tangent, err := l.tangent(theta)
	add("tangent", "", tangent)
	return out, err
}

// Fill puts the changes of theta into a row of the trace; those that are not known are left out.
func (l *Look) Fill(row *runfolder.Row, theta []float64) error {
	found, err := l.At(theta)
	for _, c := range found {
		if at := row.Coordinate(c.Name, c.Part); at != nil && !math.IsNaN(c.Value) && !math.IsInf(c.Value, 0) {
			*at = &c.Value
		}
	}
	return err
}

// lastState returns ‖Δh_L‖/‖h_L‖, of root mean squares over samples.
func (l *Look) lastState(states []float64) float64 {
	change, size := 0.0, 0.0
	for s := range l.samples {
		now, before := l.state(states, s, l.net.Depth), l.state(l.states, s, l.net.Depth)
		change += square(minus(now, before))
		size += square(before)
	}
	return math.Sqrt(change / size)
}

// blockChange returns L times the root mean square over layers of ‖Δ(h_k − h_{k−1})‖/‖h_{k−1}‖.
func (l *Look) blockChange(states []float64) float64 {
	sum := 0.0
	for _, k := range l.layers {
		change, size := 0.0, 0.0
		for s := range l.samples {
			now := minus(l.state(states, s, k+1), l.state(states, s, k))
			before := minus(l.state(l.states, s, k+1), l.state(l.states, s, k))
			change += square(minus(now, before))
			size += square(l.state(l.states, s, k))
		}
		sum += change / size / float64(len(l.layers))
	}
	return float64(l.net.Depth) * math.Sqrt(sum)
}

// update returns, as means over layers, L^(1−α)‖ΔM_k‖₂, the stable rank ‖ΔM_k‖_F²/‖ΔM_k‖₂², and the alignment
// ‖ΔM_k x‖/(‖ΔM_k‖₂‖x‖) with the inputs x of the part, in root mean square over samples; NaN for weights that are not finite.
func (l *Look) update(theta, states []float64, part string) (norm, rank, alignment float64) {
	counted := 0.0
	for _, k := range l.layers {
		delta := mat.DenseCopyOf(l.matrix(theta, part, k))
		delta.Sub(delta, l.matrix(l.initial, part, k))
		spectral, frobenius := math.NaN(), mat.Norm(delta, 2)
		if !(frobenius <= math.MaxFloat64) { // a diverged run, of which gonum takes no singular values
			return math.NaN(), math.NaN(), math.NaN()
		}
		var svd mat.SVD
		if svd.Factorize(delta, mat.SVDNone) {
			spectral = svd.Values(nil)[0]
		}
		norm += math.Pow(float64(l.net.Depth), 1-*l.net.Alpha) * spectral / float64(len(l.layers))
		if spectral == 0 {
			continue // a layer that was not moved has no direction
		}
		counted++
		rank += frobenius * frobenius / (spectral * spectral)
		moved, size := 0.0, 0.0
		for s := range l.samples {
			x := l.input(theta, part, k, l.state(states, s, k))
			var y mat.VecDense
			y.MulVec(delta, x)
			moved += square(y.RawVector().Data)
			size += square(x.RawVector().Data)
		}
		alignment += math.Sqrt(moved/size) / spectral
	}
	if counted == 0 {
		return norm, math.NaN(), math.NaN()
	}
	return norm, rank / counted, alignment / counted
}

// matrix returns the weights of a part at layer k, from 0.
func (l *Look) matrix(theta []float64, part string, k int) *mat.Dense {
	g, _ := l.net.Layout.Group(part)
	rows, cols := g.Shape[1], g.Shape[2]
	from := g.Offset + k*rows*cols
	return mat.NewDense(rows, cols, theta[from:from+rows*cols])
}

// bias returns that of layer k, nil for a network without.
func (l *Look) bias(theta []float64, name string, k int) []float64 {
	g, ok := l.net.Layout.Group(name)
	if !ok {
		return nil
	}
	return theta[g.Offset+k*g.Shape[1] : g.Offset+(k+1)*g.Shape[1]]
}

// input returns what the weights of a part at layer k are multiplied with, for the hidden state h before the block.
func (l *Look) input(theta []float64, part string, k int, h []float64) *mat.VecDense {
	h = l.seen(h)
	switch {
	case l.net.Block == "outer":
		return mat.NewVecDense(len(h), l.values(h))
	case part == "V":
		return mat.NewVecDense(l.net.Hidden, l.values(l.before(theta, "W", k, h)))
	}
	return mat.NewVecDense(len(h), h)
}

// before returns Mh + b of a part in front of σ.
func (l *Look) before(theta []float64, part string, k int, h []float64) []float64 {
	var z mat.VecDense
	z.MulVec(l.matrix(theta, part, k), mat.NewVecDense(len(h), h))
	out := z.RawVector().Data
	if b := l.bias(theta, "b", k); b != nil {
		floats.Add(out, b)
	}
	return out
}

// seen returns what a block sees of the hidden state before it.
func (l *Look) seen(h []float64) []float64 {
	norm := l.net.Norm()
	if norm == nil {
		return h
	}
	x := make([]float64, len(h))
	norm.To(x, h)
	return x
}

// values returns σ of every entry.
func (l *Look) values(z []float64) []float64 {
	out := make([]float64, len(z))
	for i, v := range z {
		out[i] = l.sigma.Value(v)
	}
	return out
}

// square returns ‖x‖².
func square(x []float64) float64 { return floats.Dot(x, x) }

// minus returns a − b.
func minus(a, b []float64) []float64 {
	out := make([]float64, len(a))
	floats.SubTo(out, a, b)
	return out
}
