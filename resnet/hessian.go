package resnet

import "github.com/deeplimit/deeplimit/internal/kernel"

// HessianVector writes ∇²J(θ)·v to hv and returns J(θ); v and hv have length
// Layout.Trained. It is exact up to rounding: the derivative of the gradient along
// v, taken forward through both passes [Pearlmutter 1994]. Second derivatives of relu
// and elu at their kink count as 0. All states of a tile are kept: memory grows
// with depth.
func (e *Evaluator[T]) HessianVector(theta, v, hv []T) Evaluation {
	for len(e.second) < len(e.passes) {
		e.second = append(e.second, newSecondPass(e.net, e.ops, e.columns))
	}
	e.theta, e.along, e.grad = theta, v, hv
	e.dealTiles(e.hessianPhase)
	e.deal(e.reducePhase)
	return e.collect()
}

func (e *Evaluator[T]) hessianTiles(worker int) {
	e.follow(func(i int, hv []T, fresh bool, g gate) Evaluation {
		if fresh {
			clear(hv)
		}
		sum, correct := e.second[worker].differentiate(e.theta, e.along, hv, &e.tiles[i], e.total, g)
		return Evaluation{sum, correct}
	})
}

// A secondPass takes a tile and its tangent along v forward and back. A name with
// dot is the derivative along v of the name without.
type secondPass[T kernel.Float] struct {
	*pass[T]
	second               []T // σ″ (L, m, n)
	valueDot, argDot     []T // derivative of σ(u) and of u (L, m, n)
	stateDot             []T // (L+1, d, n)
	branchDot            []T // (L, d, n)
	adjointDot, scaleDot []T // (d, n)
	pulledDot, rowDot    []T // (m, n)
	outputDot            []T // (outputs, n)
	sampleDot            []float64
}

func newSecondPass[T kernel.Float](net *Network, ops *kernel.Ops[T], n int) *secondPass[T] {
	d, m, depth := net.Width, net.middle(), net.Depth
	p := &secondPass[T]{
		pass:     newPass(net, ops, n, cut{segment: depth}),
		second:   make([]T, depth*m*n),
		valueDot: make([]T, depth*m*n), argDot: make([]T, depth*m*n),
		stateDot: make([]T, (depth+1)*d*n), branchDot: make([]T, depth*d*n),
		adjointDot: make([]T, d*n), scaleDot: make([]T, d*n),
		pulledDot: make([]T, m*n), rowDot: make([]T, m*n),
		outputDot: make([]T, net.Outputs*n), sampleDot: make([]float64, net.Outputs),
	}
	// Unlike the gradient, the second pass reads σ and f of every layer.
	p.values, p.branches = make([]T, depth*m*n), make([]T, depth*d*n)
	return p
}

// differentiate adds the tile's part of ∇²J·v to hv, behind the tile before at the gate.
func (p *secondPass[T]) differentiate(theta, v, hv []T, t *tile[T], total int, turn gate) (float64, int) {
	net, n := p.net, t.n
	p.embed(theta, t)
	copy(p.states, p.starts[:net.Width*n])
	h0 := p.stateDot[:net.Width*n]
	clear(h0)
	if e := net.embed; e != nil && e.Trained {
		p.ops.Affine(h0, v[e.Offset:e.Offset+e.Len()], t.x, nil, net.Width, net.Inputs, n)
	}
	for k := range net.Depth {
		p.layerDot(theta, v, k, n)
	}
	last, lastDot := p.state(net.Depth, n), block(p.stateDot, net.Depth, net.Width*n)
	sum, correct := p.judgeDot(theta, v, last, lastDot, t, total)
	turn.wait(1)
	p.pullbackDot(theta, v, hv, last, lastDot, n)
	p.scale = 0
	for k := net.Depth - 1; k >= 0; k-- {
		turn.reach(net.Depth - k)
		turn.wait(net.Depth - k + 1)
		p.backwardDot(theta, v, hv, k, n)
	}
	turn.wait(finished)
	if net.Residual == "shared" {
		hv[net.delta.Offset] += p.scale
	}
	if e := net.embed; e != nil && e.Trained {
		p.ops.AddOuter(hv[e.Offset:e.Offset+e.Len()], p.adjointDot[:net.Width*n], t.x, net.Width, net.Inputs, n, p.outer)
	}
	return sum, correct
}

// push computes z = M h + bias and zDot = Ṁ h + M ḣ + biasDot.
func (p *secondPass[T]) push(a *affine, theta, v []T, k int, z, zDot, h, hDot []T, n int) {
	w, b := weightsOf(a, theta, k)
	wDot, bDot := weightsOf(a, v, k)
	p.ops.Affine(z, w, h, b, a.rows, a.cols, n)
	p.ops.Affine(zDot, wDot, h, bDot, a.rows, a.cols, n)
	product := p.product[:a.rows*n]
	p.ops.Affine(product, w, hDot, nil, a.rows, a.cols, n)
	p.ops.AddScaled(zDot, 1, product)
}

// deltaDot returns the derivative of δ_k along v, 0 for a fixed δ.
func (p *secondPass[T]) deltaDot(v []T, k int) T {
	if p.net.Residual == "fixed" {
		return 0
	}
	return v[p.net.scaleIndex(k)]
}

// layerDot computes layer k and its tangent.
func (p *secondPass[T]) layerDot(theta, v []T, k, n int) {
	net := p.net
	rows, size := net.middle()*n, net.Width*n
	h, hDot := p.state(k, n), block(p.stateDot, k, size)
	s, ds, dds := block(p.values, k, rows), block(p.slopes, k, rows), block(p.second, k, rows)
	uDot, sDot := block(p.argDot, k, rows), block(p.valueDot, k, rows)
	u := h
	if a := &net.before; a.present {
		u = p.rowDot[:rows]
		p.push(a, theta, v, k, u, uDot, h, hDot, n)
	} else {
		copy(uDot, hDot)
	}
	for i, z := range u {
		value, first, second := net.activation.Derivatives(float64(z))
		s[i], ds[i], dds[i] = T(value), T(first), T(second)
	}
	p.ops.ScaleMul(sDot, 1, ds, uDot)
	f, fDot := block(p.branches, k, size), block(p.branchDot, k, size)
	if a := &net.behind; a.present {
		p.push(a, theta, v, k, f, fDot, s, sDot, n)
	} else {
		copy(f, s)
		copy(fDot, sDot)
	}
	next, nextDot := p.state(k+1, n), block(p.stateDot, k+1, size)
	delta := theta[net.scaleIndex(k)]
	copy(next, h)
	p.ops.AddScaled(next, delta, f)
	copy(nextDot, hDot)
	p.ops.AddScaled(nextDot, delta, fDot)
	p.ops.AddScaled(nextDot, p.deltaDot(v, k), f)
}

// judgeDot leaves ∂J/∂ŷ in p.output and its derivative along v in p.outputDot.
func (p *secondPass[T]) judgeDot(theta, v, h, hDot []T, t *tile[T], total int) (float64, int) {
	net, n := p.net, t.n
	dot := p.outputDot[:net.Outputs*n]
	if c := net.readout; c != nil {
		p.ops.Affine(dot, theta[c.Offset:c.Offset+c.Len()], hDot, nil, net.Outputs, net.Width, n)
		if c.Trained {
			product := p.output[:net.Outputs*n]
			p.ops.Affine(product, v[c.Offset:c.Offset+c.Len()], h, nil, net.Outputs, net.Width, n)
			p.ops.AddScaled(dot, 1, product)
		}
	} else {
		copy(dot, hDot)
	}
	output := p.predict(theta, h, n)
	for c := range n {
		if c >= t.used {
			for i := range net.Outputs {
				dot[i*n+c] = 0
			}
			continue
		}
		for i := range net.Outputs {
			p.sample[i], p.sampleDot[i] = float64(output[i*n+c]), float64(dot[i*n+c])
		}
		net.loss.curvature(p.sampleDot, p.sample, t.y[c*net.Outputs:(c+1)*net.Outputs], p.sampleDot)
		for i := range net.Outputs {
			dot[i*n+c] = T(p.sampleDot[i] / float64(total))
		}
	}
	return p.judge(theta, h, t, total)
}

// pullbackDot turns ∂J/∂ŷ and its derivative into the adjoint and its derivative.
func (p *secondPass[T]) pullbackDot(theta, v, hv, h, hDot []T, n int) {
	net, ops := p.net, p.ops
	adjoint, adjointDot := p.adjoint[:net.Width*n], p.adjointDot[:net.Width*n]
	output, dot := p.output[:net.Outputs*n], p.outputDot[:net.Outputs*n]
	c := net.readout
	if c == nil {
		copy(adjoint, output)
		copy(adjointDot, dot)
		return
	}
	clear(adjoint)
	clear(adjointDot)
	w := theta[c.Offset : c.Offset+c.Len()]
	ops.AddTransposed(adjoint, w, output, net.Outputs, net.Width, n)
	ops.AddTransposed(adjointDot, w, dot, net.Outputs, net.Width, n)
	if c.Trained {
		grad := hv[c.Offset : c.Offset+c.Len()]
		ops.AddOuter(grad, dot, h, net.Outputs, net.Width, n, p.outer)
		ops.AddOuter(grad, output, hDot, net.Outputs, net.Width, n, p.outer)
		ops.AddTransposed(adjointDot, v[c.Offset:c.Offset+c.Len()], output, net.Outputs, net.Width, n)
	}
}

// backwardDot takes the adjoint p of layer k and its derivative back by one layer:
// q = δp, t = Vᵀq, e = σ′(u)⊙t, p ← p + Wᵀe, and the same differentiated.
func (p *secondPass[T]) backwardDot(theta, v, hv []T, k, n int) {
	net, ops := p.net, p.ops
	rows, size := net.middle()*n, net.Width*n
	h, hDot := p.state(k, n), block(p.stateDot, k, size)
	s, sDot := block(p.values, k, rows), block(p.valueDot, k, rows)
	ds, dds, uDot := block(p.slopes, k, rows), block(p.second, k, rows), block(p.argDot, k, rows)
	adjoint, adjointDot := p.adjoint[:size], p.adjointDot[:size]
	if net.Residual != "fixed" {
		p.addScale(hv, k, T(inner(adjointDot, block(p.branches, k, size))+inner(adjoint, block(p.branchDot, k, size))))
	}
	delta, deltaDot := theta[net.scaleIndex(k)], p.deltaDot(v, k)
	q, qDot := p.scaled[:size], p.scaleDot[:size]
	clear(q)
	ops.AddScaled(q, delta, adjoint)
	clear(qDot)
	ops.AddScaled(qDot, delta, adjointDot)
	ops.AddScaled(qDot, deltaDot, adjoint)

	pulled, pulledDot := q, qDot
	if a := &net.behind; a.present {
		pulled, pulledDot = p.pulled[:rows], p.pulledDot[:rows]
		p.pull(a, theta, v, hv, k, pulled, pulledDot, q, qDot, s, sDot, true, n)
	}
	e, eDot := p.pulled[:rows], p.pulledDot[:rows]
	row := p.rowDot[:rows]
	ops.ScaleMul(row, 1, pulled, dds)
	ops.ScaleMul(row, 1, row, uDot)
	ops.ScaleMul(eDot, 1, pulledDot, ds)
	ops.AddScaled(eDot, 1, row)
	ops.ScaleMul(e, 1, pulled, ds)
	if a := &net.before; a.present {
		p.pull(a, theta, v, hv, k, adjoint, adjointDot, e, eDot, h, hDot, false, n)
	} else {
		ops.AddScaled(adjoint, 1, e)
		ops.AddScaled(adjointDot, 1, eDot)
	}
}

// pull adds the derivative of the gradient E Xᵀ of layer k's map to hv and puts Mᵀe
// and its derivative into (overwrite) or onto to and toDot.
func (p *secondPass[T]) pull(a *affine, theta, v, hv []T, k int, to, toDot, e, eDot, x, xDot []T, overwrite bool, n int) {
	w, _ := weightsOf(a, theta, k)
	wDot, _ := weightsOf(a, v, k)
	grad, bias := weightsOf(a, hv, k)
	p.ops.AddOuter(grad, eDot, x, a.rows, a.cols, n, p.outer)
	p.ops.AddOuter(grad, e, xDot, a.rows, a.cols, n, p.outer)
	if bias != nil {
		p.ops.AddRowSums(bias, eDot, a.rows, n)
	}
	if overwrite {
		clear(to)
		clear(toDot)
	}
	p.ops.AddTransposed(toDot, w, eDot, a.rows, a.cols, n)
	p.ops.AddTransposed(toDot, wDot, e, a.rows, a.cols, n)
	p.ops.AddTransposed(to, w, e, a.rows, a.cols, n)
}
