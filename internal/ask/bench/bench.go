package bench

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/resnet"
)

// Options says how a step is computed and how long it is timed.
type Options struct {
	Workers int           // most goroutines; at least 1
	Memory  int64         // bytes for hidden states, 0 for no limit
	Time    time.Duration // least time to measure for
}

// fewest is the number of steps below which no median is taken.
const fewest = 5

// A Result is the time of a step. With few samples there are fewer tiles than
// workers: Workers counts those that have work, and the peak is that of as many cores.
type Result struct {
	Shape        Shape   `json:"shape"`
	DType        string  `json:"dtype"`
	Workers      int     `json:"workers"`
	Tier         string  `json:"tier"`
	Milliseconds float64 `json:"ms"`            // median over steps
	GFLOPS       float64 `json:"gflops"`        // Shape.Operations over that time
	PeakGFLOPS   float64 `json:"peak_gflops"`   // fused multiply-adds in registers, same tier and cores
	PeakFraction float64 `json:"peak_fraction"` // GFLOPS / PeakGFLOPS
}

// DTypes returns the element types that Measure takes.
func DTypes() []string { return []string{"float32", "float64"} }

// CheckDType returns an error unless dtype is one of DTypes.
func CheckDType(dtype string) error { return field.OneOf("bench: dtype", dtype, DTypes()...) }

// Measure times at least five steps of the workload, for options.Time, after a warm-up. It
// measures the machine's peak before and after and uses the larger one.
//
// It returns an error for an unknown dtype, for options that resnet refuses, and
// when the descent leaves the finite numbers, as no time means anything then.
func Measure(shape Shape, dtype string, options Options) (Result, error) {
	if dtype == "float32" {
		return measure[float32](shape, dtype, options)
	}
	if err := CheckDType(dtype); err != nil {
		return Result{}, err
	}
	return measure[float64](shape, dtype, options)
}

func measure[T kernel.Float](shape Shape, dtype string, options Options) (Result, error) {
	p, err := newProblem[T](shape, options)
	if err != nil {
		return Result{}, err
	}
	defer p.evaluator.Close()
	_, most := resnet.Parallelism(p.Network, shape.Samples(), dtype)
	workers := min(options.Workers, most)
	if p.evaluator.Descends() {
		workers = 1
	}
	before := peak(p.ops, workers)
	seconds, loss := repeat(p.step, options.Time)
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return Result{}, fmt.Errorf("bench: shape %v, %s: the loss became %v, want a finite one", shape, dtype, loss)
	}
	result := Result{
		Shape: shape, DType: dtype, Workers: workers, Tier: p.ops.Tier,
		Milliseconds: 1e3 * seconds,
		GFLOPS:       shape.Operations() / seconds / 1e9,
		PeakGFLOPS:   max(before, peak(p.ops, workers)) / 1e9,
	}
	result.PeakFraction = result.GFLOPS / result.PeakGFLOPS
	return result, nil
}

// repeat returns the median duration of a step in seconds, and what the last one
// returned.
func repeat(step func() float64, least time.Duration) (seconds, loss float64) {
	step() // touches all memory
	step()
	var times []float64
	for begun := time.Now(); time.Since(begun) < least || len(times) < fewest; {
		start := time.Now()
		loss = step()
		times = append(times, time.Since(start).Seconds())
	}
	return median(times), loss
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
