package tangent

import (
	"context"
	"math"

	"github.com/deeplimit/deeplimit/certify"
)

// Layers returns what bounds of the curvature need of the network.
func (m *Model) Layers() *certify.Layers {
	l := &certify.Layers{
		V: make([]float64, m.depth), W: make([]float64, m.depth),
		TrainedV: m.v != nil, TrainedW: m.w != nil, TrainedC: m.net.Readout == "trained",
		M1: m.sigma.SupFirst(), M2: m.sigma.SupSecond(), M3: m.sigma.SupThird(),
	}
	for _, delta := range m.delta {
		l.Delta = max(l.Delta, math.Abs(delta))
	}
	if m.net.Residual != "fixed" {
		l.Scales = len(m.delta)
	}
	algebras := m.algebras()
	m.parallel(m.depth, func(worker, k int) {
		l.V[k], l.W[k] = 1, 1
		if m.v != nil {
			l.V[k] = algebras[worker].spectral(block(m.v, k, m.width*m.middle), m.width, m.middle)
		}
		if m.w != nil {
			l.W[k] = algebras[worker].spectral(block(m.w, k, m.middle*m.width), m.middle, m.width)
		}
	})
	return l
}

func (m *Model) algebras() []*algebra {
	all := make([]*algebra, m.workers)
	for i := range all {
		all[i] = newAlgebra()
	}
	return all
}

// Propagations returns the gains of every sample. With full each has a bound of its curvature, from
// the second propagator, which costs 12 to 24 times N o L d³ floating-point operations; NaN without.
// done is called as samples are finished, from several goroutines; it may be nil.
func (m *Model) Propagations(ctx context.Context, full bool, done func()) ([]certify.Propagation, error) {
	all := make([]certify.Propagation, m.samples)
	workers := make([]*propagator, m.workers)
	err := m.parallelWithin(ctx, m.samples, func(worker, i int) {
		if workers[worker] == nil {
			workers[worker] = newPropagator(m)
		}
		w := workers[worker]
		w.begin(i)
		w.forward()
		w.gather()
		w.sample.Curvature = math.NaN()
		if full {
			w.second()
		}
		all[i] = w.sample
		if done != nil {
			done()
		}
	})
	return all, err
}

// A propagator follows derivatives of the states of one sample through the layers. The state is
// a = ḣ, or (ḣ, δ̇) with one trained δ for all layers: size entries.
type propagator struct {
	*Model
	*algebra
	i            int
	size, square int  // D and its padding
	shared       bool // one trained δ
	sample       certify.Propagation

	maps, reached []matrix  // M_k (L) and X_k (L+1)
	inputs        []float64 // u_k (L)
	values        []float64 // s_k (L)
	taus, omegas  []float64 // λ_max(X_k)^½ (L+1), and ω′_k (L)
	branch        []float64 // f_k (d)

	w, v, vd         matrix // W, V and V D of the layer at hand
	wx, wxw          matrix
	mx, plain, y, my matrix
	backward
}

func newPropagator(m *Model) *propagator {
	p := &propagator{
		Model: m, algebra: newAlgebra(), size: m.width, shared: m.net.Residual == "shared",
		inputs: make([]float64, m.depth), values: make([]float64, m.depth),
		taus: make([]float64, m.depth+1), omegas: make([]float64, m.depth), branch: make([]float64, pad(m.width+1)),
	}
	if p.shared {
		p.size++
	}
	p.square = pad(p.size)
	for range m.depth {
		p.maps = append(p.maps, newMatrix(p.size, p.size))
	}
	for range m.depth + 1 {
		p.reached = append(p.reached, newMatrix(p.size, p.size))
	}
	p.w, p.v, p.vd = newMatrix(m.middle, p.size), newMatrix(p.size, m.middle), newMatrix(p.size, m.middle)
	p.wx, p.wxw = newMatrix(m.middle, p.size), newMatrix(m.middle, m.middle)
	p.mx, p.plain, p.y, p.my = newMatrix(p.size, p.size), newMatrix(p.size, p.size), newMatrix(p.size, p.size), newMatrix(p.size, p.size)
	p.backward = newBackward(p)
	return p
}

// begin makes sample i the one at hand.
func (p *propagator) begin(i int) {
	p.i = i
	p.sample = certify.Propagation{Omega: make([]float64, p.depth)}
}

// load sets W, V and V D to those of layer k.
func (p *propagator) load(k int) {
	if p.Model.w != nil {
		p.w.fill(block(p.Model.w, k, p.middle*p.width), p.width)
	}
	if p.Model.v != nil {
		p.v.fill(block(p.Model.v, k, p.width*p.middle), p.middle)
	}
	slope := p.of(p.states.slope, p.i, k)
	for r := range p.width {
		row := p.vd.at(r)
		if p.Model.v == nil {
			clear(row)
			row[r] = slope[r]
			continue
		}
		for c, v := range p.v.at(r)[:p.middle] {
			row[c] = v * slope[c]
		}
	}
	p.branchTo(p.branch[:p.width], p.i, k)
}

// mapTo writes M_k = 1 + δ_k V D W, with a column f and a row (0, 1) for a shared δ.
func (p *propagator) mapTo(to matrix, k int) {
	slope := p.of(p.states.slope, p.i, k)
	switch {
	case p.Model.v == nil:
		clear(to.data)
		for r := range p.width {
			row := to.at(r)
			for c, w := range p.w.at(r)[:p.width] {
				row[c] = slope[r] * w
			}
		}
	case p.Model.w == nil:
		clear(to.data)
		for r := range p.width {
			copy(to.at(r), p.vd.at(r)[:p.width])
		}
	default:
		p.product(to, p.vd, p.w)
	}
	delta := p.scale(k)
	for r := range p.width {
		row := to.at(r)
		for c := range p.width {
			row[c] *= delta
		}
		row[r]++
		if p.shared {
			row[p.width] = p.branch[r]
		}
	}
	if p.shared {
		to.at(p.width)[p.width] = 1
	}
}

func bias(present bool) float64 {
	if present {
		return 1
	}
	return 0
}

// forward computes X_k, and from it and Y_k the gains of the sample.
func (p *propagator) forward() {
	s := &p.sample
	x := p.reached[0]
	clear(x.data)
	if p.net.Embed == "trained" {
		input := block(p.x, p.i, p.net.Inputs)
		for r := range p.width {
			x.at(r)[r] = dot(input, input)
		}
	}
	if p.shared {
		x.at(p.width)[p.width] = 1
	}
	clear(p.y.data)
	p.taus[0] = math.Sqrt(p.top(x, p.width))
	s.Tau = p.taus[0]
	chi := 0.0
	for k := range p.depth {
		p.load(k)
		h, value := p.hidden(p.i, k), p.of(p.states.value, p.i, k)
		p.inputs[k] = math.Sqrt(dot(h, h) + bias(p.net.Bias))
		p.values[k] = math.Sqrt(dot(value, value) + bias(p.net.Bias))
		s.Input, s.Value = max(s.Input, p.inputs[k]), max(s.Value, p.values[k])
		p.gains(k)
		p.mapTo(p.maps[k], k)
		p.reach(k)
		p.taus[k+1] = math.Sqrt(p.top(p.reached[k+1], p.width))
		s.Tau = max(s.Tau, p.taus[k+1])
		chi = p.inject(k, chi)
	}
	s.Chi = math.Sqrt(chi)
}

// gains computes ω_k and ω′_k.
func (p *propagator) gains(k int) {
	product := p.reached[k]
	if p.Model.w != nil {
		p.product(p.wx, p.w, p.reached[k])
		clear(p.wxw.data)
		p.addOuter(p.wxw, p.wx, p.w)
		product = p.wxw
	}
	p.sample.Omega[k] = math.Sqrt(p.top(product, p.middle))
	if p.Model.v == nil {
		return
	}
	slope := p.of(p.states.slope, p.i, k)
	for r := range p.middle {
		row := p.wxw.at(r)
		for c, v := range product.at(r)[:p.middle] {
			row[c] = slope[r] * v * slope[c]
		}
	}
	p.omegas[k] = math.Sqrt(p.top(p.wxw, p.middle))
}

// reach computes X_{k+1} from X_k.
func (p *propagator) reach(k int) {
	x, next := p.reached[k], p.reached[k+1]
	p.product(p.mx, p.maps[k], x)
	clear(next.data)
	p.addOuter(next, p.mx, p.maps[k])
	delta := p.scale(k)
	if p.Model.w != nil {
		factor := square(delta * p.inputs[k])
		clear(p.mx.data)
		p.addOuter(p.mx, p.vd, p.vd)
		axpy(next.data, factor, p.mx.data)
	}
	if p.Model.v != nil {
		factor := square(delta * p.values[k])
		for r := range p.width {
			next.at(r)[r] += factor
		}
	}
	if p.net.Residual == "layered" {
		for r := range p.width {
			axpy(next.at(r)[:p.width], p.branch[r], p.branch[:p.width])
		}
	}
}

// inject computes Y_{k+1} and returns the larger of chi and its largest eigenvalue.
func (p *propagator) inject(k int, chi float64) float64 {
	m := p.maps[k]
	if p.shared {
		copy(p.plain.data, m.data)
		for r := range p.width {
			p.plain.at(r)[p.width] = 0
		}
		clear(p.plain.at(p.width))
		m = p.plain
	}
	p.product(p.my, m, p.y)
	clear(p.y.data)
	p.addOuter(p.y, p.my, m)
	for r := range p.width {
		p.y.at(r)[r]++
	}
	if p.y.frobenius() <= chi { // it bounds the eigenvalue
		return chi
	}
	return math.Max(chi, p.top(p.y, p.width))
}

// gather computes π from the adjoints P_k of the outputs.
func (p *propagator) gather() {
	p.adjoints()
	outputs := p.outputs
	sum := newMatrix(outputs, outputs)
	q := make([]float64, p.middle)
	for k := p.depth - 1; k >= 0; k-- {
		for a := range outputs {
			row := p.p.at(a)[:p.width]
			for b := range outputs {
				sum.at(a)[b] += dot(row, p.p.at(b)[:p.width])
			}
		}
		for a := range outputs {
			p.back(p.p.at(a)[:p.width], q, k)
		}
	}
	p.sample.Pi = math.Sqrt(p.top(sum, outputs))
}

// adjoints sets P to that of h_L.
func (p *propagator) adjoints() {
	clear(p.p.data)
	for a := range p.outputs {
		if p.readout != nil {
			copy(p.p.at(a), block(p.readout, a, p.width))
		} else {
			p.p.at(a)[a] = 1
		}
	}
}

// back takes one adjoint through layer k.
func (p *propagator) back(row, q []float64, k int) {
	p.pullBranch(q, row, p.i, k)
	p.pullMap(row, q, p.i, k)
}

func square(v float64) float64 { return v * v }
