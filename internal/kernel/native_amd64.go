//go:build !purego

package kernel

import "golang.org/x/sys/cpu"

func native32() []Ops[float32] {
	avx2 := assembly[float32]{
		"avx2", 8, productAVX2F32, nil, transposeAVX2F32, interleavedOuterAVX2F32, addRowSumsAVX2F32, activationsAVX2F32,
		addScaledAVX2F32, scaleMulAVX2F32, scaleMulSlopeAVX2F32, sumScaledAVX2F32, sumSquaresAVX2F32, sumSquaredDifferencesAVX2F32, squaredDistancesAVX2F32, fromBfloat16AVX2F64, peakAVX2F32,
		chains[float32]{whole: layered[float32]{tanhLayersAVX2F32, tanhAdjointsAVX2F32}, narrow: layered[float32]{tanhLayersNarrowAVX2F32, tanhAdjointsNarrowAVX2F32}},
		norms[float32]{centreAVX2F32, normaliseAVX2F32, addNormalisedAVX2F32},
		updates[float32]{scaleAVX2F32, momentumAVX2F32, nesterovAVX2F32, adamAVX2F32, signDescentAVX2F32, lionAVX2F32},
	}
	avx512 := assembly[float32]{
		"avx512", 16, productAVX512F32, productAVX2F32, transposeAVX2F32, interleavedOuterAVX512F32, addRowSumsAVX512F32, activationsAVX512F32,
		addScaledAVX512F32, scaleMulAVX512F32, scaleMulSlopeAVX512F32, sumScaledAVX512F32, sumSquaresAVX512F32, sumSquaredDifferencesAVX512F32, squaredDistancesAVX512F32, fromBfloat16AVX512F64, peakAVX512F32,
		chains[float32]{layered[float32]{tanhLayersAVX512F32, tanhAdjointsAVX512F32}, layered[float32]{tanhLayersAVX2F32, tanhAdjointsAVX2F32}, layered[float32]{tanhLayersNarrowAVX2F32, tanhAdjointsNarrowAVX2F32}},
		norms[float32]{centreAVX512F32, normaliseAVX512F32, addNormalisedAVX512F32},
		updates[float32]{scaleAVX512F32, momentumAVX512F32, nesterovAVX512F32, adamAVX512F32, signDescentAVX512F32, lionAVX512F32},
	}
	return supported(avx512, avx2)
}

func native64() []Ops[float64] {
	avx2 := assembly[float64]{
		"avx2", 4, productAVX2F64, nil, transposeAVX2F64, interleavedOuterAVX2F64, addRowSumsAVX2F64, activationsAVX2F64,
		addScaledAVX2F64, scaleMulAVX2F64, scaleMulSlopeAVX2F64, sumScaledAVX2F64, sumSquaresAVX2F64, sumSquaredDifferencesAVX2F64, squaredDistancesAVX2F64, fromBfloat16AVX2F64, peakAVX2F64,
		chains[float64]{whole: layered[float64]{tanhLayersAVX2F64, tanhAdjointsAVX2F64}},
		norms[float64]{centreAVX2F64, normaliseAVX2F64, addNormalisedAVX2F64},
		updates[float64]{scaleAVX2F64, momentumAVX2F64, nesterovAVX2F64, adamAVX2F64, signDescentAVX2F64, lionAVX2F64},
	}
	avx512 := assembly[float64]{
		"avx512", 8, productAVX512F64, productAVX2F64, transposeAVX2F64, interleavedOuterAVX512F64, addRowSumsAVX512F64, activationsAVX512F64,
		addScaledAVX512F64, scaleMulAVX512F64, scaleMulSlopeAVX512F64, sumScaledAVX512F64, sumSquaresAVX512F64, sumSquaredDifferencesAVX512F64, squaredDistancesAVX512F64, fromBfloat16AVX512F64, peakAVX512F64,
		chains[float64]{whole: layered[float64]{tanhLayersAVX512F64, tanhAdjointsAVX512F64}, narrow: layered[float64]{tanhLayersNarrowAVX512F64, tanhAdjointsNarrowAVX512F64}},
		norms[float64]{centreAVX512F64, normaliseAVX512F64, addNormalisedAVX512F64},
		updates[float64]{scaleAVX512F64, momentumAVX512F64, nesterovAVX512F64, adamAVX512F64, signDescentAVX512F64, lionAVX512F64},
	}
	return supported(avx512, avx2)
}

// supported returns the tiers that this CPU and its operating system can run, best first.
func supported[T Float](avx512, avx2 assembly[T]) (list []Ops[T]) {
	if !(cpu.X86.HasAVX2 && cpu.X86.HasFMA) {
		return nil
	}
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL && cpu.X86.HasAVX512BW && cpu.X86.HasBMI2 {
		list = append(list, avx512.ops())
	}
	return append(list, avx2.ops())
}

// peakChains is the number of vectors in a round of the peak loop.
const peakChains = 12

// The activations of each tier.
var (
	activationsAVX2F32 = [...]func(next, ds, u, h *float32, a float32, n int){
		Tanh: tanhAVX2F32, GELU: geluAVX2F32, Sin: sinAVX2F32, SiLU: siluAVX2F32, Softplus: softplusAVX2F32, ELU: eluAVX2F32,
		Sigmoid: sigmoidAVX2F32, CentredSigmoid: centredSigmoidAVX2F32, ReLU: reluAVX2F32, Identity: identityAVX2F32, TanhValue: tanhValueAVX2F32,
	}
	activationsAVX2F64 = [...]func(next, ds, u, h *float64, a float64, n int){
		Tanh: tanhAVX2F64, GELU: geluAVX2F64, Sin: sinAVX2F64, SiLU: siluAVX2F64, Softplus: softplusAVX2F64, ELU: eluAVX2F64,
		Sigmoid: sigmoidAVX2F64, CentredSigmoid: centredSigmoidAVX2F64, ReLU: reluAVX2F64, Identity: identityAVX2F64, TanhValue: tanhValueAVX2F64,
	}
	activationsAVX512F32 = [...]func(next, ds, u, h *float32, a float32, n int){
		Tanh: tanhAVX512F32, GELU: geluAVX512F32, Sin: sinAVX512F32, SiLU: siluAVX512F32, Softplus: softplusAVX512F32, ELU: eluAVX512F32,
		Sigmoid: sigmoidAVX512F32, CentredSigmoid: centredSigmoidAVX512F32, ReLU: reluAVX512F32, Identity: identityAVX512F32, TanhValue: tanhValueAVX512F32,
	}
	activationsAVX512F64 = [...]func(next, ds, u, h *float64, a float64, n int){
		Tanh: tanhAVX512F64, GELU: geluAVX512F64, Sin: sinAVX512F64, SiLU: siluAVX512F64, Softplus: softplusAVX512F64, ELU: eluAVX512F64,
		Sigmoid: sigmoidAVX512F64, CentredSigmoid: centredSigmoidAVX512F64, ReLU: reluAVX512F64, Identity: identityAVX512F64, TanhValue: tanhValueAVX512F64,
	}
)
