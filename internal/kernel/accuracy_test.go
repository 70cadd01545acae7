package kernel

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// The references are big.Float with enough bits that their own error does not count.

const tanhBits = 160

// bigExp returns eˣ to about prec bits, by halving x until its Taylor series is short.
func bigExp(x *big.Float, prec uint) *big.Float {
	const halvings = 12
	work := prec + 2*halvings + 16
	r := new(big.Float).SetPrec(work).Set(x)
	extra := max(0, r.MantExp(nil))
	r.SetMantExp(r, -halvings-extra)
	sum := big.NewFloat(1).SetPrec(work)
	term := big.NewFloat(1).SetPrec(work)
	for k := 1; term.Sign() != 0 && term.MantExp(nil) > -int(work); k++ {
		term.Mul(term, r)
		term.Quo(term, new(big.Float).SetInt64(int64(k)))
		sum.Add(sum, term)
	}
	for range halvings + extra {
		sum.Mul(sum, sum)
	}
	return sum
}

// bigTanh returns tanh x for finite x.
func bigTanh(x float64) *big.Float {
	if math.Abs(x) < 1e-30 {
		return new(big.Float).SetPrec(tanhBits).SetFloat64(x)
	}
	w := new(big.Float).SetPrec(2 * tanhBits).SetFloat64(x)
	w.Add(w, w)
	e := bigExp(w, 2*tanhBits)
	one := big.NewFloat(1).SetPrec(2 * tanhBits)
	num := new(big.Float).SetPrec(2*tanhBits).Sub(e, one)
	return num.Quo(num, new(big.Float).SetPrec(2*tanhBits).Add(e, one))
}

// bigNormal returns Φ(x) and φ(x), from Φ = ½ + φ Σ x^{2k+1}/(2k+1)!!. The digits that
// cancel for x < 0 are about x²/2·log₂e, at most 1100 bits for |x| ≤ 38.
func bigNormal(x float64) (cdf, density *big.Float) {
	const prec = 1400
	v := new(big.Float).SetPrec(prec).SetFloat64(x)
	square := new(big.Float).SetPrec(prec).Mul(v, v)
	density = bigExp(new(big.Float).SetPrec(prec).Quo(square, big.NewFloat(-2)), prec)
	density.Quo(density, bigSqrt2Pi(prec))
	term := new(big.Float).SetPrec(prec).Set(v)
	sum := new(big.Float).SetPrec(prec).Set(v)
	for k := 3; term.Sign() != 0 && (float64(k) < x*x || term.MantExp(nil) > -prec); k += 2 {
		term.Mul(term, square)
		term.Quo(term, new(big.Float).SetInt64(int64(k)))
		sum.Add(sum, term)
	}
	sum.Mul(sum, density)
	return sum.Add(sum, big.NewFloat(0.5)), density
}

// bigSqrt2Pi returns √(2π), π by Machin's formula 16 arctan(1/5) − 4 arctan(1/239).
func bigSqrt2Pi(prec uint) *big.Float {
	arctan := func(n int64) *big.Float {
		square := new(big.Float).SetInt64(n * n)
		power := new(big.Float).SetPrec(prec).Quo(big.NewFloat(1).SetPrec(prec), new(big.Float).SetInt64(n))
		sum := new(big.Float).SetPrec(prec).Set(power)
		for k := int64(3); power.MantExp(nil) > -int(prec); k += 2 {
			power.Quo(power, square)
			power.Neg(power)
			sum.Add(sum, new(big.Float).SetPrec(prec).Quo(power, new(big.Float).SetInt64(k)))
		}
		return sum
	}
	a, b := arctan(5), arctan(239)
	a.Mul(a, big.NewFloat(32))
	b.Mul(b, big.NewFloat(8))
	return a.Sqrt(a.Sub(a, b))
}

// ulps returns |got − want| in units of the last place of want, for bits digits of
// significand and least exponent low.
func ulps(got float64, want *big.Float, bits, low int) float64 {
	diff := new(big.Float).SetPrec(2000).SetFloat64(got)
	diff.Sub(diff, want)
	unit := max(want.MantExp(nil)-bits, low)
	diff.SetMantExp(diff, -unit)
	f, _ := diff.Float64()
	return math.Abs(f)
}

// times returns x·y.
func times(x float64, y *big.Float) *big.Float {
	return new(big.Float).SetPrec(1400).Mul(new(big.Float).SetPrec(1400).SetFloat64(x), y)
}

// hardArguments are those at which the reductions change over, with their neighbours, and
// a random sample: uniform in magnitude, in exponent, and in the bits.
func hardArguments(r *rand.Rand, limit float64, samples int) (list []float64) {
	for k := range 60 {
		for _, x := range []float64{(float64(k) + 0.5) * math.Ln2 / 2, math.Sqrt((float64(k) + 0.5) * 2 * math.Ln2), float64(k) / 8} {
			list = append(list, math.Nextafter(x, 0), x, math.Nextafter(x, 100))
		}
	}
	for range samples {
		list = append(list, r.Float64()*limit, math.Ldexp(1+r.Float64(), -r.IntN(40)), r.Float64()*2)
	}
	return list
}

func TestTanhError(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, x := range hardArguments(r, 22, 3000) {
		if got := ulps(first(tanh64(x)), bigTanh(x), 53, -1074); !(got <= 2) {
			t.Errorf("tanh64(%v): error %.3f ulp, want at most 2", x, got)
		}
	}
	// One float32 in 4099 of all from 2⁻³⁰ to 16; below, tanh x rounds to x.
	worst := 0.0
	for bits := math.Float32bits(0x1p-30); bits < math.Float32bits(16); bits += 4099 {
		x := math.Float32frombits(bits)
		want := math.Tanh(float64(x)) // its own error is below 2⁻²⁸ ulp of float32
		_, exponent := math.Frexp(want)
		got := math.Abs(float64(first(tanh32(x)))-want) / math.Ldexp(1, exponent-24)
		worst = max(worst, got)
		if !(got <= 4) {
			t.Errorf("tanh32(%v): error %.3f ulp, want at most 4", x, got)
		}
	}
	t.Logf("tanh32: largest error %.2f ulp", worst)
}

func first[A, B any](a A, _ B) A { return a }

func TestTanhSpecialValues(t *testing.T) {
	inf := math.Inf(1)
	for _, x := range []float64{0, 0x1p-1074, 0x1p-1060, 0x1p-1022, 0x1p-600, 1e-30} {
		for _, x := range []float64{x, -x, math.Copysign(0, -1)} {
			if s, ds := tanh64(x); bitsOf(s) != bitsOf(x) || ds != 1 {
				t.Errorf("tanh64(%v): got %v, %v, want %v, 1", x, s, ds, x)
			}
			y := float32(x)
			if s, ds := tanh32(y); bitsOf(s) != bitsOf(y) || ds != 1 {
				t.Errorf("tanh32(%v): got %v, %v, want %v, 1", y, s, ds, y)
			}
		}
	}
	for k := range 150 { // float32 down to its least subnormal
		if x := float32(math.Ldexp(1, -k)); x <= 0x1p-13 && first(tanh32(x)) != x {
			t.Errorf("tanh32(%v): got %v, want the argument", x, first(tanh32(x)))
		}
	}
	for _, x := range []float64{20, 25, 1e10, math.MaxFloat64, inf} {
		for _, sign := range []float64{1, -1} {
			if s, ds := tanh64(sign * x); s != sign || ds != 0 {
				t.Errorf("tanh64(%v): got %v, %v, want %v, 0", sign*x, s, ds, sign)
			}
			if s, ds := tanh32(float32(sign * x)); s != float32(sign) || ds != 0 {
				t.Errorf("tanh32(%v): got %v, %v, want %v, 0", sign*x, s, ds, sign)
			}
		}
	}
	for _, f := range []func(float64) (float64, float64){tanh64, gelu64} {
		if s, ds := f(math.NaN()); s == s || ds == ds {
			t.Errorf("f(NaN): got %v, %v", s, ds)
		}
	}
	for _, f := range []func(float32) (float32, float32){tanh32, gelu32} {
		if s, ds := f(float32(math.NaN())); s == s || ds == ds {
			t.Errorf("f(NaN): got %v, %v", s, ds)
		}
	}
}

// The derivative is exactly 1 − s² rounded once, and tanh never leaves [−1, 1].
func TestTanhBoundedWithItsSlope(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 200_000 {
		x := r.NormFloat64() * 6
		if s, ds := tanh64(x); !(math.Abs(s) <= 1) || ds != math.FMA(-s, s, 1) {
			t.Fatalf("tanh64(%v): got %v, %v", x, s, ds)
		}
		if s, ds := tanh32(float32(x)); !(abs32(s) <= 1) || ds != fma32(-s, s, 1) {
			t.Fatalf("tanh32(%v): got %v, %v", x, s, ds)
		}
	}
}

// gelu(x) = x Φ(x) to 8 ulp on |x| ≤ GELU64 (float64) or GELU32 (float32), also in the
// tail where Φ is tiny: the exponential, the two polynomials, the quotient and the
// three products that follow add less than 8 half-ulps each way. σ′ = Φ + x φ passes
// through 0 at −0.75, so that its error is absolute: 4 units of 2⁻⁵³ or 2⁻²⁴.
func TestGELUError(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	worst := map[string]float64{}
	record := func(name string, x, got, limit float64) {
		worst[name] = max(worst[name], got)
		if !(got <= limit) {
			t.Errorf("%s(%v): error %.3f units, want at most %v", name, x, got, limit)
		}
	}
	for i, y := range hardArguments(r, 37.5, 60) {
		if i%3 == 1 && i < 400 {
			continue // the references are slow
		}
		for _, x := range []float64{-y, y} {
			cdf, density := bigNormal(x)
			slope := times(x, density)
			slope.Add(slope, cdf)
			value := times(x, cdf)
			if math.Abs(x) <= 37.5 && x != 0 {
				s, ds := gelu64(x)
				record("gelu64", x, ulps(s, value, 53, -1074), 8)
				difference := new(big.Float).SetPrec(1400).SetFloat64(ds)
				f, _ := difference.Sub(difference, slope).Float64()
				record("gelu64′", x, math.Abs(f)*0x1p53, 4)
			}
		}
	}
	for range 200_000 {
		x := float32(r.Float64()*25 - 12.5)
		if r.IntN(2) == 0 {
			x = float32(r.NormFloat64())
		}
		v := float64(x)
		cdf := math.Erfc(-v/math.Sqrt2) / 2 // relative error below 10⁻¹³
		want := v * cdf
		_, exponent := math.Frexp(want)
		s, ds := gelu32(x)
		record("gelu32", v, math.Abs(float64(s)-want)/math.Ldexp(1, exponent-24), 8)
		slope := cdf + v*math.Exp(-v*v/2)/math.Sqrt(2*math.Pi)
		record("gelu32′", v, math.Abs(float64(ds)-slope)*0x1p24, 4)
	}
	t.Logf("largest errors: %v", worst)
}

func TestGELUSpecialValues(t *testing.T) {
	inf, minusZero := math.Inf(1), math.Copysign(0, -1)
	for _, c := range []struct{ x, s, ds float64 }{
		{0, 0, 0.5},
		{minusZero, minusZero, 0.5},
		{inf, inf, 1},
		{-inf, minusZero, 0},
		{1e30, 1e30, 1},
		{-1e30, minusZero, 0},
		{38, 38, 1},
		{-38, minusZero, 0},
	} {
		if s, ds := gelu64(c.x); bitsOf(s) != bitsOf(c.s) || ds != c.ds {
			t.Errorf("gelu64(%v): got %v, %v, want %v, %v", c.x, s, ds, c.s, c.ds)
		}
		if s, ds := gelu32(float32(c.x)); bitsOf(s) != bitsOf(float32(c.s)) || ds != float32(c.ds) {
			t.Errorf("gelu32(%v): got %v, %v, want %v, %v", c.x, s, ds, c.s, c.ds)
		}
	}
}
