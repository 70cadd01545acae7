package certify

// HiddenGrowth bounds the hidden states, for every layer k:
//
//	max_i ‖h_k(x_i)‖ ≤ e^{S_k} R̂_k,  S_k = M₁ Σ_{j≤k} δ_j ‖A_j‖₂,
//	R̂_k = R + M₁ Σ_{j≤k} δ_j e^{−S_j} ‖b_j‖  (inner; R = max_i ‖h_0‖).
//
// In outer the bias enters without M₁, in mlp ‖A‖ is ‖V‖‖W‖ and the bias term
// M₁‖V‖‖b‖ + ‖c‖. The only hypothesis is σ(0) = 0: any loss, method and σ of bounded slope
// is admitted, also relu.
func (it *Iterate) HiddenGrowth() Bound {
	b := Bound{Name: "hidden-growth", Formula: "max ‖h_k‖ ≤ e^{S_k} R̂_k", Source: source("section 2")}
	if why := it.refuse(zeroAtOrigin); why != "" {
		return b.refused(why)
	}
	limits := make([]interval, it.p.Depth)
	var s interval
	reach := it.hidden(0)
	for k := range limits {
		s = s.add(it.gain(it.norms, k))
		if it.p.Bias {
			reach = reach.add(it.offset(it.norms, k).over(s.exp()))
		}
		limits[k] = s.exp().mul(reach).mul(within(1, it.γ(k+1)))
	}
	return b.tightest(1, it.p.Depth, func(k int) (bound, measured interval) {
		return limits[k-1], it.hidden(k)
	})
}
