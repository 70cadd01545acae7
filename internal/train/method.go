package train

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/resnet"
)

// An update turns the gradient of some entries into their step. What all methods do alike,
// clipping and decay, Stepper does before.
type update[T kernel.Float] interface {
	// begin is told the number of the step, 1 for the first, before its parts are moved.
	begin(count int)
	// move moves the entries theta of θ, which begin at the given offset and lie in one span,
	// along grad with step size eta. Several workers move their parts at the same time.
	move(at span, worker, offset int, theta, grad []T, eta float64)
	// moments returns what the next step depends on besides theta and the number of steps, by
	// name; the slices are the update's own, so a restored checkpoint is copied into them.
	moments() map[string][]T
}

// A splitter calls f for parts of [0, size) of that length that cover it once, from several
// workers at the same time.
type splitter func(size, part int, f func(worker, begin, end int))

// A span is a stretch of θ whose entries are moved alike.
type span struct {
	begin, end int
	rows, cols int // of the matrices that stand one behind the other; 0 where each entry is on its own
	pace
}

// part is the number of entries that a worker takes at a time, whole matrices where there are any.
func (s span) part() int {
	const entries, few = 1 << 15, 1 << 12 // a matrix takes some hundred times as long as an entry
	if size := s.rows * s.cols; size > 0 {
		return size * max(1, few/size)
	}
	return entries
}

// A Stepper makes the steps of a method and keeps its state.
type Stepper[T kernel.Float] struct {
	ops    *kernel.Ops[T]
	update update[T]
	spans  []span
	count  int // steps made

	// Arguments of the step under way, and what moves a part of it, made once as a step
	// allocates nothing.
	theta, grad []T
	eta, shrink float64
	at          span
	part        func(worker, begin, end int)
}

// NewStepper returns the stepper of a resolved spec for the trained parameters of net, moved
// by at most that many workers.
func NewStepper[T kernel.Float](mem *alloc.Account, net *resnet.Network, spec Spec, workers int) *Stepper[T] {
	s := &Stepper[T]{ops: kernel.For[T](), spans: spansOf(net, spec), update: newUpdate[T](mem, net, spec, workers)}
	s.part = s.move
	return s
}

// newUpdate returns the update that a spec names.
func newUpdate[T kernel.Float](mem *alloc.Account, net *resnet.Network, spec Spec, workers int) update[T] {
	size := net.Layout.Trained
	switch spec.Method {
	case "momentum", "nesterov":
		return &momentum[T]{
			ops: kernel.For[T](), factor: T(spec.Momentum), ahead: spec.Method == "nesterov",
			velocity: alloc.Make[T](mem, size),
		}
	case "adam", "adamw":
		return newAdam[T](mem, spec, 0, size)
	case LevenbergMarquardt:
		return newLevenberg[T](mem)
	case "sign":
		return signDescent[T]{kernel.For[T]()}
	case "lion":
		return newLion[T](mem, spec, size)
	case "muon":
		return newMuon[T](mem, net, spec, workers)
	}
	return gradientDescent[T]{ops: kernel.For[T]()}
}

// Step moves theta along grad by a step of size eta times that of each span. Both have the
// length of the trained parameters; a gradient longer than clip, unless that is 0, is cut to
// it first and changed; norm is its length.
func (s *Stepper[T]) Step(theta, grad []T, eta, clip, norm float64, split splitter) {
	s.theta, s.grad, s.shrink = theta, grad, 1
	if clip > 0 && norm > clip {
		s.shrink = clip / norm
	}
	s.count++
	s.update.begin(s.count)
	for _, at := range s.spans {
		s.at, s.eta = at, eta*at.scale
		split(at.end-at.begin, at.part(), s.part)
	}
}

// move moves a part of the span under way: the clipped gradient, then the decay
// w ← w − ηλw, then the method's own.
func (s *Stepper[T]) move(worker, begin, end int) {
	begin, end = begin+s.at.begin, end+s.at.begin
	theta, grad := s.theta[begin:end], s.grad[begin:end]
	if s.shrink != 1 {
		s.ops.Scale(grad, T(s.shrink), grad)
	}
	if s.at.decay != 0 {
		s.ops.Scale(theta, T(1-s.eta*s.at.decay), theta)
	}
	s.update.move(s.at, worker, begin, theta, grad, s.eta)
}

// gradientDescent is θ ← θ − ηg, for gd and sgd [CRX, Section 2].
type gradientDescent[T kernel.Float] struct{ ops *kernel.Ops[T] }

func (m gradientDescent[T]) begin(int)               {}
func (m gradientDescent[T]) moments() map[string][]T { return nil }

func (m gradientDescent[T]) move(_ span, _, _ int, theta, grad []T, eta float64) {
	m.ops.AddScaled(theta, T(-eta), grad)
}

// momentum is the heavy ball v ← μv + g, θ ← θ − ηv [Polyak 1964], or with ahead
// θ ← θ − η(g + μv) for the same v: Nesterov's momentum in the form of [Sutskever et al.
// 2013] for the point to which it looks ahead.
type momentum[T kernel.Float] struct {
	ops      *kernel.Ops[T]
	factor   T
	ahead    bool
	velocity []T
}

func (m *momentum[T]) begin(int) {}

func (m *momentum[T]) moments() map[string][]T { return map[string][]T{"velocity": m.velocity} }

func (m *momentum[T]) move(_ span, _, offset int, theta, grad []T, eta float64) {
	velocity := m.velocity[offset:][:len(grad)]
	if m.ahead {
		m.ops.Nesterov(theta, velocity, T(eta), m.factor, grad)
		return
	}
	m.ops.Momentum(theta, velocity, T(-eta), m.factor, grad)
}

// adam is θ ← θ − η m̂/(√v̂ + ε) with the bias-corrected means m̂ of g and v̂ of g²
// [Kingma and Ba 2015, Algorithm 1]; with decay it is AdamW [Loshchilov and Hutter 2019]. It
// keeps the means of the entries from first on.
type adam[T kernel.Float] struct {
	ops                *kernel.Ops[T]
	beta1, beta2       float64
	correct1, correct2 T // of the step under way
	first              int
	mean, square       []T
}

func newAdam[T kernel.Float](mem *alloc.Account, spec Spec, first, size int) *adam[T] {
	return &adam[T]{
		ops: kernel.For[T](), beta1: spec.Beta1, beta2: spec.Beta2, first: first,
		mean: alloc.Make[T](mem, size), square: alloc.Make[T](mem, size),
	}
}

func (m *adam[T]) begin(count int) {
	m.correct1 = T(1 / (1 - math.Pow(m.beta1, float64(count))))
	m.correct2 = T(1 / (1 - math.Pow(m.beta2, float64(count))))
}

func (m *adam[T]) moments() map[string][]T {
	return map[string][]T{"first": m.mean, "second": m.square}
}

func (m *adam[T]) move(at span, _, offset int, theta, grad []T, eta float64) {
	mean, square := m.mean[offset-m.first:][:len(grad)], m.square[offset-m.first:][:len(grad)]
	m.ops.Adam(theta, mean, square, kernel.AdamFactors[T]{
		Size: T(eta), Epsilon: T(at.epsilon), B1: T(m.beta1), B2: T(m.beta2), Correct1: m.correct1, Correct2: m.correct2,
	}, grad)
}
