package certify

import "math"

// Smoothness bounds the curvature on the segment [θ, θ − η∇J] of a step by K, and the
// curvature at θ where no step is known (or the method is not gd). The measured quantity is
// max|λ(∇²J(θ))|, or without it the curvature along the step,
// 2(J(θ − η∇J) − J + η‖∇J‖²)/(η²‖∇J‖²). With S, R̃ and T at norms grown by η‖∂J/∂θ_k‖_F:
//
//	ρ = √(2J) + δ e^S T √L η‖∇J‖
//	K = L δ² e^{2S} T² + ρ (δ² M₁ L e^S T + B)
//	B = 2 δ M₂ e^{2S} R̃² (1 + L Σ(δ M₁ ‖A_k‖)²)            (inner)
//	B = M₂ L δ² e^{2S} T² Σ δ‖A_k‖                          (outer)
//
// and for mlp, with q = max√(v_k² + w_k²), the middle term δ² M₁ q L e^S T and
//
//	B = δ M₁ e^S R̃ + 2 δ M₂ e^{2S} (v R̃² + L T² Σ δ² v_k w_k²).
//
// M₂ is a Lipschitz constant of σ′, so elu is admitted.
func (it *Iterate) Smoothness() Bound {
	b := Bound{Name: "smoothness", Formula: "max |λ(∇²J)| ≤ K on the segment of the step", Source: source("section 5")}
	if why := it.refuse(smoothnessHypotheses...); why != "" {
		return b.refused(why)
	}
	var η float64
	if it.stepKnown() {
		η = *it.m.StepSize
	}
	k := it.smoothness(η)
	switch {
	case it.m.HessianNorm != nil:
		return b.judge(k, about(*it.m.HessianNorm, hessianError*k.hi))
	case η > 0 && it.m.GradientNorm > 0:
		return b.judge(k, it.stepCurvature(η))
	}
	return b.unmeasured(k, "neither the Hessian norm nor a step was measured")
}

// hessianError is the assumed error of a measured Hessian norm, relative to K: the tolerance
// of the tests of Hessian–vector products. There is no a-priori bound of it.
const hessianError = 1e-8

var smoothnessHypotheses = []hypothesis{zeroAtOrigin, lipschitzSlope, squaredLoss, fixedResidual, fixedEmbed, isometricReadout}

// stepKnown reports whether the measurement has a step of gradient descent.
func (it *Iterate) stepKnown() bool { return it.m.StepSize != nil && gradientDescent(it) == "" }

// smoothness encloses K for step size η ≥ 0.
func (it *Iterate) smoothness(η float64) interval {
	n, ρ := it.norms, it.loss.add(exact(it.noise.residual))
	if η > 0 {
		radii := make([]interval, it.p.Depth)
		for k, g := range it.m.Gradients {
			radii[k] = within(g, it.frobeniusError()).mul(exact(η))
		}
		n = n.grown(radii)
	}
	env := it.env
	if η > 0 {
		env = it.envelope(n)
		move := within(it.m.GradientNorm, it.gradientNormError()).mul(exact(η))
		ρ = ρ.add(it.δmax.mul(env.exp).mul(env.t).mul(it.depth().sqrt()).mul(move))
	}
	return it.curvature(n, env, ρ)
}

// curvature encloses K for all networks with norms at most n and √(2J) at most ρ.
func (it *Iterate) curvature(n norms, env envelope, ρ interval) interval {
	δ, L, two := it.δmax, it.depth(), exact(2)
	e2 := env.exp.square()
	first := L.mul(δ.square()).mul(e2).mul(env.t.square())
	mixed := δ.square().mul(it.m1).mul(L).mul(env.exp).mul(env.t)
	var bent interval
	switch it.p.Block {
	case "inner":
		sum := exact(1)
		for k := range it.p.Depth {
			sum = sum.add(L.mul(it.gain(n, k).square()))
		}
		bent = two.mul(δ).mul(it.m2).mul(e2).mul(env.input.square()).mul(sum)
	case "outer":
		var sum interval
		for k := range it.p.Depth {
			sum = sum.add(δ.mul(n.v[k]))
		}
		bent = it.m2.mul(first).mul(sum)
	case "mlp":
		var v, q, sum interval
		for k := range it.p.Depth {
			v = v.max(n.v[k])
			q = q.max(n.v[k].hypot(n.w[k]))
			sum = sum.add(δ.square().mul(n.v[k]).mul(n.w[k].square()))
		}
		mixed = mixed.mul(q).add(δ.mul(it.m1).mul(env.exp).mul(env.input))
		bent = two.mul(δ).mul(it.m2).mul(e2).
			mul(v.mul(env.input.square()).add(L.mul(env.t.square()).mul(sum)))
	}
	return first.add(ρ.mul(mixed.add(bent)))
}

// stepCurvature encloses 2(J⁺ − J + η‖∇J‖²)/(η²‖∇J‖²) for the exact network,
// gradient and step, from below at least 0.
func (it *Iterate) stepCurvature(η float64) interval {
	loss, next, gradient := it.step(η)
	rise := exact(η).mul(gradient).add(next).minus(loss)
	return exact(2).mul(rise).over(exact(η).square().mul(gradient))
}

// step encloses J, J(θ − η∇J) and ‖∇J‖² of the exact network: the measured losses and
// gradient are widened by their noise, and the next loss also by the effect of the rounded
// step on the output.
func (it *Iterate) step(η float64) (loss, next, gradientSquared interval) {
	e := &it.noise
	half := exact(0.5)
	loss = half.mul(widened(it.loss, e.residual).square())
	residual := e.residual + it.stepNoise(η)
	next = half.mul(widened(within(2**it.m.NextLoss, it.lossError()).sqrt(), residual).square())
	var g2 float64
	for _, g := range e.gradient {
		g2 = up(g2 + g*g)
	}
	g := within(it.m.GradientNorm, it.gradientNormError())
	gradientSquared = widened(g, exact(g2).sqrt().hi).square()
	return loss, next, gradientSquared
}

// widened returns x with an absolute error e on both sides.
func widened(x interval, e float64) interval {
	return interval{down(max(0, x.lo-e)), up(x.hi + e)}
}

// stepNoise bounds the change of √(2J) due to the rounded weights and the computed gradient
// of one step: δ e^S T Σ_k (η‖Ĝ_k − G_k‖ + u‖θ_k‖_F + 2uη‖G_k‖).
func (it *Iterate) stepNoise(η float64) float64 {
	u, root := it.p.UnitRoundoff, math.Sqrt(float64(it.widest()))
	var sum float64
	for k := range it.p.Depth {
		sum += η*it.noise.gradient[k] + u*it.norms.size(k, root) + 2*u*η*it.m.Gradients[k]
	}
	return it.δmax.mul(it.env.exp).mul(it.env.t).hi * sum * forwardNoise
}
