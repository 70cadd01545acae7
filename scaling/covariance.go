package scaling

import (
	"math"
	"sync"

	"gonum.org/v1/gonum/mat"
)

// sampled holds every covariance computed, a *mat.SymDense, by its samplingKey: it depends on the structure and the depth alone.
var sampled sync.Map

type samplingKey struct {
	phi, next, theta, hurst float64
	noise                   bool
	depth                   int
}

// third are the weights of a third difference.
var third = [4]float64{-1, 3, -3, 1}

// The relative variance of |z|^½, z normal, is that of its projections on z² and on what has more
// powers; for two normal numbers of correlation ρ the covariance is about
// onSquares ρ² + (normalSpread − onSquares) ρ⁴.
const onSquares = 0.125

// covariance returns the covariance of the values of one entry of one seed at one depth when the part of s is all there
// is: third differences of a normal part have known correlations, so the variance of 4 log of a mean of roots is
// 16/n² Σ_{k,k'} Cov(|x_k|^½, |x_k'|^½), to first order, and likewise of two lags.
func (s structure) covariance(exponent float64, v variogram) *mat.SymDense {
	key := samplingKey{noise: s.part == layerNoise, depth: v.depth}
	if key.noise {
		key.phi, key.next = s.phi, s.next
	} else {
		key.theta, key.hurst = s.theta, min(0.95, max(0.05, math.Round(20*exponent)/20)) // at 1 differences vanish
	}
	if c, ok := sampled.Load(key); ok {
		return c.(*mat.SymDense)
	}
	all := make([]int, 0, len(v.lags))
	for m := 1; m <= v.lags[len(v.lags)-1]; m *= 2 {
		all = append(all, m)
	}
	c := mat.NewSymDense(len(all), nil)
	far := 12*all[len(all)-1] + farthest
	gamma := make([]float64, far+1)
	for j := range gamma {
		gamma[j] = s.covarianceAt(j, v.depth, key.hurst)
	}
	rows := make([]func(d int) float64, len(all))
	for i, m := range all {
		table := make([]float64, 2*far+1)
		for x := range table {
			for b, w := range third {
				if at := abs(x - far + b*m); at <= far {
					table[x] += w * gamma[at]
				}
			}
		}
		rows[i] = func(d int) float64 { return table[d+far] }
	}
	size := make([]float64, len(all))
	for i, m := range all {
		size[i] = across(rows[i], m, 0)
	}
	for i, m := range all {
		for j := i; j < len(all); j++ {
			c.SetSym(i, j, 16*meanCovariance(rows[j], m, all[j], v.depth, math.Sqrt(size[i]*size[j])))
		}
	}
	sampled.Store(key, c)
	return c
}

// farthest is how many layers beyond the reach of two differences their correlation is followed.
const farthest = 48

// across returns the covariance of a third difference at lag m with another one d layers on, whose sums
// over its own layers are row.
func across(row func(int) float64, m, d int) (sum float64) {
	for a, w := range third {
		sum += w * row(d-a*m)
	}
	return sum
}

// meanCovariance is that of the two means of roots, over their product.
func meanCovariance(row func(int) float64, m, n, depth int, size float64) float64 {
	first, second := depth-3*m, depth-3*n
	reach := 3*max(m, n) + max(m, n) + farthest
	sum := 0.0
	for d := -reach; d <= reach; d++ {
		pairs := min(first, second-d) - max(0, -d)
		if pairs <= 0 {
			continue
		}
		square := across(row, m, d) / size
		square *= square
		sum += float64(pairs) * square * (onSquares + (normalSpread-onSquares)*square)
	}
	return sum / float64(first) / float64(second)
}

// covarianceAt is the covariance of the part's values so many layers apart, up to a constant that
// differences do not see.
func (s structure) covarianceAt(layers, depth int, hurst float64) float64 {
	switch {
	case s.part == layerNoise && layers == 0:
		return 1
	case s.part == layerNoise:
		return s.correlation(layers)
	case s.theta == 0:
		return -math.Pow(float64(layers), 2*hurst) / 2
	}
	return math.Exp(-s.theta * math.Pow(float64(layers)/float64(depth), 2*hurst))
}

func abs(x int) int { return max(x, -x) }
