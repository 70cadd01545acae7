package scaling

import (
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/pvar"
)

// jumpDepth is the smallest depth at which a jump can be told from the layers around it.
const jumpDepth = 32

// withoutJumps returns the path with the jumps of its entries taken out, and the size of the
// largest of them, 0 where there is none; the path itself where there is none.
//
// A jump is an increment many times as large as those of the 32 layers around it, with small
// neighbours, after which the entry stays where it is: an outlying layer comes back.
func withoutJumps(x pvar.Points) (cleaned pvar.Points, largest float64) {
	n, dim := x.Len(), x.Dim
	if n < jumpDepth {
		return x, 0
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
			if cleaned.Dim == 0 || largest == 0 {
				cleaned = pvar.Points{Dim: dim, Data: slices.Clone(x.Data)}
			}
			size := steps[at] - (steps[at-1]+steps[at+1])/2
			largest = max(largest, math.Abs(size))
			for i := at + 1; i < n; i++ {
				cleaned.Data[i*dim+e] -= size
			}
		}
	}
	return cleaned, largest
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
	sizes           []Sample // the largest jump of each path that has one
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
	out := slices.Clone(paths)
	for i, p := range paths {
		cleaned, largest := withoutJumps(p.Path)
		out[i].Path = cleaned
		if record.seeds[p.Depth]++; record.seeds[p.Depth] == 1 {
			record.depths = append(record.depths, p.Depth)
		}
		if largest > 0 {
			record.affected[p.Depth]++
			record.sizes = append(record.sizes, Sample{Depth: p.Depth, Seed: p.Seed, Value: largest})
		}
	}
	slices.Sort(record.depths)
	return out, record
}
