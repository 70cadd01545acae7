package planted

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// The verdicts of the families.
const (
	smooth         = "smooth"
	smoothAndNoise = "smooth-and-noise"
	rough          = "rough"
	jumps          = "jumps"
	noise          = "noise"
	noLimit        = "no-limit"
)

// Families returns the kinds that inference is made for, each with its truth.
func Families() []Family {
	f := []Family{
		{Name: "smooth", Verdict: smooth, Exponents: smoothExponents(-1), draw: (*draw).smooth},
		{Name: "√s", Verdict: smooth, Exponents: smoothExponents(-0.5), draw: function(math.Sqrt)},
		{Name: "boundary layer e^(−50s)", Verdict: smooth, Exponents: smoothExponents(-1), draw: function(func(s float64) float64 { return 1 + math.Exp(-50*s) })},
	}
	for _, cycles := range []float64{5, 20} {
		f = append(f, Family{Name: fmt.Sprintf("sine of frequency %g", cycles), Verdict: smooth, Exponents: smoothExponents(-1), draw: sine(cycles)})
	}
	for _, hurst := range []float64{0.2, 0.3, 0.5, 0.7, 0.9} {
		f = append(f, Family{
			Name: fmt.Sprintf("fractional %g", hurst), Verdict: rough, Hurst: hurst, Exponents: roughExponents(hurst),
			draw: func(d *draw) { d.fractional(1, hurst) },
		})
	}
	for _, hurst := range []float64{0.4, 0.6} {
		f = append(f, Family{
			Name: fmt.Sprintf("smooth + 0.1 fractional %g", hurst), Verdict: rough, Hurst: hurst, Exponents: roughExponents(hurst),
			draw: func(d *draw) { d.smooth(); d.fractional(0.1, hurst) },
		})
	}
	for _, theta := range []float64{1, 10, 100} {
		f = append(f, Family{
			Name: fmt.Sprintf("Ornstein–Uhlenbeck %g", theta), Verdict: rough, Hurst: 0.5, Exponents: roughExponents(0.5),
			draw: func(d *draw) { d.autoregressive(1, math.Exp(-theta/float64(d.n))) },
		})
	}
	f = append(f, Family{Name: "Weierstrass", Verdict: rough, Hurst: 0.5, Exponents: roughExponents(0.5), draw: weierstrass})
	for _, share := range []float64{1, 0.3, 0.1, 0.03} {
		f = append(f, Family{
			Name: fmt.Sprintf("smooth + %g noise", share), Verdict: smoothAndNoise, Share: share, Exponents: noiseExponents(0),
			draw: func(d *draw) { d.smooth(); d.noise(share) },
		})
	}
	for _, ratio := range []float64{-0.5, 0.7} {
		f = append(f, Family{
			Name: fmt.Sprintf("smooth + correlated noise %g", ratio), Verdict: smoothAndNoise, Share: 0.5, Exponents: noiseExponents(0),
			draw: func(d *draw) { d.smooth(); d.autoregressive(0.5/math.Sqrt(float64(d.n)), ratio) },
		})
	}
	f = append(f, Family{
		Name: "smooth + moving average 0.9", Verdict: smoothAndNoise, Exponents: noiseExponents(0),
		draw: func(d *draw) { d.smooth(); d.movingAverage(0.3/math.Sqrt(float64(d.n)), 0.9) },
	})
	t := noiseExponents(0)
	t["variation_2"], t["max_increment"] = 0, 1./3-0.5
	f = append(f,
		Family{
			Name: "smooth + 0.3 t(3) noise", Verdict: smoothAndNoise, Share: 0.3, Exponents: t,
			draw: func(d *draw) { d.smooth(); d.each(0.3/math.Sqrt(3*float64(d.n)), student) },
		},
		Family{Name: "layer noise", Verdict: noise, Exponents: noiseExponents(-0.5), draw: func(d *draw) { d.noise(1) }},
		Family{Name: "white noise", Verdict: noise, Exponents: map[string]float64{
			"max_frobenius": 0, "max_increment": 0, "root_sum_squares": 0.5, "variation_1": 1, "variation_2": 1,
		}, draw: func(d *draw) { d.each(1, (*rand.Rand).NormFloat64) }},
		Family{Name: "smooth + noise that stays", Verdict: noLimit, Exponents: map[string]float64{
			"max_increment": 0, "root_sum_squares": 0.5, "variation_1": 1, "variation_2": 1,
		}, draw: func(d *draw) { d.smooth(); d.each(0.5, (*rand.Rand).NormFloat64) }},
		Family{Name: "stable(1.5)", Verdict: jumps, Exponents: map[string]float64{
			"max_frobenius": 0, "max_increment": 0, "root_sum_squares": 0.5, "variation_1": 1. / 3, "variation_2": 0, "index": 1.5,
		}, draw: levy},
	)
	for _, count := range []int{1, 5, 20} {
		f = append(f, Family{
			Name: fmt.Sprintf("smooth + jumps %d", count), Verdict: jumps, Exponents: jumpExponents(),
			draw: func(d *draw) { d.smooth(); d.jumps(count, false) },
		})
	}
	one := noiseExponents(0)
	one["max_increment"] = 0
	f = append(f, Family{
		Name: "noise + a jump in one entry", Verdict: jumps, Exponents: one,
		draw: func(d *draw) { d.smooth(); d.noise(0.3); d.jumps(1, true) },
	})
	walk := roughExponents(0.5)
	walk["max_increment"] = 0
	f = append(f, Family{
		Name: "fractional 0.5 + a jump", Verdict: jumps, Exponents: walk,
		draw: func(d *draw) { d.fractional(0.5, 0.5); d.jumps(1, false) },
	})
	for _, bend := range []float64{0.05, 0.2} {
		f = append(f, Family{
			Name: fmt.Sprintf("smooth × e^(c/L), %g at 16", bend), Verdict: smooth, Exponents: smoothExponents(-1),
			draw: func(d *draw) {
				d.smooth()
				for i := range d.x {
					d.x[i] *= math.Exp(math.Log1p(bend) * 16 / float64(d.n))
				}
			},
		})
	}
	return f
}

// smoothExponents are those of a path of bounded variation; increment that of the largest increment.
func smoothExponents(increment float64) map[string]float64 {
	return map[string]float64{"max_frobenius": 0, "max_increment": increment, "root_sum_squares": 0.5, "variation_1": 0, "variation_2": 0, "index": 1}
}

func roughExponents(hurst float64) map[string]float64 {
	return map[string]float64{
		"max_frobenius": 0, "max_increment": -hurst, "root_sum_squares": 0.5,
		"variation_1": 1 - hurst, "variation_2": max(0, 1-2*hurst), "index": 1 / hurst,
	}
}

// noiseExponents are those of layer noise beside a trend whose size goes like L^size.
func noiseExponents(size float64) map[string]float64 {
	return map[string]float64{
		"max_frobenius": size, "max_increment": -0.5, "root_sum_squares": 0.5 + size,
		"variation_1": 0.5, "variation_2": 0, "index": 2,
	}
}

func jumpExponents() map[string]float64 {
	return map[string]float64{"max_frobenius": 0, "max_increment": 0, "root_sum_squares": 0.5, "variation_1": 0, "variation_2": 0, "index": 1}
}

// function draws f times a size of about 1 for each entry, and an offset.
func function(f func(float64) float64) func(*draw) {
	return func(d *draw) {
		d.add(1, func(r *rand.Rand) func(float64) float64 {
			size, offset := r.NormFloat64(), 0.5*r.NormFloat64()
			size += math.Copysign(0.5, size)
			return func(s float64) float64 { return offset + size*f(s) }
		})
	}
}

func sine(cycles float64) func(*draw) {
	return func(d *draw) {
		d.add(1, func(r *rand.Rand) func(float64) float64 {
			phase := 2 * math.Pi * r.Float64()
			return func(s float64) float64 { return math.Sqrt2 * math.Sin(2*math.Pi*cycles*s+phase) }
		})
	}
}

// weierstrass is Σ 3^(−n/2) cos(3^n·2πs + φ_n), of Hurst exponent ½ in the mean over s.
func weierstrass(d *draw) {
	d.add(1, func(r *rand.Rand) func(float64) float64 {
		var phase [14]float64
		for j := range phase {
			phase[j] = 2 * math.Pi * r.Float64()
		}
		return func(s float64) float64 {
			v := 0.0
			for j, p := range phase {
				v += math.Pow(3, -float64(j)/2) * math.Cos(2*math.Pi*math.Pow(3, float64(j))*s+p)
			}
			return v
		}
	})
}

// levy is a stable process of index 1.5: the sum of L^(−1/1.5) times stable numbers.
func levy(d *draw) {
	for e := range d.dim {
		at := 0.0
		for i := range d.n {
			at += math.Pow(float64(d.n), -1/1.5) * stable(d.random)
			d.x[i*d.dim+e] += at
		}
	}
}
