package report

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot"
	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

func TestNumber(t *testing.T) {
	for _, c := range []struct {
		x      float64
		digits int
		want   string
	}{
		{0, 3, "0"},
		{0.9958, 3, "0.996"},
		{-12.345, 3, "−12.3"},
		{123456, 3, "123456"},
		{1234567, 3, "1.23 × 10⁶"},
		{6.604e-11, 3, "6.60 × 10⁻¹¹"},
		{0.001, 2, "0.0010"},
		{math.NaN(), 3, "not a number"},
		{math.Inf(-1), 3, "−∞"},
	} {
		if got := number(c.x, c.digits); got != c.want {
			t.Errorf("number(%v, %d) = %q, want %q", c.x, c.digits, got, c.want)
		}
	}
}

func TestTicks(t *testing.T) {
	labels := func(ticks []plot.Tick) string {
		var out []string
		for _, tick := range ticks {
			if tick.Label != "" {
				out = append(out, tick.Label)
			}
		}
		return strings.Join(out, " ")
	}
	for _, c := range []struct {
		ticks []plot.Tick
		want  string
	}{
		{linearTicks(0, 32, 6), "0 5 10 15 20 25 30"},
		{linearTicks(-0.45, 0.6, 5), "−0.4 −0.2 0.0 0.2 0.4 0.6"},
		{linearTicks(0, 4e6, 5), "0 $10^{6}$ 2×$10^{6}$ 3×$10^{6}$ 4×$10^{6}$"},
		{logTicks(5e-11, 0.05, 5), "$10^{−10}$ $10^{−8}$ $10^{−6}$ $10^{−4}$ $10^{−2}$"},
		{logTicks(0.002, 0.5, 5), "0.002 0.005 0.01 0.02 0.05 0.1 0.2 0.5"},
		{logTicks(0.011, 7, 2), "0.1 1"},
		{logTicks(0.11, 9.9, 2), "0.3 1 3"},
		{logTicks(1.9, 2.1, 5), "1.90 1.95 2.00 2.05 2.10"},
		{depthTicks([]int{16, 32, 64}, 14, 70, 0.1), "64 32 16"},
		{depthTicks([]int{16, 17, 64}, 14, 70, 0.1), "64 17"},
	} {
		if got := labels(c.ticks); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

// TestTicksAreFewAndInside draws ranges of any size: an axis has at least two labels
// and no more than fit, all within it.
func TestTicksAreFewAndInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := math.Pow(10, rapid.Float64Range(-12, 5).Draw(t, "log low"))
		high := low * math.Pow(10, rapid.Float64Range(0.01, 14).Draw(t, "decades"))
		for name, ticks := range map[string][]plot.Tick{
			"log": logTicks(low, high, 5), "linear": linearTicks(low, high, 5),
		} {
			labelled := 0
			for _, tick := range ticks {
				slack := 1e-6 * (high - low)
				if name == "log" {
					slack = 1e-6 * tick.Value
				}
				if tick.Value < low-slack || tick.Value > high+slack {
					t.Fatalf("%s: tick %v is outside of [%v, %v]", name, tick.Value, low, high)
				}
				if tick.Label != "" {
					labelled++
				}
			}
			if labelled < 2 || labelled > 9 {
				t.Fatalf("%s: %d labels in [%v, %v]", name, labelled, low, high)
			}
		}
	})
}

func TestWidenGivesARange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := rapid.Float64Range(-1e9, 1e9).Draw(t, "a"), rapid.Float64Range(-1e9, 1e9).Draw(t, "b")
		if low, high := widen(a, b, 0.05, false); !(low < high) {
			t.Fatalf("[%v, %v] became [%v, %v]", a, b, low, high)
		}
		a, b = math.Exp(a/1e7), math.Exp(b/1e7)
		if low, high := widen(a, b, 0.05, true); !(0 < low && low < high) {
			t.Fatalf("[%v, %v] became [%v, %v]", a, b, low, high)
		}
	})
}

func TestSlug(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"3f2a9c01", "3f2a9c01"},
		{"a-b_C", "a-b_C"},
		{"../../etc", "etc-"},
		{"", ""},
		{"<b>", "b-"},
	} {
		got := slug(c.name)
		if got == "" || !strings.HasPrefix(got, c.want) || strings.ContainsAny(got, "/.<>\"' ") {
			t.Errorf("slug(%q) = %q, want a file name that starts with %q", c.name, got, c.want)
		}
	}
	if slug("a/b") == slug("a:b") {
		t.Error("two names have one slug")
	}
}

// TestFileNames wants figures named after data and settings, and groups that share
// both told apart by their hash.
func TestFileNames(t *testing.T) {
	named := func(hash, data string, settings map[string]string) group {
		return group{Group: analyze.Group{Group: hash, Data: data, Settings: settings}}
	}
	groups := []group{
		named("aaaaaaaaaa", "digits", nil),
		named("bbbbbbbbbb", "digits", map[string]string{"network.alpha": "0.5"}),
		named("cccccccccc", "diabetes", nil),
		named("dddddddddd", "diabetes", nil),
	}
	nameFiles(groups)
	for i, want := range []string{"digits", "digits-alpha-0_5", "diabetes-cccccccc", "diabetes-dddddddd"} {
		if groups[i].slug != want {
			t.Errorf("group %d: got %q, want %q", i, groups[i].slug, want)
		}
	}
}

// TestLogTicksOfManyDecades wants the axis of a diverging run to stay readable.
func TestLogTicksOfManyDecades(t *testing.T) {
	if ticks := logTicks(1e-200, 1e100, 5); len(ticks) < 4 || len(ticks) > 10 {
		t.Errorf("got %d marks over 300 decades, want 4 to 10", len(ticks))
	}
}
