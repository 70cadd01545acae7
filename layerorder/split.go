package layerorder

import (
	"math"

	"gonum.org/v1/gonum/stat/distuv"
)

// parts is how a path divides.
type parts struct {
	noise Interval // share of independent noise
	index Interval // of what is no trend
	rough bool     // whether that is rougher than a smooth path and smoother than noise
}

// Bounds of H of a rough part.
const (
	leastHurst = 0.15
	mostHurst  = 0.85
)

// splitParts finds the parts of a path, with intervals.
func splitParts(g *Gram, all products) parts {
	variance := all.variance()
	d := newDesign(all.layers)
	if !d.measure(all, variance) {
		return parts{noise: Interval{0, 0, 0}, index: Interval{1, 1, 1}}
	}
	zero, free := d.fit(0), d.best()
	noise := zero.noise / variance
	out := parts{noise: Interval{Value: min(1, noise)}}
	blocks := float64(len(g.Products))
	var shares, hursts []float64
	for b := range g.Products {
		if len(g.Products) == 1 {
			break
		}
		rest := g.without(b)
		if v := rest.variance(); d.measure(rest, v) {
			shares, hursts = append(shares, d.fit(0).noise/v), append(hursts, d.best().hurst)
		}
	}
	chance := chanceOf(all)
	t := math.Inf(1)
	if blocks > 1 {
		t = distuv.StudentsT{Sigma: 1, Nu: blocks - 1}.Quantile(0.975)
	}
	spread := t * math.Hypot(jackknife(shares), noise*chance)
	out.noise.Low, out.noise.High = max(0, noise-spread), min(1, noise+spread)
	width := t * math.Hypot(jackknife(hursts), chance/math.Ln2)
	low, high := max(0, free.hurst-width), min(1, free.hurst+width)
	out.index = Interval{1 / free.hurst, max(1, 1/high), 1 / low}
	part := free.noise * 2 * math.Pow(float64(all.layers), 2*free.hurst) / ((2*free.hurst + 1) * (2*free.hurst + 2)) / variance
	out.rough = low > leastHurst && high < mostHurst && part > Little && zero.misfit > 1.5*free.misfit
	return out
}

// jackknife returns the standard error from the values with one block left out.
func jackknife(values []float64) float64 {
	n := float64(len(values))
	mean, sum := 0.0, 0.0
	for _, v := range values {
		mean += v / n
	}
	for _, v := range values {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum * (n - 1) / max(1, n))
}

// chanceOf returns the relative standard error of the mean square of differences that the number of layers leaves, from
// how much differences vary along the path.
func chanceOf(p products) float64 {
	const q = 3
	weights := binomials(q)
	n := p.layers - q
	mean, square := 0.0, 0.0
	for k := range n {
		v := 0.0
		for i, a := range weights {
			for j, b := range weights {
				v += a * b * p.at(k+i, k+j)
			}
		}
		mean += v / float64(n)
		square += v * v / float64(n)
	}
	if !(mean > 0) {
		return 0
	}
	return math.Sqrt(max(0, square/mean/mean-1) * 2.2 / float64(n))
}
