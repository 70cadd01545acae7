package tangent

import "math"

// bend adds to the sample what bounds of the growth of its curvature take of layer k (docs/certificates.md, section 14): sums with
// σ″ at its arguments, and with W ḣ entry by entry, in place of suprema and spectral norms.
func (p *propagator) bend(k int) {
	gram, err := p.reached[k], 0.0
	if p.Model.w != nil {
		p.product(p.wx, p.w, p.reached[k])
		clear(p.wxw.data)
		p.addOuter(p.wxw, p.wx, p.w)
		gram = p.wxw
		err = p.wide(p.gamma(2*p.size+4) * square(p.norms[k].wAll) * p.reached[k].frobenius())
	}
	e, n := p.stateErrors(k), &p.norms[k]
	most, columns := 0.0, make([]float64, p.middle)
	for j, second := range p.of(p.states.second, p.i, k) {
		entry := p.up((math.Abs(second) + e.second) * math.Sqrt(max(0, gram.at(j)[j])+err))
		most, columns[j] = max(most, entry), entry
	}
	s := &p.sample
	s.Bend[k] = most
	s.Bent[k] = p.up(math.Sqrt(p.diagonal(gram, columns, err)))
	for j := range columns {
		sum := 0.0
		for a := range p.outputs {
			sum += square(p.curved.at(a)[j])
		}
		columns[j] = p.up(math.Sqrt(sum)*(1+p.gamma(p.outputs)) + p.curvedOff)
	}
	off := p.wide(p.adjointAll[k+1]*p.gamma(p.width+3)*n.vAll + p.drift*n.v)
	through := min(p.diagonal(gram, columns, err), p.up(p.norm(p.pv, p.middle, off)*most))
	s.Cross = p.up(s.Cross + math.Abs(p.scale(k))*n.w*through)
}

// diagonal returns sup ‖r ∘ a‖ over the ellipsoid of a symmetric matrix, r ≥ 0, which may be off by err in norm.
func (p *propagator) diagonal(gram matrix, r []float64, err float64) float64 {
	most := 0.0
	for i, left := range r {
		most = max(most, left)
		row, from := p.bending.at(i), gram.at(i)
		for j, right := range r {
			row[j] = left * from[j] * right
		}
	}
	return p.root(p.bending, p.middle, p.wide(square(most)*(err+p.gamma(4)*gram.frobenius())))
}
