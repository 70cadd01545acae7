package analyze

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func count(n int) []int {
	iterations := make([]int, n)
	for i := range iterations {
		iterations[i] = i
	}
	return iterations
}

func TestFitRate(t *testing.T) {
	for name, c := range map[string]struct {
		n      int
		loss   func(t int, noise float64) float64 // noise is standard normal
		rho    float64
		within float64 // tolerance of ρ
		first  [2]int  // least and greatest of Rate.First
		last   [2]int
	}{
		"exact": {41, func(t int, _ float64) float64 { return math.Pow(0.5, float64(t)) }, 0.5, 1e-12, [2]int{20, 20}, [2]int{40, 40}},
		"transient": {
			60, func(t int, _ float64) float64 { return math.Pow(0.7, float64(t)) * (1 + 50*math.Pow(0.2, float64(t))) },
			// At the middle of the fall, t = 24, the transient is below 1e-14.
			0.7, 1e-12,
			[2]int{22, 25},
			[2]int{59, 59},
		},
		"plateau first": {200, func(t int, _ float64) float64 { return math.Pow(0.8, float64(max(0, t-100))) }, 0.8, 1e-12, [2]int{149, 150}, [2]int{199, 199}},
		// Rounding floor near 2e-31: log10(2e-30)/log10(0.6) ≈ 134 steps above 10 times the floor.
		"floor": {
			1000, func(t int, noise float64) float64 { return math.Pow(0.6, float64(t)) + 2e-31*(1+0.2*math.Tanh(noise)) },
			// The last point is 10 % too high and the others less: log(1.1)·1.5/67 points of slope at most.
			0.6, 0.6 * 0.1 * 1.5 / 67,
			[2]int{66, 68},
			[2]int{131, 135},
		},
		"floor just reached": {
			160, func(t int, noise float64) float64 { return math.Pow(0.6, float64(t)) + 2e-31*(1+0.2*math.Tanh(noise)) },
			0.6, 0.6 * 0.1 * 1.5 / 67,
			[2]int{66, 68},
			[2]int{131, 135},
		},
		"constant floor": {500, func(t int, _ float64) float64 { return max(math.Pow(0.5, float64(t)), 1e-20) }, 0.5, 1e-12, [2]int{31, 32}, [2]int{62, 63}},
		"exactly zero":   {500, func(t int, _ float64) float64 { return math.Floor(math.Ldexp(1, 40-t)) }, 0.5, 1e-12, [2]int{20, 20}, [2]int{40, 40}},
		// Slow and never near a floor: every step lowers the loss.
		"slow": {500, func(t int, _ float64) float64 { return math.Pow(0.9999, float64(t)) }, 0.9999, 1e-12, [2]int{249, 251}, [2]int{499, 499}},
		// An oscillating descent, as momentum makes it, has rises and no floor; the
		// last half of a factor of 10 still falls. The middle is crossed up to
		// 2·0.5/−log 0.97 = 33 steps late or early; an amplitude of 0.5 in log J over
		// at least 116 steps.
		"oscillating": {
			300, func(t int, _ float64) float64 { return math.Pow(0.97, float64(t)) * math.Exp(0.5*math.Sin(float64(t))) },
			0.97, 0.97 * 4 * 0.5 / 150,
			[2]int{117, 184},
			[2]int{299, 299},
		},
		"power law": {1000, func(t int, _ float64) float64 { return 1 / float64(1+t) }, 0.997, 0.003, [2]int{30, 32}, [2]int{999, 999}},
	} {
		rng := rand.New(rand.NewPCG(1, 2))
		losses := make([]float64, c.n)
		for i := range losses {
			losses[i] = c.loss(i, rng.NormFloat64())
		}
		rate, reason := FitRate(count(c.n), losses)
		if rate == nil {
			t.Errorf("%s: no rate: %s", name, reason)
			continue
		}
		if !(math.Abs(rate.Rho-c.rho) <= c.within) {
			t.Errorf("%s: ρ = %v, want %v ± %v", name, rate.Rho, c.rho, c.within)
		}
		if rate.First < c.first[0] || rate.First > c.first[1] || rate.Last < c.last[0] || rate.Last > c.last[1] {
			t.Errorf("%s: fitted %d to %d, want the first within %v and the last within %v", name, rate.First, rate.Last, c.first, c.last)
		}
	}
}

func TestNoRate(t *testing.T) {
	for name, c := range map[string]struct {
		losses []float64
		want   string
	}{
		"empty":    {nil, "the trace has no loss over all samples"},
		"one":      {[]float64{1}, "the loss did not fall"},
		"rising":   {[]float64{1, 2, 3, 4, 5, 6, 7}, "the loss did not fall"},
		"constant": {[]float64{1, 1, 1, 1, 1, 1, 1, 1}, "the loss did not fall"},
		"NaN":      {[]float64{math.NaN(), 1}, "the loss did not fall"},
		"zero":     {[]float64{0, 0}, "the loss did not fall"},
		"noisy floor": {
			[]float64{1, 0.7, 0.5, 0.4, 0.42, 0.39, 0.41, 0.4, 0.42, 0.39, 0.41, 0.4},
			"the loss stopped falling before it was a tenth of what it was at first",
		},
		"short": {[]float64{1, 0.5, 0.2, 0.1, 0.05}, "3 losses after the transient and above the floor, want at least 5"},
	} {
		if rate, reason := FitRate(count(len(c.losses)), c.losses); rate != nil || reason != c.want {
			t.Errorf("%s: got %+v, %q, want %q", name, rate, reason, c.want)
		}
	}
}

// TestRateError plants lines with independent errors of log J: the reported
// standard error must be the spread of ρ over repetitions.
func TestRateError(t *testing.T) {
	const repetitions, n, sd = 400, 200, 0.1
	rng := rand.New(rand.NewPCG(3, 4))
	var sum, squares, reported float64
	for range repetitions {
		losses := make([]float64, n)
		for i := range losses {
			losses[i] = math.Pow(0.8, float64(i)) * math.Exp(sd*rng.NormFloat64())
		}
		rate, reason := FitRate(count(n), losses)
		if rate == nil {
			t.Fatal(reason)
		}
		sum += rate.Rho
		squares += rate.Rho * rate.Rho
		reported += rate.StdErr
	}
	mean := sum / repetitions
	spread := math.Sqrt(squares/repetitions - mean*mean)
	// The spread of 400 draws is known to 1/√800 = 3.5 %; four times that.
	if got := reported / repetitions; !(math.Abs(got/spread-1) <= 0.14) {
		t.Errorf("reported standard error %v, spread over repetitions %v", got, spread)
	}
}

// TestLocalRates plants two rates, one after the other, and wants each in its window.
func TestLocalRates(t *testing.T) {
	var iterations []int
	var losses []float64
	log := 0.0
	for i := range 101 {
		iterations, losses = append(iterations, i), append(losses, math.Exp(log))
		if i < 50 {
			log -= 0.1
		} else {
			log -= 0.02
		}
	}
	rates := LocalRates(iterations, losses, 2)
	if len(rates) != 2 || rates[0] == nil || rates[1] == nil {
		t.Fatalf("got %v, want two rates", rates)
	}
	for i, want := range []float64{math.Exp(-0.1), math.Exp(-0.02)} {
		if r := rates[i]; !(math.Abs(r.Rho-want) <= 1e-12) || !(r.R2 >= 1-1e-12) {
			t.Errorf("window %d: got %+v, want ρ = %v", i, *r, want)
		}
	}
	if rates[0].First != 0 || rates[0].Last != 50 || rates[1].First != 51 || rates[1].Last != 100 {
		t.Errorf("got windows %d..%d and %d..%d, want 0..50 and 51..100", rates[0].First, rates[0].Last, rates[1].First, rates[1].Last)
	}
	losses[70] = 0
	if rates := LocalRates(iterations, losses, 2); rates[0] == nil || rates[1] != nil {
		t.Errorf("a loss of 0: got %v, want none in the second window", rates)
	}
	if rates := LocalRates(iterations, losses, 50); slices.ContainsFunc(rates, func(r *Rate) bool { return r != nil }) {
		t.Errorf("windows of 2 losses: got %v, want none", rates)
	}
	if rates := LocalRates(nil, nil, 3); len(rates) != 3 || rates[0] != nil {
		t.Errorf("no losses: got %v, want three without a rate", rates)
	}
}
