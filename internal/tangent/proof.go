package tangent

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync/atomic"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/field"
)

// Bounds of the curvature: from norms alone, with the second propagator, or the first and then
// the second where the first does not suffice.
const (
	Cheap = "cheap"
	Full  = "full"
	Auto  = "auto"
)

// Options of Prove.
type Options struct {
	Bound string  // Auto, Cheap or Full; default Full
	Step  float64 // η of gradient descent; 0 for the largest that is certain
	// Progress is called with the number of samples done, of those there are; it may be nil.
	Progress func(done, of int)
	// Store keeps what is done of a proof: the kernel, its eigenvalues, their bounds, and each sample's gains. It may be nil.
	Store Store
}

// Prove returns what is proved about θ from its tangent kernel. A statement that is not
// issued says why; errors are options out of range, or the end of the context.
func (m *Model) Prove(ctx context.Context, options Options) (*certify.Kernel, error) {
	if options.Bound == "" {
		options.Bound = Full
	}
	if err := field.OneOf("bound", options.Bound, Auto, Cheap, Full); err != nil {
		return nil, err
	}
	if options.Step < 0 || math.IsNaN(options.Step) || math.IsInf(options.Step, 0) {
		return nil, &field.Error{Path: "step", Got: options.Step, Want: "a finite number > 0"}
	}
	residual := norm(m.states.residual)
	if math.IsNaN(residual) || math.IsInf(residual, 0) {
		return nil, fmt.Errorf("tangent: got outputs that are not finite, want weights that did not diverge")
	}
	if why := RefusesProof(m.net.Spec); why != "" {
		return certify.Refused(m.Loss(), residual, why), nil
	}
	if count := m.samples * m.outputs; count > MostOutputs {
		return certify.Refused(m.Loss(), residual, fmt.Sprintf("%d samples × %d outputs exceed %d, up to which a kernel is computed", m.samples, m.outputs, MostOutputs)), nil
	}
	t := &certify.Tangent{Samples: m.samples, Outputs: m.outputs, Residual: residual}
	s, err := m.spectralOf(ctx, t, options.Store)
	if err != nil {
		return nil, err
	}
	out, err := m.bound(ctx, s, options)
	if err != nil {
		return nil, err
	}
	if known := m.whySingular(); known != "" && t.Singular() != "" {
		out.Zero.Why = "lambda_min of the tangent kernel is not positive" + known
		out.Descent.Why = out.Zero.Why
	}
	return out, nil
}

// spectral is what is computed of a kernel.
type spectral struct {
	*certify.Tangent
	kernel   *mat.SymDense
	solution []float64 // K⁻¹r; nil where K is singular
}

// eigenvalues are what spectrum fills in.
type eigenvalues struct {
	Min, Max, Step float64
	Solution       []float64
}

// spectralOf computes the kernel and its eigenvalues, or takes them from store.
func (m *Model) spectralOf(ctx context.Context, t *certify.Tangent, store Store) (*spectral, error) {
	rows, err := remembered(store, "kernel", func() ([]float64, error) { return m.Kernel().RawSymmetric().Data, ctx.Err() })
	if err != nil {
		return nil, err
	}
	kernel := mat.NewSymDense(m.samples*m.outputs, rows)
	found, err := remembered(store, "eigenvalues", func() (eigenvalues, error) {
		solution := m.spectrum(kernel, t)
		return eigenvalues{t.LambdaMin, t.LambdaMax, t.NewtonStep, solution}, ctx.Err()
	})
	t.LambdaMin, t.LambdaMax, t.NewtonStep = found.Min, found.Max, found.Step
	return &spectral{t, kernel, found.Solution}, err
}

// bound evaluates the statements with the bounds that options name.
func (m *Model) bound(ctx context.Context, s *spectral, options Options) (*certify.Kernel, error) {
	o, why, err := m.enclose(ctx, s.Singular())
	if err != nil {
		return nil, err
	}
	with := func(full bool) (*certify.Kernel, error) {
		var count atomic.Int64
		done := func() {
			if n := count.Add(1); options.Progress != nil {
				options.Progress(int(n), m.samples)
			}
		}
		return m.state(ctx, s, o, why, full, options, done)
	}
	if options.Bound != Full {
		k, err := with(false)
		if err != nil || options.Bound == Cheap || k.Zero.Issued && k.Descent.Issued || s.Singular() != "" {
			return k, err
		}
	}
	return with(true)
}

// state returns both statements, from bounds that count rounding where o holds the errors of the states and all else is bounded, too; from
// estimates, with the reason, where not. What estimates state and bounds do not is estimated.
func (m *Model) state(ctx context.Context, s *spectral, o *orbit, why string, full bool, options Options, done func()) (*certify.Kernel, error) {
	r := roundoff{}
	if o != nil {
		r.u = unit
	}
	layers := m.layers(r)
	samples, features, err := m.propagations(ctx, full, done, o, options.Store)
	if err != nil {
		return nil, err
	}
	if o != nil && !measured(samples, full) { // estimate them
		return m.state(ctx, s, nil, "a gain of a layer is not bounded", full, options, func() {})
	}
	finish := func(t *certify.Tangent, samples []certify.Propagation) *certify.Kernel {
		t.Curvature = func(radius float64) float64 { return layers.Ball(samples, radius).Curvature }
		if !full {
			k := t.Kernel(options.Step)
			k.Bound = Cheap
			return k
		}
		t.Centre = layers.Ball(samples, 0).Curvature
		t.Growth = func(radius float64) float64 { return layers.Growth(samples, radius) }
		k := t.Kernel(options.Step)
		k.Bound = Full
		if centre := layers.Centre(samples); centre <= math.MaxFloat64 {
			k.CurvatureAtCentre = &centre
		}
		return k
	}
	plain := samples
	if o != nil && float64(m.samples*m.depth*m.outputs)*math.Pow(float64(m.width), 3) < apart {
		if plain, _, err = m.propagations(ctx, full, nil, nil, options.Store); err != nil {
			return nil, err
		}
	}
	estimate := finish(s.Tangent, plain)
	if o == nil {
		estimate.RoundingWhy = why
		return estimate, nil
	}
	t, why := m.spectrumBounds(s, layers, samples, features, o, options.Store)
	if why == "" {
		bounds := finish(t, samples)
		if full { // at the exact states, too
			centre := layers.Ball(samples, 0).Curvature
			bounds.CurvatureAtCentre = &centre
		}
		why = estimate.Prove(bounds)
	}
	estimate.RoundingWhy = why
	return estimate, nil
}

// apart is the N o L d³ up to which gains are computed without bounds of rounding beside those with them. Larger networks have the bounds
// alone, which are too large by 1e-8 or so.
const apart = 1e8

// measured says whether all gains are numbers of a size at which squares neither overflow nor vanish.
func measured(samples []certify.Propagation, full bool) bool {
	for i := range samples {
		s := &samples[i]
		all := s.Tau + s.Chi + s.Pi + s.Input + s.Value + s.Reach
		if full {
			all += s.Curvature
		}
		for _, omega := range s.Omega {
			all += omega
		}
		if !(all <= 0x1p100) {
			return false
		}
	}
	return true
}

// spectrum fills in the extreme eigenvalues of the kernel and the length of the Newton step, and returns K⁻¹r.
func (m *Model) spectrum(k *mat.SymDense, t *certify.Tangent) []float64 {
	var c cholesky
	rows, n := rowsOf(k), k.SymmetricDim()
	c.fill(rows, n, 0)
	definite := c.factorises()
	if definite && n >= manyOutputs {
		var l lanczos
		t.LambdaMax = l.largest(n, func(to, from []float64) {
			clear(to)
			for i, v := range from {
				axpy(to, v, rows(i))
			}
		})
		t.LambdaMin = 1 / l.largest(n, func(to, from []float64) {
			copy(to, from)
			c.solve(to)
		})
	} else {
		var eigen mat.EigenSym
		if !eigen.Factorize(k, false) {
			t.LambdaMin, t.LambdaMax = math.NaN(), math.NaN()
			return nil
		}
		values := eigen.Values(nil)
		t.LambdaMin, t.LambdaMax = slices.Min(values), slices.Max(values)
	}
	t.NewtonStep = math.NaN()
	if t.Singular() != "" {
		return nil
	}
	if !definite {
		t.LambdaMin = math.NaN()
		return nil
	}
	y := slices.Clone(m.states.residual)
	c.solve(y)
	t.NewtonStep = math.Sqrt(max(0, dot(y, m.states.residual)))
	return y
}

// manyOutputs is the least samples × outputs at which the extreme eigenvalues of the kernel are found by Lanczos' method, of the kernel and of its inverse; for fewer
// all eigenvalues are computed.
const manyOutputs = 64

// whySingular names what makes the kernel singular, where it is known.
func (m *Model) whySingular() string {
	if count := m.samples * m.outputs; count > m.net.Layout.Trained {
		return fmt.Sprintf(": %d samples × %d outputs exceed the %d trained parameters", m.samples, m.outputs, m.net.Layout.Trained)
	}
	first := map[string]int{}
	for i := range m.samples {
		key := fmt.Sprint(block(m.x, i, m.net.Inputs))
		if j, ok := first[key]; ok {
			return fmt.Sprintf(": samples %d and %d have the same input", j, i)
		}
		first[key] = i
	}
	return ""
}
