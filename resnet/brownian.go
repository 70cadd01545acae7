package resnet

import (
	"math"
	"math/bits"
	"math/rand/v2"

	"gonum.org/v1/gonum/dsp/fourier"
)

// coupledNoise fills path with √L (B(k/L) − B((k−1)/L)), k = 1..L, for the Brownian
// path B on [0,1] that key names: standard normal and independent over k, and sums
// of the same noise at every depth.
//
// B is Lévy's construction: the value in the middle of a dyadic interval of length
// ℓ is the mean of its ends plus √ℓ/2 times a normal number that key, level and
// position fix. Depths that are no power of two need B between dyadic points: the
// construction goes on below 1/L, 40 levels or as far as 64-bit arithmetic has room,
// and is linear from there. With j levels that moves an increment by about 2^(−j/2)
// of its size: 1e-6 up to depth 2000, 1.5e-5 at depth 30,000.
func coupledNoise(path []float64, key uint64) {
	depth := uint64(len(path))
	bottom := bits.Len64(depth - 1)
	if depth != 1<<bottom {
		bottom += max(0, min(40, 62-2*bottom))
	}
	b := bridge{key: key, depth: depth, bottom: bottom, values: path}
	end := b.normal(0, 0) // B(1)
	b.fill(0, 0, 0, end)
	path[depth-1] = end
	root, before := math.Sqrt(float64(depth)), 0.0
	for k, v := range path {
		path[k] = root * (v - before)
		before = v
	}
}

// A bridge evaluates a Brownian path at k/depth, k = 1..depth−1, into values[k−1].
type bridge struct {
	key    uint64
	depth  uint64
	bottom int // last level that is refined
	values []float64
	source rand.PCG
}

// fill sets the values at the points strictly inside [i/2^level, (i+1)/2^level],
// where the path is left and right at the ends.
func (b *bridge) fill(level int, i uint64, left, right float64) {
	first := i*b.depth>>level + 1 // least k with k/depth > i/2^level
	last := (i + 1) * b.depth     // greatest k with k/depth < (i+1)/2^level
	last = (last - 1) >> level
	if first > last {
		return
	}
	if level == b.bottom {
		width := math.Ldexp(1, -level)
		for k := first; k <= last; k++ {
			part := (float64(k)/float64(b.depth) - float64(i)*width) / width
			b.values[k-1] = left + part*(right-left)
		}
		return
	}
	middle := (left+right)/2 + math.Sqrt(math.Ldexp(1, -level))/2*b.normal(level+1, i)
	// The middle is (2i+1)/2^(level+1); it is one of the points if that times depth is whole.
	if at := (2*i + 1) * b.depth; at&(1<<(level+1)-1) == 0 {
		b.values[at>>(level+1)-1] = middle
	}
	b.fill(level+1, 2*i, left, middle)
	b.fill(level+1, 2*i+1, middle, right)
}

// normal returns the standard normal number of a node of the construction.
func (b *bridge) normal(level int, i uint64) float64 {
	b.source.Seed(scramble(b.key^scramble(uint64(level))), scramble(i))
	return rand.New(&b.source).NormFloat64()
}

// scramble is the output function of splitmix64 [Steele, Lea, Flood 2014]: it turns
// consecutive integers into unrelated seeds.
func scramble(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// fractionalNoise draws increments of fractional Brownian motion, exact in
// distribution, by circulant embedding [Davies and Harte 1987].
type fractionalNoise struct {
	hurst float64
	count int       // increments drawn at a time: the depth, or CoupledGrid
	roots []float64 // square roots of the circulant's eigenvalues, over 2·count
	fft   *fourier.CmplxFFT
	work  []complex128
	spare []float64 // the second path of a draw, handed out by the next one
}

func newFractionalNoise(hurst float64, depth int, coupled bool) *fractionalNoise {
	n := depth
	if coupled {
		n = CoupledGrid
	}
	f := &fractionalNoise{hurst: hurst, count: n, fft: fourier.NewCmplxFFT(2 * n), work: make([]complex128, 2*n)}
	covariance := func(k int) float64 {
		x, h := float64(k), 2*hurst
		return (math.Pow(x+1, h) - 2*math.Pow(x, h) + math.Pow(math.Abs(x-1), h)) / 2
	}
	for k := range 2 * n {
		f.work[k] = complex(covariance(min(k, 2*n-k)), 0)
	}
	f.fft.Coefficients(f.work, f.work)
	f.roots = make([]float64, 2*n)
	for k, v := range f.work {
		// Non-negative in exact arithmetic for this covariance [Craigmile 2003].
		f.roots[k] = math.Sqrt(max(0, real(v)) / float64(2*n))
	}
	return f
}

// drawTo fills path with noise of variance 1: the increments of one motion over
// intervals of 1/len(path), divided by their standard deviation.
func (f *fractionalNoise) drawTo(path []float64, random *rand.Rand) {
	group := f.count / len(path)
	scale := math.Pow(float64(group), -f.hurst)
	if f.spare != nil {
		copy(path, f.spare)
		f.spare = nil
		return
	}
	for k := range f.work {
		f.work[k] = complex(f.roots[k]*random.NormFloat64(), f.roots[k]*random.NormFloat64())
	}
	f.fft.Coefficients(f.work, f.work)
	// Real and imaginary part are two independent paths.
	f.spare = make([]float64, len(path))
	for k := range path {
		var sum complex128
		for _, v := range f.work[k*group : (k+1)*group] {
			sum += v
		}
		path[k], f.spare[k] = scale*real(sum), scale*imag(sum)
	}
}
