package bench

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// A Growth is how the time of a step grows with depth or samples: time ∝ value^Exponent,
// fitted by least squares of the logarithms.
type Growth struct {
	Variable string   `json:"variable"` // "L" or "N"
	Exponent float64  `json:"exponent"`
	Steps    []Result `json:"steps"` // over two decades of the variable
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
	bySamples, err := growth("N", samples, Shape.Samples, dtype, options)
	return []Growth{byDepth, bySamples}, err
}

func growth(variable string, shapes []Shape, size func(Shape) int, dtype string, options Options) (Growth, error) {
	g := Growth{Variable: variable}
	for _, shape := range shapes {
		result, err := Measure(shape, dtype, options)
		if err != nil {
			return Growth{}, err
		}
		g.Steps = append(g.Steps, result)
	}
	g.Exponent = exponent(g.Steps, size)
	return g, nil
}

// exponent returns the slope of log time against log size.
func exponent(steps []Result, size func(Shape) int) float64 {
	var x, y []float64
	for _, s := range steps {
		x = append(x, math.Log(float64(size(s.Shape))))
		y = append(y, math.Log(s.Milliseconds))
	}
	_, slope := stat.LinearRegression(x, y, nil, false)
	return slope
}
