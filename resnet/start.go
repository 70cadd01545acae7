package resnet

import (
	"fmt"
	"math"
	"math/rand/v2"

	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/machine"
)

// A Start is how a network at iteration 0 changes the length of what goes through it:
// means over the samples, with h_0 = E x and the adjoint p_k = ∂J/∂h_k. A ratio is NaN
// or infinite where float64 has no room for it, or where h_0 or p_L is zero.
type Start struct {
	Forward        float64 // ‖h_L‖²/‖h_0‖²
	Change         float64 // ‖h_L − h_0‖²/‖h_0‖²
	Backward       float64 // ‖p_0‖²/‖p_L‖²
	BackwardChange float64 // ‖p_0 − p_L‖²/‖p_L‖²
}

// A Starter draws the initial weights of a network, once for each seed, and takes
// samples to its end and their adjoints back. Seed s gives the network that
// Parameters gives, number for number.
//
// A layer of independent entries is drawn when a sample reaches it, and drawn again
// when the adjoint comes back: all that is kept of a layer is the state of its
// generator and σ′. So a draw takes the memory of one layer's weights, however deep the
// network is. The kinds whose entries form paths over the layers are drawn whole.
//
// A Starter is not safe for concurrent use.
type Starter[T Float] struct {
	net     Network // with δ, E and C alone in its θ
	initial Initial
	base    string

	before, behind, biasBefore, biasBehind *layerDraw[T] // nil where absent

	tile    tile[T]
	columns int // of the widest tile so far, which pass is made for
	pass    *pass[T]
	layers  *plain[T]
	last    []T // p_L (d,n)
}

// MaxStartSamples bounds the samples of a Start: all go through a layer together, and
// their σ′ are kept at every layer.
const MaxStartSamples = 256

// NewStarter returns a Starter of the network. initial must be resolved; base is the
// folder that relative paths of kind file start from.
func NewStarter[T Float](net *Network, initial Initial, base string) *Starter[T] {
	s := &Starter[T]{net: *net, initial: initial, base: base}
	var groups []Group
	for _, name := range [...]string{"delta", "E", "C"} {
		if g, ok := net.Layout.Group(name); ok {
			groups = append(groups, g)
		}
	}
	s.net.Layout = newLayout(groups)
	s.net.bindScale()
	s.before, s.biasBefore = newLayerDraws[T](&s.net.before, initial)
	s.behind, s.biasBehind = newLayerDraws[T](&s.net.behind, initial)
	return s
}

// Draw draws the network of the seed and returns what it does to the samples, 256 at
// most.
func (s *Starter[T]) Draw(samples Samples, seed uint64) (Start, error) {
	count := len(samples.X) / s.net.Inputs
	if count < 1 || count > MaxStartSamples || len(samples.Y) != count*s.net.Outputs {
		return Start{}, fmt.Errorf("resnet: Starter.Draw: got %d samples and %d target entries, want 1 to %d samples with %d targets each", count, len(samples.Y), MaxStartSamples, s.net.Outputs)
	}
	if err := machine.Fits(s.Bytes(count)); err != nil {
		return Start{}, fmt.Errorf("resnet: draws at depth %d, width %d: %w", s.net.Depth, s.net.Width, err)
	}
	for _, d := range s.draws() {
		if err := d.begin(s.net.Depth, seed, s.base); err != nil {
			return Start{}, fmt.Errorf("resnet: initial %s at depth %d: %w", d.group.Name, s.net.Depth, err)
		}
	}
	theta, err := Parameters[T](&s.net, s.initial, seed, s.base)
	if err != nil {
		return Start{}, err
	}
	rows := make([]int, count)
	for i := range rows {
		rows[i] = i
	}
	s.tile.pack(samples.X, samples.Y, nil, rows, s.net.Inputs, s.net.Outputs)
	n := s.tile.n
	if n > s.columns {
		s.grow(&alloc.Account{}, n)
	}
	s.pass.evaluate(theta, &s.tile, 1, true)
	adjoint := s.pass.pull(theta, n)
	s.last = append(s.last[:0], adjoint...)
	s.layers.backwardWith(theta, adjoint, n, nil)
	first, state := s.layers.start(0, n), s.pass.last
	return Start{
		Forward:        s.ratio(state, nil, first),
		Change:         s.ratio(state, first, first),
		Backward:       s.ratio(adjoint, nil, s.last),
		BackwardChange: s.ratio(adjoint, s.last, s.last),
	}, nil
}

// Bytes returns how much memory Draw takes for that many samples: a layer of weights, drawn
// and as used, or all where draws are paths along the layers, and σ′ of every layer.
func (s *Starter[T]) Bytes(count int) float64 {
	r := alloc.Account{Dry: true}
	spare := *s
	spare.grow(&r, pad(count))
	for _, d := range s.draws() {
		if d.paths {
			alloc.Make[float64](&r, d.group.Len()) // as they are drawn
			alloc.Make[T](&r, d.group.Len())
		} else {
			(&layerDraw[T]{group: d.group}).reserve(&r, s.net.Depth)
		}
	}
	return float64(r.Bytes)
}

// grow takes the memory for tiles of n columns: the plain engine, which keeps σ′ and norms alone and
// takes its layers from the draws.
func (s *Starter[T]) grow(mem *alloc.Account, n int) {
	ops := kernel.For[T]()
	s.columns = n
	s.layers = newPlain(mem, &s.net, ops, n, s.net.Depth, keeps{slopes: true, norms: true})
	s.layers.weights = func(a *affine, _ []T, k int) []T {
		if a == &s.net.before {
			return s.before.draw(k)
		}
		return s.behind.draw(k)
	}
	s.layers.bias = func(a *affine, _ []T, k int) []T {
		if a == &s.net.before {
			return s.biasBefore.draw(k)
		}
		return s.biasBehind.draw(k)
	}
	s.pass = newPass(mem, &s.net, ops, n, s.layers)
}

// draws lists the groups that are drawn layer by layer.
func (s *Starter[T]) draws() []*layerDraw[T] {
	var list []*layerDraw[T]
	for _, d := range []*layerDraw[T]{s.before, s.biasBefore, s.behind, s.biasBehind} {
		if d != nil {
			list = append(list, d)
		}
	}
	return list
}

// ratio returns the mean over the samples of ‖a − b‖²/‖c‖², b = 0 where it is nil.
func (s *Starter[T]) ratio(a, b, c []T) float64 {
	n, sum := s.tile.n, 0.0
	for column := range s.tile.used {
		var above, below float64
		for i := column; i < len(a); i += n {
			x := float64(a[i])
			if b != nil {
				x -= float64(b[i])
			}
			above += float64(x * x) // rounded, so that no machine fuses it
			below += float64(float64(c[i]) * float64(c[i]))
		}
		sum += above / below
	}
	return sum / float64(s.tile.used)
}

// A layerDraw draws one parameter group layer by layer.
type layerDraw[T Float] struct {
	group   Group
	initial Initial
	entries []T // of one layer, or of all where paths is set
	paths   bool
	spare   []float64
	scale   float64
	source  *rand.PCG
	marks   []rand.PCG // the generator before each layer that has been drawn
	drawn   int        // the layer in entries, −1 before the first
}

// newLayerDraws returns the draws of a map's weights and bias, nil where absent.
func newLayerDraws[T Float](a *affine, initial Initial) (weights, bias *layerDraw[T]) {
	if !a.present {
		return nil, nil
	}
	of := func(g Group) *layerDraw[T] {
		part := initial.Parts[g.Name]
		return &layerDraw[T]{group: g, initial: part, paths: !part.independent()}
	}
	weights = of(a.weights)
	if a.bias != nil {
		bias = of(*a.bias)
	}
	return weights, bias
}

// begin makes the draws to come those of a seed.
func (d *layerDraw[T]) begin(depth int, seed uint64, base string) error {
	d.drawn = -1
	if d.paths {
		entries, err := d.initial.draw(d.group, depth, seed, base)
		if err != nil {
			return err
		}
		d.entries = alloc.Resize(&alloc.Account{}, d.entries, len(entries))
		convert(d.entries, entries)
		return nil
	}
	d.reserve(&alloc.Account{}, depth)
	d.scale = d.initial.scale(depth)
	d.source = d.initial.source(d.group, depth, seed)
	return nil
}

// reserve takes the memory for draws layer by layer.
func (d *layerDraw[T]) reserve(mem *alloc.Account, depth int) {
	size := d.group.Len() / depth
	d.entries, d.spare = alloc.Resize(mem, d.entries, size), alloc.Resize(mem, d.spare, size)
	d.marks = alloc.Resize(mem, d.marks, depth)[:0]
}

// draw returns the entries of layer k; layers not drawn yet are drawn in order. Without
// a group it returns nil.
func (d *layerDraw[T]) draw(k int) []T {
	switch {
	case d == nil:
		return nil
	case d.paths:
		return block(d.entries, k, d.group.Len()/d.group.Shape[0])
	case k == d.drawn:
		return d.entries
	}
	source := d.source
	if k < len(d.marks) {
		again := d.marks[k]
		source = &again
	} else {
		d.marks = append(d.marks, *source)
	}
	d.initial.fill(d.spare, rand.New(source))
	for i, v := range d.spare {
		d.entries[i] = T(v * d.scale)
	}
	d.drawn = k
	return d.entries
}

// ExpectedStart returns the expectations of Start.Forward and Start.Backward over the
// initial weights, where they are known in closed form, else nil.
//
// For block mlp without bias and norm, σ = relu or the identity, and V and W with independent,
// symmetric entries of variances v and w at this depth, V has mean zero and is
// independent of W and h_{k−1}; and a symmetric row w_j of W makes
// E σ(w_j·h)² = q E(w_j·h)², q = ½ for relu and 1 for the identity. So
//
//	E‖h_k‖² = ‖h_{k−1}‖² + δ² d v E‖σ(W h_{k−1})‖² = (1 + δ² q d m v w) ‖h_{k−1}‖²
//
// exactly, at every width, which is [MFBV, Section 3]'s (1 + ½ L^(−2α))^L for d = m and
// v = w = 1/d. The derivative of h_k along any direction obeys the same recursion, as
// σ′(z)² is 1 on half of the symmetric law; and the adjoint of a random direction grows
// in the mean square as a random direction does. With one output p_L has the direction of
// the random C, which no other weight depends on; with more it depends on h_L, and the
// expectation is not known.
func (n *Network) ExpectedStart(initial Initial) (forward, backward *float64) {
	share, ok := map[string]float64{"relu": 0.5, "identity": 1}[n.Activation]
	if !ok || n.Block != "mlp" || n.Bias || n.Norm() != nil {
		return nil, nil
	}
	growth := math.Pow(n.ResidualScale(), 2) * share * float64(n.Width) * float64(n.Hidden)
	for _, name := range n.Parts() {
		part := initial.Parts[name]
		if !part.independent() {
			return nil, nil
		}
		growth *= math.Pow(part.scale(n.Depth), 2) * kindNamed(part.Kind).variance
	}
	mean := math.Exp(float64(n.Depth) * math.Log1p(growth))
	if n.readout != nil && n.Outputs == 1 {
		backward = &mean
	}
	return &mean, backward
}
