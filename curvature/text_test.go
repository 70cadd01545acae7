package curvature

import (
	"math"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

func TestText(t *testing.T) {
	for _, c := range []struct {
		value, err float64
		want       string
	}{
		{0.354326, 1e-9, "0.3543"},
		{-0.00220123, 2e-7, "-0.002201"},
		{-0.00220123, 2e-6, "-0.0022"},
		{-0.00140, 8e-4, "0 ± 0.003"},
		{-0.00140, 4e-4, "-0.001"},
		{3.1e-18, 2e-10, "0 ± 3e-10"},
		{0, 1e-9, "0 ± 1e-09"},
		{1.25, 0, "1.25"},
	} {
		if got := Text(c.value, c.err, 4); got != c.want {
			t.Errorf("%v within %v: got %q, want %q", c.value, c.err, got, c.want)
		}
	}
}

// TestTextIsNear wants what is written within a unit of its last digit of the true value, whatever
// that is within the error.
func TestTextIsNear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.Float64Range(-10, 10).Draw(t, "value")
		err := math.Pow(10, rapid.Float64Range(-12, 1).Draw(t, "err"))
		digits := Digits(value, err, 4)
		if digits == 0 {
			if !(Magnitude(value, err) >= (math.Abs(value)+err)*(1-1e-9)) {
				t.Fatalf("%v within %v: magnitude %v", value, err, Magnitude(value, err))
			}
			return
		}
		written, _ := strconv.ParseFloat(Text(value, err, 4), 64)
		unit := math.Pow(10, math.Floor(math.Log10(math.Abs(value)))-float64(digits)+1)
		for _, truth := range []float64{value - err, value + err} {
			if !(math.Abs(written-truth) <= unit*(1+1e-9)) {
				t.Fatalf("%v within %v: wrote %v, off by more than %v", value, err, written, unit)
			}
		}
	})
}
