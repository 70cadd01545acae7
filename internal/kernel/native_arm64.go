//go:build !purego

package kernel

// Every arm64 processor has NEON.

func native32() []Ops[float32] {
	f := assembly[float32]{
		tier: "neon", lanes: 4,
		product: productNEONF32, transpose: transposeNEONF32, interleavedOuter: interleavedOuterNEONF32,
		addRowSums: addRowSumsNEONF32, addScaled: addScaledNEONF32, scaleMul: scaleMulNEONF32, scaleMulSlope: scaleMulSlopeNEONF32, sumScaled: sumScaledNEONF32,
		squares: sumSquaresNEONF32, distances: sumSquaredDifferencesNEONF32, toPoint: squaredDistancesNEONF32, fromBfloat16: fromBfloat16NEONF64, peak: peakNEONF32,
		activations: activationsNEONF32,
		chain:       chains[float32]{whole: layered[float32]{tanhLayersNEONF32, tanhAdjointsNEONF32}},
		norm:        norms[float32]{centreNEONF32, normaliseNEONF32, addNormalisedNEONF32},
		update:      updates[float32]{scaleNEONF32, momentumNEONF32, nesterovNEONF32, adamNEONF32, signDescentNEONF32, lionNEONF32},
	}
	return []Ops[float32]{f.ops()}
}

func native64() []Ops[float64] {
	f := assembly[float64]{
		tier: "neon", lanes: 2,
		product: productNEONF64, transpose: transposeNEONF64, interleavedOuter: interleavedOuterNEONF64,
		addRowSums: addRowSumsNEONF64, addScaled: addScaledNEONF64, scaleMul: scaleMulNEONF64, scaleMulSlope: scaleMulSlopeNEONF64, sumScaled: sumScaledNEONF64,
		squares: sumSquaresNEONF64, distances: sumSquaredDifferencesNEONF64, toPoint: squaredDistancesNEONF64, fromBfloat16: fromBfloat16NEONF64, peak: peakNEONF64,
		activations: activationsNEONF64,
		chain:       chains[float64]{whole: layered[float64]{tanhLayersNEONF64, tanhAdjointsNEONF64}},
		norm:        norms[float64]{centreNEONF64, normaliseNEONF64, addNormalisedNEONF64},
		update:      updates[float64]{scaleNEONF64, momentumNEONF64, nesterovNEONF64, adamNEONF64, signDescentNEONF64, lionNEONF64},
	}
	return []Ops[float64]{f.ops()}
}

// peakChains is the number of vectors in a round of the peak loop.
const peakChains = 24

// The activations of each type.
var (
	activationsNEONF32 = [...]func(next, ds, u, h *float32, a float32, n int){
		Tanh: tanhNEONF32, GELU: geluNEONF32, Sin: sinNEONF32, SiLU: siluNEONF32, Softplus: softplusNEONF32, ELU: eluNEONF32,
		Sigmoid: sigmoidNEONF32, CentredSigmoid: centredSigmoidNEONF32, ReLU: reluNEONF32, Identity: identityNEONF32, TanhValue: tanhValueNEONF32,
	}
	activationsNEONF64 = [...]func(next, ds, u, h *float64, a float64, n int){
		Tanh: tanhNEONF64, GELU: geluNEONF64, Sin: sinNEONF64, SiLU: siluNEONF64, Softplus: softplusNEONF64, ELU: eluNEONF64,
		Sigmoid: sigmoidNEONF64, CentredSigmoid: centredSigmoidNEONF64, ReLU: reluNEONF64, Identity: identityNEONF64, TanhValue: tanhValueNEONF64,
	}
)
