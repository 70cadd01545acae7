// Package activation holds the activation functions σ: ℝ → ℝ of a residual block, with the
// facts about them that bounds need: σ′, σ″, their suprema and their smoothness.
//
// ByName looks a function up, Names lists all of them:
//
//	key              σ(z)                        M₁ = sup|σ′|   M₂ = sup|σ″|
//	tanh             tanh z                      1              4/(3√3)
//	sin              sin z                       1              1
//	gelu             z Φ(z)                      1.1289…        √(2/π)
//	silu             z/(1 + e^−z)                1.0998…        1/2
//	softplus         log(1 + e^z) − log 2        1              1/4
//	elu              z; e^z − 1 for z ≤ 0        1              1
//	sigmoid          1/(1 + e^−z)                1/4            1/(6√3)
//	centred-sigmoid  1/(1 + e^−z) − 1/2          1/4            1/(6√3)
//	relu             max(0, z)                   1              ∞
//	identity         z                           1              0
//
// All vanish at 0 but sigmoid, whose σ(0) is 1/2. Functions take and return single float64
// numbers, allocate nothing, and may be called from several goroutines. A call costs about
// one exponential.
package activation

import (
	"slices"

	"github.com/deeplimit/deeplimit/field"
)

// A Function is an activation σ: ℝ → ℝ, applied entry by entry. Methods take finite
// arguments and keep their relative precision in the tails: they neither overflow
// nor cancel where the function itself does not.
//
// At a kink (σ′ of relu and σ″ of elu at 0) the derivative is that from the left, as
// PyTorch's relu′(0) = 0.
type Function interface {
	// Name is the key that study files use, such as "tanh".
	Name() string
	// Value returns σ(z).
	Value(z float64) float64
	// Derivatives returns σ(z), σ′(z) and σ″(z) at the cost of about one of them.
	Derivatives(z float64) (value, first, second float64)
	// SupFirst returns M₁ = sup|σ′| over the line.
	SupFirst() float64
	// SupSecond returns M₂ = sup|σ″| over the line, +Inf where σ′ jumps.
	SupSecond() float64
	// SupThird returns M₃ = sup|σ‴| over the line, rounded up, +Inf where σ″ jumps.
	SupThird() float64
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

// ByName returns the function with the given key. The error for an unknown key lists the
// known ones.
func ByName(name string) (Function, error) {
	i := slices.IndexFunc(functions, func(f Function) bool { return f.Name() == name })
	if i < 0 {
		return nil, field.OneOf("activation", name, Names()...)
	}
	return functions[i], nil
}
