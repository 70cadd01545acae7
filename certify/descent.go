package certify

// Descent bounds the loss after one step of gradient descent:
//
//	J(θ − η∇J) ≤ J − η (1 − ηK/2) ‖∇J‖²,
//
// with K the smoothness constant of the segment (Smoothness). For η ≥ 2/K the inequality
// still holds but promises no decrease.
func (it *Iterate) Descent() Bound {
	b := Bound{Name: "descent", Formula: "J(θ − η∇J) ≤ J − η (1 − ηK/2) ‖∇J‖²", Source: source("section 5")}
	if why := it.refuse(append([]hypothesis{gradientDescent}, smoothnessHypotheses...)...); why != "" {
		return b.refused(why)
	}
	if !it.stepKnown() {
		return b.refused("no step leaves this iterate")
	}
	η := *it.m.StepSize
	loss, next, g2 := it.step(η)
	k := it.smoothness(η)
	limit := loss.add(exact(η).square().mul(k).mul(exact(0.5)).mul(g2)).minus(exact(η).mul(g2))
	return b.judge(limit, next)
}
