// Command oracle computes the most that any rule could tell of some paths of one entry at depths 16, 32, 64 and 128
// with three seeds: how often the likelihood ratio of the true law against the nearest one of another kind exceeds
// 19, the odds of a verdict, where both laws are known to the last number. Paths are seen without a trend of degree 2, or of
// degree 8, which is about two waves. Who has to estimate the laws tells less. See docs/statistics.md.
package main

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"

	"github.com/deeplimit/deeplimit/internal/random"
)

var depths = []int{16, 32, 64, 128}

const (
	seeds = 3
	draws = 2000
	odds  = 19 // probability 0.95 of two that are equally likely before
)

// A law is the covariance of values so many layers apart, up to a constant, at a depth.
type law func(layers, depth int) float64

func main() {
	fmt.Println("true law | rivals | degree of the trend | nearest rival | mean log ratio | ratio above 19")
	for _, pair := range []struct {
		name, kind string
		truth      law
		rivals     func(try func(name string, rival law))
	}{
		{"layer noise of correlation 0.7", "rough", noise(0.5, 0.7), roughLaws},
		{"fractional 0.4", "noise up to 0.75", rough(0.4, 0), noiseLaws(0.75)},
		{"Brownian", "noise up to 0.75", rough(0.5, 0), noiseLaws(0.75)},
		{"Brownian", "noise up to 0.9", rough(0.5, 0), noiseLaws(0.9)},
		{"Ornstein–Uhlenbeck 10", "noise up to 0.75", rough(0.5, 10), noiseLaws(0.75)},
		{"Ornstein–Uhlenbeck 100", "noise up to 0.75", rough(0.5, 100), noiseLaws(0.75)},
	} {
		for _, degree := range []int{2, 8} {
			truth := thirdDifferences(pair.truth, degree)
			var nearest []*mat.SymDense
			name, least := "", math.Inf(1)
			pair.rivals(func(rival string, of law) {
				covariances := thirdDifferences(of, degree)
				if divergence, ok := fitSize(truth, covariances); ok && divergence < least {
					name, least, nearest = rival, divergence, covariances
				}
			})
			fmt.Printf("%s | %s | %d | %s | %.1f | %.2f\n", pair.name, pair.kind, degree, name, least, power(truth, nearest))
		}
	}
}

// noise is layer noise of size L^−exponent and correlation ratio^layers.
func noise(exponent, ratio float64) law {
	return func(layers, depth int) float64 {
		size := math.Pow(float64(depth), -2*exponent)
		if layers == 0 {
			return size
		}
		sign := 1.0
		if ratio < 0 && layers%2 == 1 {
			sign = -1
		}
		return size * sign * math.Pow(math.Abs(ratio), float64(layers))
	}
}

// rough is fractional Brownian motion of a Hurst exponent, or a path whose correlation decays at the rate theta.
func rough(hurst, theta float64) law {
	return func(layers, depth int) float64 {
		u := math.Pow(float64(layers)/float64(depth), 2*hurst)
		if theta == 0 {
			return -u / 2
		}
		return math.Exp(-theta * u)
	}
}

func noiseLaws(most float64) func(try func(string, law)) {
	return func(try func(string, law)) {
		for e := -0.1; e < 0.85; e += 0.025 {
			for ratio := -0.9; ratio < most+0.01; ratio += 0.05 {
				try(fmt.Sprintf("L^−%.2g of correlation %.2g", e, ratio), noise(e, ratio))
			}
		}
	}
}

func roughLaws(try func(string, law)) {
	for hurst := 0.1; hurst < 0.95; hurst += 0.025 {
		for _, theta := range []float64{0, 0.5, 1, 2, 5, 10, 20, 35, 50, 70, 100, 140, 200} {
			try(fmt.Sprintf("rough, H = %.3g, rate %g", hurst, theta), rough(hurst, theta))
		}
	}
}

// thirdDifferences returns the covariance at each depth of an orthonormal basis of what a trend of a degree leaves of third
// differences.
func thirdDifferences(of law, degree int) (list []*mat.SymDense) {
	weights := [7]float64{-1, 6, -15, 20, -15, 6, -1} // of third differences with themselves
	for _, depth := range depths {
		n := depth - 3
		c := mat.NewSymDense(n, nil)
		for lag := range n {
			v := 0.0
			for i, w := range weights {
				v += w * of(max(lag+i-3, 3-i-lag), depth)
			}
			for i := range n - lag {
				c.SetSym(i, i+lag, v)
			}
		}
		list = append(list, without(c, degree-2))
	}
	return list
}

// without projects onto what is orthogonal to polynomials with so many coefficients.
func without(c *mat.SymDense, coefficients int) *mat.SymDense {
	n := c.SymmetricDim()
	if coefficients == 0 {
		return c
	}
	powers := mat.NewDense(n, coefficients, nil)
	for k := range n {
		for j := range coefficients {
			powers.Set(k, j, math.Pow(2*float64(k)/float64(n-1)-1, float64(j)))
		}
	}
	var qr mat.QR
	qr.Factorize(powers)
	var q, product, left mat.Dense
	qr.QTo(&q)
	rest := q.Slice(0, n, coefficients, n)
	product.Mul(c, rest)
	left.Mul(rest.T(), &product)
	out := mat.NewSymDense(n-coefficients, nil)
	for i := range n - coefficients {
		for j := i; j < n-coefficients; j++ {
			out.SetSym(i, j, left.At(i, j))
		}
	}
	return out
}

// fitSize scales the rival to the size that is nearest to the truth, and returns the mean log likelihood ratio over
// draws of the truth, the Kullback–Leibler divergence; ok is false where the rival is no covariance to working precision.
func fitSize(truth, rival []*mat.SymDense) (divergence float64, ok bool) {
	trace, numbers, logs := 0.0, 0.0, 0.0
	for i, s := range truth {
		var own, other mat.Cholesky
		if !own.Factorize(s) || !other.Factorize(rival[i]) {
			return 0, false
		}
		var product mat.Dense
		if err := other.SolveTo(&product, s); err != nil {
			return 0, false
		}
		trace += mat.Trace(&product)
		numbers += float64(s.SymmetricDim())
		logs += other.LogDet() - own.LogDet()
	}
	size := trace / numbers
	for _, s := range rival {
		s.ScaleSym(size, s)
	}
	return seeds * (logs + numbers*math.Log(size)) / 2, true
}

// power returns the share of draws of the truth in which the likelihood ratio exceeds the odds.
func power(truth, rival []*mat.SymDense) float64 {
	r := random.New(1, "oracle")
	own, other := make([]mat.Cholesky, len(truth)), make([]mat.Cholesky, len(truth))
	for i := range truth {
		own[i].Factorize(truth[i])
		other[i].Factorize(rival[i])
	}
	count := 0
	for range draws {
		ratio := 0.0
		for i := range truth {
			n := truth[i].SymmetricDim()
			lower := mat.NewTriDense(n, mat.Lower, nil)
			own[i].LTo(lower)
			for range seeds {
				z, x := mat.NewVecDense(n, nil), mat.NewVecDense(n, nil)
				for k := range n {
					z.SetVec(k, r.NormFloat64())
				}
				x.MulVec(lower, z)
				var y mat.VecDense
				if err := other[i].SolveVecTo(&y, x); err != nil {
					panic(err) // factorised before
				}
				ratio += (mat.Dot(x, &y) - mat.Dot(z, z) + other[i].LogDet() - own[i].LogDet()) / 2
			}
		}
		if ratio > math.Log(odds) {
			count++
		}
	}
	return float64(count) / draws
}
