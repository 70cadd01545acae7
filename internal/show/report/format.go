package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// number writes x in digits significant digits, as m × 10ᵉ where it is very large
// or very small.
func number(x float64, digits int) string {
	switch {
	case math.IsNaN(x):
		return "not a number"
	case math.IsInf(x, 0):
		return infinity(x)
	case x == 0:
		return "0"
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(x, 'e', digits-1, 64), "e")
	e, _ := strconv.Atoi(exponent)
	if e < -3 || e > 5 {
		return minus(mantissa) + " × 10" + superscript(e)
	}
	return minus(strconv.FormatFloat(x, 'f', max(0, digits-1-e), 64))
}

func infinity(x float64) string {
	if x < 0 {
		return "−∞"
	}
	return "∞"
}

var superscripts = strings.NewReplacer("-", "⁻", "0", "⁰", "1", "¹", "2", "²", "3", "³", "4", "⁴",
	"5", "⁵", "6", "⁶", "7", "⁷", "8", "⁸", "9", "⁹")

func superscript(e int) string { return superscripts.Replace(strconv.Itoa(e)) }

// typeset writes an estimate, or its parts, with minus signs for its hyphens.
func typeset(text string) string { return strings.ReplaceAll(text, "-", "−") }

// decimal writes x with the given number of decimals and without a negative zero.
func decimal(x float64, decimals int) string {
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return minus(s)
}

// unpadded writes a number that somebody chose, such as α, without padding it.
func unpadded(x float64) string { return minus(strconv.FormatFloat(x, 'g', 6, 64)) }

// powers returns the keys of m that are numbers, in order of size.
func powers[V any](m map[string]V) []string {
	value := func(p string) float64 { v, _ := strconv.ParseFloat(p, 64); return v }
	var keys []string
	for k := range m {
		if _, err := strconv.ParseFloat(k, 64); err == nil {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(a, b string) int { return cmp.Or(cmp.Compare(value(a), value(b)), cmp.Compare(a, b)) })
	return keys
}
