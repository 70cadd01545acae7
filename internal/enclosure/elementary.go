package enclosure

import "math"

// log 2 is ln2High + ln2Low: the first has 32 bits, so that its products with exponents are exact.
const ln2High = 0x1.62e42feep-1

var ln2Low = Interval{0x1.a39ef35793c76p-33, 0x1.a39ef35793c77p-33}

// exp returns e^x for x ≤ 0: e^x = 2^k e^r with 0 ≤ r < 0.8 and
//
//	e^r = 1 + r/1 (1 + r/2 (1 + … + r/n t)),  1 ≤ t ≤ 2 the rest of the series.
func exp(x float64) Interval {
	switch {
	case math.IsNaN(x) || x > 0:
		return everything
	case x < -690:
		return Interval{0, 0x1p-990} // e^−690 < 2^−995
	}
	k := math.Floor(x / math.Ln2)
	r := reduced(x, k)
	if r.Lo < 0 { // the division was rounded
		k--
		r = reduced(x, k)
	}
	if !(r.Lo >= 0 && r.Hi < 0.8) {
		return everything
	}
	const terms = 22 // 0.8²³/23! < 2⁻⁷⁷
	sum := Interval{1, 2}
	for n := terms; n >= 1; n-- {
		sum = exact(1).add(r.over(exact(float64(n))).mul(sum))
	}
	return Interval{math.Ldexp(sum.Lo, int(k)), math.Ldexp(sum.Hi, int(k))} // exact: no exponent is below −996
}

// reduced returns x − k log 2.
func reduced(x, k float64) Interval {
	return exact(x).sub(exact(k * ln2High)).sub(exact(k).mul(ln2Low))
}

// expOf is exp of an interval.
func expOf(x Interval) Interval { return Interval{exp(x.Lo).Lo, exp(x.Hi).Hi} }

// log returns log x for x within [1/2, 2], from log x = y + log(1 + t) with any y and x e^−y = 1 + t: t − t² ≤ log(1 + t) ≤ t
// where |t| ≤ 1/2.
func log(x Interval) Interval {
	y := math.Log(x.Lo) // any number near it will do
	e := exp(-math.Abs(y))
	ratio := x.mul(e)
	if y < 0 {
		ratio = x.over(e)
	}
	t := ratio.sub(exact(1))
	if !(t.Lo >= -0.5 && t.Hi <= 0.5) {
		return everything
	}
	square := above(max(t.Lo*t.Lo, t.Hi*t.Hi))
	return exact(y).add(outward(t.Lo-square, t.Hi))
}

// π/2 is halfPiHigh + halfPiLow: the first has 33 bits.
const halfPiHigh = 0x1.921fb544p+0

var halfPiLow = Interval{0x1.0b4611a626331p-34, 0x1.0b4611a626332p-34}

// sinCos returns sin z and cos z for |z| ≤ 10⁶, beyond which nothing is known: z = kπ/2 + r with |r| < 0.8, and
// Taylor's polynomial with Lagrange's rest.
func sinCos(z float64) (sine, cosine Interval) {
	if !(math.Abs(z) <= 1e6) {
		return everything, everything
	}
	k := math.RoundToEven(z / (math.Pi / 2))
	r := exact(z).sub(exact(k * halfPiHigh)).sub(exact(k).mul(halfPiLow))
	if !(r.Lo > -0.8 && r.Hi < 0.8) {
		return everything, everything
	}
	square := r.mul(r)
	square.Lo = max(square.Lo, 0)
	const rest = 0x1p-72 // 0.8²¹/21! < 2⁻⁷²
	s, c := exact(1), exact(1)
	for n := 18.0; n >= 2; n -= 2 {
		s = exact(1).sub(square.over(exact(n * (n + 1))).mul(s))
		c = exact(1).sub(square.over(exact(n * (n - 1))).mul(c))
	}
	s = r.mul(s).add(Interval{-rest, rest})
	c = c.add(Interval{-rest * 256, rest * 256}) // 0.8²⁰/20! < 2⁻⁶⁶
	switch int64(k) & 3 {
	case 1:
		s, c = c, s.neg()
	case 2:
		s, c = s.neg(), c.neg()
	case 3:
		s, c = c.neg(), s
	}
	return s.within(-1, 1), c.within(-1, 1)
}

// √(2π).
var rootTwoPi = Interval{0x1.40d931ff62705p+1, 0x1.40d931ff62706p+1}

// farNormal is where the tail of the normal law is below 2⁻⁶².
const farNormal = 9

// normal returns Φ(z) and φ(z) of the normal law for |z| ≤ farNormal: with a = |z|,
//
//	Φ(a) = 1/2 + φ(a) a (1 + a²/3 (1 + a²/5 (1 + … + a²/(2n+1) t))),  1 ≤ t ≤ 2 as a²/(2n+3) ≤ 1/2.
func normal(z float64) (cdf, pdf Interval) {
	a := exact(math.Abs(z))
	square := a.mul(a)
	square.Lo = max(square.Lo, 0)
	pdf = expOf(square.over(exact(2)).neg().within(-100, 0)).over(rootTwoPi)
	sum := Interval{1, 2}
	for n := int(1.1*square.Hi) + 30; n >= 1; n-- {
		sum = exact(1).add(square.over(exact(float64(2*n + 1))).mul(sum))
	}
	half := pdf.mul(a.mul(sum))
	if z < 0 {
		half = half.neg()
	}
	return exact(0.5).add(half).within(0, 1), pdf
}
