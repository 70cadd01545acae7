package transfer

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/prolong"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A problem is that of a chain, for the network of any depth.
type problem struct {
	*plan.Problem
	memory int64 // most bytes of hidden states
}

// newProblem returns the problem of a recorded run. The workers share the default memory limit of
// training for hidden states.
func newProblem(run *runfolder.Run, base string, workers int) (*problem, error) {
	recorded, err := plan.Recorded(run, base)
	if err != nil {
		return nil, err
	}
	if err := usualScale(run, recorded); err != nil {
		return nil, err
	}
	memory, err := train.Spec{}.MemoryBytes()
	if err != nil {
		return nil, err
	}
	return &problem{recorded, memory / int64(workers)}, nil
}

// usualScale refuses a fixed δ that initial weights of a file set to another number than L^−α: nothing says
// what it is at other depths.
func usualScale(run *runfolder.Run, p *plan.Problem) error {
	if _, given := p.Run.Initial.Parts["delta"]; !given || p.Run.Network.Residual != "fixed" {
		return nil
	}
	weights, err := run.Weights()
	if err != nil {
		return err
	}
	for _, delta := range weights.Tensors["delta"].Data {
		if want := p.Network.ResidualScale(); delta != want {
			return fmt.Errorf("got a fixed delta of %v from the file of the initial weights, want L^−alpha = %v, as no other depth has one", delta, want)
		}
	}
	return nil
}

// trendLoss returns the loss of an estimate's trend at the given depth.
func (p *problem) trendLoss(e *estimate, depth int) (float64, error) {
	at, theta, err := p.rebuilt(e, depth)
	if err != nil {
		return 0, err
	}
	return p.loss(at, theta)
}

// rebuilt returns the problem at the given depth, with the trend of an estimate.
func (p *problem) rebuilt(e *estimate, depth int) (*plan.Problem, []float64, error) {
	at, err := p.At(depth)
	if err != nil {
		return nil, nil, err
	}
	theta, err := plan.Frame[float64](at) // trained groups are set below
	if err != nil {
		return nil, nil, err
	}
	for _, g := range e.groups {
		set(at.Network, theta, g, func(layer []float64, limit []float64, scale float64) {
			for i, v := range limit {
				layer[i] = scale * v
			}
		}, prolong.Linear(g.trend, g.points(depth)).Data)
	}
	return at, theta, nil
}

// target returns the losses of the networks that a limit gives at a depth.
func (p *problem) target(limit *estimate, depth int) (runfolder.TransferTarget, error) {
	t := runfolder.TransferTarget{Depth: depth}
	var err error
	if t.Trend, err = p.trendLoss(limit, depth); err != nil {
		return t, err
	}
	at, err := p.At(depth)
	if err != nil {
		return t, err
	}
	if p.fromFiles() {
		return t, nil
	}
	if _, err := at.Run.Initial.Resolve(at.Run.Network, depth); err != nil {
		return t, err
	}
	theta, err := plan.Initial[float64](at)
	if err != nil {
		return t, err
	}
	limit.move(at.Network, theta)
	loss, err := p.loss(at, theta)
	t.Redrawn = &loss
	return t, err
}

// move adds the limit of the displacement to the parameters of a network.
func (e *estimate) move(net *resnet.Network, theta []float64) {
	for _, g := range e.groups {
		set(net, theta, g, func(layer, limit []float64, scale float64) {
			for i, v := range limit {
				layer[i] += scale * v
			}
		}, prolong.Linear(g.displacement, g.points(net.Depth)).Data)
	}
}

// fromFiles says whether initial weights come from a file, of which there is none for a depth
// that was not in the study.
func (p *problem) fromFiles() bool {
	for _, part := range p.Run.Initial.Parts {
		if part.Kind == "file" {
			return true
		}
	}
	return false
}

// points returns how many points the group has in a network of the given depth.
func (g groupEstimate) points(depth int) int {
	if g.layered {
		return depth
	}
	return 1
}

// set calls f with the entries of a group in theta, what the limit has for them, and
// the factor that undoes the rescaling.
func set(net *resnet.Network, theta []float64, g groupEstimate, f func(entries, limit []float64, scale float64), limit []float64) {
	f(resnet.View(net.Layout, theta, g.name), limit, math.Pow(float64(net.Depth), -g.exponent))
}

// loss returns J(θ) over the training samples of the problem at some depth.
func (p *problem) loss(at *plan.Problem, theta []float64) (float64, error) {
	return at.Loss(theta, resnet.Options{Workers: 1, Memory: p.memory})
}
