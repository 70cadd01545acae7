package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/analyze"
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

// interval is a number with its 95 % interval; NaN bounds mean there is none.
type interval struct{ value, low, high float64 }

// slopeInterval returns a slope with its interval; one that was fitted without any
// error to go by ("none") has none.
func slopeInterval(s analyze.Slope) interval {
	if s.Method == "none" {
		return interval{s.Slope, math.NaN(), math.NaN()}
	}
	return interval{s.Slope, s.Low, s.High}
}

// decimals is how many show the interval: two, and up to four where it is too
// narrow for them.
func (i interval) decimals() int {
	decimals := 2
	for decimals < 4 && i.known() && (i.high-i.low)/2 < math.Pow10(-decimals) {
		decimals++
	}
	return decimals
}

// Value writes the number alone, "−0.50".
func (i interval) Value() string { return decimal(i.value, i.decimals()) }

// Range writes the interval alone, "[−0.51, −0.49]".
func (i interval) Range() string {
	if !i.known() {
		return "[no interval]"
	}
	return fmt.Sprintf("[%s, %s]", decimal(i.low, i.decimals()), decimal(i.high, i.decimals()))
}

// String writes "−0.50 [−0.51, −0.49]".
func (i interval) String() string { return i.Value() + " " + i.Range() }

// known reports whether the interval has ends.
func (i interval) known() bool {
	return i.low <= i.high && !math.IsInf(i.low, 0) && !math.IsInf(i.high, 0)
}

// decimal writes x with the given number of decimals and without a negative zero.
func decimal(x float64, decimals int) string {
	s := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(s, "-0.") == "" {
		s = strings.TrimPrefix(s, "-")
	}
	return minus(s)
}

// plain writes a number that somebody chose, such as α, without padding it.
func plain(x float64) string { return minus(strconv.FormatFloat(x, 'g', 6, 64)) }

// rateText writes "ρ = 0.5123 ± 0.0002" to the digits that its standard error leaves.
func rateText(r analyze.Rate) string {
	decimals := 4
	if r.StdErr > 0 && !math.IsInf(r.StdErr, 0) {
		decimals = min(max(2, 1-int(math.Floor(math.Log10(r.StdErr)))), 8)
	}
	return fmt.Sprintf("ρ = %s ± %s", decimal(r.Rho, decimals), decimal(r.StdErr, decimals))
}

// r2Text writes R² rounded down to four decimals, so that it never claims 1 for less.
func r2Text(r2 float64) string { return decimal(math.Floor(r2*1e4)/1e4, 4) }

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
