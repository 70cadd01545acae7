package bench

import (
	"math"
	"math/rand/v2"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/random"
	"github.com/deeplimit/deeplimit/resnet"
)

// stepSize is η of the timed steps: small enough for every shape to descend, large
// enough for a step to show in the loss.
const stepSize = 0.1

// A problem is a network with data and weights in the element type T, at any
// iterate of its descent.
type problem[T kernel.Float] struct {
	*plan.Problem // the samples' entries are values of T
	evaluator     *resnet.Evaluator[T]
	ops           *kernel.Ops[T]
	theta         []T                  // A (L,d,d), then δ
	grad          []T                  // (L,d,d)
	update        func(begin, end int) // moves those entries of theta
}

// newProblem draws inputs and targets with entries N(0,1/d), so that ‖x‖ ≈ ‖y‖ ≈ 1,
// and weights N(0,1)·L^−1/2, the size L^−β of trained ones. The draw depends on the
// shape alone. The caller closes the evaluator.
func newProblem[T kernel.Float](shape Shape, options Options) (*problem[T], error) {
	d, alpha, one, half := shape.Width(), 0.5, 1.0, 0.5
	spec, err := resnet.Spec{Alpha: &alpha}.Resolve(d, d)
	if err != nil {
		return nil, err
	}
	initial, err := resnet.Initial{Kind: "normal", Amplitude: &one, Exponent: &half}.Resolve(spec, shape.Depth())
	if err != nil {
		return nil, err
	}
	rng := random.New(1, "bench")
	set := &dataset.Set{Inputs: d, Outputs: d, Samples: shape.Samples(), X: draw[T](rng, shape), Y: draw[T](rng, shape)}
	p := &problem[T]{ops: kernel.For[T]()}
	if p.Problem, err = plan.NewProblem(&study.Run{Depth: shape.Depth(), Seed: 1, Network: spec, Initial: initial}, set); err != nil {
		return nil, err
	}
	if p.theta, err = plan.Initial[T](p.Problem); err != nil {
		return nil, err
	}
	p.grad = make([]T, p.Network.Layout.Trained)
	p.update = func(begin, end int) { p.ops.AddScaled(p.theta[begin:end], -stepSize, p.grad[begin:end]) }
	p.evaluator, err = resnet.NewEvaluator[T](p.Network, p.Samples, resnet.Options{Workers: options.Workers, Memory: options.Memory})
	return p, err
}

// draw returns N·d independent values of T with distribution N(0,1/d).
func draw[T kernel.Float](rng *rand.Rand, shape Shape) []float64 {
	entries := make([]float64, shape.Samples()*shape.Width())
	scale := 1 / math.Sqrt(float64(shape.Width()))
	for i := range entries {
		entries[i] = float64(T(scale * rng.NormFloat64()))
	}
	return entries
}

// step makes one step of gradient descent and returns the loss before it.
func (p *problem[T]) step() float64 {
	if p.evaluator.Descends() {
		loss := p.evaluator.Ahead(p.theta).Loss
		p.evaluator.Descend(p.theta, stepSize, nil)
		return loss
	}
	loss := p.evaluator.Gradient(p.theta, p.grad).Loss
	p.evaluator.Split(len(p.grad), p.update)
	return loss
}
