package report

import (
	"math"
	"testing"

	"gonum.org/v1/plot"
	"pgregory.net/rapid"
)

// TestTicksOfAnyRange holds the marks of an axis over any two numbers to a few, each on the axis. Losses and bounds of runs
// that diverged come near the largest number.
func TestTicksOfAnyRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		number := rapid.OneOf(rapid.Float64(), rapid.Float64Range(-10, 10),
			rapid.SampledFrom([]float64{0, 5e-324, 1e-308, 1.7e308, -1.7e308, math.MaxFloat64, math.Nextafter(1, 2)}))
		low, high := number.Draw(t, "low"), number.Draw(t, "high")
		if low > high {
			low, high = high, low
		}
		logarithmic := rapid.Bool().Draw(t, "logarithmic")
		if logarithmic && low <= 0 {
			low, high = 1.7e308, 1.7e308
		}
		low, high = widen(low, high, rapid.Float64Range(0, 0.1).Draw(t, "share"), logarithmic)
		if !(low < high) || math.IsInf(high-low, 0) || logarithmic && !(low > 0) {
			t.Fatalf("an axis over [%g, %g]", low, high)
		}
		ticks := linearTicks(low, high, 5)
		if logarithmic {
			ticks = logTicks(low, high, 5)
		}
		if len(ticks) > 60 {
			t.Fatalf("%d marks over [%g, %g]", len(ticks), low, high)
		}
		slack := 1e-8 * (high - low)
		for _, tick := range ticks {
			if v := tick.Value; !(v >= low-slack && v <= high+slack) {
				t.Fatalf("a mark at %g over [%g, %g]", v, low, high)
			}
		}
	})
}

// TestTwoLabels wants two labels at least on an axis of any numbers and room, as one says nothing of a scale.
func TestTwoLabels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(1e-6, 1e6).Draw(t, "low")
		high := low * rapid.OneOf(rapid.Float64Range(1.001, 3), rapid.Float64Range(2, 300), rapid.Float64Range(300, 1e20)).Draw(t, "ratio")
		want := rapid.IntRange(2, 6).Draw(t, "want")
		for name, ticks := range map[string][]plot.Tick{"linear": linearTicks(low, high, want), "logarithmic": logTicks(low, high, want)} {
			labels := map[string]bool{}
			for _, tick := range ticks {
				if tick.Label != "" {
					labels[tick.Label] = true
				}
			}
			if n := len(labels); n < 2 || n > 3*want+3 {
				t.Fatalf("%s axis over [%g, %g], %d wanted: labels %v", name, low, high, want, labels)
			}
		}
	})
}
