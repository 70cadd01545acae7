package bench

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/resnet"
)

// MeasureStudy times the steps of the runs of a plan as they are trained, one after the other: with their samples, initial
// weights, method, mini-batches and penalty. Of runs that differ in the seed alone the first is timed. In dtypes, where there
// are any, each run is timed in each of them, else in its own.
//
// A step is what train.Steps says. Runs with a cascade are timed at their own depth. Errors are as of Measure.
func MeasureStudy(ctx context.Context, p *plan.Plan, dtypes []string, options Options) ([]Result, error) {
	var results []Result
	total := 0
	_ = eachRun(p, dtypes, func(*study.Run) error { total++; return nil })
	err := eachRun(p, dtypes, func(run *study.Run) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		options.observe(len(results), total)
		measure := measureRun[float64]
		if run.DType == "float32" {
			measure = measureRun[float32]
		}
		result, err := measure(p, run, options)
		if err != nil {
			return fmt.Errorf("bench: run %s, %s: %w", run.ID, run.DType, err)
		}
		result.Ratio = 1
		if len(results) > 0 {
			result.Ratio = result.Milliseconds / results[0].Milliseconds
		}
		results = append(results, result)
		return nil
	})
	return results, err
}

// eachRun calls f with each run that MeasureStudy times, until it returns an error.
func eachRun(p *plan.Plan, dtypes []string, f func(*study.Run) error) error {
	seen := map[string]bool{}
	for i := range p.Runs {
		run := p.Runs[i]
		if seen[run.Ensemble()] {
			continue
		}
		seen[run.Ensemble()] = true
		types := dtypes
		if len(types) == 0 {
			types = []string{run.DType}
		}
		for _, dtype := range types {
			run.DType = dtype
			if err := f(&run); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin returns the steps of a run with the descent that they are of, which the caller closes.
func begin[T kernel.Float](p *plan.Plan, run *study.Run, options Options) (*plan.Descent[T], *train.Steps[T], error) {
	problem, err := plan.NewProblem(run, p.Set(run))
	if err != nil {
		return nil, nil, err
	}
	theta, err := plan.Initial[T](problem)
	if err != nil {
		return nil, nil, err
	}
	descent, err := plan.NewDescent(problem, theta, resnet.Options{Workers: options.Workers, Memory: options.Memory})
	if err != nil {
		return nil, nil, err
	}
	descent.Cores = options.Workers
	steps, err := descent.Steps()
	if err != nil {
		descent.Close()
		return nil, nil, err
	}
	return descent, steps, nil
}

func measureRun[T kernel.Float](p *plan.Plan, run *study.Run, options Options) (Result, error) {
	descent, steps, err := begin[T](p, run, options)
	if err != nil {
		return Result{}, err
	}
	defer descent.Close()
	samples := p.Set(run).Samples
	if run.Train.Batch > 0 {
		samples = min(samples, run.Train.Batch)
	}
	workers := 1
	if !steps.Descends() {
		_, most := resnet.Parallelism(descent.Network, samples, run.DType)
		workers = min(options.Workers, most)
	}
	ops := kernel.For[T]()
	rate := peak(ops, workers)
	var failed error
	timed, processor, losses := repeat([]func() float64{func() float64 {
		loss, err := steps.Step()
		if err != nil {
			failed = err
		}
		return loss
	}}, options.Time)
	switch loss := losses[0]; {
	case failed != nil:
		return Result{}, failed
	case math.IsNaN(loss) || math.IsInf(loss, 0):
		return Result{}, fmt.Errorf("the loss became %v, want a finite one (a smaller train.step.value may do)", loss)
	}
	rate = max(rate, peak(ops, workers))
	seconds := median(timed[0])
	result := Result{
		Shape: Shape{run.Network.Width, samples, run.Depth}, DType: run.DType, Method: run.Train.Method, Network: describe(run.Network), Run: run.ID,
		Workers: workers, Tier: ops.Tier, Milliseconds: 1e3 * seconds, Processor: 1e3 * median(processor[0]), GFLOPS: run.Flops(p.Set(run).Samples) / seconds / 1e9, PeakGFLOPS: rate / 1e9,
	}
	result.PeakFraction = result.GFLOPS / result.PeakGFLOPS
	return result, nil
}

// describe returns what of a resolved network section is not the plainest, as a study has it; "" for nothing.
func describe(s resnet.Spec) string {
	var parts []string
	add := func(key, value, plainest string) {
		if value != plainest {
			parts = append(parts, key+": "+value)
		}
	}
	add("block", s.Block, "inner")
	if s.Hidden != 0 {
		add("hidden", fmt.Sprint(s.Hidden), "")
	}
	add("activation", s.Activation, "tanh")
	if s.Bias {
		add("bias", "true", "")
	}
	add("residual", s.Residual, "fixed")
	add("normalise", s.Normalise, "")
	if s.Norm() != nil {
		add("norm", s.NormKind, "rms")
	}
	add("loss", s.Loss, "squared")
	add("embed", s.Embed, "identity")
	add("readout", s.Readout, "identity")
	if len(parts) == 0 {
		return ""
	}
	return "{" + strings.Join(parts, ", ") + "}"
}
