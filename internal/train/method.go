package train

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// A method turns a gradient into a step.
type method[T kernel.Float] interface {
	// step moves theta along grad with step size eta. All have the same length. Parts of
	// the vectors are moved by all workers at the same time.
	step(theta, grad []T, eta float64, split splitter)
	// state returns what the next step depends on besides theta, by name; the slices
	// are the method's own, so a restored checkpoint is copied into them. count is
	// the number of steps made so far.
	state() (moments map[string][]T, count *int)
}

// A splitter calls f for parts of [0, size) that cover it once, from several goroutines
// at the same time.
type splitter func(size int, f func(begin, end int))

// newMethod returns the method that a resolved spec names, for size parameters; epsilon is
// Adam's ε at the network's depth (Spec.At).
func newMethod[T kernel.Float](mem *alloc.Account, spec Spec, epsilon float64, size int) method[T] {
	ops := kernel.For[T]()
	switch spec.Method {
	case "momentum":
		m := &momentum[T]{ops: ops, factor: T(spec.Momentum), velocity: alloc.Make[T](mem, size)}
		m.part = m.move
		return m
	case "adam":
		m := &adam[T]{spec: spec, epsilon: epsilon, first: alloc.Make[T](mem, size), second: alloc.Make[T](mem, size)}
		m.part = m.move
		return m
	}
	m := &gradientDescent[T]{ops: ops}
	m.part = m.move
	return m
}

// A stepped holds the arguments of the step under way, and what moves a part of it,
// made once as a step allocates nothing.
type stepped[T kernel.Float] struct {
	theta, grad []T
	eta         float64
	part        func(begin, end int)
	count       int // steps made
}

func (s *stepped[T]) step(theta, grad []T, eta float64, split splitter) {
	s.theta, s.grad, s.eta = theta, grad, eta
	s.count++
	split(len(theta), s.part)
}

// gradientDescent is θ ← θ − ηg, for gd and sgd [CRX, Section 2].
type gradientDescent[T kernel.Float] struct {
	stepped[T]
	ops *kernel.Ops[T]
}

func (m *gradientDescent[T]) move(begin, end int) {
	m.ops.AddScaled(m.theta[begin:end], T(-m.eta), m.grad[begin:end])
}

func (m *gradientDescent[T]) state() (map[string][]T, *int) { return nil, &m.count }

// momentum is the heavy ball v ← μv + g, θ ← θ − ηv [Polyak 1964].
type momentum[T kernel.Float] struct {
	stepped[T]
	ops      *kernel.Ops[T]
	factor   T
	velocity []T
}

func (m *momentum[T]) move(begin, end int) {
	velocity := m.velocity[begin:end]
	for i, g := range m.grad[begin:end] {
		velocity[i] = T(m.factor*velocity[i]) + g
	}
	m.ops.AddScaled(m.theta[begin:end], T(-m.eta), velocity)
}

func (m *momentum[T]) state() (map[string][]T, *int) {
	return map[string][]T{"velocity": m.velocity}, &m.count
}

// adam is θ ← θ − η m̂/(√v̂ + ε) with the bias-corrected means m̂ of g and v̂ of g²
// [Kingma and Ba 2015, Algorithm 1].
type adam[T kernel.Float] struct {
	stepped[T]
	spec          Spec
	epsilon       float64
	first, second []T
}

func (m *adam[T]) move(begin, end int) {
	b1, b2 := T(m.spec.Beta1), T(m.spec.Beta2)
	correct1 := T(1 / (1 - math.Pow(m.spec.Beta1, float64(m.count))))
	correct2 := T(1 / (1 - math.Pow(m.spec.Beta2, float64(m.count))))
	size, epsilon := T(m.eta), T(m.epsilon)
	theta, first, second := m.theta[begin:end], m.first[begin:end], m.second[begin:end]
	for i, g := range m.grad[begin:end] {
		// The conversions keep each product rounded on its own on every machine.
		first[i] = T(b1*first[i]) + T((1-b1)*g)
		second[i] = T(b2*second[i]) + T(T((1-b2)*g)*g)
		root := T(math.Sqrt(float64(T(correct2 * second[i]))))
		theta[i] -= T(size * T(correct1*first[i]) / (root + epsilon))
	}
}

func (m *adam[T]) state() (map[string][]T, *int) {
	return map[string][]T{"first": m.first, "second": m.second}, &m.count
}
