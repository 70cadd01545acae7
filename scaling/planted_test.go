package scaling

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/dsp/fourier"

	"github.com/deeplimit/deeplimit/pvar"
)

// A planted path: n points in R^dim with a known kind of limit.
type planted struct {
	name string
	draw func(rng *rand.Rand, n, dim int) pvar.Points
}

var plantedKinds = []planted{
	{"smooth", func(rng *rand.Rand, n, dim int) pvar.Points { return trendPath(rng, n, dim) }},
	{"straight", straight},
	{"fractional 0.3", fractional(0.3)},
	{"fractional 0.5", fractional(0.5)},
	{"fractional 0.7", fractional(0.7)},
	{"diffusive", plus(gaussian, -0.5)},
	{"pure diffusive", func(rng *rand.Rand, n, dim int) pvar.Points {
		return noisePath(rng, n, dim, math.Pow(float64(n), -0.5), gaussian)
	}},
	{"heavy-tailed", plus(cauchy, -0.5)},
	{"heavy-tailed, of bounded sum", plus(cauchy, -1)},
	{"not scaling", plus(gaussian, 0)},
	{"scaling too slowly", plus(gaussian, -0.25)},
	{"jump", func(rng *rand.Rand, n, dim int) pvar.Points {
		x := trendPath(rng, n, dim)
		for i := n / 3; i < n; i++ {
			x.At(i)[0]++
		}
		return x
	}},
}

func gaussian(rng *rand.Rand) float64 { return rng.NormFloat64() }

func cauchy(rng *rand.Rand) float64 { return math.Tan(math.Pi * (rng.Float64() - 0.5)) }

// trendPath draws a0 + Σ_j a_j sin(jπs + φ_j)/j², j ≤ 4, standard normal a_j, in every entry.
func trendPath(rng *rand.Rand, n, dim int) pvar.Points {
	x := pvar.Points{Dim: dim, Data: make([]float64, n*dim)}
	for k := range dim {
		offset := rng.NormFloat64()
		var a, phase [4]float64
		for j := range a {
			a[j], phase[j] = rng.NormFloat64()/float64((j+1)*(j+1)), 2*math.Pi*rng.Float64()
		}
		for i := range n {
			v := offset
			for j := range a {
				v += a[j] * math.Sin(float64(j+1)*math.Pi*float64(i+1)/float64(n)+phase[j])
			}
			x.At(i)[k] = v
		}
	}
	return x
}

// straight draws a line on which second differences are exactly 0.
func straight(_ *rand.Rand, n, dim int) pvar.Points {
	x := pvar.Points{Dim: dim, Data: make([]float64, n*dim)}
	for i := range x.Data {
		x.Data[i] = 2 * float64(i/dim) / float64(n) // n is a power of 2
	}
	return x
}

func noisePath(rng *rand.Rand, n, dim int, size float64, draw func(*rand.Rand) float64) pvar.Points {
	x := pvar.Points{Dim: dim, Data: make([]float64, n*dim)}
	for i := range x.Data {
		x.Data[i] = size * draw(rng)
	}
	return x
}

// plus returns the draw of a smooth trend with independent noise of size n^exponent.
func plus(draw func(*rand.Rand) float64, exponent float64) func(*rand.Rand, int, int) pvar.Points {
	return func(rng *rand.Rand, n, dim int) pvar.Points {
		x := trendPath(rng, n, dim)
		for i, v := range noisePath(rng, n, dim, math.Pow(float64(n), exponent), draw).Data {
			x.Data[i] += v
		}
		return x
	}
}

// fractional returns the draw of fractional Brownian values B_H(k/n), k = 1..n, by
// circulant embedding of the increments (Davies and Harte), which is exact.
func fractional(hurst float64) func(*rand.Rand, int, int) pvar.Points {
	return func(rng *rand.Rand, n, dim int) pvar.Points {
		m := 2 * n
		covariance := make([]complex128, m)
		for k := range m {
			lag := float64(min(k, m-k))
			r := (math.Pow(lag+1, 2*hurst) - 2*math.Pow(lag, 2*hurst) + math.Pow(math.Abs(lag-1), 2*hurst)) / 2
			covariance[k] = complex(r, 0)
		}
		fft := fourier.NewCmplxFFT(m)
		spectrum := fft.Coefficients(nil, covariance)
		x := pvar.Points{Dim: dim, Data: make([]float64, n*dim)}
		wave := make([]complex128, m)
		size := math.Pow(float64(n), -hurst)
		for k := 0; k < dim; k += 2 { // real and imaginary parts are two independent draws
			for j := range wave {
				scale := math.Sqrt(max(0, real(spectrum[j])) / float64(m))
				wave[j] = complex(scale*rng.NormFloat64(), scale*rng.NormFloat64())
			}
			steps := fft.Coefficients(nil, wave)
			var at complex128
			for i := range n {
				at += steps[i]
				x.At(i)[k] = size * real(at)
				if k+1 < dim {
					x.At(i)[k+1] = size * imag(at)
				}
			}
		}
		return x
	}
}

// study draws one path of the kind for every depth and seed.
func (p planted) study(rng *rand.Rand, depths []int, seeds, dim int) []DepthPath {
	var paths []DepthPath
	for seed := range seeds {
		for _, depth := range depths {
			paths = append(paths, DepthPath{Depth: depth, Seed: uint64(seed), Path: p.draw(rng, depth, dim)})
		}
	}
	return paths
}
