package resnet

import (
	"fmt"
	"math"
)

// A loss is ℓ(ŷ, y) for one sample; J is its mean over the samples. Slices have
// length m, the number of outputs.
type loss interface {
	// value returns ℓ and writes ∂ℓ/∂ŷ to r, which may alias yhat.
	value(r, yhat, y []float64) float64
	// curvature writes ∂²ℓ/∂ŷ² · v to hv, which may alias v; yhat is the output.
	curvature(hv, yhat, y, v []float64)
}

func newLoss(spec Spec) (loss, error) {
	switch spec.Loss {
	case "squared":
		return squared{}, nil
	case "cross-entropy":
		return crossEntropy{}, nil
	case "lp":
		return power{spec.Power}, nil
	}
	return nil, fmt.Errorf("resnet: loss: got %q, want squared, cross-entropy or lp", spec.Loss)
}

// squared is ℓ = ½‖ŷ − y‖², so J = (1/2N) Σ ‖r‖² [CRX, Section 2].
type squared struct{}

func (squared) value(r, yhat, y []float64) float64 {
	sum := 0.0
	for i := range y {
		r[i] = yhat[i] - y[i]
		sum += float64(r[i] * r[i]) // rounded, so that no machine fuses it
	}
	return sum / 2
}

func (squared) curvature(hv, _, _, v []float64) { copy(hv, v) }

// power is ℓ = (1/p) Σ_i |ŷ_i − y_i|^p for p > 1; p = 2 is squared.
type power struct{ p float64 }

func (l power) value(r, yhat, y []float64) float64 {
	sum := 0.0
	for i := range y {
		e := yhat[i] - y[i]
		a := math.Pow(math.Abs(e), l.p-1)
		sum += a * math.Abs(e)
		r[i] = math.Copysign(a, e)
	}
	return sum / l.p
}

// curvature is (p−1)|r|^{p−2} v; for p < 2 it is unbounded at r = 0, and +Inf or NaN there.
func (l power) curvature(hv, yhat, y, v []float64) {
	for i := range y {
		hv[i] = (l.p - 1) * math.Pow(math.Abs(yhat[i]-y[i]), l.p-2) * v[i]
	}
}

// crossEntropy is ℓ = −Σ_i y_i log softmax(ŷ)_i for targets y ≥ 0 that sum to one
// (one-hot for class labels).
type crossEntropy struct{}

func (crossEntropy) value(r, yhat, y []float64) float64 {
	logSum := logSumExp(yhat)
	sum := 0.0
	for i := range y {
		logp := yhat[i] - logSum
		if y[i] != 0 {
			sum -= y[i] * logp
		}
		r[i] = math.Exp(logp) - y[i]
	}
	return sum
}

// curvature is (diag(q) − q qᵀ) v with q = softmax(ŷ).
func (crossEntropy) curvature(hv, yhat, _, v []float64) {
	logSum := logSumExp(yhat)
	mean := 0.0
	for i := range v {
		mean += math.Exp(yhat[i]-logSum) * v[i]
	}
	for i := range v {
		hv[i] = math.Exp(yhat[i]-logSum) * (v[i] - mean)
	}
}

// logSumExp returns log Σ e^{v_i}, shifted by the largest entry so that it cannot overflow.
func logSumExp(v []float64) float64 {
	top := math.Inf(-1)
	for _, x := range v {
		top = math.Max(top, x)
	}
	sum := 0.0
	for _, x := range v {
		sum += math.Exp(x - top)
	}
	return top + math.Log(sum)
}
