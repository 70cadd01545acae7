package certify

// GradientUpper bounds the gradient of every layer, all its parameters together:
//
//	max_k ‖∂J/∂θ_k‖_F ≤ δ e^S T √(2J),
//
// with T = M₁R̃ (inner), √(M₁²R̂² + [bias]) (outer), and for mlp
// √(M₁²w̃²R̃² + [bias] + M₁²v²R̃²), v = max‖V_k‖, w̃ = max√(‖W_k‖² + ‖b_k‖²); R̃ is R̂, or
// √(R̂² + 1) with trained biases. For M₁ = 1 without bias T = R. The bound is about the
// output of backpropagation, so relu is admitted.
func (it *Iterate) GradientUpper() Bound {
	b := Bound{Name: "gradient-norm", Formula: "max ‖∂J/∂θ_k‖_F ≤ δ e^S T √(2J)", Source: source("section 3")}
	if why := it.refuse(zeroAtOrigin, squaredLoss, isometricReadout); why != "" {
		return b.refused(why)
	}
	var measured interval
	for k, g := range it.m.Gradients {
		g := within(g, it.frobeniusError())
		if k == 0 || g.hi > measured.hi {
			measured = g
		}
	}
	return b.judge(it.gradientLimit(it.env), measured)
}

// gradientLimit encloses δ e^S T √(2J) for what floating point computes.
func (it *Iterate) gradientLimit(e envelope) interval {
	return it.δmax.mul(e.exp).mul(e.t).mul(it.loss).mul(within(1, it.outerError()+it.branchError()))
}
