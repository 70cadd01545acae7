package planted

import (
	"math"
	"math/rand/v2"
)

// Aside returns kinds that priors and thresholds of package scaling were chosen without, but for walks of t(4)
// steps: they show how often inference is right of paths that it was not made for.
func Aside() []Family {
	noisy := func(exponent float64) map[string]float64 {
		e := noiseExponents(0)
		e["variation_1"], e["variation_2"] = 1-exponent, max(0, 1-2*exponent)
		e["max_increment"], e["index"] = -exponent, 1/exponent
		return e
	}
	jumpAndNoise := noiseExponents(0)
	jumpAndNoise["max_increment"] = 0
	walk := roughExponents(0.5)
	walk["max_increment"] = 0.25 - 0.5
	return []Family{
		{Name: "smooth + a jump + 0.1 noise", Verdict: jumps, Exponents: jumpAndNoise, draw: func(d *draw) { d.smooth(); d.noise(0.1); d.jumps(1, false) }},
		{Name: "steep trend + 0.2 fractional 0.6", Verdict: rough, Hurst: 0.6, Exponents: roughExponents(0.6), draw: func(d *draw) {
			d.add(5, func(r *rand.Rand) func(float64) float64 {
				a, b := r.NormFloat64(), r.NormFloat64()
				return func(s float64) float64 { return a + math.Exp(2*s)/4 + b*s }
			})
			d.fractional(0.2, 0.6)
		}},
		{Name: "smooth + noise that grows along the layers", Verdict: smoothAndNoise, Exponents: noiseExponents(0), draw: func(d *draw) {
			d.smooth()
			for i := range d.x {
				d.x[i] += 0.5 * (0.2 + float64(i/d.dim)/float64(d.n)) / math.Sqrt(float64(d.n)) * d.random.NormFloat64()
			}
		}},
		{Name: "smooth with kinks", Verdict: smooth, Exponents: smoothExponents(-1), draw: func(d *draw) {
			d.smooth()
			d.add(1, func(r *rand.Rand) func(float64) float64 {
				at, again := r.Float64(), r.Float64()
				return func(s float64) float64 { return math.Abs(s-at) - 2*math.Abs(s-again) }
			})
		}},
		{Name: "jumps drawn anew", Verdict: jumps, Exponents: jumpExponents(), draw: func(d *draw) { d.smooth(); d.compoundPoisson(10) }},
		{Name: "smooth × (1 + 0.3/log L)", Verdict: smooth, Exponents: smoothExponents(-1), draw: func(d *draw) {
			d.smooth()
			for i := range d.x {
				d.x[i] *= 1 + 0.3/math.Log(float64(d.n))
			}
		}},
		{Name: "smooth + L^−0.4 noise", Verdict: smoothAndNoise, Exponents: noisy(0.4), draw: func(d *draw) {
			d.smooth()
			d.each(0.3*math.Pow(float64(d.n), -0.4), (*rand.Rand).NormFloat64)
		}},
		{Name: "walk of t(4) steps", Verdict: rough, Hurst: 0.5, Exponents: walk, draw: func(d *draw) {
			for e := range d.dim {
				at := 0.0
				for i := range d.n {
					at += studentOf(d.random, 4) / math.Sqrt(2*float64(d.n))
					d.x[i*d.dim+e] += at
				}
			}
		}},
		{Name: "smooth + 0.2 uniform noise", Verdict: smoothAndNoise, Exponents: noiseExponents(0), draw: func(d *draw) {
			d.smooth()
			d.each(0.2*math.Sqrt(12/float64(d.n)), func(r *rand.Rand) float64 { return r.Float64() - 0.5 })
		}},
		{Name: "chirp", Verdict: smooth, Exponents: smoothExponents(-1), draw: function(func(s float64) float64 { return math.Sin(30 * s * s) })},
		{Name: "exp of fractional 0.5", Verdict: rough, Hurst: 0.5, Exponents: roughExponents(0.5), draw: func(d *draw) {
			d.fractional(0.7, 0.5)
			for i := range d.x {
				d.x[i] = math.Exp(d.x[i])
			}
		}},
		{Name: "step of tanh 30(s − ½)", Verdict: smooth, Exponents: smoothExponents(-1), draw: function(func(s float64) float64 { return math.Tanh(30 * (s - 0.5)) })},
	}
}

// compoundPoisson adds jumps of normal sizes at a rate for each entry, drawn anew at each depth.
func (d *draw) compoundPoisson(rate float64) {
	for e := range d.dim {
		at := 0.0
		for i := range d.n {
			if d.random.Float64() < rate/float64(d.n) {
				at += d.random.NormFloat64()
			}
			d.x[i*d.dim+e] += at
		}
	}
}
