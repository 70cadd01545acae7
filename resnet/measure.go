package resnet

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/rescale"
)

// Measure returns what certify needs to know about the iterate θ on the chosen
// samples, at which grad is ∇J and loss is J, both as Gradient gives them. Iteration,
// StepSize, NextLoss and HessianNorm are the caller's to fill in.
//
// Everything is taken in float64. Spectral norms are upper bounds, at most a factor
// n^(1/256) too large for n×n, and smallest singular values are lower bounds, at most a
// thousandth too small; certify asks for no more. Features and Slopes are left out where there are more samples
// than features, the increments in block mlp.
//
// Layers are measured by as many goroutines as cores says; the result does not
// depend on it. Parameters, states or gradients that are not finite are an error.
func (e *Evaluator[T]) Measure(theta, grad []T, loss float64, cores int) (certify.Measurement, error) {
	if len(theta) != e.net.Layout.Size || len(grad) != e.net.Layout.Trained {
		return certify.Measurement{}, fmt.Errorf("resnet: Measure: got %d parameters and a gradient of %d, want %d and %d", len(theta), len(grad), e.net.Layout.Size, e.net.Layout.Trained)
	}
	states := e.capture(theta, true)
	m := newMeasurement(&alloc.Account{}, e.net, states)
	e.layers(&m, theta, grad, states, cores)
	m.Loss, m.Hidden = loss, states.hidden
	if states.featured && e.net.Block == "inner" {
		m.Slopes = states.slopes
	}
	for k, u := range states.inputs {
		if e.net.Bias {
			u = math.Hypot(u, 1)
		}
		m.FeatureNorms[k] = u
	}
	widenTo(m.Delta, View(e.net.Layout, theta, "delta"))
	squares := 0.0
	for _, g := range m.Gradients {
		squares += g * g
	}
	for _, g := range e.net.Layout.Groups { // δ, E and C are no part of a layer
		if g.Trained && (g.Name == "delta" || g.Name == "E" || g.Name == "C") {
			squares += e.ops.SumSquares(View(e.net.Layout, grad, g.Name))
		}
	}
	if m.GradientNorm = math.Sqrt(squares); !rescale.Safe(squares) {
		m.GradientNorm = rescale.Norm(grad, nil)
	}
	for _, values := range [][]float64{m.Weights, m.InnerWeights, m.Biases, m.OuterBiases, m.Hidden, m.Features, m.FeatureNorms, m.WeightIncrements, {m.GradientNorm}} {
		for k, v := range values {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return certify.Measurement{}, fmt.Errorf("resnet: Measure: got a norm of %v at index %d, want finite parameters, states and gradients", v, k)
			}
		}
	}
	return m, nil
}

// newMeasurement returns one with room for what layers measures.
func newMeasurement(mem *alloc.Account, net *Network, states *states) (m certify.Measurement) {
	depth := net.Depth
	inner, _ := net.outermost()
	norms := func(n int) []float64 { return alloc.Make[float64](mem, n) }
	m.Weights, m.Gradients = norms(depth), norms(depth)
	if inner != nil {
		m.InnerWeights = norms(depth)
	}
	if net.Bias {
		m.Biases = norms(depth)
		if inner != nil {
			m.OuterBiases = norms(depth)
		}
	}
	if inner == nil && depth > 1 {
		m.WeightIncrements, m.GradientIncrements = norms(depth-1), norms(depth-1)
		if net.Bias {
			m.BiasIncrements = norms(depth - 1)
		}
	}
	if states.featured {
		m.Features = norms(depth)
	}
	if net.behind.present {
		m.FeatureNorms = norms(depth)
	}
	m.Delta = norms(net.delta.Len())
	return m
}

// layers measures the parameters and gradients of every layer.
func (e *Evaluator[T]) layers(m *certify.Measurement, theta, grad []T, states *states, cores int) {
	net, depth := e.net, e.net.Depth
	inner, outer := net.outermost()
	norm := func(x []T) float64 { return normOf(e.ops, x, nil) }
	inParallel(cores, depth, func(first, last int) {
		s := newSpectrum(&alloc.Account{}, outer, states)
		reference := -1 // the layer whose features were looked at last
		matrix := s.matrix
		for k := first; k < last; k++ {
			w, b := weightsOf(outer, theta, k)
			widenTo(matrix, w)
			m.Weights[k] = s.largest(matrix, outer.rows, outer.cols)
			switch {
			case inner != nil:
				w, b1 := weightsOf(inner, theta, k)
				widenTo(matrix, w)
				m.InnerWeights[k] = s.largest(matrix, inner.rows, inner.cols)
				if net.Bias {
					m.Biases[k], m.OuterBiases[k] = norm(b1), norm(b)
				}
			case net.Bias:
				m.Biases[k] = norm(b)
			}
			m.Gradients[k] = layerNorm(net, e.ops, grad, nil, k)
			if m.Features != nil {
				if k%stride == 0 {
					reference = -1 // so that the result does not depend on first
				}
				if value, ok := states.near(reference, k, m.Features); ok {
					m.Features[k] = value
				} else {
					m.Features[k] = s.smallest(states.feature(k), states.samples, states.rows)
					reference = k
				}
			}
			if inner != nil || k+1 == depth {
				continue
			}
			next, nextBias := weightsOf(outer, theta, k+1)
			for i, v := range next {
				matrix[i] = float64(v) - float64(w[i])
			}
			m.WeightIncrements[k] = s.largest(matrix, outer.rows, outer.cols)
			gw, gb := weightsOf(outer, grad, k)
			gwNext, gbNext := weightsOf(outer, grad, k+1)
			square := squareOf(e.ops, gwNext, gw)
			if net.Bias {
				m.BiasIncrements[k] = normOf(e.ops, nextBias, b)
				square += squareOf(e.ops, gbNext, gb)
			}
			if m.GradientIncrements[k] = math.Sqrt(square); !rescale.Safe(square) {
				m.GradientIncrements[k] = math.Hypot(rescale.Norm(gwNext, gw), rescale.Norm(gbNext, gb))
			}
		}
	})
}

// outermost returns the last map of a layer, and the one inside the activation of
// block mlp (nil for the others).
func (n *Network) outermost() (inner, outer *affine) {
	switch {
	case n.before.present && n.behind.present:
		return &n.before, &n.behind
	case n.behind.present:
		return nil, &n.behind
	}
	return nil, &n.before
}

// HiddenNorms returns max_i ‖h_k(x_i)‖ over the chosen samples, k = 0..L.
func (e *Evaluator[T]) HiddenNorms(theta []T) []float64 { return e.capture(theta, false).hidden }
