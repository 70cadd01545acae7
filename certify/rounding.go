package certify

import "math"

// This file bounds the rounding errors of measured numbers, in the style of
// Higham, Accuracy and Stability of Numerical Algorithms: γ(n) = nu/(1 − nu)
// bounds the relative error of any product or sum of non-negative terms of n
// operations, in any order. docs/certificates.md, section 9, argues every count.

// double is the unit roundoff of float64, in which all norms are taken.
const double = 0x1p-53

// gamma returns nu/(1 − nu), and +Inf when nu ≥ 1, where the analysis does not apply.
func gamma(n int, u float64) float64 {
	nu := float64(n) * u
	if !(nu < 1) {
		return math.Inf(1)
	}
	return nu / (1 - nu)
}

// γ returns gamma(n) for the arithmetic of the run.
func (it *Iterate) γ(n int) float64 { return gamma(n, it.p.UnitRoundoff) }

// widest is the longest inner product of a layer.
func (it *Iterate) widest() int { return max(it.p.Width, it.p.Hidden, it.p.Outputs) }

// spectralError is the assumed relative error of a spectral norm: 8n·2⁻⁵³ for n×n, the
// backward error p(n)u of a dense singular value decomposition in float64. The LAPACK Users'
// Guide leaves p unproved and uses 1; deeplimit uses 8n.
func (it *Iterate) spectralError() float64 { return 8 * float64(it.widest()) * double }

// vectorError is that of the Euclidean norm of a vector of at most widest entries.
func (it *Iterate) vectorError() float64 { return gamma(it.widest()+3, double) }

// featureNormError is that of a column of features, which may have a one more.
func (it *Iterate) featureNormError() float64 { return gamma(it.widest()+4, double) }

// frobeniusError is that of ‖·‖_F of a layer's parameters.
func (it *Iterate) frobeniusError() float64 {
	n := it.widest()
	return gamma(2*n*n+2*n+3, double)
}

// gradientNormError is that of ‖∇J‖², summed layer by layer.
func (it *Iterate) gradientNormError() float64 {
	n := it.widest()
	return gamma(4*n*n+4*n+2*it.p.Depth+6, double)
}

// lossError is that of J as a function of the computed residuals.
func (it *Iterate) lossError() float64 { return it.γ(it.p.Samples*it.p.Outputs + 4) }

// branchError is the error of a residual branch, forward or backward, relative to the product
// of its norms: matrix–vector products of n terms have the error γ(n+1) relative to
// ‖A‖_F ≤ √n ‖A‖₂ instead of ‖A‖₂, σ and σ′ one of a few units, and δ multiplies once more.
func (it *Iterate) branchError() float64 {
	n := it.widest()
	root := int(math.Ceil(math.Sqrt(float64(n))))
	return it.γ((2*n+2)*root + 2*elementary + 4)
}

// readoutError is that of applying C or Cᵀ, whose rows are orthonormal up to
// rounding; 0 for the identity.
func (it *Iterate) readoutError() float64 {
	if it.p.Readout == "identity" {
		return 0
	}
	n := it.widest()
	return it.γ(8*n + 2*n*int(math.Ceil(math.Sqrt(float64(n)))))
}

// outerError is that of summing a layer's gradient over samples, relative to
// (δ/N)‖P‖_F‖H‖_F.
func (it *Iterate) outerError() float64 { return it.γ(it.p.Samples + 4) }

// featureError is the absolute error of a measured σ_min, in units of the
// Frobenius norm of its matrix: 8 max(rows, N)·2⁻⁵³ as for spectralError, and
// outerError because the gradient is the product with that matrix.
func (it *Iterate) featureError() float64 {
	return 8*float64(max(it.widest()+1, it.p.Samples))*double + it.outerError()
}

// noise bounds absolute errors relative to the exact network with the same weights.
type noise struct {
	hidden   []float64 // of h_k in norm, k = 0..L, for every sample
	slope    []float64 // of the argument of σ′ in layer k, k = 0..L−1
	residual float64   // of √(2J)
	gradient []float64 // of ‖∂J/∂θ_k‖_F
}

// forwardNoise bounds the factor by which the exact sums below change when they are evaluated
// in float64 and products of two rounding errors are dropped.
const forwardNoise = 1.01

// propagate bounds the rounding errors through the forward pass,
//
//	E_k = (1 + g_k) E_{k−1} + δ ε F_k + 2u‖h_k‖,
//
// F_k the norm of the branch with Frobenius norms, and through the backward pass
// with root mean square adjoint π ≤ e^S √(2J), where the error of z changes σ′:
//
//	e_{k−1} = (1 + g_k) e_k + π (δ‖A_k‖ M₂ ζ_k + ε g_k n + 2u).
func (it *Iterate) propagate(env envelope) noise {
	L, u := it.p.Depth, it.p.UnitRoundoff
	n := float64(it.widest())
	root, ε := math.Sqrt(n), it.γ(2*it.widest()+elementary+6)
	m1, m2 := it.m1.hi, it.m2.hi
	e := noise{hidden: make([]float64, L+1), slope: make([]float64, L), gradient: make([]float64, L)}

	for k := range L {
		h := it.hidden(k).hi
		δ, v, w, b, c := it.δ[k].hi, it.norms.v[k].hi, at(it.norms.w, k).hi, at(it.norms.b, k).hi, at(it.norms.c, k).hi
		var branch float64
		switch it.p.Block {
		case "inner":
			branch = m1 * (root*v*h + b)
			e.slope[k] = v*e.hidden[k] + ε*(root*v*h+b)
		case "outer":
			branch = root*v*m1*h + c
			e.slope[k] = e.hidden[k]
		case "mlp":
			branch = root*v*m1*(root*w*h+b) + c
			e.slope[k] = w*e.hidden[k] + ε*(root*w*h+b)
		}
		e.hidden[k+1] = (1+it.gain(it.norms, k).hi)*e.hidden[k] + δ*ε*branch + 2*u*it.hidden(k+1).hi
	}
	e.residual = e.hidden[L] + (it.readoutError()+2*u)*it.hidden(L).hi + 2*u*it.loss.hi
	π := env.exp.hi * it.loss.hi
	adjoint := e.residual + it.readoutError()*π
	outer := it.outerError() + ε
	for k := L - 1; k >= 0; k-- {
		δ, v, w, z := it.δ[k].hi, it.norms.v[k].hi, at(it.norms.w, k).hi, e.slope[k]
		f := it.feature(k).hi
		h := it.hidden(k).hypot1(it.p.Bias).hi
		steep := product(m2, z)
		switch it.p.Block {
		case "inner":
			e.gradient[k] = δ * ((m1*adjoint+steep*π)*h + π*m1*e.hidden[k] + outer*π*m1*h)
		case "outer":
			e.gradient[k] = δ * (adjoint*f + π*m1*e.hidden[k] + outer*π*f)
		case "mlp":
			e.gradient[k] = δ*(adjoint*f+π*m1*z+outer*π*f) +
				δ*v*((m1*adjoint+steep*π)*h+π*m1*e.hidden[k]+outer*root*π*m1*h)
			v *= w
		}
		g := it.gain(it.norms, k).hi
		adjoint = (1+g)*adjoint + π*(δ*v*steep+ε*g*n+2*u)
	}
	for k := range L {
		e.hidden[k+1] *= forwardNoise
		e.slope[k] *= forwardNoise
		e.gradient[k] *= forwardNoise
	}
	e.residual *= forwardNoise
	return e
}
