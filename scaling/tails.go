package scaling

import (
	"cmp"
	"math"
	"slices"
)

// tailShare is the share of the largest increments that tell the index of their tails.
const tailShare = 0.05

// jumping returns the probability that increments have tails of an index below 2, P(|x| > t) ~ t^−index, under a prior
// that is flat in 1/index: a sum of independent ones then jumps at all scales, and has a normal limit otherwise. It is Hill's
// estimator over the two deepest depths, from increments less the median of those around, in units of the typical one
// of the entry; gain is how many times as many increments there are to be.
func jumping(paths []DepthPath, gain float64) float64 {
	var sizes []float64
	for _, p := range deepestTwo(paths) {
		dim := p.Path.Dim
		steps := make([]float64, p.Depth-1)
		for e := range dim {
			for i := range steps {
				steps[i] = p.Path.Data[(i+1)*dim+e] - p.Path.Data[i*dim+e]
			}
			sizes = append(sizes, standardised(steps)...)
		}
	}
	k := int(tailShare * float64(len(sizes)))
	if k < 5 {
		return 0
	}
	slices.SortFunc(sizes, func(a, b float64) int { return cmp.Compare(b, a) })
	if !(sizes[k] > 0) {
		return 0
	}
	inverse := 0.0 // of the index
	for _, s := range sizes[:k] {
		inverse += math.Log(s/sizes[k]) / float64(k)
	}
	return 1 - outcome{1, inverse, inverse / math.Sqrt(gain*float64(k))}.below(0.5)
}

// standardised returns sizes of steps about the median of the seventeen around each, over the median size.
func standardised(steps []float64) []float64 {
	const reach = 8
	out, around := make([]float64, len(steps)), make([]float64, 0, 2*reach+1)
	for i, s := range steps {
		around = append(around[:0], steps[max(0, i-reach):min(len(steps), i+reach+1)]...)
		out[i] = math.Abs(s - median(around))
	}
	typical := median(slices.Clone(out))
	if typical == 0 {
		return nil
	}
	for i := range out {
		out[i] /= typical
	}
	return out
}

// deepestTwo returns the paths of the two deepest depths.
func deepestTwo(paths []DepthPath) []DepthPath {
	var depths []int
	for _, p := range paths {
		depths = append(depths, p.Depth)
	}
	slices.Sort(depths)
	depths = slices.Compact(depths)
	least := depths[max(0, len(depths)-2)]
	return slices.DeleteFunc(slices.Clone(paths), func(p DepthPath) bool { return p.Depth < least })
}
