package tangent

import "math"

// margins bound the rounding of what a propagator computes of one sample. Without an orbit all of them are 0.
type margins struct {
	orbit  *orbit
	first  float64       // M₁
	bounds []mapMargins  // of the layers (L)
	none   []stateErrors // (L)

	adjointAll []float64 // ‖P̂_k‖_F (L+1)
	drift      float64   // ≥ ‖P̂_k − P_k‖_F for k ≥ 1
	features   float64   // ≥ ‖D̂_i − DF_i‖, the computed features of the sample against those of the orbit

	formsAll, formsOff float64 // ‖Γ̂‖_F at the layer at hand and a bound of its error
	formsSum           float64 // of what each layer adds to the error
	movedAll, movedOff float64 // of Γ M
	curvedOff          float64 // of P V σ″, in norm
	slopedOff, pbOff   float64 // of P V σ′ and P B
}

// mapMargins bound the maps of one layer.
type mapMargins struct {
	steep         float64 // ≥ |σ̂′|
	vd, vdAll     float64 // ≥ ‖V̂D̂ − VD‖, and ‖V̂D̂‖_F or, of the diagonal D alone, steep
	maps, mapsAll float64 // ≥ ‖M̂ − M‖, and ‖M̂‖_F
}

func newMargins(m *Model, o *orbit) margins {
	return margins{
		orbit: o, first: upper(m.sigma.SupFirst()), bounds: make([]mapMargins, m.depth),
		none: make([]stateErrors, m.depth), adjointAll: make([]float64, m.depth+1),
	}
}

// stateErrors returns those of layer k.
func (p *propagator) stateErrors(k int) *stateErrors {
	if p.orbit == nil {
		return &p.none[k]
	}
	return &p.orbit.errors[p.i*p.depth+k]
}

// boundInner bounds V D of the layer at hand.
func (p *propagator) boundInner(k int) {
	if p.u == 0 {
		return
	}
	e, b, n := p.stateErrors(k), &p.bounds[k], &p.norms[k]
	b.steep = p.first + e.slope
	b.vd, b.vdAll = p.wide(e.slope), b.steep
	if p.Model.v != nil {
		b.vd = p.wide(n.v*e.slope + 2*p.u*n.vAll*b.steep)
		b.vdAll = p.wide(p.vd.frobenius())
	}
}

// boundMap bounds M of the layer at hand.
func (p *propagator) boundMap(k int) {
	if p.u == 0 {
		return
	}
	e, b, n := p.stateErrors(k), &p.bounds[k], &p.norms[k]
	b.mapsAll = p.wide(p.maps[k].frobenius())
	b.maps = math.Abs(p.scale(k))*(b.vd*n.w+p.gamma(p.middle+4)*b.vdAll*n.wAll) + 2*p.u*b.mapsAll
	if p.shared {
		b.maps += e.branch
	}
	b.maps = p.wide(b.maps)
}

// productMargin bounds the error of M̂ S M̂ᵀ for a symmetric S of that Frobenius norm, against M S Mᵀ.
func (p *propagator) productMargin(k int, all float64) float64 {
	b := &p.bounds[k]
	return (p.gamma(2*p.size+4)*b.mapsAll*b.mapsAll + (2*b.mapsAll+b.maps)*b.maps) * all
}

// enlarge makes S symmetric and adds err and the rounding of S to its diagonal, so that it is certainly above what it approximates.
func (p *propagator) enlarge(s matrix, size int, err float64) {
	if p.u == 0 {
		return
	}
	err = p.wide(err + 8*p.u*s.frobenius())
	for r := range size {
		for c := range r {
			s.at(r)[c] = s.at(c)[r]
		}
	}
	for r := range size {
		s.at(r)[r] += err
	}
}

// reachMargin bounds the error of X_{k+1} from that X_k on, whose Frobenius norm is all.
func (p *propagator) reachMargin(k int, all float64) float64 {
	if p.u == 0 {
		return 0
	}
	e, b, n := p.stateErrors(k), &p.bounds[k], &p.norms[k]
	err := p.productMargin(k, all)
	delta := square(p.scale(k))
	if p.Model.w != nil {
		err += delta * square(p.inputs[k]) * (p.gamma(p.middle+8)*square(b.vdAll) + (2*n.v*b.steep+b.vd)*b.vd)
	}
	if p.Model.v != nil {
		err += 8 * p.u * delta * square(p.values[k])
	}
	if p.net.Residual == "layered" {
		f := norm(p.branch[:p.width])
		err += p.gamma(4)*f*f + (2*f+e.branch)*e.branch
	}
	return p.wide(err)
}

// finishForward fills in how the computed states lie to the exact ones.
func (p *propagator) finishForward() {
	if p.orbit == nil {
		return
	}
	s := &p.sample
	s.Orbit, s.Reach = p.orbit.length[p.i], s.Chi
	if p.embed != nil { // an error of h_0 passes the first layer, too
		s.Reach, s.FirstReach = p.up(s.Chi*math.Sqrt(1+square(p.firstGain()))), 1
	}
}

// firstGain bounds max(1, ‖M_1‖).
func (p *propagator) firstGain() float64 { return max(1, p.bounds[0].mapsAll+p.bounds[0].maps) }

// pullError bounds what layer k adds to the error of the adjoints, (q̂ − q) of P V D for the computed P and in all.
func (p *propagator) pullError(k int) (branch, all float64) {
	e, b, n := p.stateErrors(k), &p.bounds[k], &p.norms[k]
	size := p.adjointAll[k+1]
	branch = size * (p.gamma(p.width+3)*n.vAll*b.steep + n.v*e.slope)
	all = p.gamma(p.middle+3)*size*(1+math.Abs(p.scale(k))*n.v*b.steep*n.wAll) + math.Abs(p.scale(k))*branch*n.w
	return p.wide(branch), p.wide(all)
}

// boundAdjoints bounds the errors of all adjoints and of the features of which the kernel is computed.
func (p *propagator) boundAdjoints() {
	p.drift, p.features = 0, 0
	if p.u == 0 {
		return
	}
	for k := range p.depth {
		_, all := p.pullError(k)
		p.drift += all
	}
	p.drift = p.wide(p.sample.Chi * p.drift)
	sum, scales, scalesSquared := 0.0, 0.0, 0.0
	for k := range p.depth {
		e, n := p.stateErrors(k), &p.norms[k]
		size, delta := p.adjointAll[k+1], math.Abs(p.scale(k))
		if p.Model.w != nil {
			branch, _ := p.pullError(k)
			sum += square(delta * p.inputs[k] * (branch + n.v*p.first*p.drift))
		}
		if p.Model.v != nil {
			sum += square(delta * (p.values[k]*p.drift + (size+p.drift)*e.value))
		}
		if p.net.Residual != "fixed" {
			p.branchTo(p.branch[:p.width], p.i, k)
			f := norm(p.branch[:p.width])
			g := (p.gamma(p.width+p.depth+4)*size+p.drift)*f + (size+p.drift)*e.branch
			scales += g
			scalesSquared += g * g
		}
	}
	switch p.net.Residual {
	case "layered":
		sum += scalesSquared
	case "shared":
		sum += scales * scales
	}
	if p.net.Embed == "trained" {
		sum += square(norm(block(p.x, p.i, p.net.Inputs)) * p.drift * p.firstGain())
	}
	p.features = p.wide(math.Sqrt(sum))
}

// boundForms bounds Γ M and the products of P V at layer k.
func (p *propagator) boundForms(k int) {
	if p.u == 0 {
		return
	}
	e, b, n := p.stateErrors(k), &p.bounds[k], &p.norms[k]
	bend := upper(p.sigma.SupSecond())
	p.formsAll = p.wide(p.forms.frobenius())
	p.movedAll = p.wide(p.moved.frobenius())
	p.movedOff = p.wide(p.formsOff*(b.mapsAll+b.maps) + p.formsAll*(b.maps+p.gamma(p.size+2)*b.mapsAll))
	size := p.adjointAll[k+1]
	p.curvedOff = p.wide(size*(p.gamma(p.width+3)*n.vAll*(bend+e.second)+n.v*e.second) + p.drift*n.v*bend)
	p.slopedOff = p.wide(size*(p.gamma(p.width+3)*n.vAll*b.steep+n.v*e.slope) + p.drift*n.v*p.first)
	p.pbOff = p.wide(p.gamma(p.middle+2)*p.sloped.frobenius()*n.wAll + n.w*p.slopedOff)
}

// pullMargin bounds the error of Γ_{k−1}, given Γ_k's.
func (p *propagator) pullMargin(k int) {
	if p.u == 0 {
		return
	}
	b, n := &p.bounds[k], &p.norms[k]
	added := p.productMargin(k, p.formsAll) + 8*p.u*p.forms.frobenius()
	added += math.Abs(p.scale(k)) * (n.w*n.w*p.curvedOff + p.gamma(p.middle+6)*n.wAll*n.wAll*p.curved.frobenius())
	if p.shared {
		added += 2 * (p.pbOff + 2*p.u*p.pb.frobenius())
	}
	own := p.wide(square(b.mapsAll+b.maps)*p.formsOff + added)
	p.formsSum = p.wide(p.formsSum + added)
	gain := p.sample.Chi
	if p.shared {
		most := 0.0
		for j := range p.depth {
			most = max(most, p.branches[j])
		}
		gain = gain*(1+math.Sqrt(float64(p.depth))*most) + 1
	}
	p.formsOff = own
	if through := p.wide(gain * gain * p.formsSum); k > 0 && through < own {
		p.formsOff = through
	}
}

// transposeMargin bounds the error of Tᵀ G, T = δ V D, for G of that Frobenius norm and error.
func (p *propagator) transposeMargin(k int, all, off float64) float64 {
	b, n := &p.bounds[k], &p.norms[k]
	return math.Abs(p.scale(k)) * (n.v*p.first*off + (b.vd+p.gamma(p.width+4)*b.vdAll)*all)
}

// cover returns root with err and adds off, a bound of the error of the factor whose square the matrix is.
func (p *propagator) cover(m matrix, n int, err, off float64) float64 {
	return p.up(p.root(m, n, p.wide(err)) + p.wide(off))
}
