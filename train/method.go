package train

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/kernel"
)

// A method turns a gradient into a step.
type method[T kernel.Float] interface {
	// step moves theta along grad with step size eta. All have the same length.
	step(theta, grad []T, eta float64)
	// state returns what the next step depends on besides theta, by name; the slices
	// are the method's own, so a restored checkpoint is copied into them. count is
	// the number of steps made so far.
	state() (moments map[string][]T, count *int)
}

// newMethod returns the method that a resolved spec names, for size parameters.
func newMethod[T kernel.Float](spec Spec, size int) method[T] {
	ops := kernel.For[T]()
	switch spec.Method {
	case "momentum":
		return &momentum[T]{ops: ops, factor: T(spec.Momentum), velocity: make([]T, size)}
	case "adam":
		return &adam[T]{spec: spec, first: make([]T, size), second: make([]T, size)}
	}
	return &gradientDescent[T]{ops: ops}
}

// gradientDescent is θ ← θ − ηg, for gd and sgd [CRX, Section 2].
type gradientDescent[T kernel.Float] struct {
	ops   *kernel.Ops[T]
	count int
}

func (m *gradientDescent[T]) step(theta, grad []T, eta float64) {
	m.ops.AddScaled(theta, T(-eta), grad)
	m.count++
}

func (m *gradientDescent[T]) state() (map[string][]T, *int) { return nil, &m.count }

// momentum is the heavy ball v ← μv + g, θ ← θ − ηv [Polyak 1964].
type momentum[T kernel.Float] struct {
	ops      *kernel.Ops[T]
	factor   T
	velocity []T
	count    int
}

func (m *momentum[T]) step(theta, grad []T, eta float64) {
	for i, g := range grad {
		m.velocity[i] = T(m.factor*m.velocity[i]) + g
	}
	m.ops.AddScaled(theta, T(-eta), m.velocity)
	m.count++
}

func (m *momentum[T]) state() (map[string][]T, *int) {
	return map[string][]T{"velocity": m.velocity}, &m.count
}

// adam is θ ← θ − η m̂/(√v̂ + ε) with the bias-corrected means m̂ of g and v̂ of g²
// [Kingma and Ba 2015, Algorithm 1].
type adam[T kernel.Float] struct {
	spec          Spec
	first, second []T
	count         int
}

func (m *adam[T]) step(theta, grad []T, eta float64) {
	m.count++
	b1, b2 := T(m.spec.Beta1), T(m.spec.Beta2)
	correct1 := T(1 / (1 - math.Pow(m.spec.Beta1, float64(m.count))))
	correct2 := T(1 / (1 - math.Pow(m.spec.Beta2, float64(m.count))))
	size, epsilon := T(eta), T(m.spec.Epsilon)
	for i, g := range grad {
		// The conversions keep each product rounded on its own on every machine.
		m.first[i] = T(b1*m.first[i]) + T((1-b1)*g)
		m.second[i] = T(b2*m.second[i]) + T(T((1-b2)*g)*g)
		root := T(math.Sqrt(float64(T(correct2 * m.second[i]))))
		theta[i] -= T(size * T(correct1*m.first[i]) / (root + epsilon))
	}
}

func (m *adam[T]) state() (map[string][]T, *int) {
	return map[string][]T{"first": m.first, "second": m.second}, &m.count
}
