package scaling

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/internal/random"
)

// TestMeanDifferencePaired compares with the paired t test of five seeds by hand.
func TestMeanDifferencePaired(t *testing.T) {
	var d []Difference
	for seed, v := range []float64{1.2, 0.4, 2.0, 0.9, 1.7} {
		d = append(d, Difference{Seed: uint64(seed), Value: v})
	}
	got := MeanDifference(d)
	// By hand: mean 1.24, s² = Σ(y − 1.24)²/4 = 0.403, t(4) quantile 2.7764451.
	half := 2.7764451 * math.Sqrt(0.403/5)
	for _, c := range []struct{ got, want, tol float64 }{
		{got.Value, 1.24, 1e-12}, {got.Low, 1.24 - half, 1e-6}, {got.High, 1.24 + half, 1e-6}, {got.Freedom, 4, 0},
	} {
		if !(math.Abs(c.got-c.want) <= c.tol) {
			t.Errorf("got %v, want %v", c.got, c.want)
		}
	}
	// The distribution of t with 4 degrees of freedom in closed form: F(t) = ½ + ⅜ u(1 − u²/12), u = t/√(1 + t²/4).
	x := 1.24 / math.Sqrt(0.403/5)
	u := x / math.Sqrt(1+x*x/4)
	if want := 2 * (0.5 - 0.375*u*(1-u*u/12)); !(math.Abs(got.P-want) <= 1e-10) {
		t.Errorf("p: got %v, want %v", got.P, want)
	}
}

// TestMeanDifferenceBalanced holds the variance of a crossed design to the mean squares of its table: V_d is that of data
// sets over their number, (MS_d + MS_s − MS_0′)/(AB) with the total in the place of the interaction.
func TestMeanDifferenceBalanced(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := rapid.IntRange(2, 4).Draw(rt, "data sets"), rapid.IntRange(2, 5).Draw(rt, "seeds")
		var d []Difference
		rows, cols, mean := make([]float64, a), make([]float64, b), 0.0
		for i := range a {
			for j := range b {
				v := rapid.Float64Range(-3, 3).Draw(rt, "value")
				d = append(d, Difference{uint64(i), uint64(j), v})
				rows[i] += v / float64(b)
				cols[j] += v / float64(a)
				mean += v / float64(a*b)
			}
		}
		data, seed, total := 0.0, 0.0, 0.0
		for _, v := range rows {
			data += (v - mean) * (v - mean) / float64(a*(a-1))
		}
		for _, v := range cols {
			seed += (v - mean) * (v - mean) / float64(b*(b-1))
		}
		for _, v := range d {
			total += (v.Value - mean) * (v.Value - mean) / float64(len(d)*(len(d)-1))
		}
		want := math.Sqrt(max(data, seed, data+seed-total))
		got := MeanDifference(d)
		if want < 1e-6 {
			return
		}
		if ratio := (got.High - got.Low) / 2 / student(got.Freedom, 0.975) / want; !(math.Abs(ratio-1) <= 1e-9) {
			rt.Fatalf("deviation: got %v times %v", ratio, want)
		}
	})
}

// TestCoverageContrast simulates differences with effects of data sets, of seeds and of both, and wants intervals that
// hold the mean in 0.92 of the draws or more, and a test that rejects what holds in 0.08 at most.
func TestCoverageContrast(t *testing.T) {
	const draws = 1000
	for _, c := range []struct {
		name             string
		data, seeds      int
		ofData, ofSeed   float64
		least, mostHolds float64
	}{
		{"three seeds", 1, 3, 0, 0, 0.93, 0.97},
		{"noise alone", 4, 4, 0, 0, 0.93, 0.995},
		{"data", 4, 4, 2, 0, 0.92, 0.985},
		{"seeds", 3, 6, 0, 2, 0.92, 0.985},
		{"both", 5, 5, 1, 1, 0.92, 0.99},
	} {
		rng := random.New(1, "contrast/"+c.name)
		held := 0
		for range draws {
			seed := make([]float64, c.seeds)
			for j := range seed {
				seed[j] = c.ofSeed * rng.NormFloat64()
			}
			var d []Difference
			for i := range c.data {
				data := c.ofData * rng.NormFloat64()
				for j := range c.seeds {
					d = append(d, Difference{uint64(i), uint64(j), 0.7 + data + seed[j] + rng.NormFloat64()})
				}
			}
			got := MeanDifference(d)
			if got.Low <= 0.7 && 0.7 <= got.High {
				held++
			}
		}
		if share := float64(held) / draws; !(share >= c.least && share <= c.mostHolds) {
			t.Errorf("%s: the interval holds the mean in %v of the draws, want %v to %v", c.name, share, c.least, c.mostHolds)
		}
	}
}

// TestHolm compares with R's p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") = 0.03 0.06 0.06 0.02.
func TestHolm(t *testing.T) {
	got := Holm([]float64{0.01, math.NaN(), 0.04, 0.03, 0.005})
	want := []float64{0.03, math.NaN(), 0.06, 0.06, 0.02}
	for i := range want {
		if math.IsNaN(want[i]) != math.IsNaN(got[i]) || !math.IsNaN(want[i]) && !(math.Abs(got[i]-want[i]) <= 1e-15) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
}

// TestMeanDifferenceMissing wants no interval without two seeds, or where all differences are equal but for rounding.
func TestMeanDifferenceMissing(t *testing.T) {
	a, b, c := 0.9, 0.8, 0.7
	for _, d := range [][]Difference{{{0, 1, 3}}, {{0, 1, 3}, {0, 2, 3}}, {{0, 1, a - b}, {0, 2, b - c}}, {{0, 1, 0.1}, {0, 2, 0.1}, {0, 3, 0.1}}, {{0, 1, 0}, {0, 2, 0}}} {
		if got := MeanDifference(d); !(math.Abs(got.Value-d[0].Value) <= 1e-15) || !math.IsNaN(got.Low) || !math.IsNaN(got.P) {
			t.Errorf("%v: got %v", d, got)
		}
	}
}

// TestMeanDifferenceOfOneSeed wants data sets as the units of one seed: the paired t test over them.
func TestMeanDifferenceOfOneSeed(t *testing.T) {
	var seeds, sets []Difference
	for i, v := range []float64{1.2, 0.4, 2.0} {
		seeds = append(seeds, Difference{Seed: uint64(i), Value: v})
		sets = append(sets, Difference{Data: uint64(i), Value: v})
	}
	if got, want := MeanDifference(sets), MeanDifference(seeds); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
