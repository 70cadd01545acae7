package transfer

import (
	"context"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/internal/grouped"
	"github.com/deeplimit/deeplimit/runfolder"
)

// prepare estimates the limit of a chain, from the shallowest run to the deepest, and evaluates what the group's choice
// between extrapolation and the deepest path needs; the weights of two runs are in memory at a time. It writes the loss
// of the trend of every run but the deepest.
func (c *chain) prepare(ctx context.Context, options Options) (err error) {
	deepest := c.deepest()
	if c.problem, err = newProblem(deepest, options.Base, options.Workers*options.each); err != nil {
		return fmt.Errorf("transfer: run %s: %w", deepest.Meta.ID, err)
	}
	var coarse, fine *estimate
	for _, run := range c.runs {
		if err := ctx.Err(); err != nil {
			return err
		}
		coarse = fine
		if fine, err = newEstimate(run, c.problem); err == nil {
			c.trendLoss, err = c.problem.trendLoss(fine, run.Meta.Depth)
		}
		if err == nil && run != deepest {
			err = run.WriteTransfer(runfolder.Transfer{TrendLoss: c.trendLoss}, nil)
		}
		if err != nil {
			return fmt.Errorf("transfer: run %s: %w", run.Meta.ID, err)
		}
	}
	c.gain = math.Inf(1)
	if coarse == nil || options.Deepest {
		return nil
	}
	depths := options.depths(deepest.Meta.Depth)
	last := depths[len(depths)-1]
	two, err := c.problem.trendLoss(extrapolate(coarse, fine), last)
	if err == nil {
		var one float64
		one, err = c.problem.trendLoss(fine, last)
		c.gain = math.Log(two) - math.Log(one)
	}
	if err != nil {
		return fmt.Errorf("transfer: run %s: %w", deepest.Meta.ID, err)
	}
	return nil
}

// choose decides once for every group whether limits are extrapolated: where every seed has two depths and the mean over
// seeds of the logarithm of the loss is lower with it.
func choose(chains []*chain) {
	for _, group := range grouped.By(chains, func(c *chain) string { return c.group }) {
		sum := 0.0
		for _, c := range group {
			sum += c.gain
		}
		for _, c := range group {
			c.extrapolated = sum < 0
		}
	}
}

// limit returns the limit of a chain, read anew from its one or two deepest runs.
func (c *chain) limit() (*estimate, error) {
	fine, err := newEstimate(c.deepest(), c.problem)
	if err != nil || !c.extrapolated {
		return fine, err
	}
	coarse, err := newEstimate(c.runs[len(c.runs)-2], c.problem)
	if err != nil {
		return nil, err
	}
	return extrapolate(coarse, fine), nil
}

// transfer evaluates the limit of a chain at the other depths.
func (c *chain) transfer(ctx context.Context, options Options) error {
	deepest := c.deepest()
	limit, err := c.limit()
	if err != nil {
		return fmt.Errorf("transfer: run %s: %w", deepest.Meta.ID, err)
	}
	c.record = runfolder.Transfer{TrendLoss: c.trendLoss, Sources: limit.sources}
	for _, depth := range options.depths(deepest.Meta.Depth) {
		if err := ctx.Err(); err != nil {
			return err
		}
		target, err := c.problem.target(limit, depth)
		if err == nil && options.Train {
			target.Training, err = c.problem.training(ctx, limit, depth)
		}
		if err != nil {
			return fmt.Errorf("transfer: run %s: depth %d: %w", deepest.Meta.ID, depth, err)
		}
		c.record.Targets = append(c.record.Targets, target)
	}
	c.record.LossLimit = lossLimit(c.record.Targets)
	if options.Reference > 0 {
		if err := c.simulate(ctx, limit, options); err != nil {
			return fmt.Errorf("transfer: run %s: outputs: %w", deepest.Meta.ID, err)
		}
	}
	c.weights = limit.weights(&deepest.Meta)
	return nil
}

// lossLimit returns the loss of the trend as depth grows: the polynomial in 1/L through the deepest three rebuilt
// networks, or two, at 0; nil for fewer. Its error is the distance to the polynomial through one fewer.
func lossLimit(targets []runfolder.TransferTarget) *runfolder.LossLimit {
	n := min(3, len(targets))
	if n < 2 {
		return nil
	}
	used := targets[len(targets)-n:]
	at := func(used []runfolder.TransferTarget) float64 {
		sum := 0.0
		for i, t := range used {
			weight := 1.0 // of the polynomial of Lagrange in x = 1/L at 0
			for j, other := range used {
				if i != j {
					weight *= float64(t.Depth) / float64(t.Depth-other.Depth)
				}
			}
			sum += weight * t.Trend
		}
		return sum
	}
	l := &runfolder.LossLimit{Value: at(used)}
	l.Error = math.Abs(l.Value - at(used[1:]))
	if math.IsNaN(l.Value) || math.IsInf(l.Value, 0) || math.IsNaN(l.Error) || math.IsInf(l.Error, 0) {
		return nil
	}
	for _, t := range used {
		l.Depths = append(l.Depths, t.Depth)
	}
	return l
}

// each calls f with every chain that has not failed, some at a time, and keeps its error.
func each(chains []*chain, workers int, f func(*chain) error) {
	var group errgroup.Group
	group.SetLimit(workers)
	for _, c := range chains {
		if c.err != nil {
			continue
		}
		group.Go(func() error {
			c.err = f(c)
			return nil
		})
	}
	group.Wait()
}
