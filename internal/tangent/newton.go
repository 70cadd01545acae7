package tangent

import (
	"context"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/resnet"
)

// A Newton moves a model by damped minimum-norm Newton steps (Levenberg–Marquardt), s = −DFᵀ(K + μ)⁻¹r, which
// are Gauss–Newton steps in the range of DFᵀ. The gain ratio of a step is the fall of ‖r‖² over the one
// that the linear model foretells: μ falls after a good step and grows after a bad one.
type Newton struct {
	Model *Model
	// Damping is μ over the mean diagonal entry of K; 0 before the first step.
	Damping float64

	trial, move []float64
}

// firstDamping is the Damping of the first step, leastDamping the one that it falls to.
const (
	firstDamping = 1e-2
	leastDamping = 1e-16
	mostDamping  = 1e8
)

// Step moves the parameters by one step that lowers the loss, and returns its length. It returns 0 where no
// damping does: the loss is at the floor of its precision, or stationary. theta is
// moved in place.
func (n *Newton) Step(ctx context.Context, theta []float64) (length float64, err error) {
	m := n.Model
	k := m.Kernel()
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if n.Damping == 0 {
		n.Damping = firstDamping
	}
	if n.trial == nil {
		n.trial, n.move = make([]float64, len(theta)), make([]float64, m.net.Layout.Trained)
	}
	count := len(m.states.residual)
	mean := k.Trace() / float64(count)
	residual := append([]float64(nil), m.states.residual...)
	before := norm(residual)
	if !(before > 0 && mean > 0) || math.IsInf(mean, 0) {
		return 0, nil
	}
	for n.Damping <= mostDamping {
		mu := n.Damping * mean
		y, ok := solve(k, mu, residual)
		if !ok {
			n.Damping *= 2
			continue
		}
		m.Pull(n.move, y)
		copy(n.trial, theta)
		axpy(n.trial[:len(n.move)], -1, n.move)
		m.Move(n.trial)
		after := norm(m.states.residual)
		foretold := mu * norm(y) // ‖r − K y‖
		gain := (square(before) - square(after)) / (square(before) - square(foretold))
		if !(gain > 1e-3) || !(after < before) {
			m.Move(theta) // the next step is from here, too
			if n.Damping *= 3; ctx.Err() != nil {
				return 0, ctx.Err()
			}
			continue
		}
		switch {
		case gain > 0.9: // nearly linear: quadratic convergence is at hand
			n.Damping = max(n.Damping/10, leastDamping)
		case gain > 0.3:
			n.Damping = max(n.Damping/4, leastDamping)
		case gain < 0.1:
			n.Damping *= 2
		}
		copy(theta, n.trial)
		m.theta = theta
		return norm(n.move), nil
	}
	n.Damping = firstDamping
	return 0, ctx.Err()
}

// solve returns (K + μ)⁻¹ r, refined once; ok is false where K + μ is not positive definite.
func solve(k *mat.SymDense, mu float64, r []float64) (y []float64, ok bool) {
	count := len(r)
	shifted := mat.NewSymDense(count, nil)
	shifted.CopySym(k)
	for i := range count {
		shifted.SetSym(i, i, shifted.At(i, i)+mu)
	}
	var chol mat.Cholesky
	if !chol.Factorize(shifted) {
		return nil, false
	}
	right := mat.NewVecDense(count, r)
	var first, left, second mat.VecDense
	if !solved(chol.SolveVecTo(&first, right)) {
		return nil, false
	}
	left.MulVec(shifted, &first)
	left.SubVec(right, &left)
	if solved(chol.SolveVecTo(&second, &left)) {
		first.AddVec(&first, &second)
	}
	return first.RawVector().Data, !math.IsNaN(norm(first.RawVector().Data))
}

// solved says whether a solution was written; one of an ill-conditioned system was.
func solved(err error) bool {
	if err == nil {
		return true
	}
	condition, ok := err.(mat.Condition)
	return ok && !math.IsInf(float64(condition), 0)
}

// PolishedLoss is the loss at which Polish is content.
const PolishedLoss = 1e-30

// Polish makes Newton steps from theta, which it moves, until the loss is at most PolishedLoss, no step lowers
// it, or that many were made. It returns how many were made and how far theta moved.
func (m *Model) Polish(ctx context.Context, theta []float64, most int, progress func(steps int, loss float64)) (steps int, moved float64, err error) {
	return m.PolishFrom(ctx, theta, most, progress, nil)
}

// polished is where Polish is after some steps.
type polished struct {
	Steps   int
	Theta   []float64
	Damping float64
	Done    bool // no further step is made
}

// PolishFrom is Polish, with a store of the steps made so far.
func (m *Model) PolishFrom(ctx context.Context, theta []float64, most int, progress func(steps int, loss float64), store Store) (steps int, moved float64, err error) {
	start := append([]float64(nil), theta...)
	n := Newton{Model: m}
	if at := (polished{}); store != nil && store.Load("polish", &at) {
		copy(theta, at.Theta)
		m.Move(theta)
		steps, n.Damping = at.Steps, at.Damping
		if at.Done {
			most = steps
		}
	}
	for steps < most && m.Loss() > PolishedLoss {
		before := m.Loss()
		length, err := n.Step(ctx, theta)
		if err != nil {
			return steps, 0, err
		}
		if length == 0 {
			break
		}
		steps++
		done := m.Loss() > 0.5*before && m.Loss() < 1e-26 // rounding alone
		if store != nil {
			store.Save("polish", polished{steps, theta, n.Damping, done})
		}
		if progress != nil {
			progress(steps, m.Loss())
		}
		if done {
			break
		}
	}
	axpy(start, -1, theta)
	return steps, norm(start), nil
}

// Bytes returns about how many bytes Newton steps on n samples take: the states, kernel and
// factor, features, and copies of the parameters.
func Bytes(net *resnet.Network, n int) int64 {
	middle := net.Width
	if net.Block == "mlp" {
		middle = net.Hidden
	}
	count := int64(n) * int64(net.Outputs)
	states := int64(n) * int64(net.Depth+1) * int64(net.Width+3*middle)
	if net.Norm() != nil {
		states += int64(n) * int64(net.Depth) * int64(net.Width+1)
	}
	features := count * int64(2*pad(max(net.Width, middle, net.Inputs))+net.Width+middle)
	return 8 * (states + 4*count*count + features + int64(shards+4)*int64(net.Layout.Size))
}
