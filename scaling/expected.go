package scaling

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
)

// A Design is which depths are trained, and how many seeds.
type Design struct {
	Depths []int
	Seeds  int
}

// Expected returns what Infer is expected to say of a larger design if the limit is of one kind: from the same paths
// and, at depths and seeds that are new, from what the likeliest structure of that kind has there without any
// chance. Its variances are those of the design, so that its intervals have the width to expect. It is nil where no
// structure is of that kind.
func (x *Inference) Expected(kind LimitKind, d Design) *Inference {
	var f *weighted
	for i := range x.posterior {
		g := &x.posterior[i]
		if kind != JumpLimit && x.kinds(g)[kind] < 0.5 {
			continue
		}
		if f == nil || g.probability > f.probability {
			f = g
		}
	}
	drift := kind == NoLimit && f == nil
	if drift {
		f = x.best()
	}
	if f == nil || len(x.data) < 2 {
		return nil
	}
	gain := 0.0
	for _, depth := range d.Depths {
		gain += float64(depth * d.Seeds)
	}
	for _, p := range x.paths {
		gain -= float64(p.Depth)
	}
	out := &Inference{paths: x.paths, design: &d, trend: x.trend, heavy: x.heavy, OwnScale: x.OwnScale, data: x.expectedData(f, d)}
	out.posterior = again(x.posterior, out.data, x.tilt)
	out.classify(x.jumps.expected(kind == JumpLimit, d), x.rounding, 1+max(0, gain)/pathsSize(x.paths))
	if x.trend {
		out.expectSize(x.paths, d, drift)
	}
	return out.settle()
}

// expectSize weighs sizes that go like L^γ as a larger design is expected to show them: with no γ, or as they do.
func (x *Inference) expectSize(paths []DepthPath, d Design, drift bool) {
	sizes, gamma := meanSquareRoots(paths), 0.0
	if x.OwnScale != nil {
		gamma = x.OwnScale.Exponent
	} else if drift {
		gamma = math.NaN()
	}
	e, err := averageExponent(Extend(sizes, d, gamma), Assumptions{FreeSize: x.OwnScale != nil}.sizeLaws(), allCorrections)
	if err != nil {
		return // paths that are 0
	}
	if x.OwnScale == nil {
		x.weighDrift(e.mixture)
		return
	}
	for i := range x.branches {
		x.branches[i].size = e.mixture
		x.branches[i].increments = x.branches[i].increments.shifted(-gamma)
	}
}

// expected returns the record to expect of a larger design: jumps at all depths, or none at greater ones.
func (j *jumpRecord) expected(there bool, d Design) *jumpRecord {
	out := *j
	out.depths, out.seeds, out.affected = slices.Clone(j.depths), maps.Clone(j.seeds), maps.Clone(j.affected)
	for _, depth := range d.Depths {
		if _, ok := j.seeds[depth]; ok {
			continue
		}
		out.depths = append(out.depths, depth)
		if out.seeds[depth] = d.Seeds; there {
			out.affected[depth] = d.Seeds
		}
	}
	slices.Sort(out.depths)
	if there {
		out.sizes = Extend(j.sizes, d, 0)
	}
	return &out
}

func pathsSize(paths []DepthPath) (sum float64) {
	for _, p := range paths {
		sum += float64(p.Depth)
	}
	return sum
}

// expectedData returns the variograms of a larger design.
func (x *Inference) expectedData(f *weighted, d Design) (data []variogram) {
	deepest := x.data[len(x.data)-1]
	fewer := math.Min(1, float64(countSeeds(x.paths))/float64(d.Seeds)) // variance against that of the seeds there are
	for _, v := range x.data {
		v.log, v.variance, v.noisiness = slices.Clone(v.log), slices.Clone(v.variance), slices.Clone(v.noisiness)
		for i, m := range v.lags {
			v.log[i] = fewer*v.log[i] + (1-fewer)*f.expectedLog(m, v.depth)
			v.variance[i] *= fewer
			v.noisiness[i] *= fewer
		}
		data = append(data, v)
	}
	for _, depth := range d.Depths {
		if slices.ContainsFunc(x.paths, func(p DepthPath) bool { return p.Depth == depth }) {
			continue
		}
		v := variogram{depth: depth, lags: lagsOf(depth), heavy: deepest.heavy, crowded: deepest.crowded, sparse: deepest.sparse}
		for _, m := range v.lags {
			v.log = append(v.log, f.expectedLog(m, depth))
			v.noisiness = append(v.noisiness, deepest.noisiness[0]*fewer)
			v.variance = append(v.variance, 16*2.2*normalSpread*v.noisiness[0]/float64(depth-3*m))
		}
		data = append(data, v)
	}
	slices.SortFunc(data, func(a, b variogram) int { return cmp.Compare(a.depth, b.depth) })
	return data
}

// countSeeds returns the number of seeds of paths.
func countSeeds(paths []DepthPath) int {
	seeds := map[uint64]bool{}
	for _, p := range paths {
		seeds[p.Seed] = true
	}
	return len(seeds)
}

// expectedLog is the log mean square of third differences of a structure.
func (f *fitted) expectedLog(lag, depth int) float64 {
	sum := math.Inf(-1)
	if f.structure.smooth != nil {
		sum = f.trend + f.structure.smooth.log(float64(lag)/float64(depth))
	}
	if f.part != nothing {
		sum = logAdd(sum, f.size+f.level(lag, depth, f.exponent))
	}
	return sum
}

// Extend returns values and those to expect at the depths and seeds of a design that are new: values of a new depth
// go on like L^exponent, the slope over the depths there are where that is NaN; a new seed is like an earlier one, and both have
// chance of the size that seeds show between their two deepest depths.
func Extend(samples []Sample, d Design, exponent float64) []Sample {
	if len(samples) == 0 {
		return nil
	}
	if math.IsNaN(exponent) {
		window, err := Fit(samples)
		if err != nil {
			return samples
		}
		exponent = window.Slope
	}
	groups := bySeed(samples)
	levels := make([]float64, len(groups)) // log y − exponent log L at the deepest
	var steps []float64                    // of log y − exponent log L, from the next deepest to the deepest
	for g, group := range groups {
		sorted := slices.SortedFunc(slices.Values(group), func(a, b int) int { return cmp.Compare(samples[b].Depth, samples[a].Depth) })
		level := func(i int) float64 {
			return math.Log(samples[sorted[i]].Value) - exponent*math.Log(float64(samples[sorted[i]].Depth))
		}
		levels[g] = level(0)
		if len(sorted) > 1 {
			steps = append(steps, level(0)-level(1))
		}
	}
	residuals := []float64{0} // chance is how the steps of seeds differ, the difference of two residuals
	if len(steps) > 1 {
		mean := floats.Sum(steps) / float64(len(steps))
		residuals = nil
		for _, step := range steps {
			residuals = append(residuals, (step-mean)/math.Sqrt(2*float64(len(steps)-1)/float64(len(steps))))
		}
	}
	least := slices.MinFunc(samples, func(a, b Sample) int { return cmp.Compare(a.Depth, b.Depth) }).Depth
	out := slices.Clone(samples)
	seeds := map[uint64]int{}
	for g, group := range groups {
		seeds[samples[group[0]].Seed] = g
	}
	order := slices.Sorted(maps.Keys(seeds))
	for next := order[len(order)-1]; len(order) < d.Seeds; {
		next++
		if _, there := seeds[next]; !there { // after the largest of all comes 0
			seeds[next] = len(order) % len(groups)
			order = append(order, next)
		}
	}
	for _, seed := range order {
		for _, depth := range d.Depths {
			if depth < least || slices.ContainsFunc(samples, func(s Sample) bool { return s.Seed == seed && s.Depth == depth }) {
				continue
			}
			residual := residuals[len(out)%len(residuals)]
			value := math.Exp(levels[seeds[seed]] + exponent*math.Log(float64(depth)) + residual)
			out = append(out, Sample{Depth: depth, Seed: seed, Value: value})
		}
	}
	return out
}
