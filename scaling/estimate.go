package scaling

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Basis says which runs an estimate rests on.
type Basis struct {
	Depths []int    `json:"depths"` // of the runs that entered, ascending
	Seeds  []uint64 `json:"seeds"`  // likewise
	Runs   int      `json:"runs"`
}

// basisOf returns the basis of samples.
func basisOf(samples []Sample) Basis {
	depths, seeds := map[int]bool{}, map[uint64]bool{}
	for _, s := range samples {
		depths[s.Depth], seeds[s.Seed] = true, true
	}
	return Basis{slices.Sorted(maps.Keys(depths)), slices.Sorted(maps.Keys(seeds)), len(samples)}
}

// An Estimate is a number with its 95 % interval and the runs that it rests on. Every table,
// sentence and figure shows slopes, indices and means in this form. Low and High are NaN
// where there is no interval, and infinite where it is unbounded.
type Estimate struct {
	Value   float64
	Low     float64
	High    float64
	Method  string
	Warning string
	Basis
}

// Estimate returns the slope as an Estimate.
func (s Slope) Estimate() Estimate {
	return Estimate{s.Slope, s.Low, s.High, s.Method, s.Warning, s.Basis}
}

// Estimate returns the index as an Estimate.
func (x Index) Estimate() Estimate {
	return Estimate{x.Index, x.Low, x.High, x.Method, x.Warning, x.Basis}
}

// Estimate returns the exponent of the limit as one.
func (x LimitExponent) Estimate() Estimate {
	return Estimate{Value: x.Exponent, Low: x.Low, High: x.High, Method: ByModel}
}

// String writes the exponent with its interval, as Estimate does.
func (s Slope) String() string { return s.Estimate().String() }

// String writes the index with its interval, as Estimate does.
func (x Index) String() string { return x.Estimate().String() }

// MeanOf returns the mean of values with its interval by Student's t; one value has no
// interval.
func MeanOf(values []float64) Estimate {
	mean, half := MeanInterval(values, 0.95)
	e := Estimate{Value: mean, Low: mean - half, High: mean + half, Method: BySeeds, Basis: Basis{Runs: len(values)}}
	if len(values) < 2 {
		e.Method = NoInterval
	}
	return e
}

// Within cuts the interval to the range that the number can have by its nature, such as
// 0 … ∞ for a distance, which leaves its coverage as it is. The interval still holds the
// value.
func (e Estimate) Within(low, high float64) Estimate {
	e.Low, e.High = max(e.Low, min(low, e.Value)), min(e.High, max(high, e.Value))
	return e
}

// Known reports whether there is an interval.
func (e Estimate) Known() bool { return e.Low <= e.High }

// Holds reports whether the interval holds v; false where there is none.
func (e Estimate) Holds(v float64) bool { return e.Low <= v && v <= e.High }

// String writes an exponent or index with its interval, "-0.52 [-0.53, -0.51]".
func (e Estimate) String() string { return e.Number() + " " + e.Range() }

// mostDecimals bounds the digits that a narrow interval needs.
const mostDecimals = 6

// Decimals returns how many decimals show the interval: two, and up to six where the interval
// is too narrow for two, or where an end that is not 0 would be written as 0.
func (e Estimate) Decimals() int {
	decimals := 2
	for !e.certain() && decimals < mostDecimals && e.Known() && (e.half() < math.Pow10(-decimals) || vanishes(e.Low, decimals) || vanishes(e.High, decimals)) {
		decimals++
	}
	return decimals
}

// certain reports whether theory fixes the value, once the kind of limit is as good as certain.
func (e Estimate) certain() bool {
	return e.Method == ByModel && e.High-e.Low < math.Pow10(-mostDecimals)
}

// vanishes reports whether a number that is not 0 would be written as 0.
func vanishes(v float64, decimals int) bool {
	return v != 0 && math.Abs(v) < 0.5*math.Pow10(-decimals)
}

// half returns half the width of the interval, or the distance to its one end.
func (e Estimate) half() float64 {
	if math.IsInf(e.High, 1) {
		return e.Value - e.Low
	}
	return (e.High - e.Low) / 2
}

// Number writes an exponent alone, "-0.52", to the digits that its interval leaves.
func (e Estimate) Number() string { return fixed(e.Value, e.Decimals()) }

// Range writes the interval of an exponent alone, "[-0.53, -0.51]".
func (e Estimate) Range() string {
	return e.between(func(v float64) string { return fixed(v, e.Decimals()) }, "six decimals")
}

// Ends writes the ends of an exponent's interval as Range has them, "" for one that Range
// does not write as a number.
func (e Estimate) Ends() (low, high string) {
	low, high = fixed(e.Low, e.Decimals()), fixed(e.High, e.Decimals())
	switch {
	case !e.Known(), e.certain(), low == high:
		return "", ""
	case math.IsInf(e.High, 1):
		return low, ""
	}
	return low, high
}

// Size writes a number of any magnitude with its interval, "0.0133 [0.0121, 0.0145]". It
// calls write with the number of significant digits: three, and up to six where the interval
// is narrow.
func (e Estimate) Size(write func(v float64, digits int) string) string {
	digits := 3
	for digits < mostDecimals && e.Known() && e.half() < math.Abs(e.Value)*math.Pow10(1-digits) {
		digits++
	}
	number := func(v float64) string { return write(v, digits) }
	return number(e.Value) + " " + e.between(number, "six digits")
}

// between writes the interval, and says so where both ends would be written alike.
func (e Estimate) between(number func(float64) string, most string) string {
	if !e.Known() {
		return "[no interval]"
	}
	if math.IsInf(e.High, 1) {
		return fmt.Sprintf("[%s, ∞)", number(e.Low))
	}
	low, high := number(e.Low), number(e.High)
	if e.certain() {
		return "[by theory]"
	}
	if low == high {
		return "[the same to " + most + "]"
	}
	return fmt.Sprintf("[%s, %s]", low, high)
}

// fixed writes v with decimals and without a negative zero.
func fixed(v float64, decimals int) string {
	text := strconv.FormatFloat(v, 'f', decimals, 64)
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-")
	}
	return text
}

// R2Text writes R² rounded down to four decimals, so that it never claims 1 for less.
func R2Text(r2 float64) string {
	const slack = 1e-9 // a number with four decimals is not exact in binary
	return fixed(math.Floor(r2*1e4+slack)/1e4, 4)
}

// MarshalJSON writes missing and infinite ends as null, and adds the text that tables show.
func (e Estimate) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Value   *float64 `json:"value"`
		Low     *float64 `json:"low"`
		High    *float64 `json:"high"`
		Text    string   `json:"text"`
		Method  string   `json:"method"`
		Warning string   `json:"warning,omitempty"`
		Basis
	}{finite(e.Value), finite(e.Low), finite(e.High), e.String(), e.Method, e.Warning, e.Basis})
}

// MarshalJSON writes missing and infinite ends as null, and adds the text that tables show. A
// slope that was not fitted is null.
func (s Slope) MarshalJSON() ([]byte, error) {
	if s.Method == "" {
		return []byte("null"), nil
	}
	type fields Slope
	return json.Marshal(struct {
		fields
		Low  *float64 `json:"low"`
		High *float64 `json:"high"`
		Text string   `json:"text"`
	}{fields(s), finite(s.Low), finite(s.High), s.String()})
}

// MarshalJSON writes missing and infinite ends as null, and adds the text that tables show.
func (x Index) MarshalJSON() ([]byte, error) {
	type fields Index
	return json.Marshal(struct {
		fields
		Low  *float64 `json:"low"`
		High *float64 `json:"high"`
		Text string   `json:"text"`
	}{fields(x), finite(x.Low), finite(x.High), x.String()})
}

// finite returns a pointer to v, nil if v is NaN or infinite.
func finite(v float64) *float64 {
	if notFinite(v) {
		return nil
	}
	return &v
}
