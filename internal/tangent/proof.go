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
	if err := m.spectrum(t); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	out, err := m.bound(ctx, t, options)
	if err != nil {
		return nil, err
	}
	if known := m.whySingular(); known != "" && t.Singular() != "" {
		out.Zero.Why = "lambda_min of the tangent kernel is not positive" + known
		out.Descent.Why = out.Zero.Why
	}
	return out, nil
}

// bound evaluates the statements with the bounds that options name.
func (m *Model) bound(ctx context.Context, t *certify.Tangent, options Options) (*certify.Kernel, error) {
	layers := m.Layers()
	with := func(full bool) (*certify.Kernel, error) {
		var count atomic.Int64
		done := func() {
			if n := count.Add(1); options.Progress != nil {
				options.Progress(int(n), m.samples)
			}
		}
		samples, err := m.Propagations(ctx, full, done)
		if err != nil {
			return nil, err
		}
		t.Curvature = func(radius float64) float64 { return layers.Ball(samples, radius).Curvature }
		k := t.Kernel(options.Step)
		k.Bound = Cheap
		if full {
			k.Bound = Full
			centre := 0.0
			for _, s := range samples {
				centre += square(s.Curvature)
			}
			if centre = math.Sqrt(centre); centre <= math.MaxFloat64 {
				k.CurvatureAtCentre = &centre
			}
		}
		return k, nil
	}
	if options.Bound != Full {
		k, err := with(false)
		if err != nil || options.Bound == Cheap || k.Zero.Issued && k.Descent.Issued || t.Singular() != "" {
			return k, err
		}
	}
	return with(true)
}

// spectrum fills in the extreme eigenvalues of the kernel and the length of the Newton step.
func (m *Model) spectrum(t *certify.Tangent) error {
	k := m.Kernel()
	var eigen mat.EigenSym
	if !eigen.Factorize(k, false) {
		t.LambdaMin, t.LambdaMax = math.NaN(), math.NaN()
		return nil
	}
	values := eigen.Values(nil)
	t.LambdaMin, t.LambdaMax = slices.Min(values), slices.Max(values)
	t.NewtonStep = math.NaN()
	if t.Singular() != "" {
		return nil
	}
	var chol mat.Cholesky
	if !chol.Factorize(k) {
		t.LambdaMin = math.NaN()
		return nil
	}
	r := mat.NewVecDense(len(m.states.residual), m.states.residual)
	var y mat.VecDense
	if err := chol.SolveVecTo(&y, r); err != nil {
		if _, ill := err.(mat.Condition); !ill {
			return fmt.Errorf("tangent: %w", err)
		}
	}
	t.NewtonStep = math.Sqrt(max(0, mat.Dot(&y, r)))
	return nil
}

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
