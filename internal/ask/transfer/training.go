package transfer

import (
	"context"
	"math"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// training trains the network of the given depth twice by the rules of the run: from the
// trend of a limit, and from initial weights drawn at that depth, in the run's element type.
func (p *problem) training(ctx context.Context, limit *estimate, depth int) (*runfolder.TransferTraining, error) {
	if p.Run.DType == "float32" {
		return training[float32](ctx, p, limit, depth)
	}
	return training[float64](ctx, p, limit, depth)
}

func training[T kernel.Float](ctx context.Context, p *problem, limit *estimate, depth int) (*runfolder.TransferTraining, error) {
	at, rebuilt, err := p.rebuilt(limit, depth)
	if err != nil {
		return nil, err
	}
	theta := make([]T, len(rebuilt))
	for i, v := range rebuilt {
		theta[i] = T(v)
	}
	t := &runfolder.TransferTraining{}
	if t.Rebuilt, err = descend(ctx, p, at, theta); err != nil || p.fromFiles() {
		return t, err
	}
	if theta, err = plan.Initial[T](at); err != nil {
		return nil, err
	}
	scratch, err := descend(ctx, p, at, theta)
	t.Scratch = &scratch
	return t, err
}

// descend trains from theta and returns how that ended, with losses in float64. It returns the error
// of an ended context.
func descend[T kernel.Float](ctx context.Context, p *problem, at *plan.Problem, theta []T) (runfolder.Descent, error) {
	problem := *at
	problem.Test = nil
	start := make([]float64, len(theta))
	for i, v := range theta {
		start[i] = float64(v)
	}
	first, err := p.loss(at, start)
	if err != nil {
		return runfolder.Descent{}, err
	}
	d, err := plan.NewDescent(&problem, theta, resnet.Options{Workers: 1, Memory: p.memory})
	if err != nil {
		return runfolder.Descent{}, err
	}
	defer d.Close()
	d.Spec.Certify, d.Spec.Variation, d.Spec.Record = train.Certify{Cadence: "off"}, 0, train.Record{Cadence: "off"}
	out, err := d.Run(ctx, nil)
	if err == nil && out.Stop == train.StopInterrupted {
		err = ctx.Err()
	}
	if err == nil {
		err = d.EvaluateEnd(&out)
	}
	if err != nil {
		return runfolder.Descent{}, err
	}
	return runfolder.Descent{Iterations: out.Iterations, Stop: out.Stop, First: finite(first), Loss: finite(out.Loss)}, nil
}

// finite returns a pointer to v, nil if v is NaN or infinite.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
