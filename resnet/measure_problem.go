package resnet

import (
	"math"
	"unsafe"

	"github.com/deeplimit/deeplimit/certify"
)

// pairwise is the most samples whose inner products are all computed when there are
// more samples than inputs.
const pairwise = 4096

// Problem returns what certify needs to know about the network and the samples, for
// a method of package train.
//
// MaxInnerProduct looks at all pairs of samples, but with more than 4096 samples, and
// more than inputs, at those of the first 4096 alone: it is then a lower bound, and
// that many unit vectors are never separated as [CRX] asks (Welch's bound).
func (e *Evaluator[T]) Problem(method string) certify.Problem {
	net := e.net
	var zero T
	p := certify.Problem{
		Block: net.Block, Activation: net.Activation, Loss: net.Loss, Method: method,
		Residual: net.Residual, Normalise: net.Normalise, Embed: net.Embed, Readout: net.Readout, Bias: net.Bias,
		Depth: net.Depth, Width: net.Width, Hidden: net.Hidden,
		Samples: e.Len(), Outputs: net.Outputs, Alpha: *net.Alpha,
		MinInputNorm: math.Inf(1), UnitRoundoff: 0x1p-53,
	}
	if unsafe.Sizeof(zero) == 4 {
		p.UnitRoundoff = 0x1p-24
	}
	x, d := e.samples.X, net.Inputs
	for i := range p.Samples {
		norm := math.Sqrt(dot(block(x, i, d), block(x, i, d)))
		p.MinInputNorm, p.MaxInputNorm = math.Min(p.MinInputNorm, norm), math.Max(p.MaxInputNorm, norm)
	}
	n := p.Samples
	if n > d {
		n = min(n, pairwise)
	}
	for i := range n {
		for j := range i {
			p.MaxInnerProduct = math.Max(p.MaxInnerProduct, math.Abs(dot(block(x, i, d), block(x, j, d))))
		}
	}
	return p
}
