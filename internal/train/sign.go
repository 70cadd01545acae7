package train

import (
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// signDescent is θ ← θ − η sign(g), 0 where g = 0 [Bernstein et al. 2018, Algorithm 1].
type signDescent[T kernel.Float] struct{ ops *kernel.Ops[T] }

func (signDescent[T]) begin(int)               {}
func (signDescent[T]) moments() map[string][]T { return nil }

func (m signDescent[T]) move(_ span, _, _ int, theta, grad []T, eta float64) {
	m.ops.Sign(theta, T(eta), grad)
}

// lion is θ ← θ − η sign(β₁m + (1 − β₁)g), m ← β₂m + (1 − β₂)g [Chen et al. 2023,
// Algorithm 2].
type lion[T kernel.Float] struct {
	ops    *kernel.Ops[T]
	b1, b2 T
	mean   []T
}

func newLion[T kernel.Float](mem *alloc.Account, spec Spec, size int) *lion[T] {
	return &lion[T]{ops: kernel.For[T](), b1: T(spec.Beta1), b2: T(spec.Beta2), mean: alloc.Make[T](mem, size)}
}

func (m *lion[T]) begin(int) {}

func (m *lion[T]) moments() map[string][]T { return map[string][]T{"mean": m.mean} }

func (m *lion[T]) move(_ span, _, offset int, theta, grad []T, eta float64) {
	m.ops.Lion(theta, m.mean[offset:][:len(grad)], T(eta), m.b1, m.b2, grad)
}
