package certify

import "math"

// A Layers is what a bound of the curvature of the outputs needs to know of a network beside its
// samples: norms of its maps, and which of them are trained. f_k(h) = V_k σ(W_k h + b) + c; a block
// without one of the maps has the identity there, of norm 1.
type Layers struct {
	V, W []float64 // spectral norms (L)
	// Delta is max |δ_k|.
	Delta float64
	// TrainedV and so on say which groups are trained, biases included with their map.
	TrainedV, TrainedW, TrainedC bool
	// Scales is the number of trained δ: 0, 1 shared by all layers, or L.
	Scales int
	// M1, M2, M3 are the suprema of |σ′|, |σ″| and |σ‴|.
	M1, M2, M3 float64
}

// A Propagation holds the gains of one sample at the centre θ of a ball of parameters, ‖θ̇‖ ≤ 1
// being a direction and ḣ_k the derivative of h_k along it.
type Propagation struct {
	Tau   float64   // sup ‖ḣ_k‖ over directions and layers
	Chi   float64   // sup ‖h_k‖ over errors injected behind the layers, of sum of squares 1
	Pi    float64   // the same for the outputs: λ_max(Σ P_k P_kᵀ)^½
	Omega []float64 // sup ‖W_k ḣ_{k−1}‖ (L)
	Input float64   // max (‖h_{k−1}‖² + bias)^½
	Value float64   // max (‖σ(z_k)‖² + bias)^½
	// Curvature bounds ‖F″‖ of the sample's outputs at θ; NaN where it was not computed.
	Curvature float64
	// Bend, Bent and Cross come with Curvature, too, with a sup over directions each: of max_j |σ″(z_k) W_kḣ_{k−1}|_j (L), of ‖σ″(z_k)∘(W_kḣ_{k−1})²‖^½
	// (L), and of Σ_k ‖δ_kP_kV_k(σ″(z_k)∘W_kḣ_{k−1}∘W_kb_k)‖ over all ‖b_k‖ ≤ 1.
	Bend, Bent []float64
	Cross      float64
	// Orbit is how far the states are from those of an exact forward pass, (Σ‖ε_k‖²)^½ of the errors of h_0 and of each layer;
	// 0 where they count as exact. Reach is Chi with an error of h_0 among them, and FirstReach that of h_0 alone: 0 where it is
	// exact, else 1.
	Orbit, Reach, FirstReach float64
}

// A CurvatureBall holds bounds for all parameters θ′ with ‖θ′ − θ‖ ≤ Radius and all samples together.
type CurvatureBall struct {
	Radius float64
	// Curvature bounds ‖F″(θ′)‖, +Inf where no bound was found.
	Curvature float64
	// First and Third are (Σ T₁²)^½ and (Σ T₃²)^½, bounds of ‖F″‖ by norms alone and of ‖F‴‖.
	First, Third float64
}

// mostPasses bounds the search of the displacement of hidden states.
const mostPasses = 60

// Ball returns the bounds over a ball of that radius, of a network with these samples
// (docs/certificates.md, section 14), rounded up.
func (l *Layers) Ball(samples []Propagation, radius float64) CurvatureBall {
	b := CurvatureBall{Radius: radius}
	samples, radii := l.extend(samples, radius)
	moved := l.displacements(samples, radii)
	if moved == nil {
		inf := math.Inf(1)
		return CurvatureBall{radius, inf, inf, inf}
	}
	for i := range samples {
		first, third := l.derivatives(&samples[i], moved[i], radii[i])
		bound := first
		if at := l.up(samples[i].Curvature + radii[i]*third); at < bound {
			bound = at
		}
		b.Curvature += bound * bound
		b.First += first * first
		b.Third += third * third
	}
	up := func(sum float64) float64 { return math.Sqrt(sum) * (1 + float64(len(samples)+4)*0x1p-52) }
	b.Curvature, b.First, b.Third = up(b.Curvature), up(b.First), up(b.Third)
	return b
}

// Centre returns the bound of ‖F″‖ at θ itself.
func (l *Layers) Centre(samples []Propagation) float64 {
	sum := 0.0
	for i := range samples {
		sum += square(samples[i].Curvature)
	}
	return math.Sqrt(sum) * (1 + float64(len(samples)+4)*0x1p-52)
}

// up rounds up the result of sums over layers, products and roots of non-negative numbers: a relative (L + 64) 2⁻⁵¹ covers
// any such expression of this file.
func (l *Layers) up(v float64) float64 { return v * (1 + float64(len(l.V)+64)*0x1p-51) }

// A displacement bounds how far the states of a sample, and their derivatives, are from those at the
// centre, anywhere in a ball.
type displacement struct {
	states float64 // Δ ≥ ‖h′_k − h_k‖
	maps   float64 // x ≥ (Σ‖M′_k − M_k‖²)^½
	inputs float64 // T_Δ: of what θ̇ injects
	gain   float64 // 1/(1 − χx)
	first  float64 // t₁ ≥ ‖ḣ′_k‖
}

// radii returns the radius by group.
func (l *Layers) radii(radius float64) (v, w, c, delta float64) {
	of := func(trained bool) float64 {
		if trained {
			return radius
		}
		return 0
	}
	return of(l.TrainedV), of(l.TrainedW), of(l.TrainedC), of(l.Scales > 0)
}

// sharing returns κ_δ, by which one δ for all layers counts more than one for each.
func (l *Layers) sharing() float64 {
	switch {
	case l.Scales == 1 && len(l.V) > 1:
		return math.Sqrt(float64(len(l.V)))
	case l.Scales > 0:
		return 1
	}
	return 0
}

// displacements finds the displacement of each sample, nil where one has none.
func (l *Layers) displacements(samples []Propagation, radii []float64) []displacement {
	moved := make([]displacement, len(samples))
	for i := range samples {
		moved[i].states = 1.01 * radii[i] * samples[i].Tau
	}
	for range mostPasses {
		closed := true
		for i := range samples {
			if !l.move(&samples[i], &moved[i], radii[i]) {
				return nil
			}
			closed = closed && l.up(radii[i]*moved[i].first) <= moved[i].states
		}
		if closed {
			return moved
		}
		for i := range moved {
			moved[i].states = max(moved[i].states, 1.02*radii[i]*moved[i].first)
		}
	}
	return nil
}

// move fills in what follows from a displacement of the states, and says whether it is finite.
func (l *Layers) move(s *Propagation, m *displacement, radius float64) bool {
	rv, rw, _, rd := l.radii(radius)
	v, w, shift := 0.0, 0.0, m.states
	products, most, carried := 0.0, 0.0, 0.0 // Σ(v w w⁺)², max ζ, max v ζ
	for k := range l.V {
		vk, wk := l.V[k], l.W[k]
		v, w = max(v, vk), max(w, wk)
		products += square(vk * wk * (wk + rw))
		zeta := wk*shift + rw*(s.Input+shift)
		most, carried = max(most, zeta), max(carried, vk*zeta)
	}
	vPlus, wPlus := v+rv, w+rw
	most, carried = l.up(most), l.up(carried)
	input, value := l.up(s.Input+shift), l.up(s.Value+l.M1*most)
	sharing := l.sharing()
	m.maps = l.up(sharing*radius*l.M1*vPlus*wPlus + l.Delta*(l.M1*rv*wPlus+l.M2*rw*v*wPlus*input+
		l.M2*shift*math.Sqrt(products)+l.M1*rw*v))
	sum := square(sharing * (rv*value + l.M1*carried))
	if l.TrainedW {
		sum += square(rd*l.M1*vPlus*input + l.Delta*(rv*l.M1*input+carried*l.M2*input+v*l.M1*shift))
	}
	if l.TrainedV {
		sum += square(rd*value + l.Delta*l.M1*most)
	}
	m.inputs = l.up(math.Sqrt(sum))
	loop := l.up(s.Chi * m.maps)
	if !(loop < 1) {
		return false
	}
	m.gain = l.up(1 / (1 - loop))
	m.first = l.up((s.Tau + s.Chi*m.inputs) * m.gain)
	return m.first <= math.MaxFloat64
}

// derivatives returns T₁ and T₃, bounds of ‖F″‖ and ‖F‴‖ of a sample's outputs in the ball.
func (l *Layers) derivatives(s *Propagation, m displacement, radius float64) (second, third float64) {
	rv, rw, rc, rd := l.radii(radius)
	gain := l.up(s.Chi * m.gain)                  // χ⁺
	outer := l.up(s.Pi*(1+gain*m.maps) + rc*gain) // π⁺
	first := m.first                              // t₁
	most, most2, most3 := 0.0, 0.0, 0.0           // max ω⁺, max v⁺ω⁺ and max v⁺
	fourth, sixth, mixed, w := 0., 0., 0., 0.0    // Σ(v⁺)²ω⁺⁴, Σ(v⁺)²ω⁺⁶, Σ(v⁺ω⁺w⁺)², max w⁺
	for k, omega := range s.Omega {
		omega = l.up(omega + l.W[k]*s.Chi*(m.inputs+m.maps*first) + rw*first)
		v := l.V[k] + rv
		most, most2, most3, w = max(most, omega), max(most2, v*omega), max(most3, v), max(w, l.W[k]+rw)
		fourth += square(v * omega * omega)
		sixth += square(v * omega * omega * omega)
		mixed += square(v * omega * (l.W[k] + rw))
	}
	return l.sources(sums{
		v: most3, w: w, omega: most, branch: most2, fourth: fourth, sixth: sixth, mixed: mixed,
		input: s.Input + m.states, value: s.valueIn(l, m, rw),
		gain: gain, outer: outer, first: first, delta: l.Delta + rd, sharing: l.sharing(),
	})
}

// valueIn returns s⁺, the largest (‖σ(z′_k)‖² + bias)^½ in the ball.
func (s *Propagation) valueIn(l *Layers, m displacement, rw float64) float64 {
	most := 0.0
	for _, w := range l.W {
		most = max(most, w*m.states+rw*(s.Input+m.states))
	}
	return l.up(s.Value + l.M1*most)
}

// sums are what the sources of the second and third derivatives of the states are bounded by.
type sums struct {
	v, w, omega, branch       float64 // maxima of v⁺, w⁺, ω⁺, v⁺ω⁺
	fourth, sixth, mixed      float64
	input, value              float64 // u⁺, s⁺
	gain, outer, first, delta float64 // χ⁺, π⁺, t₁, δ⁺
	sharing                   float64 // κ_δ
	// sharp takes Σ(v⁺‖σ″∘(Wḣ)²‖)² and the sum of crossed derivatives from these in place of suprema.
	sharp         bool
	bent, crossed float64
}

// sources adds them up to T₁ and T₃.
func (l *Layers) sources(q sums) (second, third float64) {
	bent := q.fourth * square(l.M2)
	if q.sharp {
		bent = q.bent
	}
	a := math.Sqrt(math.Sqrt(bent))
	f1 := l.M1 * q.branch
	if l.TrainedW {
		a += math.Sqrt(q.v*l.M2) * q.input
		f1 += q.v * l.M1 * q.input
	}
	a = l.up(a * a)
	half := q.omega
	if l.TrainedW {
		a += 2 * l.M1 * q.v * q.first
		half += 0.5 * q.input
	}
	if l.TrainedV {
		a += 2 * l.M1 * half
		f1 += q.value
	}
	source := l.up(q.delta*l.up(a) + 2*q.sharing*l.up(f1))
	t2 := l.up(q.gain * source)
	second = q.outer * source

	tangent := q.omega // ω⁺ + [W] u⁺
	cube := l.cubeRoot(math.Sqrt(q.sixth))
	curved, crossed := math.Sqrt(q.mixed)*t2, 0.0
	if q.sharp {
		curved, crossed = 0, 3*q.crossed*t2
	}
	if l.TrainedW {
		tangent += q.input
		cube += l.cubeRoot(q.v) * q.input
		curved += 2*q.branch*q.first + q.v*q.w*q.input*t2 + 2*q.v*q.input*q.first
	}
	b := l.M3*cube*cube*cube + 3*l.M2*curved
	f2 := q.v*l.M2*square(tangent) + q.v*l.M1*q.w*t2
	inner := q.w * t2 // w⁺t₂ + [W] 2t₁
	if l.TrainedW {
		b += 3 * l.M1 * q.v * t2
		f2 += 2 * q.v * l.M1 * q.first
		inner += 2 * q.first
	}
	if l.TrainedV {
		b += 3 * (l.M2*square(tangent) + l.M1*inner)
		f2 += 2 * l.M1 * tangent
	}
	third = q.outer*(q.delta*b+3*q.sharing*f2) + crossed
	if l.TrainedC {
		second += q.first
		third += 1.1548 * t2
	}
	return l.up(second), l.up(third)
}

// cubeRoot returns a number whose cube is certainly at least v.
func (l *Layers) cubeRoot(v float64) float64 {
	root := l.up(math.Cbrt(v))
	if !(root*root*root >= l.up(v)) && v > 0 {
		return math.Inf(1)
	}
	return root
}

func square(v float64) float64 { return v * v }
