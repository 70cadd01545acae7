package transfer

import (
	"context"
	"math"

	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// training trains the network of the given depth twice by the rules of the run: from the
// trend of a limit, and from initial weights drawn at that depth. In float64.
func (p *problem) training(ctx context.Context, limit *estimate, depth int) (*runfolder.TransferTraining, error) {
	at, theta, err := p.rebuilt(limit, depth)
	if err != nil {
		return nil, err
	}
	t := &runfolder.TransferTraining{}
	if t.Rebuilt, err = p.descend(ctx, at, theta); err != nil || p.fromFiles() {
		return t, err
	}
	if theta, err = plan.Initial[float64](at); err != nil {
		return nil, err
	}
	scratch, err := p.descend(ctx, at, theta)
	t.Scratch = &scratch
	return t, err
}

// descend trains from theta, and says how that ended. An ended context is its error.
func (p *problem) descend(ctx context.Context, at *plan.Problem, theta []float64) (runfolder.Descent, error) {
	d, err := plan.NewDescent(at, theta, resnet.Options{Workers: 1, Memory: p.memory})
	if err != nil {
		return runfolder.Descent{}, err
	}
	defer d.Close()
	d.Test, d.Spec.Certify, d.Spec.Variation = nil, train.Certify{Cadence: "off"}, 0
	out, err := d.Run(ctx, nil)
	if err == nil && out.Stop == train.StopInterrupted {
		err = ctx.Err()
	}
	if err != nil {
		return runfolder.Descent{}, err
	}
	first := math.NaN()
	if len(out.Rows) > 0 && out.Rows[0].Loss != nil {
		first = *out.Rows[0].Loss
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
