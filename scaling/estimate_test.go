package scaling

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestEstimateText(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		value, low, high float64
		want             string
	}{
		{-0.5, -0.51, -0.49, "-0.50 [-0.51, -0.49]"},
		{-0.524, -0.532, -0.516, "-0.524 [-0.532, -0.516]"},
		{0, -0.00002, 0.00002, "0.00000 [-0.00002, 0.00002]"},
		{-0.001, -0.04, 0.038, "0.00 [-0.04, 0.04]"},
		{0.04, 0.002, 0.078, "0.040 [0.002, 0.078]"},
		{1.25, 0.5, 2, "1.25 [0.50, 2.00]"},
		{1, nan, nan, "1.00 [no interval]"},
		{2.01, 1.98, inf, "2.01 [1.98, ∞)"},
		{-0.25, -0.25, -0.25, "-0.250000 [the same to six decimals]"},
	} {
		if got := (Estimate{Value: c.value, Low: c.low, High: c.high}).String(); got != c.want {
			t.Errorf("%v: got %q, want %q", c, got, c.want)
		}
	}
	if got, want := (LimitExponent{0.5, 0.5, 0.5, ""}).Estimate().String(), "0.50 [by theory]"; got != want {
		t.Errorf("an exponent of the limit that is certain: got %q, want %q", got, want)
	}
	digits := func(v float64, n int) string { return fmt.Sprintf("%.*e", n-1, v) }
	if got, want := MeanOf([]float64{1e-7, 1.2e-7}).Within(0, inf).Size(digits), "1.10e-07 [0.00e+00, 2.37e-07]"; got != want {
		t.Errorf("mean of a size: got %q, want %q", got, want)
	}
	if got, want := MeanOf([]float64{3}).Size(digits), "3.00e+00 [no interval]"; got != want {
		t.Errorf("mean of one: got %q, want %q", got, want)
	}
}

// TestEstimateTextIsSound draws numbers and intervals: what is written is what is meant, to
// half a unit of its last digit, never −0 and never an interval without width.
func TestEstimateTextIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := math.Pow(10, rapid.Float64Range(-9, 1).Draw(t, "log width"))
		value := rapid.Float64Range(-3, 3).Draw(t, "value")
		e := Estimate{Value: value, Low: value - width, High: value + width*rapid.Float64Range(0.1, 2).Draw(t, "skew")}
		text := e.String()
		var got, low, high float64
		switch {
		case strings.Contains(text, "-0.00 ") || strings.Contains(text, "-0.00]") || strings.Contains(text, "NaN"):
			t.Fatalf("%+v is written %q", e, text)
		case strings.Contains(text, "the same"):
			if e.High-e.Low > 2e-6 {
				t.Fatalf("%+v is written %q", e, text)
			}
			return
		}
		if _, err := fmt.Sscanf(text, "%f [%f, %f]", &got, &low, &high); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		tol := 0.5000001 * math.Pow10(-e.Decimals())
		for _, pair := range [][2]float64{{got, e.Value}, {low, e.Low}, {high, e.High}} {
			if !(math.Abs(pair[0]-pair[1]) <= tol) {
				t.Fatalf("%+v is written %q", e, text)
			}
		}
		if !(low < high) {
			t.Fatalf("%+v is written %q, an interval without width", e, text)
		}
	})
}

func TestR2Text(t *testing.T) {
	for v, want := range map[float64]string{0.99999: "0.9999", 1: "1.0000", 0.29: "0.2900", 0.12345: "0.1234", 0: "0.0000"} {
		if got := R2Text(v); got != want {
			t.Errorf("%v: got %s, want %s", v, got, want)
		}
	}
}

// TestNoIntervalIsNull: ends that are not known are null in JSON, as is a slope that was not fitted.
func TestNoIntervalIsNull(t *testing.T) {
	f, err := Fit([]Sample{{16, 1, 1}, {64, 1, 2}})
	if err != nil {
		t.Fatal(err)
	}
	x := Index{Index: 2, Low: math.NaN(), High: math.NaN(), Method: NoInterval, Basis: f.Basis}
	var tree map[string]any
	for name, v := range map[string]any{"slope": f, "index": x, "estimate": f.Estimate()} {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(text, &tree); err != nil {
			t.Fatal(err)
		}
		low, there := tree["low"]
		if high := tree["high"]; !there || low != nil || high != nil || !strings.HasSuffix(tree["text"].(string), "[no interval]") || tree["runs"] != 2. {
			t.Errorf("%s: got %s, want null ends", name, text)
		}
	}
	if text, err := json.Marshal(Slope{}); err != nil || string(text) != "null" {
		t.Errorf("a slope that was not fitted: got %s, %v", text, err)
	}
}

// TestBasis wants seeds with one depth left out of a fit over seeds, and everything of it.
func TestBasis(t *testing.T) {
	complete := []Sample{{16, 1, 1}, {64, 1, 2.1}, {16, 2, 1.1}, {256, 2, 4}}
	f, err := Fit(append([]Sample{{1024, 3, 50}}, complete...))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Basis{Depths: []int{16, 64, 256}, Seeds: []uint64{1, 2}, Runs: 4}, f.Basis); diff != "" {
		t.Errorf("basis (-want +got):\n%s", diff)
	}
	want, err := Fit(complete)
	if diff := cmp.Diff(want, f); err != nil || diff != "" {
		t.Errorf("the fit without that seed (-want +got):\n%s%v", diff, err)
	}
}
