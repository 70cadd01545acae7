package certify

import "math"

// This file bounds the growth of the curvature in a ball by what is known of σ″ at its centre (docs/certificates.md, section
// 14, "sharper"). The displacement of z_k is bounded by the derivatives W_kḣ_{k−1} of the ball, not by ‖W_k‖ times that of the
// states, and what M_k changes by is applied to W_kḣ_{k−1} alone.

// Growth returns a bound of ‖F‴‖ in the ball, of all samples together, rounded up; +Inf where there is none, as where the second propagator
// was not computed.
func (l *Layers) Growth(samples []Propagation, radius float64) float64 {
	sum := 0.0
	samples, radii := l.extend(samples, radius)
	for i := range samples {
		s := &samples[i]
		if s.Bend == nil {
			return math.Inf(1)
		}
		m := l.settle(s, radii[i])
		if m == nil {
			return math.Inf(1)
		}
		third := l.third(s, m, radii[i])
		sum += third * third
	}
	return math.Sqrt(sum) * (1 + float64(len(samples)+4)*0x1p-52)
}

// A shift bounds how derivatives change in a ball: a hypothesis about first and changes, and what follows from it.
type shift struct {
	first   float64   // t₁ ≥ ‖ḣ′_k‖
	changes []float64 // ε_k ≥ ‖W′_kḣ′_{k−1} − W_kḣ_{k−1}‖ (L)
	source  float64   // of ḣ′ − ḣ, over all layers
	maps    float64   // x ≥ (Σ‖M′_k − M_k‖²)^½
	states  float64   // Δ ≥ ‖h′_k − h_k‖
	sigma   float64   // max ζ_k, ζ_k ≥ ‖z′_k − z_k‖
	gain    float64   // 1/(1 − χx)
}

// settle finds bounds that imply themselves strictly, so that they hold in all of the ball by continuity from its centre; nil where it finds none.
func (l *Layers) settle(s *Propagation, radius float64) *shift {
	_, rw, _, _ := l.radii(radius)
	m := &shift{first: l.up(1.01*s.Tau) + 0x1p-300, changes: make([]float64, len(s.Omega))}
	for k := range m.changes {
		m.changes[k] = 0x1p-300
	}
	for range mostPasses {
		l.shifts(s, m, radius)
		first := l.up(s.Tau + s.Chi*m.source)
		if !(first <= math.MaxFloat64 && s.Chi*m.maps < 1) {
			return nil
		}
		closed := first < m.first
		for k := range m.changes {
			change := l.up(l.W[k]*s.Chi*m.source + rw*m.first)
			if !(change < m.changes[k]) {
				closed, m.changes[k] = false, 1.02*change
			}
		}
		if closed {
			return m
		}
		if !(first < m.first) {
			m.first = 1.02 * first
		}
	}
	return nil
}

// shifts fills in what follows from m.first and m.changes.
func (l *Layers) shifts(s *Propagation, m *shift, radius float64) {
	rv, rw, _, rd := l.radii(radius)
	m.states = l.up(radius * m.first)
	input, turned := l.up(s.Input+m.states), 0.0
	if l.TrainedW {
		turned = input
	}
	v, w, most, slope, carried := 0.0, 0.0, 0.0, 0.0, 0.0
	applied, maps := 0.0, 0.0 // Σ(v s ω⁺)², Σ(v s w⁺)²
	m.sigma = 0
	for k, omega := range s.Omega {
		omega = l.up(omega + m.changes[k])
		vk, wk := l.V[k], l.W[k]
		zeta := l.up(radius * (omega + turned))
		// s_k ≥ |σ′(z′_k) − σ′(z_k)|, less what a turn of W_k adds
		bend := l.up(radius*(s.Bend[k]+l.M2*m.changes[k]) + 0.5*l.M3*zeta*zeta)
		v, w, most, slope = max(v, vk), max(w, wk), max(most, omega), max(slope, bend)
		m.sigma, carried = max(m.sigma, zeta), max(carried, vk*zeta)
		applied += square(vk * bend * omega)
		maps += square(vk * bend * (wk + rw))
	}
	turn := l.up(l.M2 * radius * turned)
	vPlus, wPlus, sharing := v+rv, w+rw, l.sharing()
	source := l.Delta*(math.Sqrt(applied)+v*turn*most+rv*l.M1*most) + sharing*radius*vPlus*l.M1*most
	m.maps = l.up(sharing*radius*l.M1*vPlus*wPlus + l.Delta*(l.M1*rv*wPlus+math.Sqrt(maps)+v*turn*wPlus+l.M1*rw*v))
	value := l.up(s.Value + l.M1*m.sigma)
	inputs := square(sharing * (rv*value + l.M1*carried))
	if l.TrainedW {
		source += l.Delta * v * l.M1 * rw * m.first
		inputs += square(rd*l.M1*vPlus*input + l.Delta*(rv*l.M1*input+v*(slope+turn)*input+v*l.M1*m.states))
	}
	if l.TrainedV {
		inputs += square(rd*value + l.Delta*l.M1*m.sigma)
	}
	m.source = l.up(source + math.Sqrt(inputs))
	m.gain = l.up(1 / (1 - l.up(s.Chi*m.maps)))
}

// third returns a bound of ‖F‴‖ of a sample's outputs in the ball.
func (l *Layers) third(s *Propagation, m *shift, radius float64) float64 {
	rv, rw, rc, rd := l.radii(radius)
	q := sums{
		sharp: true, gain: l.up(s.Chi * m.gain), first: m.first, delta: l.Delta + rd, sharing: l.sharing(),
		input: l.up(s.Input + m.states), value: l.up(s.Value + l.M1*m.sigma),
	}
	away := l.up(s.Pi*q.gain*m.maps + rc*q.gain) // ≥ ‖(P′_k − P_k)_k‖
	q.outer = l.up(s.Pi + away)
	turned := 0.0
	if l.TrainedW {
		turned = q.input
	}
	crossed := 0.0 // Σ of squares of what σ″ ∘ W ḣ ∘ W changes by
	for k, centre := range s.Omega {
		change := m.changes[k]
		omega := l.up(centre + change)
		v, w := l.V[k]+rv, l.W[k]+rw
		zeta := l.up(radius * (omega + turned))
		q.omega, q.branch, q.v, q.w = max(q.omega, omega), max(q.branch, v*omega), max(q.v, v), max(q.w, w)
		bent := min(l.M2*square(omega), square(s.Bent[k])+l.M3*zeta*square(omega)+l.M2*change*(centre+omega))
		q.bent += square(v * l.up(bent))
		q.sixth += square(v * omega * omega * omega)
		q.mixed += square(v * omega * w)
		crossed += square((rd*v+l.Delta*rv)*l.M2*omega*w + l.Delta*l.V[k]*(l.M3*zeta*omega*w+l.M2*change*w+l.M2*centre*rw))
	}
	plain := l.M2 * math.Sqrt(q.mixed) * q.delta
	q.crossed = l.up(min(q.outer*plain, s.Cross+away*plain+s.Pi*math.Sqrt(crossed)))
	_, third := l.sources(q)
	return third
}
