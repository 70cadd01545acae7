package resnet

import (
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// HessianVector writes ∇²J(θ)·v to hv and returns J(θ); v and hv have length
// Layout.Trained. It is exact up to rounding: the derivative of the gradient along
// v, taken forward through both passes [Pearlmutter 1994]. Second derivatives of relu
// and elu at their kink count as 0. All states of a tile are kept: memory grows
// with depth.
func (e *Evaluator[T]) HessianVector(theta, v, hv []T) Evaluation {
	if e.second == nil {
		e.second = e.tangents(&alloc.Account{})
	}
	e.theta, e.along, e.grad = theta, v, hv
	e.dealTiles(e.hessianPhase)
	e.deal(e.reducePhase)
	return e.collect()
}

// tangents returns one for each worker that takes tiles.
func (e *Evaluator[T]) tangents(mem *alloc.Account) []*tangent[T] {
	var all []*tangent[T]
	for range e.passes {
		all = append(all, newTangent(mem, e.net, e.ops, e.columns))
	}
	return all
}

func (e *Evaluator[T]) hessianTiles(worker int) {
	e.follow(func(i int, hv []T, fresh bool, turn gate) Evaluation {
		if fresh {
			clear(hv)
		}
		return e.second[worker].differentiate(e.theta, e.along, hv, &e.tiles[i], e.total, turn)
	})
}

// A tangent differentiates, along v, what the plain engine computes of a tile, layer by
// layer beside it. A name with Dot is the derivative along v of the name without.
type tangent[T Float] struct {
	*pass[T]
	layers       *plain[T]
	sum          *gradient[T]
	n            int             // columns of the tile
	theta, v     []T             // arguments of the call under way
	see, visit   func(*layer[T]) // the methods layerForward and layerBackward; made once
	second       []T             // σ″ (L, m, n)
	zDot, uDot   []T             // (L, m, n)
	hDot         []T             // (L+1, d, n)
	xDot         []T             // (L, d, n); none without a norm
	fDot         []T             // (L, d, n)
	pDot         []T             // (d, n)
	q, qDot      []T             // (d, n)
	tDot, eDot   []T             // (m, n)
	gDot         []T             // (d, n), likewise
	product, row []T             // scratch (max(d,m), n) and (m, n)
	outputDot    []T             // (outputs, n)
	sampleDot    []float64
}

func newTangent[T Float](mem *alloc.Account, net *Network, ops *kernel.Ops[T], n int) *tangent[T] {
	d, m, depth := net.Width, net.middle(), net.Depth
	rows := func(count int) []T { return alloc.Make[T](mem, count*n) }
	layers := newPlain(mem, net, ops, n, depth, keeps{states: true, norms: true, slopes: true, values: true, branches: true})
	t := &tangent[T]{
		pass: newPass(mem, net, ops, n, layers), layers: layers, sum: newGradient(mem, net, ops, n),
		second: rows(depth * m), zDot: rows(depth * m), uDot: rows(depth * m),
		hDot: rows((depth + 1) * d), fDot: rows(depth * d), pDot: rows(d), q: rows(d), qDot: rows(d),
		tDot: rows(m), eDot: rows(m), product: rows(max(d, m)), row: rows(m),
		outputDot: rows(net.Outputs), sampleDot: alloc.Make[float64](mem, net.Outputs),
	}
	if layers.norm.present() {
		t.xDot, t.gDot = rows(depth*d), rows(d)
	}
	t.see, t.visit = t.layerForward, t.layerBackward
	layers.errors = rows(m) // e and t are read together
	layers.sigma = func(k int, s, ds, u []T) {
		dds := block(t.second, k, len(u))
		for i, z := range u {
			value, first, second := net.activation.Derivatives(float64(z))
			s[i], ds[i], dds[i] = T(value), T(first), T(second)
		}
	}
	return t
}

// differentiate adds the tile's part of ∇²J·v to hv, behind the tile before at the gate.
func (t *tangent[T]) differentiate(theta, v, hv []T, tile *tile[T], total int, turn gate) Evaluation {
	t.theta, t.v, t.n = theta, v, tile.n
	t.embed(theta, tile)
	h := t.hDot[:t.net.Width*t.n]
	clear(h)
	if e := t.net.embed; e != nil && e.Trained {
		t.ops.Affine(h, entries(e, v), tile.x, nil, t.net.Width, t.net.Inputs, t.n)
	}
	last := t.layers.forwardWith(theta, t.n, true, t.see)
	lastDot := block(t.hDot, t.net.Depth, t.net.Width*t.n)
	sum := t.judgeDot(last, lastDot, tile, total)
	t.sum.begin(hv, t.n, false, turn)
	p, pDot := t.pull(theta, t.n), t.pullDot(last, lastDot)
	t.layers.backwardWith(theta, p, t.n, t.visit)
	t.sum.end(pDot, tile.x)
	return sum
}

// push computes zDot = Ṁ h + M ḣ + biasDot for z = M h + bias.
func (t *tangent[T]) push(a *affine, k int, zDot, h, hDot []T) {
	w, _ := weightsOf(a, t.theta, k)
	wDot, bDot := weightsOf(a, t.v, k)
	t.ops.Affine(zDot, wDot, h, bDot, a.rows, a.cols, t.n)
	product := t.product[:a.rows*t.n]
	t.ops.Affine(product, w, hDot, nil, a.rows, a.cols, t.n)
	t.ops.AddScaled(zDot, 1, product)
}

// deltas returns δ_k and its derivative along v, 0 for a fixed δ.
func (t *tangent[T]) deltas(k int) (delta, dot T) {
	i := t.net.scaleIndex(k)
	if t.net.Residual != "fixed" {
		dot = t.v[i]
	}
	return t.theta[i], dot
}

// layerForward computes the tangent of a layer.
func (t *tangent[T]) layerForward(l *layer[T]) {
	rows, size := t.net.middle()*t.n, t.net.Width*t.n
	hDot, nextDot := block(t.hDot, l.k, size), block(t.hDot, l.k+1, size)
	uDot, zDot, fDot := block(t.uDot, l.k, rows), block(t.zDot, l.k, rows), block(t.fDot, l.k, size)
	xDot := t.inputDot(l.k)
	if norm := &t.layers.norm; norm.present() {
		centred := t.gDot[:size]
		copy(centred, hDot)
		norm.centre(centred, t.n)
		clear(xDot)
		norm.add(xDot, centred, l)
	}
	if a := &t.net.before; a.present {
		t.push(a, l.k, uDot, l.x, xDot)
	} else {
		copy(uDot, xDot)
	}
	t.ops.ScaleMul(zDot, 1, l.slope, uDot)
	if a := &t.net.behind; a.present {
		t.push(a, l.k, fDot, l.value, zDot)
	} else {
		copy(fDot, zDot)
	}
	delta, deltaDot := t.deltas(l.k)
	copy(nextDot, hDot)
	t.ops.AddScaled(nextDot, delta, fDot)
	t.ops.AddScaled(nextDot, deltaDot, l.branch)
}

// judgeDot leaves ∂J/∂ŷ in t.output and its derivative along v in t.outputDot.
func (t *tangent[T]) judgeDot(h, hDot []T, tile *tile[T], total int) Evaluation {
	outputs, n := t.net.Outputs, t.n
	dot := t.outputDot[:outputs*n]
	if c := t.net.readout; c != nil {
		t.ops.Affine(dot, entries(c, t.theta), hDot, nil, outputs, t.net.Width, n)
		if c.Trained {
			product := t.output[:outputs*n]
			t.ops.Affine(product, entries(c, t.v), h, nil, outputs, t.net.Width, n)
			t.ops.AddScaled(dot, 1, product)
		}
	} else {
		copy(dot, hDot)
	}
	output := t.predict(t.theta, h, n)
	for c := range n {
		if c >= tile.used {
			for i := range outputs {
				dot[i*n+c] = 0
			}
			continue
		}
		for i := range outputs {
			t.sample[i], t.sampleDot[i] = float64(output[i*n+c]), float64(dot[i*n+c])
		}
		t.net.loss.curvature(t.sampleDot, t.sample, tile.y[c*outputs:(c+1)*outputs], t.sampleDot)
		for i := range outputs {
			dot[i*n+c] = T(t.sampleDot[i] / float64(total))
		}
	}
	return t.judge(t.theta, h, tile, total)
}

// pullDot returns the derivative of the adjoint of h_L and adds that of ∂J/∂C.
func (t *tangent[T]) pullDot(h, hDot []T) []T {
	outputs, d, n := t.net.Outputs, t.net.Width, t.n
	pDot, r, rDot := t.pDot[:d*n], t.output[:outputs*n], t.outputDot[:outputs*n]
	c := t.net.readout
	if c == nil {
		copy(pDot, rDot)
		return pDot
	}
	clear(pDot)
	t.ops.AddTransposed(pDot, entries(c, t.theta), rDot, outputs, d, n)
	if c.Trained {
		t.sum.readout(rDot, h)
		t.sum.readout(r, hDot)
		t.ops.AddTransposed(pDot, entries(c, t.v), r, outputs, d, n)
	}
	return pDot
}

// layerBackward differentiates what the engine computes of a layer on the way back.
func (t *tangent[T]) layerBackward(l *layer[T]) {
	net, ops := t.net, t.ops
	rows, size := net.middle()*t.n, net.Width*t.n
	t.sum.turn.enter(l.k, l.k+1, net.Depth)
	pDot, fDot := t.pDot[:size], block(t.fDot, l.k, size)
	if net.Residual != "fixed" {
		t.sum.addScale(l.k, T(inner(pDot, l.branch)+inner(l.p, fDot)))
	}
	delta, deltaDot := t.deltas(l.k)
	qDot := t.qDot[:size]
	clear(qDot)
	ops.AddScaled(qDot, delta, pDot)
	ops.AddScaled(qDot, deltaDot, l.p)
	pulled, tDot := l.t, t.tDot[:rows]
	if a := &net.behind; a.present {
		clear(tDot)
		t.pullMap(a, l.k, tDot, l.q, qDot, l.value, block(t.zDot, l.k, rows))
	} else {
		pulled, tDot = t.q[:size], qDot
		clear(pulled)
		ops.AddScaled(pulled, delta, l.p)
	}
	row, eDot := t.row[:rows], t.eDot[:rows]
	ops.ScaleMul(row, 1, pulled, block(t.second, l.k, rows))
	ops.ScaleMul(row, 1, row, block(t.uDot, l.k, rows))
	ops.ScaleMul(eDot, 1, tDot, l.slope)
	ops.AddScaled(eDot, 1, row)
	norm, to := &t.layers.norm, pDot
	if norm.present() {
		to = t.gDot[:size]
		clear(to)
	}
	xDot := t.inputDot(l.k)
	if a := &net.before; a.present {
		t.pullMap(a, l.k, to, l.e, eDot, l.x, xDot)
	} else {
		ops.AddScaled(to, 1, eDot)
	}
	if norm.present() {
		norm.centre(to, t.n)
		norm.add(pDot, to, l)
		norm.bend(pDot, block(t.hDot, l.k, size), xDot, l.g, l)
	}
}

// inputDot returns the derivative of what the block of layer k sees.
func (t *tangent[T]) inputDot(k int) []T {
	dots := t.xDot
	if dots == nil {
		dots = t.hDot
	}
	return block(dots, k, t.net.Width*t.n)
}

// pullMap adds the derivative of the gradient E Xᵀ of layer k's map, and that of Mᵀ E to toDot.
func (t *tangent[T]) pullMap(a *affine, k int, toDot, e, eDot, x, xDot []T) {
	w, _ := weightsOf(a, t.theta, k)
	wDot, _ := weightsOf(a, t.v, k)
	t.sum.add(a, k, eDot, x)
	gw, _ := weightsOf(a, t.sum.to, k)
	t.ops.AddOuter(gw, e, xDot, a.rows, a.cols, t.n, t.sum.outer)
	t.ops.AddTransposed(toDot, w, eDot, a.rows, a.cols, t.n)
	t.ops.AddTransposed(toDot, wDot, e, a.rows, a.cols, t.n)
}
