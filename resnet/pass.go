package resnet

import (
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// A pass is one worker's memory for taking a tile forward and back through the
// depth. The layers are cut into segments: the states of one segment are kept at a
// time, those of the others are recomputed from the segment's first state, or
// from σ of its layers. The results do not depend on the cut, as either gives the same
// bits.
//
// Letters: n columns, K layers of a segment, d width, m rows of the activation.
type pass[T kernel.Float] struct {
	net        *Network
	ops        *kernel.Ops[T]
	sigma      func(s, ds, u []T) // σ and σ′ of a whole layer
	unforeseen bool               // whether weights need a request of their own
	fused      bool               // whether ops takes a layer in one call
	chained    bool               // whether it takes several, with σ in the place of σ′
	kind       kernel.Activation  // σ, if the kernel has it
	cut                           // segment: K

	starts   []T // first state of each segment (⌈L/K⌉, d, n)
	states   []T // h (K+1, d, n)
	slopes   []T // σ′ (K, m, n), or σ where chained
	values   []T // σ (K, m, n), where behind or a trained δ needs it, else one layer; or those of the last layers
	branches []T // f (K, d, n), where a trained δ needs it apart from σ, else one layer

	adjoint  []T // p (d, n)
	scaled   []T // δ p (d, n)
	pulled   []T // adjoint of σ's value, then of its argument (m, n)
	product  []T // z or f before the residual sum (max(d,m), n)
	outer    []T // scratch of AddOuter
	errors   []T // scratch of BackTanh (stretch, d, n)
	output   []T // ŷ, then ∂J/∂ŷ (outputs, n)
	scale    T   // gradient of a shared δ, of one tile
	sample   []float64
	gradient []float64
}

func newPass[T kernel.Float](net *Network, ops *kernel.Ops[T], n int, c cut) *pass[T] {
	d, m, k := net.Width, net.middle(), c.segment
	room := func(keep bool, rows int) []T {
		if keep {
			return make([]T, k*rows*n)
		}
		return make([]T, rows*n)
	}
	values := room(net.keepValues(), m)
	if c.kept > 0 {
		values = make([]T, c.kept*m*n)
	}
	return &pass[T]{
		net: net, ops: ops, cut: c, sigma: activate(net, ops),
		kind: vectorised[net.Activation], fused: fused(net), chained: valued(net) && net.before.bias == nil, unforeseen: unforeseen[T](net),
		starts:   make([]T, (net.Depth+k-1)/k*d*n),
		states:   make([]T, (k+1)*d*n),
		slopes:   make([]T, k*m*n),
		values:   values,
		branches: room(net.keepBranches(), d),
		adjoint:  make([]T, d*n), scaled: make([]T, d*n),
		pulled: make([]T, m*n), product: make([]T, max(d, m)*n),
		outer:    make([]T, kernel.OuterScratch(max(d, m, net.Outputs), max(d, m, net.Inputs), n)),
		errors:   make([]T, stretchOf(net)*d*n),
		output:   make([]T, net.Outputs*n),
		sample:   make([]float64, net.Outputs),
		gradient: make([]float64, net.Outputs),
	}
}

// vectorised lists the activations that have a vector kernel.
var vectorised = map[string]kernel.Activation{"tanh": kernel.Tanh, "gelu": kernel.GELU}

// fused says whether the kernels take a layer of the network in one call.
func fused(net *Network) bool {
	_, vector := vectorised[net.Activation]
	return vector && net.Block == "inner" && net.Residual == "fixed"
}

// valued says whether the states and slopes of the network follow from σ of each layer.
func valued(net *Network) bool { return fused(net) && net.Activation == "tanh" }

// activate returns σ and σ′ for a whole layer: the vector kernel where there is
// one, else entry by entry in float64.
func activate[T kernel.Float](net *Network, ops *kernel.Ops[T]) func(s, ds, u []T) {
	if kind, ok := vectorised[net.Activation]; ok {
		return func(s, ds, u []T) { ops.Activate(kind, s, ds, u) }
	}
	return func(s, ds, u []T) {
		for i, z := range u {
			value, first, _ := net.activation.Derivatives(float64(z))
			s[i], ds[i] = T(value), T(first)
		}
	}
}

// Views of what the pass keeps; j counts layers inside the segment.

func (p *pass[T]) state(j, n int) []T { return block(p.states, j, p.net.Width*n) }
func (p *pass[T]) slope(j, n int) []T { return block(p.slopes, j, p.net.middle()*n) }

func (p *pass[T]) value(j, n int) []T {
	if !p.net.keepValues() {
		j = 0
	}
	return block(p.values, j, p.net.middle()*n)
}

func (p *pass[T]) branch(j, n int) []T {
	if !p.net.keepBranches() {
		j = 0
	}
	return block(p.branches, j, p.net.Width*n)
}

func block[T any](s []T, j, size int) []T { return s[j*size : (j+1)*size : (j+1)*size] }

// scaleIndex returns where δ of layer k stands in θ.
func (n *Network) scaleIndex(k int) int {
	if n.Residual == "layered" {
		return n.delta.Offset + k
	}
	return n.delta.Offset
}

// weightsOf returns M (rows,cols) and the bias (nil without one) of layer k, k = 0..L−1.
func weightsOf[T any](a *affine, theta []T, k int) (w, b []T) {
	w = block(theta[a.weights.Offset:], k, a.rows*a.cols)
	if a.bias != nil {
		b = block(theta[a.bias.Offset:], k, a.rows)
	}
	return w, b
}

// embed writes h_0 = E x to the first start.
func (p *pass[T]) embed(theta []T, t *tile[T]) {
	h := p.starts[:p.net.Width*t.n]
	if e := p.net.embed; e != nil {
		p.ops.Affine(h, theta[e.Offset:e.Offset+e.Len()], t.x, nil, p.net.Width, p.net.Inputs, t.n)
		return
	}
	copy(h, t.x)
}

// keeps says whether σ of layer k is kept.
func (p *pass[T]) keeps(k int) bool { return p.kept > 0 && k >= p.net.Depth-p.kept }

// keptValues returns σ of layer k and all after it.
func (p *pass[T]) keptValues(k, size int) []T { return p.values[(k-p.net.Depth+p.kept)*size:] }

// sweep takes the layers of segment g from its start to its end and keeps σ of each, and the
// last state as the start of the next segment. It returns that.
func (p *pass[T]) sweep(theta []T, g, n int) []T {
	size := p.net.Width * n
	h := block(p.starts, g, size)
	first := g * p.segment
	layers := min(p.segment, p.net.Depth-first)
	values := p.keptValues(first, size)
	if p.chained {
		p.chain(theta, first, p.state(0, n), values, h, n, layers, 0, size)
		h = p.state(0, n)
		layers = 0
	}
	for j := range layers {
		w, b := weightsOf(&p.net.before, theta, first+j)
		next := p.state(j&1, n)
		p.ops.Forward(kernel.TanhValue, next, block(values, j, size), w, h, b, theta[p.net.delta.Offset], p.net.Width, n)
		h = next
	}
	if g+1 < p.segments() {
		copy(block(p.starts, g+1, size), h)
	}
	return h
}

// restore brings back the states of segment g from σ of its layers.
func (p *pass[T]) restore(theta []T, g, n int) {
	size := p.net.Width * n
	first := g * p.segment
	copy(p.state(0, n), block(p.starts, g, size))
	end := (min(p.segment, p.net.Depth-first) - 1) * size
	p.ops.SumScaled(p.states[size:size+end], theta[p.net.delta.Offset], p.keptValues(first, size)[:end], p.states[:end])
}

// hold is forward that keeps what backward reads: where chained, σ in the place of σ′.
func (p *pass[T]) hold(theta []T, g, n int) []T {
	if !p.chained {
		return p.forward(theta, g, n, true)
	}
	size, first := p.net.Width*n, g*p.segment
	layers := min(p.segment, p.net.Depth-first)
	copy(p.state(0, n), block(p.starts, g, size))
	p.chain(theta, first, p.states[size:], p.slopes, p.state(0, n), n, layers, size, size)
	return p.state(layers, n)
}

// chain takes a tile from h through that many layers from the first, in one call.
func (p *pass[T]) chain(theta []T, first int, next, values, h []T, n, layers, nextStep, valueStep int) {
	d := p.net.Width
	w := theta[p.net.before.weights.Offset+first*d*d:]
	p.ops.ForwardTanh(next, values, w, h, theta[p.net.delta.Offset], d, n, layers, nextStep, valueStep)
}

// forward takes the layers of segment g from its start to its end. With keep
// every layer's state and σ′ stay, else each overwrites the one before and
// the last becomes the start of the next segment. It returns the last state.
func (p *pass[T]) forward(theta []T, g, n int, keep bool) []T {
	size := p.net.Width * n
	first := g * p.segment
	layers := min(p.segment, p.net.Depth-first)
	copy(p.state(0, n), block(p.starts, g, size))
	end := 0
	if p.chained && !keep {
		p.chain(theta, first, p.state(0, n), p.slopes, p.state(0, n), n, layers, 0, 0)
		layers = 0
	}
	for j := range layers {
		from, to, slot := j, j+1, j
		if !keep { // two states in turn, what else a layer computes in slot 0
			from, to, slot = j%2, 1-j%2, 0
		}
		if p.fused {
			var ds []T
			if keep {
				ds = p.slope(slot, n)
			}
			w, b := weightsOf(&p.net.before, theta, first+j)
			p.ops.Forward(p.kind, p.state(to, n), ds, w, p.state(from, n), b, theta[p.net.delta.Offset], p.net.Width, n)
		} else {
			p.layer(theta, first+j, p.state(to, n), p.state(from, n), p.slope(slot, n), p.value(slot, n), p.branch(slot, n), n)
		}
		end = to
	}
	last := p.state(end, n)
	if g+1 < p.segments() {
		copy(block(p.starts, g+1, size), last)
	}
	return last
}

// layer computes next = h + δ f(h) of layer k with σ′(u) in ds, σ(u) in s and, for
// a block with a map behind σ, f in f.
func (p *pass[T]) layer(theta []T, k int, next, h, ds, s, f []T, n int) {
	u := h
	if a := &p.net.before; a.present {
		w, b := weightsOf(a, theta, k)
		u = p.product[:a.rows*n]
		p.ops.Affine(u, w, h, b, a.rows, a.cols, n)
	}
	p.sigma(s, ds, u)
	if a := &p.net.behind; a.present {
		w, b := weightsOf(a, theta, k)
		p.ops.Affine(f, w, s, b, a.rows, a.cols, n)
	} else {
		f = s
	}
	copy(next, h)
	p.ops.AddScaled(next, theta[p.net.scaleIndex(k)], f)
}

// backward takes the adjoint from the end of segment g to its start and adds each
// layer's gradient to grad, which ends at Layout.Trained, behind the tile before at
// the gate. With fresh a layer's entries are set to zero first.
func (p *pass[T]) backward(theta, grad []T, g, n int, fresh bool, turn gate) {
	if p.chained {
		p.chainBack(theta, grad, g, n, fresh, turn)
		return
	}
	net, ops := p.net, p.ops
	first, every := g*p.segment, lag(net.Depth)
	layers := min(p.segment, net.Depth-first)
	adjoint, scaled := p.adjoint[:net.Width*n], p.scaled[:net.Width*n]
	ahead := first + layers // the tile before is done with this layer and later ones
	for j := layers - 1; j >= 0; j-- {
		k := first + j
		if k < ahead {
			back := net.Depth - 1 - k
			ahead = max(0, k+1-every)
			turn.reach(1 + back)
			turn.wait(1 + net.Depth - ahead)
		}
		h, ds := p.state(j, n), p.slope(j, n)
		if p.fused {
			p.foresee(theta, grad, k)
			gw, gb := freshGradient(&net.before, grad, k, fresh)
			p.fusedBack(theta, gw, gb, k, j, n)
			continue
		}
		if net.Residual != "fixed" {
			f := p.value(j, n)
			if net.behind.present {
				f = p.branch(j, n)
			}
			p.addScale(grad, k, T(inner(adjoint, f)))
		}
		delta := theta[net.scaleIndex(k)]
		pulled := p.pulled[:net.middle()*n]
		if a := &net.behind; a.present {
			clear(scaled)
			ops.AddScaled(scaled, delta, adjoint)
			p.addGradient(a, grad, k, scaled, p.value(j, n), n, fresh)
			clear(pulled)
			w, _ := weightsOf(a, theta, k)
			ops.AddTransposed(pulled, w, scaled, a.rows, a.cols, n)
			ops.ScaleMul(pulled, 1, pulled, ds)
		} else {
			ops.ScaleMul(pulled, delta, adjoint, ds)
		}
		if a := &net.before; a.present {
			p.addGradient(a, grad, k, pulled, h, n, fresh)
			w, _ := weightsOf(a, theta, k)
			ops.AddTransposed(adjoint, w, pulled, a.rows, a.cols, n)
		} else {
			ops.AddScaled(adjoint, 1, pulled)
		}
	}
}

// chainBack is backward where chained: the kernel takes stretches of layers.
func (p *pass[T]) chainBack(theta, grad []T, g, n int, fresh bool, turn gate) {
	depth, first, every, size := p.net.Depth, g*p.segment, lag(p.net.Depth), p.net.Width*p.net.Width
	ahead := min(first+p.segment, depth) // the tile before is done with this layer and later ones
	for end := ahead; end > first; {
		from := max(first, end-stretchOf(p.net))
		if from < ahead {
			ahead = max(0, min(from, end-every))
			turn.reach(1 + depth - end)
			turn.wait(1 + depth - ahead)
		}
		p.stretchBack(theta, grad[p.net.before.weights.Offset:][from*size:end*size], from, end, first, n, fresh)
		end = from
	}
}

// nearWeights is about how many weights stay in the nearest cache with their gradient.
const nearWeights = 2048

// stretchOf returns how many layers the kernel takes back at a time at most.
func stretchOf(net *Network) int { return max(1, nearWeights/(net.Width*net.Width)) }

// stretchBack takes the adjoint through layers end−1 to from of the segment that starts at
// layer first, and adds the gradients of their weights to grad, or with fresh sets it to them.
func (p *pass[T]) stretchBack(theta, grad []T, from, end, first, n int, fresh bool) {
	d := p.net.Width
	tile := d * n
	values := p.slopes[(from-first)*tile:]
	if p.keeps(first) {
		values = p.keptValues(from, tile)
	}
	w := theta[p.net.before.weights.Offset+from*d*d:]
	p.ops.BackTanh(grad, p.adjoint[:tile], p.errors, w, values, p.states[(from-first)*tile:], theta[p.net.delta.Offset], d, n, end-from, fresh, p.outer)
}

// fusedBack takes the adjoint from the output of layer k, of slot j in its segment, to its
// input and adds its gradients.
func (p *pass[T]) fusedBack(theta, gw, gb []T, k, j, n int) {
	d := p.net.Width
	kind, ds := p.kind, p.slope(j, n)
	if p.keeps(k) {
		kind, ds = kernel.TanhValue, block(p.keptValues(k, d*n), 0, d*n)
	}
	w, _ := weightsOf(&p.net.before, theta, k)
	p.ops.Backward(kind, gw, gb, p.adjoint[:d*n], p.pulled[:d*n], w, ds, p.state(j, n), theta[p.net.delta.Offset], d, n, p.outer)
}

// foresee asks for the weights and the gradient of the layer before layer k.
func (p *pass[T]) foresee(theta, grad []T, k int) {
	if k == 0 || !p.unforeseen {
		return
	}
	w, _ := weightsOf(&p.net.before, theta, k-1)
	g, _ := weightsOf(&p.net.before, grad, k-1)
	p.ops.Prefetch(w)
	p.ops.Prefetch(g)
}

// addScale adds to the gradient of δ_k. A δ that all layers share is summed over the
// tile first, as the tile before may be at other layers still.
func (p *pass[T]) addScale(grad []T, k int, v T) {
	if p.net.Residual == "shared" {
		p.scale += v
		return
	}
	grad[p.net.scaleIndex(k)] += v
}

// freshGradient returns layer k's entries of the gradient, set to zero with fresh.
func freshGradient[T kernel.Float](a *affine, grad []T, k int, fresh bool) (w, b []T) {
	w, b = weightsOf(a, grad, k)
	if fresh {
		clear(w)
		clear(b)
	}
	return w, b
}

// addGradient adds E Hᵀ and the row sums of E to the gradient of layer k's map.
func (p *pass[T]) addGradient(a *affine, grad []T, k int, e, h []T, n int, fresh bool) {
	w, b := freshGradient(a, grad, k, fresh)
	p.ops.AddOuter(w, e, h, a.rows, a.cols, n, p.outer)
	if b != nil {
		p.ops.AddRowSums(b, e, a.rows, n)
	}
}

// inner returns Σ x_i y_i in float64, in order.
func inner[T kernel.Float](x, y []T) float64 {
	sum := 0.0
	for i, v := range x {
		sum += float64(float64(v) * float64(y[i])) // rounded, so that no machine fuses it
	}
	return sum
}

// predict writes ŷ = C h to p.output.
func (p *pass[T]) predict(theta, h []T, n int) []T {
	output := p.output[:p.net.Outputs*n]
	if c := p.net.readout; c != nil {
		p.ops.Affine(output, theta[c.Offset:c.Offset+c.Len()], h, nil, p.net.Outputs, p.net.Width, n)
	} else {
		copy(output, h)
	}
	return output
}

// judge sums the losses of the tile's samples and counts the correct classes,
// given the last state h; output becomes ∂J/∂ŷ (columns without a sample: 0) for a
// mean over total samples.
func (p *pass[T]) judge(theta, h []T, t *tile[T], total int) (sum float64, correct int) {
	outputs, n := p.net.Outputs, t.n
	output := p.predict(theta, h, n)
	for c := range n {
		if c >= t.used {
			for i := range outputs {
				output[i*n+c] = 0
			}
			continue
		}
		for i := range outputs {
			p.sample[i] = float64(output[i*n+c])
		}
		if t.want != nil && argmax(p.sample) == t.want[c] {
			correct++
		}
		sum += p.net.loss.value(p.gradient, p.sample, t.y[c*outputs:(c+1)*outputs])
		for i := range outputs {
			output[i*n+c] = T(p.gradient[i] / float64(total))
		}
	}
	return sum, correct
}

// argmax returns the index of the largest entry, the first of equals, −1 when none is a number.
func argmax(v []float64) int {
	best := -1
	for i, x := range v {
		if x == x && (best < 0 || x > v[best]) {
			best = i
		}
	}
	return best
}

// pullback turns ∂J/∂ŷ in p.output into the adjoint ∂J/∂h_L and adds the gradient
// of a trained readout.
func (p *pass[T]) pullback(theta, grad, h []T, n int) {
	adjoint := p.adjoint[:p.net.Width*n]
	output := p.output[:p.net.Outputs*n]
	c := p.net.readout
	if c == nil {
		copy(adjoint, output)
		return
	}
	if c.Trained {
		p.ops.AddOuter(grad[c.Offset:c.Offset+c.Len()], output, h, p.net.Outputs, p.net.Width, n, p.outer)
	}
	clear(adjoint)
	p.ops.AddTransposed(adjoint, theta[c.Offset:c.Offset+c.Len()], output, p.net.Outputs, p.net.Width, n)
}

// evaluate returns the sum of losses and the number of correct classes of a tile.
func (p *pass[T]) evaluate(theta []T, t *tile[T], total int) (float64, int) {
	p.embed(theta, t)
	var last []T
	for g := range p.segments() {
		last = p.forward(theta, g, t.n, false)
	}
	return p.judge(theta, last, t, total)
}

func (p *pass[T]) segments() int { return (p.net.Depth + p.segment - 1) / p.segment }

// differentiate is evaluate that also adds the tile's part of ∇J to grad, behind the
// tile before at the gate. With fresh the layers' entries of grad are set first instead of
// added to; the entries of δ, E and C must be zero then.
func (p *pass[T]) differentiate(theta, grad []T, t *tile[T], total int, fresh bool, turn gate) (sum float64, correct int) {
	h, sum, correct := p.ahead(theta, t, total)
	p.back(theta, grad, h, t, fresh, turn)
	return sum, correct
}

// ahead is evaluate that keeps what the way back needs, and returns the last state too.
func (p *pass[T]) ahead(theta []T, t *tile[T], total int) (h []T, sum float64, correct int) {
	p.embed(theta, t)
	last := p.segments() - 1
	for g := range last + 1 {
		switch {
		case p.keeps(g * p.segment):
			h = p.sweep(theta, g, t.n)
		case g == last:
			h = p.hold(theta, g, t.n)
		default:
			p.forward(theta, g, t.n, false)
		}
	}
	sum, correct = p.judge(theta, h, t, total)
	return h, sum, correct
}

// recall brings back the states of segment g that the way ahead did not keep.
func (p *pass[T]) recall(theta []T, g, n int) {
	switch {
	case p.keeps(g * p.segment):
		p.restore(theta, g, n)
	case g+1 < p.segments():
		p.hold(theta, g, n)
	}
}

// back is the way back of differentiate after ahead, which returned h.
func (p *pass[T]) back(theta, grad, h []T, t *tile[T], fresh bool, turn gate) {
	p.scale = 0
	turn.wait(1)
	p.pullback(theta, grad, h, t.n)
	for g := p.segments() - 1; g >= 0; g-- {
		p.recall(theta, g, t.n)
		p.backward(theta, grad, g, t.n, fresh, turn)
	}
	turn.wait(finished)
	if p.net.Residual == "shared" {
		grad[p.net.delta.Offset] += p.scale
	}
	if e := p.net.embed; e != nil && e.Trained {
		p.ops.AddOuter(grad[e.Offset:e.Offset+e.Len()], p.adjoint[:p.net.Width*t.n], t.x, p.net.Width, p.net.Inputs, t.n, p.outer)
	}
}
