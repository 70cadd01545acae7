// Package edge finds the step size up to which gradient descent on a network is stable, by
// trying step sizes, and the one that the curvature at the initial weights predicts.
package edge

import (
	"context"
	"fmt"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// Options of Find. The zero value is the default.
type Options struct {
	// Scan is the relative distance of the step sizes that are tried; default 0.01, which is also the
	// largest. No wider interval of unstable step sizes is missed.
	Scan float64
	// Precision is the relative distance of the last step size that passes and the first that does not;
	// default 10⁻⁴, at most 0.01. Find halves the gap that the scan leaves until it is that small.
	Precision float64
	// Workers is the number of step sizes tried at a time; default 1. Results do not depend on it.
	Workers int
	// Observe, if not nil, is told how many runs are done of how many; it may be called from several goroutines.
	Observe func(done, total int)
}

// Find returns the edge of stability of every run of a plan. A step size η is stable where
// the loss never exceeds its first value during train.stop.iterations steps of gradient
// descent from the initial weights of the run.
//
// Stability is not monotone in η: beyond the point where the loss first rebounds, descent
// is chaotic, and unstable step sizes lie among stable ones in intervals that may be as
// narrow as 10⁻⁴ of η, which no scan can be sure to meet. Find therefore returns
//
//   - Stable, up to which all step sizes are stable: at every one tried up to it the loss
//     never regains more than a tenth of what it has lost, which is far from the start;
//   - Unstable, the smallest step size tried at which the loss exceeds its first value.
//
// Between the two, descent may be either. The step sizes tried lie 1 + Scan apart from at
// most half of Stable on; a quarter, an eighth and a sixteenth of it are tried as well.
//
// Find ignores the rest of train.step and train.stop and computes in float64. A method other than
// gd, for which no edge is defined, is a *field.Error.
func Find(ctx context.Context, p *plan.Plan, options Options) (*analyze.Edge, error) {
	for _, o := range []struct {
		name    string
		value   *float64
		initial float64
	}{{"scan", &options.Scan, 0.01}, {"precision", &options.Precision, 1e-4}} {
		if *o.value == 0 {
			*o.value = o.initial
		}
		if !(*o.value >= 1e-6 && *o.value <= 0.01) {
			return nil, &field.Error{Path: o.name, Got: *o.value, Want: "a number in [1e-6, 0.01]"}
		}
	}
	for i := range p.Runs {
		spec := p.Runs[i].Train
		switch {
		case spec.Method != "gd":
			return nil, &field.Error{Path: "train.method", Got: spec.Method, Want: "gd, as the edge is that of gradient descent"}
		case spec.Update() != "gd":
			path, got := spec.AlteredBy()
			return nil, &field.Error{Path: path, Got: got, Want: "it left out, as the edge is that of gradient descent"}
		}
	}
	if options.Observe == nil {
		options.Observe = func(int, int) {}
	}
	runs := make([]analyze.EdgeRun, len(p.Runs))
	for i := range p.Runs {
		options.Observe(i, len(p.Runs))
		run := &p.Runs[i]
		found, err := find(ctx, p.Problem(run), options)
		if err != nil {
			return nil, fmt.Errorf("edge: run %s: %w", run.ID, err)
		}
		runs[i] = found
	}
	e := analyze.NewEdge(p.Study.Name, runs)
	e.Scan, e.Precision = options.Scan, options.Precision
	return e, nil
}

// find returns the edge of one run.
func find(ctx context.Context, p *plan.Problem, options Options) (analyze.EdgeRun, error) {
	run := p.Run
	out := analyze.EdgeRun{
		ID: run.ID, Group: run.Group, Settings: run.Settings, Data: run.Data.Name,
		Alpha: *run.Network.Alpha, Depth: run.Depth, Seed: run.Seed,
	}
	d, err := newDescents(p, max(1, options.Workers))
	if err != nil {
		return out, err
	}
	defer d.close()
	sharpness, err := d.sharpness(run.Seed)
	if err != nil {
		return out, err
	}
	out.Sharpness, out.SharpnessResidual = sharpness.Value, sharpness.Residual
	start := 1.
	if out.Sharpness > out.SharpnessResidual {
		start = 2 / out.Sharpness
		out.Bound = &start
	}
	s := newScan(start, options, func(etas []float64) ([]float64, error) { return d.rebounds(ctx, etas) })
	out.Stable, out.Unstable, err = s.edges()
	out.Tried = len(s.tried)
	return out, err
}
