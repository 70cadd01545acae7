package certify

import (
	"fmt"
	"math"
)

// A Certificate states what gradient descent does from an iterate θ(t) on, for every sequence
// of step sizes η ≤ StepSize:
//
//   - every later iterate stays in the ball ‖θ_k − θ_k(t)‖_F ≤ Radius, all k;
//   - J(t+s) ≤ Π (1 − η Rate) J(t), the product over s steps;
//   - the iterates converge to a global optimum: their loss tends to 0.
//
// It is plain data to store; Check compares later iterates with it.
type Certificate struct {
	Iteration  int64   `json:"iteration"`
	Loss       float64 `json:"loss"`       // J(t), rounded up
	Radius     float64 `json:"radius"`     // w
	Movement   float64 `json:"movement"`   // 2g√(2J)/μ̄, which bounds the way of every layer, at most Radius
	Rate       float64 `json:"rate"`       // μ̄, rounded down: per step J falls by the factor 1 − ημ̄ at least
	Smoothness float64 `json:"smoothness"` // K̄, rounded up: bounds the Hessian on the ball while J ≤ J(t)
	StepSize   float64 `json:"step_size"`  // 1/K̄, rounded down

	// Rounding bounds how far floating point may carry a run off its promises.
	Rounding Rounding `json:"rounding"`
	// Evaluations counts how often the search evaluated the closure.
	Evaluations int `json:"evaluations"`
}

// Rounding bounds rounding errors on the ball of a certificate. One step of size η adds at
// most Loss + η LossStep to √(2J) and Weight + η WeightStep to the movement of any layer;
// evaluating the network adds at most Reading to √(2J). LossError and MovementError are the
// relative errors of a computed loss and movement.
type Rounding struct {
	Loss          float64 `json:"loss"`
	LossStep      float64 `json:"loss_step"`
	Weight        float64 `json:"weight"`
	WeightStep    float64 `json:"weight_step"`
	Reading       float64 `json:"reading"`
	LossError     float64 `json:"loss_error"`
	MovementError float64 `json:"movement_error"`
}

// reserve is the share of the radius and of √(2J(t)) that a certificate keeps for rounding:
// the closure must hold with that much room, and K̄ is evaluated at a loss that much higher. A
// promise is undecided once rounding may have used it up.
const reserve = 0x1p-10

// closureSlack is the factor ε of the search: a radius is found whenever one
// closes with 2g√(2J)/μ̄ ≤ w/(1 + ε), and is then at most 1 + ε times the least.
const closureSlack = 1.0 / 64

// A Refusal says why there is no convergence certificate at an iterate.
type Refusal struct {
	Iteration int64
	// Hypothesis says that a hypothesis fails, as it will at every iterate; otherwise the
	// closure fails, which may succeed at a smaller loss.
	Hypothesis bool
	Reason     string
	// Closure is the least (2g√(2J)/μ̄)/w over the radii w tried; the certificate needs at most
	// 1. It is +Inf where μ̄ = 0 everywhere.
	Closure float64
}

// Error returns `certify: iteration t: no convergence certificate: reason`.
func (r *Refusal) Error() string {
	return fmt.Sprintf("certify: iteration %d: no convergence certificate: %s", r.Iteration, r.Reason)
}

var convergenceHypotheses = []hypothesis{
	zeroAtOrigin, continuousSlope, lipschitzSlope, squaredLoss, gradientDescent, fixedResidual, fixedEmbed,
	isometricReadout, ontoReadout, fewSamples, notTwoLayer,
}

// Converge returns the certificate of convergence from this iterate on, or a
// *Refusal. It looks for a radius w with φ(w) = 2 g(w) √(2J) / μ̄(w) ≤ w, the closure.
//
// φ does not decrease: the ball grows with w, so g, an upper bound over it, does
// not fall and μ̄, a lower bound, does not rise. Hence if φ(w) > w, then for every v
// in [w, (1+ε)φ(w)) φ(v) ≥ φ(w) > v/(1+ε): no radius there closes with slack ε, and
// the search continues from (1+ε)φ(w). It starts at w = 0, ends at the first radius that
// closes or where μ̄ = 0, and multiplies w by at least 1+ε each time, so it misses no such
// radius and always ends. The first radius is also the best: Rate falls and Smoothness rises
// with w.
func (it *Iterate) Converge() (*Certificate, error) {
	refusal := &Refusal{Iteration: it.m.Iteration, Closure: math.Inf(1)}
	if why := it.refuse(convergenceHypotheses...); why != "" {
		refusal.Hypothesis, refusal.Reason = true, why
		return nil, refusal
	}
	if len(it.m.Features) == 0 {
		refusal.Reason = noFeatures
		return nil, refusal
	}
	root := widened(it.loss, it.noise.residual)
	w := 0.0
	for n := 1; ; n++ {
		b := it.ball(w)
		φ := exact(2).mul(b.g).mul(root).over(b.μ).hi
		if φ*(1+reserve) <= w {
			return it.issue(w, φ, b, root, n)
		}
		if w > 0 {
			refusal.Closure = min(refusal.Closure, φ/w)
		}
		if math.IsInf(φ, 1) || math.IsNaN(φ) {
			break
		}
		w = φ * (1 + closureSlack)
	}
	switch {
	case w == 0:
		refusal.Reason = "the PL lower bound is 0 at the iterate itself"
	case math.IsInf(refusal.Closure, 1):
		refusal.Reason = fmt.Sprintf("the loss %.3g is too large: gradient descent may move by %.3g, where the PL lower bound is 0", it.m.Loss, w)
	default:
		refusal.Reason = fmt.Sprintf("the loss %.3g is too large: no radius closes, the movement allowed for is at least %.3g times it", it.m.Loss, refusal.Closure)
	}
	return nil, refusal
}

// issue completes the certificate of a radius that closes.
func (it *Iterate) issue(w, movement float64, b ball, root interval, n int) (*Certificate, error) {
	k := it.curvature(b.norms, b.env, root.mul(exact(1+reserve))).hi
	if math.IsInf(k, 1) {
		return nil, &Refusal{Iteration: it.m.Iteration, Reason: "the smoothness constant overflows", Closure: movement / w}
	}
	return &Certificate{
		Iteration: it.m.Iteration, Loss: up(root.square().hi / 2), Radius: w, Movement: movement,
		Rate: b.μ.lo, Smoothness: k, StepSize: down(1 / k), Rounding: it.rounding(b, root), Evaluations: n,
	}, nil
}

// rounding bounds the noise on the whole ball, by its norms and hidden states instead of
// those at the centre.
func (it *Iterate) rounding(b ball, root interval) Rounding {
	far := *it
	far.norms, far.m.Hidden, far.loss = b.norms, b.hidden, root.mul(exact(1+reserve))
	if len(far.m.FeatureNorms) > 0 {
		far.m.FeatureNorms = b.inputs
	}
	e := far.propagate(b.env)
	u, scale := it.p.UnitRoundoff, math.Sqrt(float64(it.widest()))
	lever := it.δmax.mul(b.env.exp).mul(b.env.t).hi
	r := Rounding{Reading: e.residual, LossError: it.lossError(), MovementError: it.frobeniusError()}
	for k := range it.p.Depth {
		still := u * b.norms.size(k, scale) * forwardNoise
		moving := (e.gradient[k] + 2*u*b.g.mul(far.loss).hi) * forwardNoise
		r.Loss += lever * still
		r.LossStep += lever * moving
		r.Weight, r.WeightStep = max(r.Weight, still), max(r.WeightStep, moving)
	}
	return r
}

// A ball holds bounds common to all networks with ‖θ′_k − θ_k‖_F ≤ w for all k.
type ball struct {
	norms  norms
	env    envelope
	hidden []float64 // ‖h_k(x_i)‖ ≤ hidden[k], k = 0..L
	inputs []float64 // ‖u_k(x_i)‖ ≤ inputs[k−1], k = 1..L
	// Lower bounds of σ_min of the features and of min|σ′(z)|, per layer.
	features, slopes []interval
	g                interval // ‖∂J/∂θ_k‖_F ≤ g √(2J)
	μ                interval // ‖∇J‖² ≥ 2μJ
}

// ball evaluates, with ḡ_k the gains at ‖A_k‖ + w, u_k the feature norms at the
// centre, λ = M₁ (inner) or 1 (outer) and κ = 1 (inner) or M₁ (outer):
//
//	Δ_k = (1 + ḡ_k) Δ_{k−1} + δ λ w ‖u_{k−1}‖,  Δ_0 = 0: moves of h_k
//	σ̄_k = max(0, σ_min(U_k) − √N κ Δ_{k−1})
//	s̄_k = max(s_k − M₂ (ā_k Δ_{k−1} + w‖u_{k−1}‖), MinFirst(ā_k (‖h_{k−1}‖ + Δ_{k−1}) + b̄_k))
//	g   = max_k δ λ Π_{j>k} (1 + ḡ_j) (‖u_{k−1}‖ + κ Δ_{k−1})
//	μ̄   = (δ²/N) Σ_k σ̄_k² s̄_k² Π_{j>k} max(0, 1 − ḡ_j)²
//
// for the exact network: measured numbers are widened by their noise.
func (it *Iterate) ball(w float64) ball {
	L, radius, e := it.p.Depth, exact(w), &it.noise
	n := it.norms.grown(it.same(radius))
	b := ball{norms: n, env: it.envelope(n), hidden: make([]float64, L+1), inputs: make([]float64, L)}
	b.hidden[0] = it.hidden(0).hi
	inner := it.p.Block == "inner"
	λ, κ := it.m1, exact(1)
	if !inner {
		λ, κ = exact(1), it.m1
	}
	features, slopes, moves := make([]interval, L), make([]interval, L), make([]interval, L)
	b.features, b.slopes = features, slopes
	rootN := it.samples().sqrt()
	var move interval
	for k := range L {
		noisy := exact(e.hidden[k])
		u := it.feature(k).add(κ.mul(noisy))
		features[k] = it.features(k).minus(rootN.mul(κ).mul(noisy.add(move)))
		slopes[k] = exact(1)
		if inner {
			turn := n.v[k].mul(move).add(radius.mul(u)).add(exact(e.slope[k]))
			near := about(it.m.Slopes[k], 2*elementary*it.p.UnitRoundoff).minus(it.m2.mul(turn))
			z := n.v[k].mul(it.hidden(k).add(noisy).add(move)).add(at(n.b, k)).hi
			slopes[k] = near.max(about(it.σ.MinFirst(z), elementary*0x1p-52))
		}
		moves[k] = u.add(κ.mul(move))
		b.inputs[k] = moves[k].hi
		move = move.mul(exact(1).add(it.gain(n, k))).add(it.δ[k].mul(λ).mul(radius).mul(u))
		b.hidden[k+1] = it.hidden(k + 1).add(exact(e.hidden[k+1])).add(move).hi
	}
	grow, shrink := within(1, it.readoutError()), within(1, it.readoutError())
	for k := L - 1; k >= 0; k-- {
		b.g = b.g.max(it.δ[k].mul(λ).mul(grow).mul(moves[k]))
		b.μ = b.μ.add(it.δ[k].mul(features[k]).mul(slopes[k]).mul(shrink).square())
		gain := it.gain(n, k)
		grow = grow.mul(exact(1).add(gain))
		shrink = shrink.mul(exact(1).minus(gain))
	}
	b.μ = b.μ.over(it.samples())
	return b
}
