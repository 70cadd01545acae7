package bench

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/process"
)

// Options says how a step is computed and how long it is timed.
type Options struct {
	Workers int           // most goroutines; at least 1
	Memory  int64         // bytes for hidden states, 0 for no limit
	Time    time.Duration // least time to measure each method for

	// Observe, if not nil, is told how many workloads are done of how many, by what measures several.
	Observe func(done, total int)
}

// observe tells Observe, if there is one.
func (o Options) observe(done, total int) {
	if o.Observe != nil {
		o.Observe(done, total)
	}
}

// fewest is the number of steps below which no median is taken.
const fewest = 5

// A Result is the time of a step. With few samples there are fewer tiles than
// workers: Workers counts those that have work, and the peak is that of as many cores.
type Result struct {
	Shape        Shape   `json:"shape"`
	DType        string  `json:"dtype"`
	Method       string  `json:"method"`
	Network      string  `json:"network,omitempty"` // Step.Network; of a study's run what differs from the plainest
	Run          string  `json:"run,omitempty"`     // of a study
	Workers      int     `json:"workers"`
	Tier         string  `json:"tier"`
	Milliseconds float64 `json:"ms"`                     // median over steps
	Processor    float64 `json:"cpu_ms"`                 // median time of all processors; that of others at work on the machine is not in it
	GFLOPS       float64 `json:"gflops"`                 // operations of the matrix products (study.Run.Flops) over that time
	PeakGFLOPS   float64 `json:"peak_gflops"`            // fused multiply-adds in registers, same tier and cores
	PeakFraction float64 `json:"peak_fraction"`          // GFLOPS / PeakGFLOPS
	Memory       int64   `json:"memory_bytes,omitempty"` // of a step, as Deeps counts it
	// Ratio is the median over the rounds of the time over that of the first step in the
	// same round; 1 for the first. Runs of a study are timed one after the other, and it is that of their medians.
	Ratio float64 `json:"ratio"`
}

// DTypes returns the element types that Measure takes.
func DTypes() []string { return []string{"float32", "float64"} }

// CheckDType returns an error unless dtype is one of DTypes.
func CheckDType(dtype string) error { return field.OneOf("bench: dtype", dtype, DTypes()...) }

// Measure times at least five steps of gradient descent on the workload, for options.Time, after
// a warm-up. It measures the machine's peak before and after and uses the larger one.
//
// It returns an error for an unknown dtype, for options that resnet refuses, and
// when the descent leaves the finite numbers, as no time means anything then.
func Measure(shape Shape, dtype string, options Options) (Result, error) {
	results, err := MeasureSteps(shape, dtype, []Step{{Method: "gd"}}, options)
	if err != nil {
		return Result{}, err
	}
	return results[0], nil
}

// A Step is what is timed: of a method, and of the network that a study's network section describes, such
// as {block: mlp, normalise: pre}; "" for the plainest.
type Step struct{ Method, Network string }

// MeasureSteps is Measure for several steps, in rounds of one of each, so that what slows the machine
// down slows all of them.
func MeasureSteps(shape Shape, dtype string, steps []Step, options Options) ([]Result, error) {
	if dtype == "float32" {
		return measure[float32](shape, dtype, steps, options)
	}
	if err := CheckDType(dtype); err != nil {
		return nil, err
	}
	return measure[float64](shape, dtype, steps, options)
}

func measure[T kernel.Float](shape Shape, dtype string, steps []Step, options Options) ([]Result, error) {
	var problems []*problem[T]
	var calls []func() float64
	peaks := map[int]float64{} // by cores
	for _, step := range steps {
		p, err := newProblem[T](shape, step, options)
		if err != nil {
			return nil, err
		}
		defer p.evaluator.Close()
		problems, calls = append(problems, p), append(calls, p.step)
		peaks[p.workers(options.Workers)] = 0
	}
	measurePeaks := func() {
		for cores, known := range peaks {
			peaks[cores] = max(known, peak(problems[0].ops, cores)/1e9)
		}
	}
	measurePeaks()
	timed, processor, losses := repeat(calls, options.Time)
	measurePeaks()
	var results []Result
	for i, step := range steps {
		if loss := losses[i]; math.IsNaN(loss) || math.IsInf(loss, 0) {
			return nil, fmt.Errorf("bench: shape %v, %s, method %s: the loss became %v, want a finite one", shape, dtype, step.Method, loss)
		}
		ratios := make([]float64, len(timed[i]))
		for round, seconds := range timed[i] {
			ratios[round] = seconds / timed[0][round]
		}
		seconds, workers := median(timed[i]), problems[i].workers(options.Workers)
		result := Result{
			Shape: shape, DType: dtype, Method: step.Method, Network: step.Network, Workers: workers, Tier: problems[i].ops.Tier,
			Milliseconds: 1e3 * seconds, Processor: 1e3 * median(processor[i]), GFLOPS: problems[i].Run.Flops(shape.Samples()) / seconds / 1e9, PeakGFLOPS: peaks[workers], Ratio: median(ratios),
		}
		result.PeakFraction = result.GFLOPS / result.PeakGFLOPS
		results = append(results, result)
	}
	return results, nil
}

// repeat times steps in rounds of one of each, five at least and as many as take the least
// time for each, and returns the seconds of each step by round, those of the processors, and its last loss.
func repeat(steps []func() float64, least time.Duration) (seconds, processor [][]float64, losses []float64) {
	seconds, processor, losses = make([][]float64, len(steps)), make([][]float64, len(steps)), make([]float64, len(steps))
	for _, step := range steps { // touches all memory
		step()
		step()
	}
	for begun := time.Now(); time.Since(begun) < least*time.Duration(len(steps)) || len(seconds[0]) < fewest; {
		for i, step := range steps {
			before, _ := process.CPUTime()
			start := time.Now()
			losses[i] = step()
			seconds[i] = append(seconds[i], time.Since(start).Seconds())
			after, _ := process.CPUTime()
			processor[i] = append(processor[i], (after - before).Seconds())
		}
	}
	return seconds, processor, losses
}

// median returns the middle value, the mean of the middle two for an even number.
// It sorts values.
func median(values []float64) float64 {
	slices.Sort(values)
	n := len(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// peak returns the FLOP/s of that many cores together, all measured at the same time, because they
// may share a clock or a core.
func peak[T kernel.Float](ops *kernel.Ops[T], cores int) float64 {
	rates := make(chan float64)
	for range cores {
		go func() { rates <- ops.Peak() }()
	}
	sum := 0.0
	for range cores {
		sum += <-rates
	}
	return sum
}
