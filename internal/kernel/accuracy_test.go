package kernel

import (
	"math"
	"math/big"
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
