package planted

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/dsp/fourier"
)

// A circulant draws the n increments of fractional Brownian motion at distance 1, exactly, by
// embedding their covariance into that of a circle (Davies and Harte).
type circulant struct {
	n    int
	fft  *fourier.CmplxFFT
	root []float64 // of the spectrum over its length
}

func newCirculant(n int, hurst float64) *circulant {
	m := 2 * n
	covariance := make([]complex128, m)
	for k := range m {
		lag := float64(min(k, m-k))
		covariance[k] = complex((math.Pow(lag+1, 2*hurst)-2*math.Pow(lag, 2*hurst)+math.Pow(math.Abs(lag-1), 2*hurst))/2, 0)
	}
	c := &circulant{n: n, fft: fourier.NewCmplxFFT(m), root: make([]float64, m)}
	for j, v := range c.fft.Coefficients(nil, covariance) {
		c.root[j] = math.Sqrt(max(0, real(v)) / float64(m))
	}
	return c
}

func (c *circulant) draw(r *rand.Rand) []float64 {
	wave := make([]complex128, len(c.root))
	for j, scale := range c.root {
		wave[j] = complex(scale*r.NormFloat64(), scale*r.NormFloat64())
	}
	steps := make([]float64, c.n)
	for i, v := range c.fft.Coefficients(nil, wave)[:c.n] {
		steps[i] = real(v)
	}
	return steps
}
