package resnet

import (
	"cmp"
	"math"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// A Norm is what stands before a block with normalise: pre, h_k = h_{k−1} + δ_k f_k(norm(h_{k−1})):
//
//	rms    norm(h) = r h,  r = (‖h‖²/d + ε)^−½
//	layer  the same of h − mean(h)
//
// It has no gain to learn: that of a map behind it would be in its weights already. With x = norm(h) its derivative is
// the symmetric matrix r(1 − x xᵀ/d), for layer behind the projection h − mean(h).
type Norm struct {
	Centred bool // layer
	Epsilon float64
}

// Norm returns what stands before each block, nil where nothing does.
func (s Spec) Norm() *Norm {
	if s.Normalise == "" {
		return nil
	}
	return &Norm{Centred: s.NormKind == "layer", Epsilon: s.NormEpsilon}
}

// resolveNorm fills in the defaults of what normalises; none is left empty, which has no part in the hash of a run.
func (s *Spec) resolveNorm() error {
	if err := field.OneOf("normalise", cmp.Or(s.Normalise, "none"), "none", "pre"); err != nil {
		return err
	}
	if s.Normalise == "none" {
		s.Normalise = ""
	}
	if s.Normalise == "" {
		const want = "it left out, or normalise: pre"
		switch {
		case s.NormKind != "":
			return &field.Error{Path: "norm", Got: s.NormKind, Want: want}
		case s.NormEpsilon != 0:
			return &field.Error{Path: "norm-epsilon", Got: s.NormEpsilon, Want: want}
		}
		return nil
	}
	s.NormKind, s.NormEpsilon = cmp.Or(s.NormKind, "rms"), cmp.Or(s.NormEpsilon, 1e-5)
	if err := field.OneOf("norm", s.NormKind, "rms", "layer"); err != nil {
		return err
	}
	switch {
	case !(s.NormEpsilon >= leastEpsilon && s.NormEpsilon <= math.MaxFloat32):
		return &field.Error{Path: "norm-epsilon", Got: s.NormEpsilon, Want: "a finite number ≥ 1e-30, below which a state of zeros has no derivative"}
	case s.NormKind == "layer" && s.Width == 1:
		return &field.Error{Path: "norm", Got: s.NormKind, Want: "rms with width 1, where a number less its mean is 0"}
	}
	return nil
}

// leastEpsilon keeps 1/√ε, and its products with gradients of order 1, in the range of float32.
const leastEpsilon = 1e-30

// To writes norm(h) to x, which may be h, and returns r.
func (n *Norm) To(x, h []float64) (r float64) {
	copy(x, h)
	n.centre(x)
	square := 0.0
	for _, v := range x {
		square += float64(v * v)
	}
	r = 1 / math.Sqrt(square/float64(len(x))+n.Epsilon)
	for i := range x {
		x[i] *= r
	}
	return r
}

// AddDerivative adds the derivative at x = norm(h) times g, which is also its transpose times g, to y. g is
// overwritten.
func (n *Norm) AddDerivative(y, g, x []float64, r float64) {
	n.centre(g)
	along := inner(x, g) / float64(len(x))
	for i, v := range g {
		y[i] += r * (v - x[i]*along)
	}
}

func (n *Norm) centre(x []float64) {
	if !n.Centred {
		return
	}
	mean := 0.0
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	for i := range x {
		x[i] -= mean
	}
}

// norming is the norm of the tiles of an engine. Letters as in engine; r is (n).
type norming[T Float] struct {
	*Norm
	ops  *kernel.Ops[T]
	d    int
	pull []T // scratch of who goes back (d,n)
}

func newNorming[T Float](mem *alloc.Account, net *Network, ops *kernel.Ops[T], n int) norming[T] {
	m := norming[T]{Norm: net.Norm(), ops: ops, d: net.Width}
	if m.present() {
		m.pull = alloc.Make[T](mem, net.Width*n)
	}
	return m
}

func (m *norming[T]) present() bool { return m.Norm != nil }

// to writes norm(h) to x and r to its place.
func (m *norming[T]) to(x, r, h []T) {
	if m.Centred {
		m.ops.Centre(x, h, m.d, len(r))
		h = x
	}
	m.ops.Normalise(x, r, h, m.d, len(r), m.Epsilon)
}

// centre takes the mean off each column of g where the norm does.
func (m *norming[T]) centre(g []T, n int) {
	if m.Centred {
		m.ops.Centre(g, g, m.d, n)
	}
}

// add adds the derivative of the norm at a layer's input times g, which is centred, to p.
func (m *norming[T]) add(p, g []T, l *layer[T]) {
	m.ops.AddNormalised(p, g, l.x, l.r, m.d, len(l.r))
}

// bend adds to pDot what the derivative of the norm's derivative along a move of h gives times g, which is centred:
//
//	−r(s y + ẋ t + x⟨ẋ,g⟩/d),   y = r(g − x t),   s = ⟨x,ḣ⟩/d,   t = ⟨x,g⟩/d
//
// as ṙ = −r² s, and ẋ is the derivative of x.
func (m *norming[T]) bend(pDot, hDot, xDot, g []T, l *layer[T]) {
	n, d := len(l.r), float64(m.d)
	for c := range n {
		var s, t, w float64
		for i := c; i < m.d*n; i += n {
			x, adjoint := float64(l.x[i]), float64(g[i])
			s += float64(x * float64(hDot[i]))
			t += float64(x * adjoint)
			w += float64(float64(xDot[i]) * adjoint)
		}
		s, t, w = s/d, t/d, w/d
		r := float64(l.r[c])
		for i := c; i < m.d*n; i += n {
			x := float64(l.x[i])
			y := r * (float64(g[i]) - float64(x*t))
			pDot[i] -= T(r * (float64(s*y) + float64(float64(xDot[i])*t) + float64(x*w)))
		}
	}
}
