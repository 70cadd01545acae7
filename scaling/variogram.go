package scaling

import (
	"cmp"
	"math"
	"slices"
)

// A variogram holds, for one depth, how large third differences of the paths are at several
// lags, all seeds and entries together: a smooth trend is nearly gone from them, layer noise
// and rough parts are not (generalised variations: Istas and Lang 1997, Kent and Wood 1997).
type variogram struct {
	depth int
	lags  []int
	// log is 4 log of the mean root of |x_{k+3m} − 3x_{k+2m} + 3x_{k+m} − x_k|, less a constant that
	// makes it log σ² for independent normal layer noise of variance σ². The root, where heavy tails
	// would rule a mean square, costs normal noise a quarter of its precision.
	log []float64
	// variance is that of log for independent noise; noisiness is that of |difference|^½ over that of normal numbers, 1
	// at least, over the number of entries (structure.errors).
	variance, noisiness []float64
	crowded             float64 // largest share of an eighth of the layers in the sum of |difference|^½, at the smallest lag
	sparse              float64 // share of differences smaller than a fifth of the mean of their entry, at the smallest lag
	heavy               float64 // of the tails: about 0.57 for normal numbers, more for heavier tails
}

// largestLag bounds the lags: beyond it they say more of the trend than of its roughness.
const largestLag = 64

// lagsOf returns the lags 1, 2, 4 … to look at: up to an eighth of the depth, and 2 at least.
func lagsOf(depth int) []int {
	var lags []int
	for m := 1; m <= largestLag && 4*m <= depth && (m <= 2 || 8*m <= depth); m *= 2 {
		lags = append(lags, m)
	}
	return lags
}

// variograms returns those of the depths, ascending. Lags at which differences are no larger than the
// rounding of the numbers are left out, from the smallest on, and depths with fewer than two others.
func variograms(paths []DepthPath, rounding float64) []variogram {
	byDepth := map[int][]DepthPath{}
	for _, p := range paths {
		byDepth[p.Depth] = append(byDepth[p.Depth], p)
	}
	var out []variogram
	for depth, group := range byDepth {
		if v, ok := variogramOf(depth, group, roundingFloor(group, depth, rounding)); ok {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b variogram) int { return cmp.Compare(a.depth, b.depth) })
	return out
}

// mostAlternation bounds how much larger differences are at a smaller lag.
const mostAlternation = 400

func variogramOf(depth int, paths []DepthPath, floor float64) (variogram, bool) {
	v := variogram{depth: depth}
	for i, m := range lagsOf(depth) {
		d := thirdDifferences(paths, m)
		if i == 0 {
			v.heavy, v.crowded, v.sparse = d.heavy, d.crowded, sparsity(paths, m)
		}
		size := 4*math.Log(d.mean/normalMean) - math.Log(20)
		if !(size > math.Log(floor)) {
			if len(v.lags) == 0 {
				continue
			}
			size = math.Inf(-1)
		}
		if len(v.log) > 0 {
			// Layers that alternate exactly leave nothing at lag 2, of which there is no logarithm.
			size = max(size, slices.Max(v.log)-math.Log(mostAlternation))
		}
		windows := float64(depth - 3*m)
		// 2.2 is the sum of the correlations of neighbouring |·|^½, of normal noise.
		relative := 2.2 * max(normalSpread, d.spread) / (windows * d.entries)
		v.lags = append(v.lags, m)
		v.log = append(v.log, size)
		v.variance = append(v.variance, 16*relative)
		v.noisiness = append(v.noisiness, max(1, d.spread/normalSpread)/d.entries)
	}
	return v, len(v.lags) > 1
}

// roundingFloor is the mean square of differences that rounding leaves, with a margin for the arithmetic
// that the numbers come from.
func roundingFloor(paths []DepthPath, depth int, rounding float64) float64 {
	largest := 0.0
	for _, p := range paths {
		if p.Depth != depth {
			continue
		}
		for _, v := range p.Path.Data {
			largest = max(largest, math.Abs(v))
		}
	}
	const margin = 6
	return margin * margin * rounding * rounding * largest * largest
}

// The mean of |z|^½ for normal z, and its variance over the squared mean.
const (
	normalMean   = 0.8221789586623885
	normalSpread = 0.18034059901609623
)

type differences struct {
	mean    float64 // of |difference|^½
	spread  float64 // variance of |difference|^½ over its squared mean, within entries
	entries float64 // how many equal entries would tell as much
	heavy   float64 // variance of |difference| over its squared mean
	crowded float64 // largest share of an eighth of the layers in the sum of |difference|^½
}

// sparsity is the share of third differences smaller than a fifth of the mean of their entry: 0.13 of normal numbers, most where
// few layers have all the differences.
func sparsity(paths []DepthPath, m int) float64 {
	small, number := 0, 0
	for _, p := range paths {
		dim := p.Path.Dim
		sizes := make([]float64, p.Depth-3*m)
		for e := range dim {
			sum := 0.0
			for k := range sizes {
				x := p.Path.Data[k*dim+e:]
				sizes[k] = math.Abs(x[3*m*dim] - 3*x[2*m*dim] + 3*x[m*dim] - x[0])
				sum += sizes[k]
			}
			for _, v := range sizes {
				if v < sum/float64(5*len(sizes)) {
					small++
				}
			}
			number += len(sizes)
		}
	}
	return float64(small) / float64(number)
}

// entrySums are sums of |difference|^½, |difference| and its square over the layers of one entry.
type entrySums struct{ root, size, square float64 }

func thirdDifferences(paths []DepthPath, m int) differences {
	var total, squares, second, fourth, number float64
	var shares [8]float64
	for _, p := range paths {
		dim := p.Path.Dim
		count := float64(p.Depth - 3*m)
		sums := make([]entrySums, dim)
		for k := range p.Depth - 3*m {
			a, b, c, d := p.Path.At(k), p.Path.At(k+m), p.Path.At(k+2*m), p.Path.At(k+3*m)
			for e := range sums {
				v := math.Abs(d[e] - 3*c[e] + 3*b[e] - a[e])
				sums[e].root += math.Sqrt(v)
				shares[8*k/(p.Depth-3*m)] += math.Sqrt(v) / count
				sums[e].size += v
				sums[e].square += v * v
			}
		}
		for _, s := range sums {
			root, size := s.root/count, s.size/count
			total += root
			squares += root * root
			second += size
			if size > 0 {
				fourth += s.square/count/(size*size) - 1
			}
		}
		number += float64(dim)
	}
	if total == 0 {
		return differences{}
	}
	return differences{mean: total / number, spread: second/squares - 1, entries: total * total / squares, heavy: fourth / number, crowded: slices.Max(shares[:]) / total}
}
