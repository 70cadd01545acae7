package scaling

import (
	"math"

	"github.com/deeplimit/deeplimit/pvar"
)

// roughness holds the sums of first and second differences of one path.
type roughness struct {
	steps     int     // L − 1
	variation float64 // V_1 = Σ ‖increment‖
	squares   float64 // Σ ‖increment‖²
	largest   float64 // max ‖increment‖
	noise     float64 // L/3 times the mean square of second differences
	growth    float64 // exponent of second differences in the lag, from lag 1 to 2
}

// perStep returns the mean over the increments of a sum over them, times L: sums
// over L − 1 increments are fitted so, as Evidence says.
func (r roughness) perStep(sum float64) float64 {
	return sum * float64(r.steps+1) / float64(r.steps)
}

// measure returns the roughness of a path of 8 points or more.
func measure(x pvar.Points) roughness {
	n := x.Len()
	r := roughness{steps: n - 1}
	for i := range n - 1 {
		square := 0.0
		next := x.At(i + 1)
		for k, v := range x.At(i) {
			square += (next[k] - v) * (next[k] - v)
		}
		r.squares += square
		r.variation += math.Sqrt(square)
		r.largest = max(r.largest, math.Sqrt(square))
	}
	one, two := secondDifferences(x, 1), secondDifferences(x, 2)
	r.noise = float64(n) / 3 * one
	r.growth = 2 // of a straight line, as of every smooth path
	if one > 0 {
		r.growth = math.Log2(two/one) / 2
	}
	return r
}

// secondDifferences returns the mean over k of ‖x_{k+2m} − 2x_{k+m} + x_k‖² at lag m.
func secondDifferences(x pvar.Points, m int) float64 {
	sum, count := 0.0, x.Len()-2*m
	for i := range count {
		mid, far := x.At(i+m), x.At(i+2*m)
		for k, v := range x.At(i) {
			d := far[k] - 2*mid[k] + v
			sum += d * d
		}
	}
	return sum / float64(count)
}
