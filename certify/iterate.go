package certify

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/activation"
)

// An Iterate is a checked measurement, enclosed in intervals. Its methods are the bounds.
type Iterate struct {
	p Problem
	m Measurement
	σ activation.Function

	m1, m2 interval // sup|σ′|, sup|σ″|
	δ      []interval
	norms  norms
	loss   interval // √(2J)

	branch interval // factor by which floating point may change a residual branch
	δmax   interval // largest residual scale
	env    envelope // at the norms of this iterate
	noise  noise    // rounding errors of what was measured
}

// norms are the spectral norms and bias norms of a network, per layer: v for the
// outermost matrix (A, or V in mlp) and c for the bias added beside it, w and b
// for what stands inside σ in mlp. In block inner the one bias, b, is inside σ
// and v stands for A; in outer it is c. Absent ones are nil.
type norms struct{ v, w, b, c []interval }

// New checks p and m and returns the iterate they describe.
// Errors are `certify: field: got X, want Y`, with the field in snake case as in JSON.
func New(p Problem, m Measurement) (*Iterate, error) {
	if err := p.validate(); err != nil {
		return nil, fmt.Errorf("certify: %w", err)
	}
	if err := m.validate(&p); err != nil {
		return nil, fmt.Errorf("certify: %w (iteration %d)", err, m.Iteration)
	}
	σ, err := activation.ByName(p.Activation)
	if err != nil {
		return nil, fmt.Errorf("certify: %w", err)
	}
	it := &Iterate{p: p, m: m, σ: σ}
	it.m1 = within(σ.SupFirst(), elementary*0x1p-53)
	it.m2 = exact(σ.SupSecond())
	if !math.IsInf(it.m2.hi, 1) {
		it.m2 = within(σ.SupSecond(), elementary*0x1p-53)
	}
	it.branch = within(1, it.branchError())
	it.δ = make([]interval, p.Depth)
	for k := range it.δ {
		it.δ[k] = exact(math.Abs(m.Delta[min(k, len(m.Delta)-1)]))
		it.δmax = it.δmax.max(it.δ[k])
	}
	it.norms.v = widen(m.Weights, it.spectralError())
	b, c := widen(m.Biases, it.vectorError()), widen(m.OuterBiases, it.vectorError())
	switch p.Block {
	case "outer":
		it.norms.b, it.norms.c = c, b
	case "mlp":
		it.norms.w = widen(m.InnerWeights, it.spectralError())
		fallthrough
	default:
		it.norms.b, it.norms.c = b, c
	}
	it.loss = within(2*m.Loss, it.lossError()).sqrt()
	it.env = it.envelope(it.norms)
	it.noise = it.propagate(it.env)
	return it, nil
}

// widen encloses measured values of relative error e; no values become nil.
func widen(values []float64, e float64) []interval {
	if len(values) == 0 {
		return nil
	}
	intervals := make([]interval, len(values))
	for i, v := range values {
		intervals[i] = within(v, e)
	}
	return intervals
}

// at returns x[k], and 0 for an absent part.
func at(x []interval, k int) interval {
	if x == nil {
		return interval{}
	}
	return x[k]
}

// grown returns the norms that hold wherever ‖θ′_k − θ_k‖_F ≤ by[k] for all k.
func (n norms) grown(by []interval) norms {
	wider := func(x []interval) []interval {
		if x == nil {
			return nil
		}
		y := make([]interval, len(x))
		for k := range x {
			y[k] = x[k].add(by[k])
		}
		return y
	}
	return norms{wider(n.v), wider(n.w), wider(n.b), wider(n.c)}
}

// size bounds ‖θ_k‖_F, root the factor by which ‖·‖_F may exceed ‖·‖₂.
func (n norms) size(k int, root float64) float64 {
	return root*(n.v[k].hi+at(n.w, k).hi) + at(n.b, k).hi + at(n.c, k).hi
}

// same returns by for every layer.
func (it *Iterate) same(by interval) []interval {
	radii := make([]interval, it.p.Depth)
	for k := range radii {
		radii[k] = by
	}
	return radii
}

// gain encloses δ_k M₁ ‖A_k‖₂ (δ_k M₁ ‖V_k‖₂ ‖W_k‖₂ in mlp), the Lipschitz constant
// of the residual branch of layer k, as computed in floating point.
func (it *Iterate) gain(n norms, k int) interval {
	g := it.δ[k].mul(it.m1).mul(n.v[k])
	if it.p.Block == "mlp" {
		g = g.mul(n.w[k])
	}
	return g.mul(it.branch)
}

// offset encloses what the biases of layer k add to ‖h_k‖ at most.
func (it *Iterate) offset(n norms, k int) interval {
	if !it.p.Bias {
		return interval{}
	}
	var f interval
	switch it.p.Block {
	case "inner":
		f = it.m1.mul(n.b[k])
	case "outer":
		f = n.c[k]
	case "mlp":
		f = it.m1.mul(n.v[k]).mul(n.b[k]).add(n.c[k])
	}
	return f.mul(it.δ[k]).mul(it.branch)
}

// An envelope holds what docs/certificates.md calls S, e^S, R̂, R̃ and T: bounds
// common to all networks whose norms are at most the given ones. For such a
// network ‖h_k‖ ≤ e^{S_k} R̂, the norm of h_k with a one appended (Bias) is at
// most e^{S_k} R̃, the adjoint satisfies ‖p_k‖ ≤ e^{S − S_k} ‖r‖, and moving θ_k by
// a unit moves the residual branch of layer k by at most e^{S_{k−1}} T.
type envelope struct {
	s, exp, reach, input, t interval
}

// envelope evaluates the envelope of the norms n.
func (it *Iterate) envelope(n norms) envelope {
	var e envelope
	e.reach = it.hidden(0)
	for k := range it.p.Depth {
		e.s = e.s.add(it.gain(n, k))
		if it.p.Bias {
			e.reach = e.reach.add(it.offset(n, k).over(e.s.exp()))
		}
	}
	// The forward and the backward pass round once per layer, the readout once.
	e.exp = e.s.exp().mul(within(1, it.γ(2*it.p.Depth)+it.readoutError()))
	e.input = e.reach.hypot1(it.p.Bias)
	switch it.p.Block {
	case "inner":
		e.t = it.m1.mul(e.input)
	case "outer":
		e.t = it.m1.mul(e.reach).hypot1(it.p.Bias)
	case "mlp":
		var v, z interval
		for k := range it.p.Depth {
			v = v.max(n.v[k])
			z = z.max(n.w[k].hypot(at(n.b, k)))
		}
		features := it.m1.mul(z).mul(e.input).hypot1(it.p.Bias)
		e.t = features.hypot(it.m1.mul(v).mul(e.input))
	}
	return e
}

// hidden encloses max_i ‖h_k(x_i)‖, k = 0..L.
func (it *Iterate) hidden(k int) interval { return within(it.m.Hidden[k], it.vectorError()) }

// feature encloses a bound of the norm of a column of the matrix whose σ_min is Features, for
// layer index k = 0..L−1 (layer k+1). It holds for the computed column and for that of the
// exact network at the computed h; measured norms have their own rounding and that of σ.
func (it *Iterate) feature(k int) interval {
	h := it.hidden(k)
	switch it.p.Block {
	case "outer":
		h = it.m1.mul(h)
	case "mlp":
		h = it.m1.mul(it.norms.w[k].mul(h).add(at(it.norms.b, k)))
	}
	bound := h.hypot1(it.p.Bias)
	if len(it.m.FeatureNorms) == 0 {
		return bound
	}
	measured := within(it.m.FeatureNorms[k], it.featureNormError()).add(exact(it.γ(elementary)).mul(h))
	return bound.min(measured)
}

// samples and depth enclose N and L.
func (it *Iterate) samples() interval { return exact(float64(it.p.Samples)) }
func (it *Iterate) depth() interval   { return exact(float64(it.p.Depth)) }

// Bounds returns every bound at this iterate, in the order of docs/certificates.md.
func (it *Iterate) Bounds() []Bound {
	return []Bound{
		it.HiddenGrowth(), it.GradientUpper(), it.PLRatio(),
		it.Smoothness(), it.Descent(), it.GradientIncrements(),
	}
}
