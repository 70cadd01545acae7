package tangent

import "math"

// backward is the memory of the second propagator: Γ_k, a symmetric form on the state for each output,
// with F″[u,u] = Γ_0[a_0,a_0] + Σ_k (2R_k[a_{k−1}, θ̇_k] + local_k[θ̇_k, θ̇_k]) (docs/certificates.md, section 13).
type backward struct {
	p            matrix // P_k (o,d)
	forms, moved matrix // Γ and Γ M, (D,D) for each output, one below the other
	pv           matrix // P V (o,m)
	curved       matrix // P V σ″ (o,m)
	sloped       matrix // P V σ′ (o,m)
	pb           matrix // P B (o,d)

	rw, rwx     matrix // R^W transposed (m,D) for each output, and times X
	rv, rvx     matrix // R^V likewise (d,D)
	tg          matrix // Tᵀ Γ (m,D) of one output
	tgt         matrix // Tᵀ Γ T (m,m) of one output
	bent        matrix // diag(PVσ″) W (m,D) of one output
	sumM, sumD  matrix
	crossing    matrix
	small       matrix // (o,o) and (3,3)
	rDelta, rdX matrix // (o,D)
	bending     matrix // (m,m)
}

func newBackward(p *propagator) backward {
	o, d, m := p.outputs, p.square, pad(p.middle)
	rows := func(count, cols int) matrix { return matrix{count, pad(cols), make([]float64, count*pad(cols))} }
	return backward{
		p: newMatrix(o, p.size), forms: rows(o*d, d), moved: rows(o*d, d),
		pv: newMatrix(o, p.middle), curved: newMatrix(o, p.middle), sloped: newMatrix(o, p.middle), pb: newMatrix(o, p.size),
		rw: rows(o*m, d), rwx: rows(o*m, d), rv: rows(o*d, d), rvx: rows(o*d, d),
		tg: newMatrix(m, d), tgt: newMatrix(m, m), bent: newMatrix(m, d),
		sumM: newMatrix(m, m), sumD: newMatrix(d, d), crossing: newMatrix(m, m),
		small: newMatrix(max(o, 3), max(o, 3)), rDelta: newMatrix(o, p.size), rdX: newMatrix(o, p.size), bending: newMatrix(p.middle, p.middle),
	}
}

// second computes the bound of ‖F″‖ at the centre.
func (p *propagator) second() {
	p.adjoints()
	clear(p.forms.data)
	p.formsOff, p.formsSum = 0, 0
	p.sample.Bend, p.sample.Bent, p.sample.Cross = make([]float64, p.depth), make([]float64, p.depth), 0
	local, sum := 0.0, 0.0
	for k := p.depth - 1; k >= 0; k-- {
		p.load(k)
		p.contract(k)
		p.product(p.moved, p.forms, p.maps[k])
		p.boundForms(k)
		p.bend(k)
		nu, here := p.layer(k)
		sum += nu
		local = math.Max(local, here)
		p.pullForms(k)
		q := p.tgt.data[:p.middle]
		for a := range p.outputs {
			p.back(p.p.at(a)[:p.width], q, k)
		}
	}
	local = math.Max(local, p.start())
	p.sample.Curvature = local + 2*math.Sqrt(sum*(1+p.gamma(3*p.depth)))
	if p.net.Readout == "trained" {
		p.sample.Curvature += p.taus[p.depth]
	}
	p.sample.Curvature = p.up(p.sample.Curvature)
}

// contract computes P V and its products with σ′, σ″ and W.
func (p *propagator) contract(k int) {
	slope, second := p.of(p.states.slope, p.i, k), p.of(p.states.second, p.i, k)
	for a := range p.outputs {
		row, adjoint := p.pv.at(a)[:p.middle], p.p.at(a)[:p.width]
		if p.Model.v != nil {
			clear(row)
			addTransposedTo(row, 1, block(p.Model.v, k, p.width*p.middle), adjoint)
		} else {
			copy(row, adjoint)
		}
		curved, sloped, pb := p.curved.at(a), p.sloped.at(a), p.pb.at(a)[:p.width]
		for j, v := range row {
			curved[j], sloped[j] = v*second[j], v*slope[j]
		}
		if p.Model.w != nil {
			clear(pb)
			addTransposedTo(pb, 1, block(p.Model.w, k, p.middle*p.width), sloped[:p.middle])
		} else {
			copy(pb, sloped)
		}
	}
}

// layer returns Σ_g (ν^g)² of layer k and the bound of its local part.
func (p *propagator) layer(k int) (nu, local float64) {
	delta, u, s := math.Abs(p.scale(k)), p.inputs[k], p.values[k]
	adjoint := p.norm(p.p, p.width, p.drift)
	slope := 0.0
	for _, v := range p.of(p.states.slope, p.i, k) {
		slope = max(slope, math.Abs(v))
	}
	slope += p.stateErrors(k).slope
	var q [3][3]float64 // W, V, δ
	trainedW, trainedV := p.Model.w != nil, p.Model.v != nil
	if trainedW {
		reach := p.weigh(k)
		nu += square(u*reach + delta*p.norm(p.sloped, p.middle, p.slopedOff)*p.taus[k])
		form, cross := p.localW(k, trainedV)
		q[0][0] = u * u * form
		if trainedV {
			q[0][1] = u*s*delta*cross + delta*adjoint*slope*u
		}
	}
	if trainedV {
		nu += square(s*p.lift(k) + delta*adjoint*p.omegas[k])
		q[1][1] = square(s*delta) * p.formNorm()
	}
	if p.net.Residual == "layered" {
		nu += square(p.along(k))
		q[0][2], q[1][2], q[2][2] = p.localScale(k, trainedW, trainedV)
		q[0][2] *= u
		q[1][2] *= s
	}
	clear(p.small.data)
	for i := range 3 {
		for j := i; j < 3; j++ {
			p.small.at(i)[j], p.small.at(j)[i] = p.up(q[i][j]), p.up(q[i][j])
		}
	}
	return p.up(nu), p.top(p.small, 3)
}

// norm returns the spectral norm of the rows of the outputs, which may be off by off in norm.
func (p *propagator) norm(rows matrix, cols int, off float64) float64 {
	clear(p.small.data)
	for a := range p.outputs {
		for b := range p.outputs {
			p.small.at(a)[b] = dot(rows.at(a)[:cols], rows.at(b)[:cols])
		}
	}
	return p.cover(p.small, p.outputs, p.gamma(cols+4)*square(rows.frobenius()), off)
}

// weigh returns |R^W|_X, R^W[a,y] = Γ[M a, T y] + δ PVσ″∘(Wḣ)∘y (+ δ̇ PVD y).
func (p *propagator) weigh(k int) float64 {
	delta, rows := p.scale(k), pad(p.middle)
	clear(p.sumM.data)
	for a := range p.outputs {
		r := p.rw.part(a, rows)
		p.transposeT(r, p.moved.part(a, p.square), delta)
		curved := p.curved.at(a)
		for j := range p.middle {
			axpy(r.at(j), delta*curved[j], p.w.at(j))
		}
		if p.shared {
			for j, v := range p.sloped.at(a)[:p.middle] {
				r.at(j)[p.width] += v
			}
		}
	}
	p.product(p.rwx, p.rw, p.reached[k])
	for a := range p.outputs {
		p.addOuter(p.sumM, p.rwx.part(a, rows), p.rw.part(a, rows))
	}
	all, bent := p.rw.frobenius(), p.curved.frobenius()
	off := p.transposeMargin(k, p.movedAll, p.movedOff) + 4*p.u*all + math.Abs(delta)*p.norms[k].w*(p.curvedOff+4*p.u*bent)
	if p.shared {
		off += p.slopedOff
	}
	return p.weighed(k, p.sumM, p.middle, all, off)
}

// weighed returns the norm |R|_X over the ellipsoid of X_k from the sum Σ R X Rᵀ, R of that Frobenius norm and error.
func (p *propagator) weighed(k int, sum matrix, n int, all, off float64) float64 {
	reach := p.reached[k].frobenius()
	return p.cover(sum, n, p.gamma(2*p.size+p.outputs+6)*all*all*reach, off*math.Sqrt(reach))
}

// transposeT writes Tᵀ g, T = δ V D, for g (D,D).
func (p *propagator) transposeT(to, g matrix, delta float64) {
	clear(to.data)
	if p.Model.v != nil {
		p.addTransposed(to, p.vd, g)
		for i := range to.data {
			to.data[i] *= delta
		}
		return
	}
	for j := range p.middle {
		axpy(to.at(j), delta*p.vd.at(j)[j], g.at(j))
	}
}

// lift returns |R^V|_X, R^V[a,v] = Γ[M a, δ v] (+ δ̇ P v).
func (p *propagator) lift(k int) float64 {
	delta := p.scale(k)
	clear(p.rv.data)
	clear(p.sumD.data)
	for a := range p.outputs {
		r, from := p.rv.part(a, p.square), p.moved.part(a, p.square)
		for j := range p.width {
			axpy(r.at(j), delta, from.at(j))
			if p.shared {
				r.at(j)[p.width] += p.p.at(a)[j]
			}
		}
	}
	p.product(p.rvx, p.rv, p.reached[k])
	for a := range p.outputs {
		p.addOuter(p.sumD, p.rvx.part(a, p.square), p.rv.part(a, p.square))
	}
	all := p.rv.frobenius()
	off := math.Abs(delta)*(p.movedOff+4*p.u*p.movedAll) + 4*p.u*all
	if p.shared {
		off += p.drift
	}
	return p.weighed(k, p.sumD, p.width, all, off)
}

// localW returns ⟦Γ[T·,T·] + δ PVσ″ diag⟧ and ⟦Γ[T·,·]⟧.
func (p *propagator) localW(k int, cross bool) (form, crossing float64) {
	delta := p.scale(k)
	clear(p.sumM.data)
	clear(p.crossing.data)
	for a := range p.outputs {
		p.transposeT(p.tg, p.forms.part(a, p.square), delta)
		if p.Model.v != nil {
			p.product(p.tgt, p.tg, p.vd)
			for i := range p.tgt.data {
				p.tgt.data[i] *= delta
			}
		} else {
			for j := range p.middle {
				row, from := p.tgt.at(j), p.tg.at(j)
				for c := range p.middle {
					row[c] = delta * from[c] * p.vd.at(c)[c]
				}
			}
		}
		for j, v := range p.curved.at(a)[:p.middle] {
			p.tgt.at(j)[j] += delta * v
		}
		p.addOuter(p.sumM, p.tgt, p.tgt)
		if cross {
			p.onlyStates(p.tg)
			p.addOuter(p.crossing, p.tg, p.tg)
		}
	}
	b, n := &p.bounds[k], &p.norms[k]
	inner := p.transposeMargin(k, p.formsAll, p.formsOff) // of Tᵀ Γ
	all := p.wide(math.Abs(delta)*n.v*b.steep*p.formsAll + inner)
	bent := p.curved.frobenius()
	off := p.transposeMargin(k, all, inner) + math.Abs(delta)*(p.curvedOff+4*p.u*bent)
	most := math.Abs(delta)*n.v*b.steep*all + math.Abs(delta)*bent
	terms := p.gamma(p.middle + p.size + p.outputs + 6)
	return p.cover(p.sumM, p.middle, terms*most*most, off), p.cover(p.crossing, p.middle, terms*all*all, inner)
}

// onlyStates clears the column of a shared δ.
func (p *propagator) onlyStates(m matrix) {
	if p.shared {
		for r := range m.rows {
			m.at(r)[p.width] = 0
		}
	}
}

// formNorm returns ⟦Γ⟧ on the states.
func (p *propagator) formNorm() float64 {
	clear(p.sumD.data)
	for a := range p.outputs {
		g := p.forms.part(a, p.square)
		if p.shared {
			copy(p.mx.data, g.data)
			p.onlyStates(p.mx)
			clear(p.mx.at(p.width))
			g = p.mx
		}
		p.addOuter(p.sumD, g, g)
	}
	return p.cover(p.sumD, p.width, p.gamma(p.size+p.outputs+4)*p.formsAll*p.formsAll, p.formsOff)
}

// along returns |R^δ|_X of a δ for each layer, R^δ[a] = Γ[M a, f] + P B ḣ.
func (p *propagator) along(k int) float64 {
	for a := range p.outputs {
		row := p.rDelta.at(a)
		copy(row, p.pb.at(a))
		for j, v := range p.branch[:p.width] {
			axpy(row, v, p.moved.part(a, p.square).at(j))
		}
	}
	p.product(p.rdX, p.rDelta, p.reached[k])
	clear(p.small.data)
	for a := range p.outputs {
		for b := range p.outputs {
			p.small.at(a)[b] = dot(p.rdX.at(a), p.rDelta.at(b))
		}
	}
	all, f := p.rDelta.frobenius(), p.branches[k]
	off := p.movedOff*f + p.movedAll*(p.stateErrors(k).branch+p.gamma(p.width+2)*f) + p.pbOff + 4*p.u*all
	return p.weighed(k, p.small, p.outputs, all, off)
}

// localScale returns ‖Γ[T·,f] + PVD‖, ‖δΓ[·,f] + P‖ and ‖Γ[f,f]‖ of a δ for each layer.
func (p *propagator) localScale(k int, trainedW, trainedV bool) (w, v, own float64) {
	delta := p.scale(k)
	clear(p.rdX.data)
	for a := range p.outputs { // Γ f
		row := p.rdX.at(a)
		for j, value := range p.branch[:p.width] {
			axpy(row, value, p.forms.part(a, p.square).at(j))
		}
		own += square(dot(row[:p.width], p.branch[:p.width]))
	}
	e, f := p.stateErrors(k), p.branches[k]
	off := p.wide(p.formsOff*f + p.formsAll*(e.branch+p.gamma(p.width+2)*f)) // of Γ f
	all := p.wide(p.formsAll * f)
	own = p.up(math.Sqrt(own) + p.wide(off*f+all*(e.branch+p.gamma(p.width+2)*f)))
	if trainedW {
		rows := newMatrix(p.outputs, p.middle)
		for a := range p.outputs {
			row := rows.at(a)
			copy(row, p.sloped.at(a))
			for j, value := range p.rdX.at(a)[:p.width] {
				axpy(row, delta*value, p.vd.at(j))
			}
		}
		w = p.norm(rows, p.middle, p.transposeMargin(k, all, off)+p.slopedOff+4*p.u*rows.frobenius())
	}
	if trainedV {
		for a := range p.outputs {
			row := p.rDelta.at(a)
			copy(row, p.p.at(a))
			axpy(row, delta, p.rdX.at(a))
		}
		v = p.norm(p.rDelta, p.width, math.Abs(delta)*off+p.drift+4*p.u*p.rDelta.frobenius())
	}
	return w, v, own
}

// pullForms replaces Γ_k by Γ_{k−1} = Mᵀ Γ M + Q.
func (p *propagator) pullForms(k int) {
	delta := p.scale(k)
	clear(p.forms.data)
	for a := range p.outputs {
		g := p.forms.part(a, p.square)
		p.addTransposed(g, p.maps[k], p.moved.part(a, p.square))
		curved := p.curved.at(a)
		if p.Model.w != nil {
			clear(p.bent.data)
			for j := range p.middle {
				axpy(p.bent.at(j), delta*curved[j], p.w.at(j))
			}
			p.addTransposed(g, p.w, p.bent)
		} else {
			for j := range p.width {
				g.at(j)[j] += delta * curved[j]
			}
		}
		if p.shared {
			for j, v := range p.pb.at(a)[:p.width] {
				g.at(j)[p.width] += v
				g.at(p.width)[j] += v
			}
		}
	}
	p.pullMargin(k)
}

// start returns ⟦S Γ_0 S⟧, S = diag X_0^½.
func (p *propagator) start() float64 {
	clear(p.sumD.data)
	for a := range p.outputs {
		copy(p.mx.data, p.forms.part(a, p.square).data)
		for r := range p.size {
			row, left := p.mx.at(r), math.Sqrt(p.reached[0].at(r)[r])
			for c := range p.size {
				row[c] *= left * math.Sqrt(p.reached[0].at(c)[c])
			}
		}
		p.addOuter(p.sumD, p.mx, p.mx)
	}
	size, most := p.forms.frobenius(), 0.0
	for r := range p.size {
		most = max(most, p.reached[0].at(r)[r])
	}
	return p.cover(p.sumD, p.size, p.gamma(p.size+p.outputs+8)*square(size*most), p.formsOff*most)
}
