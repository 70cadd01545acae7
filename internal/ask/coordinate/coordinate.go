// Package coordinate checks over depths what the first steps of training change in a network: its last hidden
// state, the part of each block, the weights, and how far blocks and network leave their linearisations. A step,
// a residual scale and initial weights that fit together over depth change each by the same amount at every depth.
package coordinate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/coordinates"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Options of Check. The zero value is the default.
type Options struct {
	Iterations int // the last one looked at; default 16. Those before are 1, 2, 4 …
	Workers    int // runs at work at a time; default 1. Results do not depend on it.

	// Observe, if not nil, is told how many runs are done of how many; it may be called from several goroutines.
	Observe func(done, total int)
}

// Check trains every run of a plan for some iterations, in float64, and returns the exponents in depth of what
// these changed. Nothing is written.
func Check(ctx context.Context, p *plan.Plan, options Options) (*analyze.Coordinates, error) {
	if options.Iterations == 0 {
		options.Iterations = 16
	}
	if options.Iterations < 1 {
		return nil, &field.Error{Path: "iterations", Got: options.Iterations, Want: "at least 1"}
	}
	for i := range p.Runs {
		if p.Runs[i].Steps() < 1 {
			return nil, &field.Error{Path: "train.stop.iterations", Got: p.Runs[i].Steps(), Want: "at least 1, as steps are looked at"}
		}
	}
	if options.Observe == nil {
		options.Observe = func(int, int) {}
	}
	options.Observe(0, len(p.Runs))
	var done atomic.Int64
	runs := make([]analyze.CoordinateRun, len(p.Runs))
	working, ctx := errgroup.WithContext(ctx)
	working.SetLimit(max(1, options.Workers))
	for i := range p.Runs {
		working.Go(func() error {
			run := &p.Runs[i]
			found, err := check(ctx, p.Problem(run), options.Iterations)
			if err != nil {
				return fmt.Errorf("coordinate-check: run %s: %w", run.ID, err)
			}
			runs[i] = found
			options.Observe(int(done.Add(1)), len(p.Runs))
			return nil
		})
	}
	if err := working.Wait(); err != nil {
		return nil, err
	}
	return analyze.NewCoordinates(p.Study.Name, runs), nil
}

// looks returns the iterations that are looked at: powers of two up to the last, and the last.
func looks(last int) []int {
	var out []int
	for t := 1; t < last; t *= 2 {
		out = append(out, t)
	}
	return append(out, last)
}

// check trains one run.
func check(ctx context.Context, p *plan.Problem, iterations int) (analyze.CoordinateRun, error) {
	run := p.Run
	out := analyze.CoordinateRun{
		ID: run.ID, Group: run.Group, Settings: run.Settings, Data: run.Data.Name, Method: run.Train.Method,
		Alpha: *run.Network.Alpha, Depth: run.Depth, Seed: run.Seed,
	}
	initial, err := plan.Initial[float64](p)
	if err != nil {
		return out, err
	}
	memory, err := run.Train.MemoryBytes()
	if err != nil {
		return out, err
	}
	quiet := *p
	spec := *run // of another run: measurements that the check has no use for are left out
	spec.Train.Certify, spec.Train.Norms, spec.Train.Variation, spec.Train.Record = train.Certify{Cadence: "off"}, "off", 0, train.Record{Cadence: "off"}
	spec.Train.Coordinates = false
	quiet.Run, quiet.Test = &spec, nil
	d, err := plan.NewDescent(&quiet, slices.Clone(initial), resnet.Options{Workers: 1, Memory: memory})
	if err != nil {
		return out, err
	}
	defer d.Close()
	l, err := coordinates.NewLook(p.Network, p.Samples, memory, initial)
	if err != nil {
		return out, err
	}
	defer l.Close()
	at := looks(min(iterations, run.Steps()))
	training, enough := context.WithCancel(ctx)
	defer enough()
	d.Observe = func(row runfolder.Row) { // after the step from the iterate of the row
		if row.StepSize == nil {
			return
		}
		if t := int(row.Iteration) + 1; slices.Contains(at, t) && err == nil {
			var found []coordinates.Change
			found, err = l.At(d.Theta)
			for _, c := range found {
				out.Coordinates = append(out.Coordinates, analyze.Coordinate{Name: c.Name, Part: c.Part, Iteration: t, Value: c.Value})
			}
			if err != nil || t == at[len(at)-1] {
				enough()
			}
		}
	}
	outcome, trained := d.Run(training, nil)
	if err := errors.Join(trained, err, ctx.Err()); err != nil {
		return out, err
	}
	if outcome.Stop == train.StopDiverged {
		out.Diverged = true
	}
	return out, nil
}
