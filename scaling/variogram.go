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
	// would rule a mean square, costs normal noise a quarter of its precision. variance is that
	// of log for noise without memory (structure.memory).
	log, variance []float64
	heavy         float64 // of the tails: about 0.57 for normal numbers, more for heavier tails
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

// variograms returns those of the depths, ascending. Depths on which a difference is exactly
// 0 in all layers, as of constant paths, are left out.
func variograms(paths []DepthPath) []variogram {
	byDepth := map[int][]DepthPath{}
	for _, p := range paths {
		byDepth[p.Depth] = append(byDepth[p.Depth], p)
	}
	var out []variogram
	for depth, group := range byDepth {
		if v, ok := variogramOf(depth, group); ok {
			out = append(out, v)
		}
	}
	slices.SortFunc(out, func(a, b variogram) int { return cmp.Compare(a.depth, b.depth) })
	return out
}

func variogramOf(depth int, paths []DepthPath) (variogram, bool) {
	v := variogram{depth: depth, lags: lagsOf(depth)}
	for i, m := range v.lags {
		d := thirdDifferences(paths, m)
		if d.mean == 0 {
			return v, false
		}
		windows := float64(depth - 3*m)
		if i == 0 {
			v.heavy = d.heavy
		}
		// 2.2 is the sum of the correlations of neighbouring |·|^½, of normal noise.
		relative := 2.2 * max(normalSpread, d.spread) / (windows * d.entries)
		v.log = append(v.log, 4*math.Log(d.mean/normalMean)-math.Log(20))
		v.variance = append(v.variance, 16*relative)
	}
	return v, len(v.lags) > 1
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
}

func thirdDifferences(paths []DepthPath, m int) differences {
	var total, squares, second, fourth, number float64
	for _, p := range paths {
		dim, x := p.Path.Dim, p.Path.Data
		count := float64(p.Depth - 3*m)
		for e := range dim {
			root, size, square := 0.0, 0.0, 0.0
			for at := e; at+3*m*dim < len(x); at += dim {
				v := math.Abs(x[at+3*m*dim] - 3*x[at+2*m*dim] + 3*x[at+m*dim] - x[at])
				root += math.Sqrt(v)
				size += v
				square += v * v
			}
			root /= count
			size /= count
			total += root
			squares += root * root
			second += size
			if size > 0 {
				fourth += square/count/(size*size) - 1
			}
		}
		number += float64(dim)
	}
	if total == 0 {
		return differences{}
	}
	return differences{mean: total / number, spread: second/squares - 1, entries: total * total / squares, heavy: fourth / number}
}
