package coordinate

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/resnet"
)

const (
	mostSamples = 16 // whose hidden states are looked at
	mostLayers  = 64 // evenly spaced, whose updates and blocks are
	// difference is how far along an update the network is evaluated to know its derivative: the error of a central
	// difference is its square.
	difference = 1e-4
)

// A look compares a network in training with the one it started as.
type look struct {
	net       *resnet.Network
	sigma     activation.Function
	evaluator *resnet.Evaluator[float64]
	initial   []float64
	states    []float64 // hidden states at the start, (samples, L+1, d)
	samples   int
	outputs   []float64 // at the start, of all samples
	layers    []int     // that are looked at, from 0
}

func newLook(p *plan.Problem, memory int64, initial []float64) (*look, error) {
	sigma, err := activation.ByName(p.Network.Spec.Activation)
	if err != nil {
		return nil, err
	}
	evaluator, err := resnet.NewEvaluator[float64](p.Network, p.Samples, resnet.Options{Workers: 1, Memory: memory})
	if err != nil {
		return nil, err
	}
	l := &look{net: p.Network, sigma: sigma, evaluator: evaluator, initial: initial}
	l.states, l.samples = evaluator.HiddenStates(initial, mostSamples)
	depth := p.Network.Depth
	for i := range min(depth, mostLayers) {
		l.layers = append(l.layers, i*depth/min(depth, mostLayers))
	}
	l.outputs, err = l.predict(initial)
	return l, err
}

func (l *look) close() { l.evaluator.Close() }

// predict returns the outputs of all samples.
func (l *look) predict(theta []float64) ([]float64, error) {
	out := make([]float64, l.evaluator.Len()*l.net.Outputs)
	return out, l.evaluator.Outputs(theta, out)
}

// state returns h_k of a sample.
func (l *look) state(states []float64, sample, k int) []float64 {
	d := l.net.Width
	from := (sample*(l.net.Depth+1) + k) * d
	return states[from : from+d]
}

// at returns the coordinates of the weights theta.
func (l *look) at(theta []float64) ([]analyze.Coordinate, error) {
	states, _ := l.evaluator.HiddenStates(theta, mostSamples)
	var out []analyze.Coordinate
	add := func(name, part string, value float64) {
		out = append(out, analyze.Coordinate{Name: name, Part: part, Value: value})
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

// lastState returns ‖Δh_L‖/‖h_L‖, of root mean squares over samples.
func (l *look) lastState(states []float64) float64 {
	change, size := 0.0, 0.0
	for s := range l.samples {
		now, before := l.state(states, s, l.net.Depth), l.state(l.states, s, l.net.Depth)
		change += square(minus(now, before))
		size += square(before)
	}
	return math.Sqrt(change / size)
}

// blockChange returns L times the root mean square over layers of ‖Δ(h_k − h_{k−1})‖/‖h_{k−1}‖.
func (l *look) blockChange(states []float64) float64 {
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
// ‖ΔM_k x‖/(‖ΔM_k‖₂‖x‖) with the inputs x of the part, in root mean square over samples.
func (l *look) update(theta, states []float64, part string) (norm, rank, alignment float64) {
	counted := 0.0
	for _, k := range l.layers {
		delta := mat.DenseCopyOf(l.matrix(theta, part, k))
		delta.Sub(delta, l.matrix(l.initial, part, k))
		spectral, frobenius := math.NaN(), mat.Norm(delta, 2)
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
func (l *look) matrix(theta []float64, part string, k int) *mat.Dense {
	g, _ := l.net.Layout.Group(part)
	rows, cols := g.Shape[1], g.Shape[2]
	from := g.Offset + k*rows*cols
	return mat.NewDense(rows, cols, theta[from:from+rows*cols])
}

// bias returns that of layer k, nil for a network without.
func (l *look) bias(theta []float64, name string, k int) []float64 {
	g, ok := l.net.Layout.Group(name)
	if !ok {
		return nil
	}
	return theta[g.Offset+k*g.Shape[1] : g.Offset+(k+1)*g.Shape[1]]
}

// input returns what the weights of a part at layer k are multiplied with, for the hidden state h before the block.
func (l *look) input(theta []float64, part string, k int, h []float64) *mat.VecDense {
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
func (l *look) before(theta []float64, part string, k int, h []float64) []float64 {
	var z mat.VecDense
	z.MulVec(l.matrix(theta, part, k), mat.NewVecDense(len(h), h))
	out := z.RawVector().Data
	if b := l.bias(theta, "b", k); b != nil {
		floats.Add(out, b)
	}
	return out
}

// seen returns what a block sees of the hidden state before it.
func (l *look) seen(h []float64) []float64 {
	norm := l.net.Norm()
	if norm == nil {
		return h
	}
	x := make([]float64, len(h))
	norm.To(x, h)
	return x
}

// values returns σ of every entry.
func (l *look) values(z []float64) []float64 {
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
