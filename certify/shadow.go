package certify

import "math"

// This file carries bounds at computed states over to the exact network. Computed states are exact ones of a network with
// one more group of parameters, the errors ε that are added to the state of each layer; the
// network itself is that one at ε = 0 (docs/certificates.md, section 16).

// extend returns the samples with the directions of errors among those of θ, and the radii that reach from the computed states to
// the exact network anywhere in the ball. Errors may be measured in any unit s: their directions reach s·Reach,
// and their length is Orbit/s. The unit makes both small beside what they are added to.
func (l *Layers) extend(samples []Propagation, radius float64) ([]Propagation, []float64) {
	all, radii := make([]Propagation, len(samples)), make([]float64, len(samples))
	for i, s := range samples {
		all[i], radii[i] = s, radius
		if s.Orbit == 0 {
			continue
		}
		unit := s.Tau / s.Reach
		if radius > 0 {
			unit = math.Sqrt(unit * s.Orbit / radius)
		}
		unit = min(max(unit, 0x1p-200), 0x1p200) // NaN stays, and no bound holds
		radii[i] = l.join(radius, s.Orbit/unit)
		reach := l.up(unit * s.Reach)
		all[i].Tau = l.join(s.Tau, reach)
		all[i].Omega = make([]float64, len(s.Omega))
		for k, omega := range s.Omega {
			through := reach
			if k == 0 {
				through = l.up(unit * s.FirstReach)
			}
			all[i].Omega[k] = l.join(omega, l.W[k]*through)
		}
		l.extendBends(&all[i], &s, unit)
	}
	return all, radii
}

// extendBends does the same for what the growth of the curvature takes, where it was computed.
func (l *Layers) extendBends(to, s *Propagation, unit float64) {
	if s.Bend == nil {
		return
	}
	to.Bend, to.Bent = make([]float64, len(s.Bend)), make([]float64, len(s.Bent))
	sum, root := 0.0, l.up(math.Sqrt(l.M2))
	for k := range s.Bend {
		through := l.up(l.W[k] * unit * s.Reach)
		if k == 0 {
			through = l.up(l.W[k] * unit * s.FirstReach)
		}
		to.Bend[k], to.Bent[k] = l.join(s.Bend[k], l.M2*through), l.join(s.Bent[k], root*through)
		sum += square(l.V[k] * l.W[k] * through)
	}
	to.Cross = l.join(s.Cross, s.Pi*l.Delta*l.M2*math.Sqrt(sum))
}

// join returns √(a² + b²) rounded up, and a + b where squares may underflow.
func (l *Layers) join(a, b float64) float64 {
	if max(a, b) < 0x1p-400 {
		return l.up(a + b)
	}
	return l.up(math.Sqrt(a*a + b*b))
}

// Shadow returns bounds of ‖h_L − ĥ_L‖, ĥ_L being the computed state of a sample, and of the distance of the
// derivative of its outputs from that at the computed states; +Inf where there is none.
func (l *Layers) Shadow(s *Propagation) (state, derivative float64) {
	samples, radii := l.extend([]Propagation{*s}, 0)
	moved := l.displacements(samples, radii)
	if moved == nil {
		return math.Inf(1), math.Inf(1)
	}
	first, _ := l.derivatives(&samples[0], moved[0], radii[0])
	return l.up(s.Reach * s.Orbit * moved[0].gain), l.up(first * radii[0])
}
