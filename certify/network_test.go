package certify_test

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/certify"
	"gonum.org/v1/gonum/mat"
)

// network is a dense residual network written from the definitions alone: the
// oracle that measures what the bounds are about. All layers have the same shapes.
//
//	inner  f = σ(A h + b)      outer  f = A σ(h) + c      mlp  f = V σ(W h + b) + c
//
// v holds A or V; the bias beside it is c, the one inside σ is b. nil means absent.
type network struct {
	block    string
	σ        activation.Function
	alpha, δ float64
	v, w     []*mat.Dense
	b, c     [][]float64
	readout  *mat.Dense // C (outputs,d) with orthonormal rows, nil for the identity
	x, y     [][]float64
	bias     bool
}

// state is everything that one evaluation of loss and gradient produces.
type state struct {
	loss     float64
	h        [][][]float64 // [k][i] h_k(x_i), k = 0..L
	z        [][][]float64 // [k][i] argument of σ in layer k+1
	gv, gw   []*mat.Dense
	gb, gc   [][]float64
	gradient float64 // ‖∇J‖
}

func (n *network) depth() int { return len(n.v) }
func (n *network) width() int { return len(n.x[0]) }

// evaluate computes loss, hidden states and gradient by the chain rule.
func (n *network) evaluate() *state {
	L, N := n.depth(), len(n.x)
	s := &state{gv: zeros(n.v), gw: zeros(n.w), gb: zeroRows(n.b), gc: zeroRows(n.c)}
	s.h, s.z = make([][][]float64, L+1), make([][][]float64, L)
	first := func(z float64) float64 { _, d, _ := n.σ.Derivatives(z); return d }
	for i, x := range n.x {
		h := slices.Clone(x)
		s.h[0] = append(s.h[0], h)
		for k := range L {
			z := h
			switch n.block {
			case "inner":
				z = times(n.v[k], h)
			case "mlp":
				z = times(n.w[k], h)
			}
			if n.b != nil {
				z = plus(z, n.b[k])
			}
			f := apply(n.σ.Value, z)
			if n.block != "inner" {
				f = times(n.v[k], f)
			}
			if n.c != nil {
				f = plus(f, n.c[k])
			}
			h = slices.Clone(h)
			for j := range h {
				h[j] += n.δ * f[j]
			}
			s.z[k], s.h[k+1] = append(s.z[k], z), append(s.h[k+1], h)
		}
		out := h
		if n.readout != nil {
			out = times(n.readout, h)
		}
		r := make([]float64, len(out))
		for j := range r {
			r[j] = out[j] - n.y[i][j]
			s.loss += r[j] * r[j] / float64(2*N)
		}
		p := r
		if n.readout != nil {
			p = transposed(n.readout, r)
		}
		scale := n.δ / float64(N)
		for k := L - 1; k >= 0; k-- {
			z, h := s.z[k][i], s.h[k][i]
			slope := apply(first, z)
			q := p
			if n.block != "inner" {
				addOuter(s.gv[k], scale, p, apply(n.σ.Value, z))
				q = transposed(n.v[k], p)
			}
			if n.c != nil {
				for j := range p {
					s.gc[k][j] += scale * p[j]
				}
			}
			for j := range q {
				slope[j] *= q[j]
			}
			if n.b != nil {
				for j := range slope {
					s.gb[k][j] += scale * slope[j]
				}
			}
			var back []float64
			switch n.block {
			case "inner":
				addOuter(s.gv[k], scale, slope, h)
				back = transposed(n.v[k], slope)
			case "outer":
				back = slope
			case "mlp":
				addOuter(s.gw[k], scale, slope, h)
				back = transposed(n.w[k], slope)
			}
			next := slices.Clone(p)
			for j := range next {
				next[j] += n.δ * back[j]
			}
			p = next
		}
	}
	for k := range L {
		g := s.layer(k)
		s.gradient += dot(g, g)
	}
	s.gradient = math.Sqrt(s.gradient)
	return s
}

// layer returns the gradient of layer k, all parameters in one vector.
func (s *state) layer(k int) []float64 {
	g := slices.Clone(s.gv[k].RawMatrix().Data)
	if len(s.gw) > 0 {
		g = append(g, s.gw[k].RawMatrix().Data...)
	}
	if len(s.gb) > 0 {
		g = append(g, s.gb[k]...)
	}
	if len(s.gc) > 0 {
		g = append(g, s.gc[k]...)
	}
	return g
}

// step moves all parameters by −η times the gradient.
func (n *network) step(s *state, η float64) {
	for k := range n.v {
		move := func(p, g []float64) {
			for j := range p {
				p[j] -= η * g[j]
			}
		}
		move(n.v[k].RawMatrix().Data, s.gv[k].RawMatrix().Data)
		if n.w != nil {
			move(n.w[k].RawMatrix().Data, s.gw[k].RawMatrix().Data)
		}
		if n.b != nil {
			move(n.b[k], s.gb[k])
		}
		if n.c != nil {
			move(n.c[k], s.gc[k])
		}
	}
}

// parameters returns all parameters of layer k in the order of state.layer.
func (n *network) parameters(k int) []float64 {
	p := slices.Clone(n.v[k].RawMatrix().Data)
	if n.w != nil {
		p = append(p, n.w[k].RawMatrix().Data...)
	}
	if n.b != nil {
		p = append(p, n.b[k]...)
	}
	if n.c != nil {
		p = append(p, n.c[k]...)
	}
	return p
}

// problem describes the network as a gradient-descent run in float64.
func (n *network) problem() certify.Problem {
	p := certify.Problem{
		Block: n.block, Activation: n.σ.Name(), Loss: "squared", Method: "gd", Residual: "fixed",
		Embed: "identity", Readout: "identity", Bias: n.bias,
		Depth: n.depth(), Width: n.width(), Samples: len(n.x), Outputs: len(n.y[0]), Alpha: n.alpha,
		MinInputNorm: math.Inf(1), UnitRoundoff: 0x1p-53,
	}
	if n.readout != nil {
		p.Readout = "orthonormal"
	}
	if n.block == "mlp" {
		p.Hidden = n.v[0].RawMatrix().Cols
	}
	for i, x := range n.x {
		p.MinInputNorm, p.MaxInputNorm = min(p.MinInputNorm, norm(x)), max(p.MaxInputNorm, norm(x))
		for _, other := range n.x[:i] {
			p.MaxInnerProduct = max(p.MaxInnerProduct, math.Abs(dot(x, other)))
		}
	}
	return p
}

// measure fills in a Measurement; next may be nil.
func (n *network) measure(s *state) certify.Measurement {
	m := certify.Measurement{Loss: s.loss, GradientNorm: s.gradient, Delta: []float64{n.δ}}
	for k := range s.h {
		var largest float64
		for _, h := range s.h[k] {
			largest = max(largest, norm(h))
		}
		m.Hidden = append(m.Hidden, largest)
	}
	for k := range n.v {
		m.Weights = append(m.Weights, spectral(n.v[k]))
		m.Gradients = append(m.Gradients, norm(s.layer(k)))
		if n.w != nil {
			m.InnerWeights = append(m.InnerWeights, spectral(n.w[k]))
		}
		bias, outer := n.b, n.c
		if n.block == "outer" {
			bias, outer = n.c, nil
		}
		if bias != nil {
			m.Biases = append(m.Biases, norm(bias[k]))
		}
		if outer != nil {
			m.OuterBiases = append(m.OuterBiases, norm(outer[k]))
		}
		m.Features = append(m.Features, n.featureSigma(s, k))
		if n.block != "inner" {
			var largest float64
			for _, u := range n.features(s, k) {
				largest = max(largest, norm(u))
			}
			m.FeatureNorms = append(m.FeatureNorms, largest)
		}
		if n.block == "inner" {
			least := math.Inf(1)
			for _, z := range s.z[k] {
				for _, v := range z {
					_, d, _ := n.σ.Derivatives(v)
					least = min(least, math.Abs(d))
				}
			}
			m.Slopes = append(m.Slopes, least)
		}
		if k == 0 || n.block == "mlp" {
			continue
		}
		var diff mat.Dense
		diff.Sub(n.v[k], n.v[k-1])
		m.WeightIncrements = append(m.WeightIncrements, spectral(&diff))
		if bias != nil {
			m.BiasIncrements = append(m.BiasIncrements, distance(bias[k], bias[k-1]))
		}
		m.GradientIncrements = append(m.GradientIncrements, distance(s.layer(k), s.layer(k-1)))
	}
	return m
}

// features returns the inputs of the outermost linear map, a one appended to each with biases.
func (n *network) features(s *state, k int) (columns [][]float64) {
	for i := range n.x {
		u := s.h[k][i]
		if n.block != "inner" {
			u = apply(n.σ.Value, s.z[k][i])
		}
		u = slices.Clone(u)
		if n.bias {
			u = append(u, 1)
		}
		columns = append(columns, u)
	}
	return columns
}

// featureSigma returns σ_min of the matrix of those inputs.
func (n *network) featureSigma(s *state, k int) float64 {
	columns := n.features(s, k)
	if len(columns) > len(columns[0]) {
		return 0
	}
	a := mat.NewDense(len(columns), len(columns[0]), nil)
	for i, u := range columns {
		a.SetRow(i, u)
	}
	return slices.Min(singularValues(a))
}

// measureStep measures n, takes a step of size η and adds what it led to.
func (n *network) measureStep(η float64) certify.Measurement {
	s := n.evaluate()
	m := n.measure(s)
	n.step(s, η)
	next := n.evaluate().loss
	m.StepSize, m.NextLoss = &η, &next
	return m
}

// shape is what a random network is drawn from.
type shape struct {
	block              string
	activation         string
	L, d, N, m, out    int
	alpha              float64
	amplitude, scale   float64 // of weights (entries × √d L^−β), of data
	error              float64 // ‖y − output‖ over scale
	bias, ortho, aline bool    // aline: weights close to a common multiple of the identity
	seed               uint64
}

// draw returns the network of a shape.
func draw(s shape) *network {
	rng := rand.New(rand.NewPCG(s.seed, 1))
	σ, err := activation.ByName(s.activation)
	if err != nil {
		panic(err)
	}
	L := float64(s.L)
	n := &network{block: s.block, σ: σ, alpha: s.alpha, δ: math.Pow(L, -s.alpha), bias: s.bias}
	size := s.amplitude * math.Pow(L, s.alpha-1) / math.Sqrt(float64(s.d))
	matrix := func(r, c int, size float64) *mat.Dense {
		a := mat.NewDense(r, c, nil)
		for i := range r {
			for j := range c {
				if !s.aline {
					a.Set(i, j, size*rng.NormFloat64())
				} else if i == j {
					a.Set(i, j, size*math.Sqrt(float64(s.d)))
				}
			}
		}
		return a
	}
	vector := func(n int, size float64) []float64 {
		v := make([]float64, n)
		for i := range v {
			v[i] = size * rng.NormFloat64()
		}
		return v
	}
	for range s.L {
		switch s.block {
		case "mlp":
			n.v = append(n.v, matrix(s.d, s.m, size))
			n.w = append(n.w, matrix(s.m, s.d, 1/math.Sqrt(float64(s.d))))
		default:
			n.v = append(n.v, matrix(s.d, s.d, size))
		}
		if s.bias && s.block != "outer" {
			n.b = append(n.b, vector(len(times(first(n.w, n.v), make([]float64, s.d))), size*s.scale))
		}
		if s.bias && s.block != "inner" {
			n.c = append(n.c, vector(s.d, size*s.scale))
		}
	}
	if s.ortho {
		n.readout = orthonormal(rng, s.out, s.d)
	}
	for range s.N {
		n.x = append(n.x, vector(s.d, s.scale/math.Sqrt(float64(s.d))))
		n.y = append(n.y, nil)
	}
	for i := range n.x {
		n.y[i] = make([]float64, s.d)
		if n.readout != nil {
			n.y[i] = make([]float64, s.out)
		}
	}
	out := n.evaluate().h[s.L]
	for i := range n.x {
		y := out[i]
		if n.readout != nil {
			y = times(n.readout, y)
		}
		n.y[i] = plus(y, vector(len(y), s.error*s.scale/math.Sqrt(float64(len(y)))))
	}
	return n
}

// first returns the last matrix of w, or of v where there is no w.
func first(w, v []*mat.Dense) *mat.Dense {
	if len(w) > 0 {
		return w[len(w)-1]
	}
	return v[len(v)-1]
}
