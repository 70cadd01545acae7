package train

import "math"

// A rule gives the step size of iteration t; Armijo's comes from a search instead.
type rule struct {
	Step
	base       float64 // value·L^(2α−1), or value for rule constant
	iterations int
}

// newRule returns the rule of a resolved section for depth L and exponent α. The
// factor L^(2α−1) makes the stable step size the same at every depth: the Hessian is
// of the order δ²L = L^(1−2α).
func newRule(spec Spec, depth int, alpha float64) rule {
	r := rule{Step: spec.Step, base: spec.Step.Value, iterations: spec.Stop.Iterations}
	if r.Rule != "constant" {
		r.base *= math.Pow(float64(depth), 2*alpha-1)
	}
	return r
}

// size returns η of iteration t = 0, 1, …; for armijo it is where the search starts.
func (r rule) size(t int) float64 {
	switch r.Rule {
	case "cosine":
		part := min(1, float64(t)/float64(max(1, r.iterations)))
		return r.base * (r.Minimum + (1-r.Minimum)*(1+math.Cos(math.Pi*part))/2)
	case "decay":
		return r.base * math.Pow(r.Factor, float64(t/r.Every))
	}
	return r.base
}

// backtrack returns the largest η in {first, first·factor, first·factor², …} with
// J(θ − ηg) ≤ J − c η ‖g‖² [Armijo 1966], or 0 when none above first·2^−60 does:
// then rounding hides the decrease.
func (r rule) backtrack(first, loss, squaredNorm float64, lossAt func(eta float64) float64) float64 {
	for eta := first; eta > first*0x1p-60; eta *= r.Factor {
		if lossAt(eta) <= loss-r.Slope*eta*squaredNorm {
			return eta
		}
	}
	return 0
}
