package tangent

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/certify"
)

// spectrumBounds returns the residual, eigenvalues and Newton step with bounds of all their errors, or why there are none. What the
// samples' features are off by is bounded by features beside the distance of the computed states from the exact ones.
func (m *Model) spectrumBounds(s *spectral, layers *certify.Layers, samples []certify.Propagation, features []float64, o *orbit, store Store) (t *certify.Tangent, why string) {
	r := roundoff{unit}
	off, shift := m.distances(layers, samples, features, o)
	if !(off+shift <= 1) {
		return nil, "the errors of the states are too large"
	}
	b := &kernelBounds{roundoff: r, kernel: s.kernel, n: s.kernel.SymmetricDim(), off: off, shift: shift}
	groups := 6
	b.terms = m.width + m.middle + m.net.Inputs + groups*m.depth + 20
	type bounds struct {
		Low, High, Rounding, Sum float64
		OK                       bool
	}
	found, _ := remembered(store, fmt.Sprintf("bounds-%x", off), func() (bounds, error) {
		low, high, ok := b.eigenvalues(s.LambdaMin, s.LambdaMax)
		return bounds{low, high, b.rounding, b.high, ok}, nil
	})
	b.rounding, b.high = found.Rounding, found.Sum
	low, high := found.Low, found.High
	if !found.OK {
		return nil, "lambda_min is not bounded away from 0"
	}
	t = &certify.Tangent{
		Samples: m.samples, Outputs: m.outputs, LambdaMin: low, LambdaMax: high,
		Residual: r.up(s.Residual*(1+r.gamma(b.n)) + shift),
	}
	t.NewtonStep = min(b.newtonStep(m.states.residual, s.solution, low), r.up(t.Residual/math.Sqrt(low)))
	if why := t.Singular(); why != "" {
		return nil, why
	}
	return t, ""
}

// distances bounds how far the computed derivative and residual are from the exact ones at θ: ‖D̂ − DF‖ and ‖r̂ − r‖.
func (m *Model) distances(layers *certify.Layers, samples []certify.Propagation, features []float64, o *orbit) (off, shift float64) {
	r := roundoff{unit}
	readout := 1.0
	if m.readout != nil {
		readout = newAlgebra(r).spectral(m.readout, m.outputs, m.width)
	}
	outputs, states, computed := 0.0, 0.0, 0.0
	for i := range samples {
		state, derivative := layers.Shadow(&samples[i])
		outputs += square(readout*state + o.outputs[i])
		states += square(derivative)
		computed += square(features[i])
	}
	return r.wide(math.Sqrt(states) + math.Sqrt(computed)), r.wide(math.Sqrt(outputs))
}

// kernelBounds bound what follows from a computed kernel K̂ = D̂D̂ᵀ + rounding, D̂ being off by off in norm from DF.
type kernelBounds struct {
	roundoff
	kernel     *mat.SymDense
	n, terms   int // rows, and operations by which an entry is rounded
	off, shift float64
	rounding   float64 // ≥ ‖K̂ − D̂D̂ᵀ‖
	high       float64 // ≥ λ_max(D̂D̂ᵀ)
}

// eigenvalues returns bounds of λ_min and λ_max of DF DFᵀ.
func (b *kernelBounds) eigenvalues(near, far float64) (low, high float64, ok bool) {
	trace := 0.0
	for i := range b.n {
		trace += b.kernel.At(i, i)
	}
	if !(trace > 0x1p-200 && trace < 0x1p200) {
		return 0, 0, false
	}
	b.rounding = b.wide(b.gamma(b.terms) * trace)
	row := rowsOf(b.kernel)
	var c cholesky
	b.high = b.up(b.boundTop(row, b.n, far, &c) + b.rounding)
	loss := b.wide(b.definite(b.n) * trace)
	for margin := 2 * loss; ; margin *= 30 {
		shift := near - margin
		if !(shift > 0) {
			return 0, 0, false
		}
		if c.fill(row, b.n, -shift); !c.factorises() {
			continue
		}
		least := shift - loss - b.rounding - 8*b.u*near // of D̂D̂ᵀ
		if !(least > 0) || math.IsNaN(b.high) {
			return 0, 0, false
		}
		root, high := math.Sqrt(least), math.Sqrt(b.high)+b.off
		low = root - b.off - 8*b.u*root
		return low * low * (1 - 16*b.u), b.up(high * high), low > 0
	}
}

// newtonStep bounds (rᵀK⁻¹r)^½ from any y near K⁻¹r: with e = r − Ky, rᵀK⁻¹r = yᵀr + yᵀe + eᵀK⁻¹e.
func (b *kernelBounds) newtonStep(r, y []float64, low float64) float64 {
	if y == nil {
		return math.Inf(1)
	}
	n := b.gamma(b.n + 2)
	yAll, rAll := b.wide(norm(y)), b.wide(norm(r))
	left := slices.Clone(r)
	all, full := 0.0, make([]float64, b.n)
	for i := range left {
		for j := range full {
			full[j] = b.kernel.At(i, j)
		}
		left[i] -= dot(full, y)
		all += square(norm(full))
	}
	kernelOff := b.wide(b.rounding + b.off*(2*math.Sqrt(b.high)+b.off))
	e := b.wide(norm(left) + n*(math.Sqrt(all)*yAll+rAll) + b.shift + kernelOff*yAll)
	sum := max(dot(y, r), 0) + b.wide(n*yAll*rAll+yAll*b.shift+e*(yAll+e/low))
	return b.up(math.Sqrt(b.up(sum)))
}
