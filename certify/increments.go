package certify

// GradientIncrements bounds the change of the gradient from one layer to the next:
//
//	‖∂J/∂θ_{k+1} − ∂J/∂θ_k‖_F ≤ δ e^S T √(2J) δ M₁ (a_{k+1} + ã_k) + E_k,
//
// a_k = ‖A_k‖₂, ã_k = √(a_k² + ‖b_k‖²), and in block inner, with
// B_k = √(‖A_{k+1} − A_k‖₂² + ‖b_{k+1} − b_k‖²),
//
//	E_k = δ e^{2S} R̃² √(2J) M₂ (B_k + δ M₁ a_{k+1} ã_k);
//
// E_k = 0 in block outer, where σ′ does not depend on A. The result is the tightest pair.
func (it *Iterate) GradientIncrements() Bound {
	b := Bound{Name: "gradient-increments", Formula: "‖∂J/∂θ_{k+1} − ∂J/∂θ_k‖_F ≤ δ e^S T √(2J) δ M₁ (a_{k+1} + ã_k) + E_k", Source: source("section 6")}
	if why := it.refuse(incrementHypotheses...); why != "" {
		return b.refused(why)
	}
	if it.p.Depth == 1 {
		return b.refused(oneLayer)
	}
	if len(it.m.GradientIncrements) == 0 {
		return b.missing(noIncrements)
	}
	e := it.incrementNoise(it.norms, it.env)
	return b.tightest(1, it.p.Depth-1, func(k int) (bound, measured interval) {
		limit := it.incrementLimit(it.norms, it.env, k-1, it.weightIncrement(k-1)).mul(it.loss)
		return limit, widened(within(it.m.GradientIncrements[k-1], it.frobeniusError()), e)
	})
}

var incrementHypotheses = []hypothesis{zeroAtOrigin, lipschitzSlope, squaredLoss, fixedResidual, isometricReadout, notTwoLayer}

const noIncrements = "the increments over layers were not measured"

const oneLayer = "a network of one layer has no increments"

// weightIncrement encloses B_k of the pair of layer indices (k, k+1).
func (it *Iterate) weightIncrement(k int) interval {
	b := within(it.m.WeightIncrements[k], it.spectralError())
	if it.p.Bias {
		b = b.hypot(within(it.m.BiasIncrements[k], it.vectorError()))
	}
	return b
}

// incrementLimit encloses the bound for layer indices (k, k+1) over √(2J), for
// norms at most n with envelope env and weight increment at most b.
func (it *Iterate) incrementLimit(n norms, env envelope, k int, b interval) interval {
	δ := it.δmax
	bias := at(n.b, k).max(at(n.c, k))
	own := n.v[k].hypot(bias)
	next := n.v[k+1]
	limit := δ.square().mul(env.exp).mul(env.t).mul(it.m1).mul(next.add(own))
	if it.p.Block == "inner" {
		turn := b.add(δ.mul(it.m1).mul(next).mul(own))
		limit = limit.add(δ.mul(it.m2).mul(env.exp.square()).mul(env.input.square()).mul(turn))
	}
	return limit.mul(within(1, it.branchError()+it.outerError()))
}

// incrementNoise bounds the rounding error of the difference of two computed gradients: each
// has the relative errors outerError and branchError, σ′ is evaluated at a rounded z, and
// hidden and adjoint states round once more in the step between them.
func (it *Iterate) incrementNoise(n norms, env envelope) float64 {
	g := it.gradientLimit(env).hi
	e := g * (2*it.outerError() + 2*it.branchError() + it.γ(8))
	if it.p.Block == "inner" {
		var a float64
		for k := range it.p.Depth {
			a = max(a, n.v[k].hi+at(n.b, k).hi)
		}
		e += 2 * it.δmax.mul(it.m2).mul(env.exp.square()).mul(env.input.square()).mul(it.loss).hi * it.branchError() * a
	}
	return e * forwardNoise
}
