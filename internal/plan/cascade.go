package plan

import (
	"context"
	"fmt"
	"slices"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/prolong"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A cascade is a run through the levels of its network, of which one is in memory at a time.
type cascade[T kernel.Float] struct {
	problem *Problem
	options resnet.Options
	depths  []int // of the levels
	at      int   // the level at work
}

// Train descends on a problem from its initial weights, or from the checkpoint resume, and returns how that ended with the
// descent of the network of the run's depth, which the caller closes. A run with a cascade has a descent for each level;
// watch sets the fields of each that the caller has a use for.
func Train[T kernel.Float](ctx context.Context, p *Problem, options resnet.Options, watch func(*Descent[T]), resume *runfolder.Checkpoint) (*Descent[T], train.Outcome, error) {
	c := &cascade[T]{problem: p, options: options, depths: p.Run.Train.Levels(p.Run.Depth)}
	if resume != nil {
		if c.at = slices.Index(c.depths, train.LevelOf(resume)); c.at < 0 {
			return nil, train.Outcome{}, fmt.Errorf("plan: %w: it is of depth %d, want one of %v", train.ErrCheckpoint, train.LevelOf(resume), c.depths)
		}
	}
	initial, err := c.initial()
	if err != nil {
		return nil, train.Outcome{}, err
	}
	d, err := c.descent(initial)
	if err != nil {
		return nil, train.Outcome{}, err
	}
	for {
		watch(d)
		outcome, err := c.run(ctx, d, resume)
		if err != nil || outcome.Stop == train.StopInterrupted {
			d.Close()
			return nil, outcome, err
		}
		for c.at < len(c.depths)-1 {
			if d, err = c.deeper(d); err != nil {
				return nil, train.Outcome{}, err
			}
			if outcome.Stop == train.Deeper {
				break
			}
		}
		if outcome.Stop != train.Deeper {
			return d, outcome, nil
		}
		resume = nil
	}
}

// run descends at one level.
func (c *cascade[T]) run(ctx context.Context, d *Descent[T], resume *runfolder.Checkpoint) (train.Outcome, error) {
	if c.at < len(c.depths)-1 {
		next, err := c.problem.At(c.depths[c.at+1])
		if err != nil {
			return train.Outcome{}, err
		}
		var e *resnet.Evaluator[T] // made when it is first asked for
		defer func() {
			if e != nil {
				e.Close()
			}
		}()
		d.Next = &train.Next[T]{Depth: next.Network.Depth, Loss: func(theta []T) (float64, error) {
			if e == nil {
				options := c.options
				options.Memory = share(options.Memory, c.problem)
				if e, err = resnet.NewEvaluator[T](next.Network, next.Samples, options); err != nil {
					return 0, err
				}
			}
			prolonged, _, err := c.prolonged(next, d)
			if err != nil {
				return 0, err
			}
			return e.Loss(prolonged).Loss, nil
		}}
	}
	return d.Run(ctx, resume)
}

// level returns the problem of the level at work: certificates are about the last network alone.
func (c *cascade[T]) level() (*Problem, error) {
	if c.at == len(c.depths)-1 {
		return c.problem, nil
	}
	p, err := c.problem.At(c.depths[c.at])
	if err != nil {
		return nil, err
	}
	p.Run.Train.Certify = train.Certify{Cadence: "off"}
	return p, nil
}

// descent returns that of the level at work from theta.
func (c *cascade[T]) descent(theta []T) (*Descent[T], error) {
	p, err := c.level()
	if err != nil {
		return nil, err
	}
	return NewDescent(p, theta, c.options)
}

// deeper goes to the next level and returns its descent, in the place of the one before, which it closes.
func (c *cascade[T]) deeper(before *Descent[T]) (*Descent[T], error) {
	defer before.Close()
	c.at++
	p, err := c.level()
	if err != nil {
		return nil, err
	}
	theta, initial, err := c.prolonged(p, before)
	if err != nil {
		return nil, err
	}
	d, err := NewDescent(p, theta, c.options)
	if err != nil {
		return nil, err
	}
	d.Initial = initial
	d.Follow(&before.Descent)
	return d, nil
}

// initial returns the initial weights of the level at work: those of the first level taken to it, or a draw.
func (c *cascade[T]) initial() ([]T, error) {
	first, at := 0, c.at
	if c.draws() {
		first = at
	}
	p, err := c.problem.At(c.depths[first])
	if err != nil {
		return nil, err
	}
	theta, err := Initial[T](p)
	for first < at && err == nil {
		first++
		theta, p, err = c.along(theta, p, c.depths[first])
	}
	return theta, err
}

// draws says whether every level has initial weights of its own.
func (c *cascade[T]) draws() bool {
	cascade := c.problem.Run.Train.Cascade
	return cascade != nil && cascade.Prolong == prolong.ByLimit
}

// along takes weights to another depth, with the problem there.
func (c *cascade[T]) along(theta []T, from *Problem, depth int) ([]T, *Problem, error) {
	to, err := c.problem.At(depth)
	if err != nil {
		return nil, nil, err
	}
	out, err := Frame[T](to)
	if err == nil {
		err = prolong.WeightsTo(out, to.Network, theta, from.Network, prolong.Of(c.problem.Run.Train.Cascade.Prolong))
	}
	return out, to, err
}

// prolonged returns the weights of a descent, and those that it began from, at the next level.
func (c *cascade[T]) prolonged(next *Problem, d *Descent[T]) (theta, initial []T, err error) {
	depth := next.Network.Depth
	if !c.draws() {
		if theta, _, err = c.along(d.Theta, d.problem, depth); err == nil {
			initial, _, err = c.along(d.Initial, d.problem, depth)
		}
		return theta, initial, err
	}
	moved := make([]T, len(d.Theta))
	for i, v := range d.Theta {
		moved[i] = v - d.Initial[i]
	}
	if initial, err = Initial[T](next); err != nil {
		return nil, nil, err
	}
	if moved, _, err = c.along(moved, d.problem, depth); err != nil {
		return nil, nil, err
	}
	theta = slices.Clone(initial)
	for i := range theta[:next.Network.Layout.Trained] {
		theta[i] += moved[i]
	}
	return theta, initial, nil
}
