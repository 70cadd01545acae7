// Package rescale multiplies numbers by a power of two, which is exact, so that float64 can hold their
// squares and powers: the square of 1e-200 is 0, that of 1e200 infinite.
package rescale

import (
	"math"
	"slices"
)

// Numbers between these bounds have squares, and sums of 2^200 of them, that are normal numbers.
const (
	least = 0x1p-300
	most  = 0x1p300
)

// Spread returns the largest difference between two entries in one column of rows of dim numbers, at
// most the largest float64. The numbers are finite.
func Spread(dim int, rows []float64) float64 {
	dim = min(dim, len(rows))
	low, high := slices.Clone(rows[:dim]), slices.Clone(rows[:dim])
	for i := 0; i < len(rows); i += dim { // by rows, as they lie in memory
		for k, v := range rows[i:min(i+dim, len(rows))] {
			if v < low[k] {
				low[k] = v
			} else if v > high[k] {
				high[k] = v
			}
		}
	}
	widest := 0.0
	for k := range low {
		widest = max(widest, min(high[k]-low[k], math.MaxFloat64))
	}
	return widest
}

// Exponent returns e such that numbers up to size, times 2^−e, have squares within float64. It is 0 where
// they do without scaling, or size is 0.
func Exponent(size float64) int {
	if size == 0 || size > least && size < most {
		return 0
	}
	_, e := math.Frexp(size)
	return e
}

// By returns x·2^exponent, x itself for exponent 0.
func By(x []float64, exponent int) []float64 {
	if exponent == 0 {
		return x
	}
	scaled := make([]float64, len(x))
	for i, v := range x {
		scaled[i] = math.Ldexp(v, exponent)
	}
	return scaled
}

// Safe reports whether a sum of squares is as accurate as its terms: neither the sum nor a term that
// matters has overflowed or underflowed.
func Safe(square float64) bool { return square > 0x1p-900 && square < math.Inf(1) }

// Norm returns the Euclidean norm of the numbers of x, or of x − y where y is not nil, whatever their size; NaN
// if one is.
func Norm[T float32 | float64](x, y []T) float64 {
	difference := func(i int) float64 {
		if y == nil {
			return float64(x[i])
		}
		return float64(x[i]) - float64(y[i])
	}
	largest := 0.0
	for i := range x {
		largest = max(largest, math.Abs(difference(i)))
	}
	if largest == 0 || math.IsNaN(largest) || math.IsInf(largest, 1) {
		return largest
	}
	_, e := math.Frexp(largest)
	sum := 0.0
	for i := range x {
		v := math.Ldexp(difference(i), -e)
		sum += float64(v * v) // no fused multiply-add: the same bits on every machine
	}
	return math.Ldexp(math.Sqrt(sum), e)
}
