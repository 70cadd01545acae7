package scaling

import (
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/pvar"
)

// jumpDepth is the smallest depth at which a jump can be told from the layers around it.
const jumpDepth = 32

// A jump is an increment of one entry many times as large as those of the 32 layers around it, with small
// neighbours, after which the entry stays where it is: an outlying layer comes back.
type jump struct {
	entry, layer int // layer is that before it, from 0
	size         float64
}

// withoutJumps returns the path with the jumps of its entries taken out, and the jumps, entry by entry in the order of
// layers; the path itself where there are none.
func withoutJumps(x pvar.Points) (cleaned pvar.Points, found []jump) {
	n, dim := x.Len(), x.Dim
	if n < jumpDepth {
		return x, nil
	}
	threshold := 4.5 + math.Sqrt(2*math.Log(float64(n*dim)))
	series, steps := make([]float64, n), make([]float64, n-1)
	cleaned = x
	for e := range dim {
		for i := range series {
			series[i] = x.Data[i*dim+e]
		}
		for i := range steps {
			steps[i] = series[i+1] - series[i]
		}
		for _, at := range jumpsIn(series, steps, threshold) {
			if found == nil {
				cleaned = pvar.Points{Dim: dim, Data: slices.Clone(x.Data)}
			}
			size := steps[at] - (steps[at-1]+steps[at+1])/2
			found = append(found, jump{e, at, size})
			for i := at + 1; i < n; i++ {
				cleaned.Data[i*dim+e] -= size
			}
		}
	}
	return cleaned, found
}

// jumpsIn returns the layers before the jumps of one entry.
func jumpsIn(series, steps []float64, threshold float64) (found []int) {
	sizes := make([]float64, len(steps))
	for i, s := range steps {
		sizes[i] = math.Abs(s)
	}
	all := median(slices.Clone(sizes))
	reach := min(16, len(series)/4)
	for i := 2; i < len(steps)-2; i++ {
		s := sizes[i]
		if s <= threshold*all/2 || sizes[i-1] > 0.4*s || sizes[i+1] > 0.4*s {
			continue
		}
		from, to := max(0, i-reach), min(len(sizes), i+reach+1)
		around := slices.Concat(sizes[from:i], sizes[i+1:to])
		if s <= threshold*max(median(around), all/2)/0.6745 {
			continue
		}
		before := (series[i-2] + series[i-1] + series[i]) / 3
		after := (series[i+1] + series[i+2] + series[i+3]) / 3
		if (after-before)*steps[i] > 0.6*s*s {
			found = append(found, i)
		}
	}
	return found
}

// median reorders its argument.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// A jumpRecord says which paths have jumps.
type jumpRecord struct {
	depths          []int
	seeds, affected map[int]int
	sizes           []Sample // the size of jumps of each path that has some, as jumpSizes has it
}

// any reports whether there are jumps at the deepest depth, in two of three seeds.
func (j *jumpRecord) any() bool {
	if len(j.depths) == 0 {
		return false
	}
	deepest := j.depths[len(j.depths)-1]
	return 3*j.affected[deepest] >= 2*j.seeds[deepest]
}

// jumpLaws are those of the size of jumps: it has a limit, or it shrinks as the largest steps of noise or of a smooth function
// do. walkLaws are those where a rough part has heavy tails, whose largest steps shrink less than others.
var (
	jumpLaws = []law{{0.9, 0, theorySpread, true}, {0.1, -0.5, 0.25, false}}
	walkLaws = []law{{0.8, 0, theorySpread, true}, {0.2, -0.35, 0.25, false}}
)

// stay returns the probability that jumps are there in the limit, which is that of sizes that do not shrink with
// depth, and the distribution of the exponent of their sizes; 0 and nil where there are none at the deepest depth. It is ½
// where the next deepest depth has none, or too few layers to tell.
func (j *jumpRecord) stay(laws []law) (float64, mixture) {
	if !j.any() {
		return 0, nil
	}
	unknown := mixture{{0.5, 0, theorySpread}, {0.5, -0.35, 0.25}}
	if next := j.depths[max(0, len(j.depths)-2)]; next < jumpDepth || j.affected[next] == 0 {
		return 0.5, unknown
	}
	sizes, err := averageExponent(j.sizes, laws, nil)
	if err != nil {
		return 0.5, unknown
	}
	return sizes.theory, sizes.mixture
}

// separateJumps takes the jumps out of all paths.
func separateJumps(paths []DepthPath) ([]DepthPath, *jumpRecord) {
	record := &jumpRecord{seeds: map[int]int{}, affected: map[int]int{}}
	out, bySeed := slices.Clone(paths), map[uint64][]jumpedPath{}
	for i, p := range paths {
		cleaned, found := withoutJumps(p.Path)
		out[i].Path = cleaned
		if record.seeds[p.Depth]++; record.seeds[p.Depth] == 1 {
			record.depths = append(record.depths, p.Depth)
		}
		if len(found) > 0 {
			record.affected[p.Depth]++
			bySeed[p.Seed] = append(bySeed[p.Seed], jumpedPath{p.Depth, found})
		}
	}
	slices.Sort(record.depths)
	for _, seed := range slices.Sorted(maps.Keys(bySeed)) {
		record.sizes = append(record.sizes, jumpSizes(seed, bySeed[seed])...)
	}
	return out, record
}

// A jumpedPath has the jumps of a path.
type jumpedPath struct {
	depth int
	jumps []jump
}

// jumpSizes returns a size of the jumps of one seed at each depth: that of the largest at the greatest depth, and at
// lesser ones that of the next greater times the median ratio, by size, of jumps at the same place, so that jumps which share a
// layer where there are few do not count as larger ones. Depths from the first on without such pairs are left out; where
// the two greatest have none, all sizes are those of the largest jump.
func jumpSizes(seed uint64, paths []jumpedPath) (sizes []Sample) {
	slices.SortFunc(paths, func(a, b jumpedPath) int { return b.depth - a.depth })
	size := paths[0].largest()
	sizes = append(sizes, Sample{Depth: paths[0].depth, Seed: seed, Value: size})
	for i, p := range paths[1:] {
		ratio, paired := p.ratio(paths[i])
		switch {
		case paired:
			size *= ratio
		case i == 0:
			for _, p := range paths[1:] {
				sizes = append(sizes, Sample{Depth: p.depth, Seed: seed, Value: p.largest()})
			}
			return sizes
		default:
			return sizes
		}
		sizes = append(sizes, Sample{Depth: p.depth, Seed: seed, Value: size})
	}
	return sizes
}

// largest returns the size of the largest jump.
func (p jumpedPath) largest() (size float64) {
	for _, j := range p.jumps {
		size = max(size, math.Abs(j.size))
	}
	return size
}

// mostApart is the ratio of the sizes of two jumps from which on they are not the same.
const mostApart = 2.5

// ratio returns the median ratio, weighted by size, of jumps to those of a deeper path at the same place of the same entry; paired is false
// where fewer than half of the jumps have one there, or fewer than a third of the deeper path's have one here.
func (p jumpedPath) ratio(deeper jumpedPath) (ratio float64, paired bool) {
	var ratios, weights []float64
	near, layer := deeper.jumps, 1/float64(p.depth)
	for _, j := range p.jumps {
		at := p.place(j)
		for len(near) > 0 && (near[0].entry < j.entry || near[0].entry == j.entry && deeper.place(near[0]) < at-layer) {
			near = near[1:]
		}
		if len(near) > 0 && near[0].entry == j.entry && deeper.place(near[0]) <= at+layer {
			if r := j.size / near[0].size; r > 1/mostApart && r < mostApart {
				ratios, weights = append(ratios, r), append(weights, math.Abs(near[0].size))
			}
		}
	}
	if 2*len(ratios) < len(p.jumps) || 3*len(ratios) < len(deeper.jumps) {
		return 0, false
	}
	stat.SortWeighted(ratios, weights)
	return stat.Quantile(0.5, stat.Empirical, ratios, weights), true
}

// place is where a jump is, from 0 to 1.
func (p jumpedPath) place(j jump) float64 { return float64(j.layer+1) / float64(p.depth) }
