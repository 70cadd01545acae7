package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"unsafe"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/alloc"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/random"
	"github.com/deeplimit/deeplimit/internal/train"
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
	theta         []T // of the plainest network A (L,d,d), then δ
	grad          []T
	stepper       *train.Stepper[T]
	eta           float64
	plain         bool // whether steps are those of gradient descent
}

// network returns the resolved network section of a step.
func network(shape Shape, section string) (resnet.Spec, error) {
	if section == "" {
		section = "{}"
	}
	text := fmt.Sprintf("name: bench\ndepths: [%d]\ndata: {kind: normal, width: %d, samples: %d}\n", shape.Depth(), shape.Width(), shape.Samples())
	s, err := study.Parse("bench", []byte(text), []string{"network=" + section})
	if err != nil {
		return resnet.Spec{}, err
	}
	runs, err := s.Runs()
	if err != nil {
		return resnet.Spec{}, err
	}
	return runs[0].Network, nil
}

// newProblem draws inputs and targets with entries N(0,1/d), so that ‖x‖ ≈ ‖y‖ ≈ 1,
// and weights N(0,1)·L^−1/2, the size L^−β of trained ones, over the root of the larger width where a
// block has two maps or a norm, whose states would explode else. The draw depends on the
// shape and the network alone. The caller closes the evaluator.
func newProblem[T kernel.Float](shape Shape, step Step, options Options) (*problem[T], error) {
	method := step.Method
	if err := field.OneOf("bench: method", method, train.Methods...); err != nil {
		return nil, err
	}
	d, size, half := shape.Width(), 1.0, 0.5
	spec, err := network(shape, step.Network)
	if err != nil {
		return nil, err
	}
	if spec.Block == "mlp" || spec.Norm() != nil {
		size = 1 / math.Sqrt(float64(max(spec.Width, spec.Hidden)))
	}
	initial, err := resnet.Initial{Kind: "normal", Amplitude: &size, Exponent: &half}.Resolve(spec, shape.Depth())
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
	p.evaluator, err = resnet.NewEvaluator[T](p.Network, p.Samples, resnet.Options{Workers: options.Workers, Memory: options.Memory})
	if err != nil {
		return nil, err
	}
	section, err := train.Spec{Method: method}.Resolve(0)
	if err != nil {
		return nil, fmt.Errorf("bench: %w", err)
	}
	p.plain, p.eta = method == "gd", min(stepSize, *section.At(shape.Depth(), spec).First)
	p.stepper = train.NewStepper[T](&alloc.Account{}, p.Network, section, p.evaluator.Workers())
	return p, nil
}

// workers returns how many of that many cores have work.
func (p *problem[T]) workers(cores int) int {
	if p.descends() {
		return 1
	}
	var zero T
	dtype := "float64"
	if unsafe.Sizeof(zero) == 4 {
		dtype = "float32"
	}
	_, most := resnet.Parallelism(p.Network, len(p.Samples.X)/p.Network.Inputs, dtype)
	return min(cores, most)
}

// descends says whether the evaluator makes the steps.
func (p *problem[T]) descends() bool { return p.plain && p.evaluator.Descends() }

// draw returns N·d independent values of T with distribution N(0,1/d).
func draw[T kernel.Float](rng *rand.Rand, shape Shape) []float64 {
	entries := make([]float64, shape.Samples()*shape.Width())
	scale := 1 / math.Sqrt(float64(shape.Width()))
	for i := range entries {
		entries[i] = float64(T(scale * rng.NormFloat64()))
	}
	return entries
}

// step makes one step of the method and returns the loss before it.
func (p *problem[T]) step() float64 {
	if p.descends() {
		loss := p.evaluator.Ahead(p.theta).Loss
		p.evaluator.Descend(p.theta, stepSize, nil)
		return loss
	}
	loss := p.evaluator.Gradient(p.theta, p.grad).Loss
	p.stepper.Step(p.theta[:len(p.grad)], p.grad, p.eta, 0, 0, p.evaluator.Split)
	return loss
}
