package layerorder

import (
	"math"
	"slices"
)

// Bounds of outliers and jumps, in distances to the nearest other layer.
const (
	farAway   = 3.0 // times the median of such distances
	ofNorms   = 8.0 // the same of logarithms of norms
	leastNorm = 1.5 // and by this factor at least
	// mostEnds is the number of layers that may be left out at each end.
	mostEnds = 2
)

// outliers returns the layers that are farther from the nearest other one than is usual, as they are or by their norms. It
// does not depend on the order of the layers, so the order of the others remains to be tested.
func outliers(p products) []int {
	n := p.layers
	if n < MinLayers {
		return nil
	}
	norms := p.norms()
	near, steps := make([]float64, n), make([]float64, n)
	for k := range n {
		near[k], steps[k] = math.Inf(1), math.Inf(1)
		for l := range n {
			if l == k {
				continue
			}
			near[k] = min(near[k], math.Sqrt(p.squaredDistance(k, l)))
			steps[k] = min(steps[k], math.Abs(math.Log(norms[k]/norms[l])))
		}
	}
	usual, usualStep := Median(near), Median(steps)
	var out []int
	for k := range n {
		if near[k] > farAway*usual || steps[k] > max(ofNorms*usualStep, math.Log(leastNorm)) {
			out = append(out, k)
		}
	}
	return out
}

// withoutEnds returns the range of layers without outliers at its ends.
func withoutEnds(outliers []int, layers int) (from, to int) {
	to = layers
	for from < mostEnds && slices.Contains(outliers, from) {
		from++
	}
	for to > layers-mostEnds && slices.Contains(outliers, to-1) {
		to--
	}
	if to-from < min(layers, MinLayers) {
		return 0, layers // none can be spared
	}
	return from, to
}

// jumpLayers is the smallest number of layers among which a jump can be told.
const jumpLayers = 12

// jumps returns the layers k behind which the path jumps: ‖X_{k+1} − X_k‖² is many times what is usual and what its
// neighbours are, and the path stays where it jumped to.
func jumps(p products) []int {
	n := p.layers
	if n < jumpLayers {
		return nil
	}
	squares := make([]float64, n-1)
	logs := make([]float64, n-1)
	for k := range squares {
		squares[k] = p.squaredDistance(k, k+1)
		logs[k] = math.Log(squares[k])
	}
	usual := Median(squares)
	middle := Median(logs)
	for k := range logs {
		logs[k] = math.Abs(logs[k] - middle)
	}
	least := max(6, math.Exp(6*1.4826*Median(logs)))
	var out []int
	for k := 1; k < n-2; k++ {
		s := squares[k]
		if s < least*usual || squares[k-1] > 0.25*s || squares[k+1] > 0.25*s {
			continue
		}
		before, after := max(0, k-2), min(n, k+4)
		if p.betweenMeans(before, k+1, after) > 0.5*s {
			out = append(out, k)
		}
	}
	return out
}

// betweenMeans returns the squared distance of the mean of layers a … b−1 and that of b … c−1.
func (p products) betweenMeans(a, b, c int) float64 {
	weight := func(k int) float64 {
		if k < b {
			return -1 / float64(b-a)
		}
		return 1 / float64(c-b)
	}
	sum := 0.0
	for k := a; k < c; k++ {
		for l := a; l < c; l++ {
			sum += weight(k) * weight(l) * p.at(k, l)
		}
	}
	return max(0, sum)
}

// Median returns the median, of an even number the mean of the middle two; NaN of none.
func Median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
