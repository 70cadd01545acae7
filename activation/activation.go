// Package activation holds the activation functions σ of a residual block with
// the facts about them that the theory uses: σ′, σ″, their suprema, smoothness.
//
// It is a leaf: resnet applies these functions and certify reasons about them,
// and neither needs the other.
package activation

import (
	"slices"

	"github.com/deeplimit/deeplimit/field"
)

// A Function is an activation σ: ℝ → ℝ, applied entry by entry. Methods take finite
// arguments and keep their relative precision in the tails: they neither overflow
// nor cancel where the function itself does not.
//
// At a kink (relu at 0, elu's σ″ at 0) the derivative from the right is not
// used: the value of the left side is, as PyTorch does for relu′(0) = 0.
type Function interface {
	// Name is the key that study files use, such as "tanh".
	Name() string
	// Value returns σ(z).
	Value(z float64) float64
	// Derivatives returns σ(z), σ′(z) and σ″(z), sharing the transcendental part.
	Derivatives(z float64) (value, first, second float64)
	// SupFirst returns M₁ = sup|σ′| over the line.
	SupFirst() float64
	// SupSecond returns M₂ = sup|σ″| over the line, +Inf where σ′ jumps.
	SupSecond() float64
	// MinFirst returns a lower bound of |σ′| on [−z, z], z ≥ 0; it is exact (to
	// rounding) for monotone or even σ′, and 0 where σ′ changes sign inside.
	MinFirst(z float64) float64
	// Smoothness returns the k for which σ is k times continuously
	// differentiable; Smooth stands for infinitely often.
	Smoothness() int
}

// Smooth is the Smoothness of an infinitely differentiable function.
const Smooth = 1 << 30

var functions = []Function{
	tanh{}, sin{}, gelu{}, silu{}, softplus{}, elu{}, sigmoid{}, centredSigmoid{}, relu{}, identity{},
}

// Names returns the keys of all functions in the order the documentation lists them.
func Names() []string {
	names := make([]string, len(functions))
	for i, f := range functions {
		names[i] = f.Name()
	}
	return names
}

// ByName returns the function with the given key, or a *field.Error at path
// "activation" that lists the known ones.
func ByName(name string) (Function, error) {
	i := slices.IndexFunc(functions, func(f Function) bool { return f.Name() == name })
	if i < 0 {
		return nil, field.OneOf("activation", name, Names()...)
	}
	return functions[i], nil
}
