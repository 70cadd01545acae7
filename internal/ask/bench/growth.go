package bench

import (
	"cmp"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/resnet"
)

// A Growth is how the time of a step grows with depth or samples: time ∝ value^Exponent,
// fitted by least squares of the logarithms.
type Growth struct {
	Variable string   `json:"variable"` // "L" or "N"
	Exponent float64  `json:"exponent"`
	Steps    []Result `json:"steps"` // over two decades of the variable, or more
}

// depths and samples vary one size over two decades, half a decade apart, with enough samples
// everywhere for each worker to have a tile.
var (
	depths  = []Shape{{10, 1024, 100}, {10, 1024, 316}, {10, 1024, 1000}, {10, 1024, 3162}, {10, 1024, 10000}}
	samples = []Shape{{10, 1024, 100}, {10, 3238, 100}, {10, 10240, 100}, {10, 32382, 100}, {10, 102400, 100}}
)

// Growths measures the time of a step over two decades of depth, and of samples.
func Growths(dtype string, options Options) ([]Growth, error) {
	byDepth, err := growth("L", depths, Shape.Depth, dtype, options)
	if err != nil {
		return nil, err
	}
	if observe := options.Observe; observe != nil {
		options.Observe = func(done, total int) { observe(len(depths)+done, total) }
	}
	bySamples, err := growth("N", samples, Shape.Samples, dtype, options)
	return []Growth{byDepth, bySamples}, err
}

func growth(variable string, shapes []Shape, size func(Shape) int, dtype string, options Options) (Growth, error) {
	g := Growth{Variable: variable}
	for i, shape := range shapes {
		options.observe(i, len(depths)+len(samples))
		result, err := Measure(shape, dtype, options)
		if err != nil {
			return Growth{}, err
		}
		g.Steps = append(g.Steps, result)
	}
	g.Exponent = exponent(g.Steps, size, func(r Result) float64 { return r.Milliseconds })
	return g, nil
}

// Deeps measures the time of a step of one worker from 100 layers on, half a decade apart: at width 10 with 8 samples to a million
// layers, at width 32 with 64 samples to 100,000. It is the processor's, where the system tells it, of which others at work on the
// machine have no part, and its exponent is that of Growth. Each result has the memory of its step.
func Deeps(dtype string, options Options) ([]Growth, error) {
	options.Workers = 1
	var all []Growth
	done, total := 0, 0
	for _, last := range deepest {
		total += int(math.Ceil(2*math.Log10(float64(last.Depth())))) - 3
	}
	for _, last := range deepest {
		g := Growth{Variable: "L"}
		for decade := 4.0; ; decade++ { // of √10
			shape := last
			options.observe(done, total)
			done++
			shape[2] = min(int(math.Round(math.Pow(10, decade/2))), last.Depth())
			result, err := Measure(shape, dtype, options)
			if err != nil {
				return nil, err
			}
			result.Memory = Memory(shape, dtype, options)
			g.Steps = append(g.Steps, result)
			if shape == last {
				break
			}
		}
		g.Exponent = exponent(g.Steps, Shape.Depth, func(r Result) float64 { return cmp.Or(r.Processor, r.Milliseconds) })
		all = append(all, g)
	}
	return all, nil
}

// deepest are the last workloads of Deeps.
var deepest = []Shape{{10, 8, 1_000_000}, {32, 64, 100_000}}

// Memory returns the bytes that a step of the plainest network on a workload takes: samples, weights, gradient and hidden states.
func Memory(shape Shape, dtype string, options Options) int64 {
	spec, err := network(shape, "")
	if err != nil {
		panic(fmt.Sprintf("bench: the plainest network: %v", err))
	}
	net, err := resnet.New(spec, shape.Depth(), shape.Width(), shape.Width())
	if err != nil {
		panic(fmt.Sprintf("bench: the plainest network: %v", err))
	}
	bytes, account := int64(8), resnet.MemoryOf[float64]
	if dtype == "float32" {
		bytes, account = 4, resnet.MemoryOf[float32]
	}
	samples := int64(16 * shape.Width() * shape.Samples()) // X and Y, in float64
	weights := bytes * int64(net.Layout.Size+net.Layout.Trained)
	return samples + weights + account(net, shape.Samples(), false, 1, resnet.Options{Workers: options.Workers, Memory: options.Memory}).Evaluator
}

// exponent returns the slope of log time against log size.
func exponent(steps []Result, size func(Shape) int, time func(Result) float64) float64 {
	var x, y []float64
	for _, s := range steps {
		x = append(x, math.Log(float64(size(s.Shape))))
		y = append(y, math.Log(time(s)))
	}
	_, slope := stat.LinearRegression(x, y, nil, false)
	return slope
}
