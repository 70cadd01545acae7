package edge

import (
	"context"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
)

// descents of one run, one for each worker.
type descents []*descent

// A descent makes the trials of one worker, one step size after another.
type descent struct {
	evaluator            *resnet.Evaluator[float64]
	penalty              *train.Regulariser[float64] // nil without one
	initial, theta, grad []float64
	iterations           int
	memory               int64
}

// newDescents returns one descent of the problem for each worker.
func newDescents(p *plan.Problem, workers int) (ds descents, err error) {
	defer func() {
		if err != nil {
			ds.close()
		}
	}()
	initial, err := plan.Initial[float64](p)
	if err != nil {
		return nil, err
	}
	memory, err := p.Run.Train.MemoryBytes()
	if err != nil {
		return nil, err
	}
	for range workers {
		evaluator, err := resnet.NewEvaluator[float64](p.Network, p.Samples, resnet.Options{Workers: 1, Memory: memory})
		if err != nil {
			return ds, err
		}
		ds = append(ds, &descent{
			evaluator: evaluator, penalty: train.NewRegulariser[float64](p.Run.Train.Penalty, p.Network), initial: initial, theta: make([]float64, len(initial)),
			grad: make([]float64, p.Network.Layout.Trained), iterations: *p.Run.Train.Stop.Iterations, memory: memory,
		})
	}
	return ds, nil
}

func (ds descents) close() {
	for _, d := range ds {
		d.evaluator.Close()
	}
}

// rebounds returns rebound for at most as many step sizes as there are descents.
func (ds descents) rebounds(ctx context.Context, etas []float64) ([]float64, error) {
	shares := make([]float64, len(etas))
	working, ctx := errgroup.WithContext(ctx)
	for i, eta := range etas {
		working.Go(func() (err error) {
			shares[i], err = ds[i].rebound(ctx, eta)
			return err
		})
	}
	return shares, working.Wait()
}

// rebound makes the steps of a descent and returns the largest share of its fall that the loss
// regained: max over s < t of (J_t − J_s)/(J_0 − J_s), and +Inf once J exceeds J_0.
func (d *descent) rebound(ctx context.Context, eta float64) (float64, error) {
	copy(d.theta, d.initial)
	first, lowest, share := math.NaN(), 0., 0.
	for t := range d.iterations + 1 {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		loss := d.step(eta)
		switch {
		case t == 0:
			if math.IsNaN(loss) || math.IsInf(loss, 0) {
				return 0, fmt.Errorf("loss at the initial weights: got %v, want a finite number", loss)
			}
			first, lowest = loss, loss
		case !(loss <= first):
			return math.Inf(1), nil
		case loss > lowest:
			share = max(share, (loss-lowest)/(first-lowest))
		default:
			lowest = loss
		}
	}
	return share, nil
}

// step makes a step of gradient descent and returns the loss before it, with the penalty.
func (d *descent) step(eta float64) float64 {
	if d.penalty == nil && d.evaluator.Descends() {
		loss := d.evaluator.Ahead(d.theta).Loss
		d.evaluator.Descend(d.theta, eta, nil)
		return loss
	}
	loss := d.evaluator.Gradient(d.theta, d.grad).Loss
	if d.penalty != nil {
		loss += d.penalty.Value(d.theta)
		d.penalty.AddGradient(d.theta, d.grad)
	}
	kernel.For[float64]().AddScaled(d.theta[:len(d.grad)], -eta, d.grad)
	return loss
}

// sharpness returns the largest eigenvalue of the Hessian at the initial weights.
func (ds descents) sharpness(seed uint64) (curvature.Eigenvalue, error) {
	d, n := ds[0], len(ds[0].grad)
	found, err := curvature.Find(n, func(dst, v []float64) error {
		d.evaluator.HessianVector(d.initial, v, dst)
		if d.penalty != nil {
			return d.penalty.AddHessianVector(d.initial, v, dst)
		}
		return nil
	}, curvature.Options{LargestOnly: true, Vectors: curvature.Fit(n, d.memory), Seed: seed})
	return found.Largest, err
}
