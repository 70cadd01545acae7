package curvature

import (
	"math"
	"strconv"
)

// Digits returns how many significant digits, at most most, are known of a value with an error
// of at most err: the unit of the last one is at least 2·err. It returns 0 where none is known.
func Digits(value, err float64, most int) int {
	if !(err > 0) {
		return most
	}
	last := math.Ceil(math.Log10(2 * err)) // 10^last is the unit of the last digit
	digits := math.Floor(math.Log10(math.Abs(value))) - last + 1
	return int(max(0, min(digits, float64(most))))
}

// Magnitude returns |value| + err rounded up to one significant digit: the bound to print for
// a value of which no digit is known.
func Magnitude(value, err float64) float64 {
	bound := math.Abs(value) + err
	scale := math.Pow(10, math.Floor(math.Log10(bound)))
	return math.Ceil(bound/scale*(1-1e-12)) * scale
}

// Text writes a value with its Digits, such as "1.152", and "0 ± 2e-09" where none is known.
func Text(value, err float64, most int) string {
	if digits := Digits(value, err, most); digits > 0 {
		return strconv.FormatFloat(value, 'g', digits, 64)
	}
	return "0 ± " + strconv.FormatFloat(Magnitude(value, err), 'g', 1, 64)
}
