// Package edge finds the largest step size at which gradient descent on a network is
// stable, by trying, and the one that the curvature at its initial weights promises.
package edge

import (
	"context"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/analyze"
	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/field"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/study"
	"github.com/deeplimit/deeplimit/sweep"
)

// Options of Find. The zero value is the default.
type Options struct {
	// Precision is how far apart, relatively, the largest stable and the smallest unstable step size may
	// be in the end; default 0.02.
	Precision float64
	// Workers is the number of runs worked on at a time; default 1. Results do not depend on it.
	Workers int
}

// The search brackets the edge within this many doublings of where it starts.
const maxDoublings = 40

// lanczos says how well the largest eigenvalue of the Hessian is found: to a relative
// error of about the square of the tolerance, in memory of 60 gradients.
var lanczos = curvature.Options{Tolerance: 1e-3, Products: 60}

// Find returns the edge of stability of every run of a plan: the step size η up to which
// the loss never exceeds that at the start during train.stop.iterations steps of gradient
// descent from the initial weights of the run. (Larger steps may still end with a small
// loss, where saturation catches a first explosion; that depends on the seed far more than
// on the depth.) The search doubles or halves η from 2/λ_max, or from 1 where that is not
// positive, until the edge is bracketed, then bisects on a log scale. Where stability is
// not monotone in η, what is found is one of several edges.
//
// The rest of train.step and train.stop is not looked at; computation is in float64. A
// method other than gd, for which no edge is defined, is a *field.Error.
func Find(ctx context.Context, plan *sweep.Plan, options Options) (*analyze.Edge, error) {
	if options.Precision == 0 {
		options.Precision = 0.02
	}
	if !(options.Precision >= 1e-6 && options.Precision <= 1) {
		return nil, &field.Error{Path: "precision", Got: options.Precision, Want: "a number in [1e-6, 1]"}
	}
	for i := range plan.Runs {
		if method := plan.Runs[i].Train.Method; method != "gd" {
			return nil, &field.Error{Path: "train.method", Got: method, Want: "gd, as the edge is that of gradient descent"}
		}
	}
	runs := make([]analyze.EdgeRun, len(plan.Runs))
	workers, working := errgroup.WithContext(ctx)
	workers.SetLimit(max(1, options.Workers))
	for i := range plan.Runs {
		workers.Go(func() error {
			run := &plan.Runs[i]
			found, err := find(working, run, plan.Set(run), options)
			if err != nil {
				return fmt.Errorf("edge: run %s: %w", run.ID, err)
			}
			runs[i] = found
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return nil, err
	}
	return analyze.NewEdge(plan.Study.Name, runs), nil
}

// find returns the edge of one run.
func find(ctx context.Context, run *study.Run, set *dataset.Set, options Options) (analyze.EdgeRun, error) {
	out := analyze.EdgeRun{
		ID: run.ID, Group: run.Group, Settings: run.Settings, Data: run.Data.Name,
		Alpha: *run.Network.Alpha, Depth: run.Depth, Seed: run.Seed,
	}
	d, err := newDescent(run, set)
	if err != nil {
		return out, err
	}
	defer d.evaluator.Close()
	if out.Sharpness, err = d.sharpness(run.Seed); err != nil {
		return out, err
	}
	start := 1.
	if out.Sharpness > 0 {
		start = 2 / out.Sharpness
		out.Bound = &start
	}
	out.Stable, out.Unstable, err = bracket(start, options.Precision, func(eta float64) (bool, error) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		return d.stable(ctx, eta)
	})
	return out, err
}

// bracket returns step sizes stable < unstable with a ratio of at most 1 + precision.
func bracket(start, precision float64, isStable func(eta float64) (bool, error)) (stable, unstable float64, err error) {
	ok, err := isStable(start)
	if err != nil {
		return 0, 0, err
	}
	stable, unstable = start, start
	for n, first := 0, ok; ok == first; n++ {
		if n == maxDoublings {
			word := "no unstable step size up to"
			if !first {
				word = "no stable step size down to"
			}
			return 0, 0, fmt.Errorf("got %s %.3g, want one", word, stable)
		}
		if first {
			stable, unstable = unstable, 2*unstable
			ok, err = isStable(unstable)
		} else {
			stable, unstable = stable/2, stable
			ok, err = isStable(stable)
		}
		if err != nil {
			return 0, 0, err
		}
	}
	for unstable > stable*(1+precision) {
		middle := math.Sqrt(stable * unstable)
		ok, err := isStable(middle)
		if err != nil {
			return 0, 0, err
		}
		if ok {
			stable = middle
		} else {
			unstable = middle
		}
	}
	return stable, unstable, nil
}

// A descent is what is tried at one step size after another.
type descent struct {
	net                  *resnet.Network
	evaluator            *resnet.Evaluator[float64]
	initial, theta, grad []float64
	iterations           int
}

func newDescent(run *study.Run, set *dataset.Set) (*descent, error) {
	net, err := resnet.New(run.Network, run.Depth, set.Inputs, set.Outputs)
	if err != nil {
		return nil, err
	}
	d := &descent{net: net, iterations: run.Train.Stop.Iterations}
	if d.initial, err = resnet.Parameters[float64](net, run.Initial, run.Seed, run.Base); err != nil {
		return nil, err
	}
	memory, err := run.Train.MemoryBytes()
	if err != nil {
		return nil, err
	}
	samples := resnet.Samples{X: set.X, Y: set.Y, Labels: set.Labels}
	if d.evaluator, err = resnet.NewEvaluator[float64](net, samples, resnet.Options{Workers: 1, Memory: memory}); err != nil {
		return nil, err
	}
	d.theta, d.grad = make([]float64, len(d.initial)), make([]float64, net.Layout.Trained)
	return d, nil
}

// stable makes the steps of a descent and says whether the loss stayed at or below the first.
func (d *descent) stable(ctx context.Context, eta float64) (bool, error) {
	copy(d.theta, d.initial)
	ops := kernel.For[float64]()
	first := math.NaN()
	for t := range d.iterations + 1 {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		loss := d.evaluator.Gradient(d.theta, d.grad).Loss
		if t == 0 {
			if first = loss; math.IsNaN(loss) || math.IsInf(loss, 0) {
				return false, fmt.Errorf("loss at the initial weights: got %v, want a finite number", loss)
			}
		}
		if !(loss <= first) {
			return false, nil
		}
		ops.AddScaled(d.theta[:len(d.grad)], -eta, d.grad)
	}
	return true, nil
}

// sharpness returns the largest eigenvalue of the Hessian at the initial weights.
func (d *descent) sharpness(seed uint64) (float64, error) {
	options := lanczos
	options.Seed = seed
	found, err := curvature.Find(len(d.grad), func(dst, v []float64) error {
		d.evaluator.HessianVector(d.initial, v, dst)
		return nil
	}, options)
	return found.Largest, err
}
