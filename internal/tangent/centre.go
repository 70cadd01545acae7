package tangent

import (
	"context"
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/certify"
)

// Layers returns what bounds of the curvature need of the network.
func (m *Model) Layers() *certify.Layers { return m.layers(roundoff{}) }

// layers also keeps the norms.
func (m *Model) layers(r roundoff) *certify.Layers {
	l := &certify.Layers{
		V: make([]float64, m.depth), W: make([]float64, m.depth),
		TrainedV: m.v != nil, TrainedW: m.w != nil, TrainedC: m.net.Readout == "trained",
		M1: m.sigma.SupFirst(), M2: m.sigma.SupSecond(), M3: m.sigma.SupThird(),
	}
	if r.u > 0 {
		l.M1, l.M2, l.M3 = upper(l.M1), upper(l.M2), upper(l.M3)
	}
	for _, delta := range m.delta {
		l.Delta = max(l.Delta, math.Abs(delta))
	}
	if m.net.Residual != "fixed" {
		l.Scales = len(m.delta)
	}
	algebras := m.algebras(r)
	m.norms = make([]layerNorms, m.depth)
	m.parallel(m.depth, func(worker, k int) {
		n := layerNorms{v: 1, w: 1, vAll: 1, wAll: 1}
		if m.v != nil {
			v := block(m.v, k, m.width*m.middle)
			n.v, n.vAll = algebras[worker].spectral(v, m.width, m.middle), norm(v)
			n.vBias = norm(biasAt(m.vBias, k, m.width))
		}
		if m.w != nil {
			w := block(m.w, k, m.middle*m.width)
			n.w, n.wAll = algebras[worker].spectral(w, m.middle, m.width), norm(w)
			n.wBias = norm(biasAt(m.wBias, k, m.middle))
		}
		m.norms[k] = n
		l.V[k], l.W[k] = n.v, n.w
	})
	return l
}

func (m *Model) algebras(r roundoff) []*algebra {
	all := make([]*algebra, m.workers)
	for i := range all {
		all[i] = newAlgebra(r)
	}
	return all
}

// Propagations returns the gains of every sample. With full each has a bound of its curvature, from
// the second propagator, which costs 12 to 24 times N o L d³ floating-point operations; NaN without.
// done is called as samples are finished, from several goroutines; it may be nil.
func (m *Model) Propagations(ctx context.Context, full bool, done func()) ([]certify.Propagation, error) {
	m.Layers()
	all, _, err := m.propagations(ctx, full, done, nil, nil)
	return all, err
}

// propagations bounds rounding, too, where the errors of the states are given: its gains then are those of the computed orbit, rounded up,
// and features bound the distance of the derivative of each sample's outputs from that of which the kernel is computed.
func (m *Model) propagations(ctx context.Context, full bool, done func(), o *orbit, store Store) (all []certify.Propagation, features []float64, err error) {
	all, features = make([]certify.Propagation, m.samples), make([]float64, m.samples)
	workers := make([]*propagator, m.workers)
	pass := "cheap"
	if full {
		pass = "full"
	}
	if o != nil {
		pass += "-rounding"
	}
	err = m.parallelWithin(ctx, m.samples, func(worker, i int) {
		found, _ := remembered(store, fmt.Sprintf("%s-%d", pass, i), func() (gains, error) {
			if workers[worker] == nil {
				workers[worker] = newPropagator(m, o)
			}
			return workers[worker].gainsOf(i, full), nil
		})
		all[i], features[i] = found.Sample, found.Features
		if done != nil {
			done()
		}
	})
	return all, features, err
}

// gains are those of one sample, and a bound of the error of its features.
type gains struct {
	Sample   certify.Propagation
	Features float64
}

// gainsOf computes those of sample i.
func (p *propagator) gainsOf(i int, full bool) gains {
	p.begin(i)
	p.forward()
	p.gather()
	p.sample.Curvature = math.NaN()
	if full {
		p.second()
	}
	return gains{p.sample, p.features}
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
	branches      []float64 // ‖f_k‖ (L)

	w, v, vd         matrix // W, V and V D of the layer at hand
	wx, wxw          matrix
	mx, plain, y, my matrix
	backward
	margins
}

func newPropagator(m *Model, o *orbit) *propagator {
	r := roundoff{}
	if o != nil {
		r.u = unit
	}
	p := &propagator{
		Model: m, algebra: newAlgebra(r), margins: newMargins(m, o), size: m.width, shared: m.net.Residual == "shared",
		inputs: make([]float64, m.depth), values: make([]float64, m.depth),
		taus: make([]float64, m.depth+1), omegas: make([]float64, m.depth), branches: make([]float64, m.depth), branch: make([]float64, pad(m.width+1)),
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
	p.boundInner(k)
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
	p.boundMap(k)
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
			x.at(r)[r] = dot(input, input)*(1+p.gamma(len(input))) + p.wide(0)
		}
	}
	if p.shared {
		x.at(p.width)[p.width] = 1
	}
	clear(p.y.data)
	p.taus[0] = p.root(x, p.width, 0)
	s.Tau = p.taus[0]
	chi := 0.0
	for k := range p.depth {
		p.load(k)
		h, value, e := p.hidden(p.i, k), p.of(p.states.value, p.i, k), p.stateErrors(k)
		p.inputs[k] = math.Sqrt(dot(h, h)+bias(p.net.Bias))*(1+p.gamma(p.width)) + p.wide(0)
		p.values[k] = p.up(math.Sqrt(dot(value, value)+bias(p.net.Bias))*(1+p.gamma(p.middle)) + e.value)
		p.branches[k] = p.up(norm(p.branch[:p.width])*(1+p.gamma(p.width)) + e.branch)
		s.Input, s.Value = max(s.Input, p.inputs[k]), max(s.Value, p.values[k])
		p.gains(k)
		p.mapTo(p.maps[k], k)
		p.reach(k)
		p.taus[k+1] = p.root(p.reached[k+1], p.width, 0)
		s.Tau = max(s.Tau, p.taus[k+1])
		chi = p.inject(k, chi)
	}
	s.Chi = p.up(math.Sqrt(chi))
	p.finishForward()
}

// gains computes ω_k and ω′_k.
func (p *propagator) gains(k int) {
	product, err := p.reached[k], 0.0
	if p.Model.w != nil {
		p.product(p.wx, p.w, p.reached[k])
		clear(p.wxw.data)
		p.addOuter(p.wxw, p.wx, p.w)
		product = p.wxw
		err = p.wide(p.gamma(2*p.size+4) * square(p.norms[k].wAll) * p.reached[k].frobenius())
	}
	p.sample.Omega[k] = p.root(product, p.middle, err)
	if p.Model.v == nil {
		return
	}
	slope, all := p.of(p.states.slope, p.i, k), p.wide(product.frobenius())
	for r := range p.middle {
		row := p.wxw.at(r)
		for c, v := range product.at(r)[:p.middle] {
			row[c] = slope[r] * v * slope[c]
		}
	}
	steep := square(p.bounds[k].steep)
	p.omegas[k] = p.cover(p.wxw, p.middle, steep*(err+p.gamma(4)*all), p.stateErrors(k).slope*p.sample.Omega[k])
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
	p.enlarge(next, p.size, p.reachMargin(k, x.frobenius()))
}

// inject computes Y_{k+1} and returns the larger of chi and its largest eigenvalue.
func (p *propagator) inject(k int, chi float64) float64 {
	m, all := p.maps[k], p.y.frobenius()
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
	p.enlarge(p.y, p.width, p.productMargin(k, all))
	if p.y.frobenius()*(1+p.gamma(len(p.y.data))) <= chi { // it bounds the eigenvalue
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
		p.adjointAll[k+1] = p.wide(p.p.frobenius())
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
	p.boundAdjoints()
	trace := 0.0
	for a := range outputs {
		trace += sum.at(a)[a]
	}
	p.sample.Pi = p.cover(sum, outputs, p.gamma(p.width+p.depth+4)*trace, math.Sqrt(float64(p.depth))*p.drift)
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
