package transfer

import (
	"context"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// training trains the network of the given depth twice by the rules of the run: from the
// trend of a limit, and from initial weights drawn at that depth. In float64.
func (p *problem) training(ctx context.Context, limit *estimate, depth int) (*runfolder.TransferTraining, error) {
	net, theta, err := p.rebuilt(limit, depth)
	if err != nil {
		return nil, err
	}
	t := &runfolder.TransferTraining{}
	if t.Rebuilt, err = p.descend(ctx, net, theta); err != nil || p.fromFiles() {
		return t, err
	}
	if theta, err = resnet.Parameters[float64](net, p.initial, p.seed, p.base); err != nil {
		return nil, err
	}
	scratch, err := p.descend(ctx, net, theta)
	t.Scratch = &scratch
	return t, err
}

// descend trains from theta, and says how that ended. An ended context is its error.
func (p *problem) descend(ctx context.Context, net *resnet.Network, theta []float64) (runfolder.Descent, error) {
	spec := p.train
	spec.Certify, spec.Variation = train.Certify{Cadence: "off"}, 0
	d := train.Descent[float64]{Network: net, Spec: spec, Seed: p.seed, Theta: theta, Initial: slices.Clone(theta)}
	options := resnet.Options{Workers: 1, Memory: p.memory}
	var err error
	if d.Full, err = resnet.NewEvaluator[float64](net, p.samples, options); err != nil {
		return runfolder.Descent{}, err
	}
	defer d.Full.Close()
	if spec.Batch > 0 {
		options.Batch = spec.Batch
		if d.Batch, err = resnet.NewEvaluator[float64](net, p.samples, options); err != nil {
			return runfolder.Descent{}, err
		}
		defer d.Batch.Close()
	}
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
