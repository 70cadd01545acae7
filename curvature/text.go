package curvature

import (
	"math"
	"strconv"
)

// Digits returns how many significant digits, at most most, a value has that is known to within
// err: the last one stands for at least 2·err. 0 where err reaches them all.
func Digits(value, err float64, most int) int {
	if !(err > 0) {
		return most
	}
	last := math.Ceil(math.Log10(2 * err)) // 10^last is what the last digit stands for
	digits := math.Floor(math.Log10(math.Abs(value))) - last + 1
	return int(max(0, min(digits, float64(most))))
}

// Magnitude returns |value| + err rounded up to one significant digit, for a value of
// which no digit is known.
func Magnitude(value, err float64) float64 {
	bound := math.Abs(value) + err
	scale := math.Pow(10, math.Floor(math.Log10(bound)))
	return math.Ceil(bound/scale*(1-1e-12)) * scale
}

// Text writes a value with its Digits, and "0 ± 2e-09" where there are none.
func Text(value, err float64, most int) string {
	if digits := Digits(value, err, most); digits > 0 {
		return strconv.FormatFloat(value, 'g', digits, 64)
	}
	return "0 ± " + strconv.FormatFloat(Magnitude(value, err), 'g', 1, 64)
}
