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
	factor      cholesky
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
		y, ok := solve(k, mu, residual, &n.factor)
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

// solve returns (K + μ)⁻¹ r, refined once; ok is false where K + μ is not positive definite. It overwrites c.
func solve(k *mat.SymDense, mu float64, r []float64, c *cholesky) (y []float64, ok bool) {
	rows := rowsOf(k)
	if c.fill(rows, len(r), mu); !c.factorises() {
		return nil, false
	}
	y = append([]float64(nil), r...)
	c.solve(y)
	left := append([]float64(nil), r...)
	for i, v := range y {
		left[i] -= dot(rows(i), y) + mu*v
	}
	c.solve(left)
	axpy(y, 1, left)
	return y, !math.IsNaN(norm(y)) && !math.IsInf(norm(y), 0)
}

// rowsOf returns the rows of a kernel, of which both triangles are there.
func rowsOf(k *mat.SymDense) func(i int) []float64 {
	raw := k.RawSymmetric()
	return func(i int) []float64 { return raw.Data[i*raw.Stride:][:raw.N] }
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
