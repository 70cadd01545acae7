package train

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
)

// signDescent is θ ← θ − η sign(g), 0 where g = 0 [Bernstein et al. 2018, Algorithm 1].
type signDescent[T kernel.Float] struct{}

func (signDescent[T]) begin(int)               {}
func (signDescent[T]) moments() map[string][]T { return nil }

func (signDescent[T]) move(_ span, _, _ int, theta, grad []T, eta float64) {
	for i, g := range grad {
		theta[i] -= signed(T(eta), g)
	}
}

// signed returns size with the sign of v, and v itself where that has none: 0 and NaN.
func signed[T kernel.Float](size, v T) T {
	if v == 0 || v != v {
		return v
	}
	return T(math.Copysign(float64(size), float64(v)))
}

// lion is θ ← θ − η sign(β₁m + (1 − β₁)g), m ← β₂m + (1 − β₂)g [Chen et al. 2023,
// Algorithm 2].
type lion[T kernel.Float] struct {
	b1, b2 T
	mean   []T
}

func newLion[T kernel.Float](mem *alloc.Account, spec Spec, size int) *lion[T] {
	return &lion[T]{b1: T(spec.Beta1), b2: T(spec.Beta2), mean: alloc.Make[T](mem, size)}
}

func (m *lion[T]) begin(int) {}

func (m *lion[T]) moments() map[string][]T { return map[string][]T{"mean": m.mean} }

func (m *lion[T]) move(_ span, _, offset int, theta, grad []T, eta float64) {
	b1, b2, size := m.b1, m.b2, T(eta)
	mean := m.mean[offset:][:len(grad)]
	for i, g := range grad {
		theta[i] -= signed(size, T(b1*mean[i])+T((1-b1)*g))
		mean[i] = T(b2*mean[i]) + T((1-b2)*g)
	}
}
