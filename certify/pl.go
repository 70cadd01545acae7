package certify

// PLRatio bounds the Polyak–Łojasiewicz ratio from below:
//
//	‖∇J‖²/(2J) ≥ μ = (1/N) Σ_k δ_k² σ_min(U_k)² m_k² s_k²,
//	m_k = Π_{j>k} max(0, 1 − δ_j M₁ ‖A_j‖₂),
//
// with U_k the feature matrix of layer k (Measurement.Features), s_k = min|σ′(z_k)| in block
// inner and 1 in outer and mlp. In mlp the product runs over ‖V_j‖‖W_j‖ and the sum counts
// only the gradient with respect to V.
func (it *Iterate) PLRatio() Bound {
	b := Bound{
		Name: "pl-ratio", Formula: "‖∇J‖²/(2J) ≥ (1/N) Σ δ_k² σ_min(U_k)² m_k² s_k²",
		Lower: true, Source: source("section 4"),
	}
	why := it.refuse(zeroAtOrigin, continuousSlope, squaredLoss, isometricReadout, ontoReadout, fewSamples, positiveLoss)
	if why != "" {
		return b.refused(why)
	}
	if len(it.m.Features) == 0 {
		return b.missing(noFeatures)
	}
	measured := within(it.m.GradientNorm, it.gradientNormError()).square().over(it.loss.square())
	return b.judge(it.pl(), measured)
}

const noFeatures = "the singular values of the features were not measured"

// pl encloses μ.
func (it *Iterate) pl() interval {
	var sum interval
	m := within(1, it.readoutError()+it.branchError())
	round := within(1, it.γ(2))
	for k := it.p.Depth - 1; k >= 0; k-- {
		term := it.δ[k].mul(it.features(k)).mul(m).mul(it.slope(k))
		sum = sum.add(term.square())
		m = m.mul(exact(1).minus(it.gain(it.norms, k))).mul(round)
	}
	return sum.over(it.samples())
}

// features encloses σ_min(U) of layer index k.
func (it *Iterate) features(k int) interval {
	return about(it.m.Features[k], it.featureError()*it.featureFrobenius(k).hi)
}

// featureFrobenius encloses a bound of ‖U‖_F of layer index k.
func (it *Iterate) featureFrobenius(k int) interval {
	return it.feature(k).mul(it.samples().sqrt())
}

// slope encloses s_k, which is exact: backpropagation used these slopes.
func (it *Iterate) slope(k int) interval {
	if it.p.Block != "inner" {
		return exact(1)
	}
	return exact(it.m.Slopes[k])
}
