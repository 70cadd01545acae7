package analyze

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/scaling"
	"github.com/deeplimit/deeplimit/weightpath"
)

// quantities are the numbers of a path whose exponents over depth a group has.
var quantities = []struct {
	name  string
	value func(PathNumbers) float64
}{
	{"max_frobenius", func(n PathNumbers) float64 { return n.MaxFrobenius }},
	{"displacement", func(n PathNumbers) float64 { return n.Displacement }},
	{"max_increment", func(n PathNumbers) float64 { return n.MaxIncrement }},
	{"root_sum_squares", func(n PathNumbers) float64 { return n.RootSumSquares }},
	{"displacement_variation", func(n PathNumbers) float64 { return n.DisplacementVariation }},
}

// newGroup returns what runs that differ in depth and seed alone have in common, as
// far as their own numbers say it; meta is that of one of them.
func newGroup(meta weightpath.Meta, runs []Run) Group {
	group := Group{
		Group: meta.Group, Settings: meta.Settings, Data: meta.Data, Block: meta.Block,
		Activation: meta.Activation, Alpha: meta.Alpha, Coupled: meta.Coupled,
		Parts: map[string]GroupPath{},
	}
	var sound []Run
	for _, run := range runs {
		group.Depths = append(group.Depths, run.Depth)
		group.Seeds = append(group.Seeds, run.Seed)
		if run.Diverged() {
			group.Diverged++
		} else {
			sound = append(sound, run)
		}
	}
	slices.Sort(group.Depths)
	group.Depths = slices.Compact(group.Depths)
	slices.Sort(group.Seeds)
	group.Seeds = slices.Compact(group.Seeds)
	group.Rate = rateRange(sound)
	group.Notes = precisionNotes(meta.DType, runs)

	for _, part := range parts(&meta, runs[0].Parts) {
		group.Parts[part] = group.exponents(sound, part, part == meta.Part())
	}
	group.GroupPath = group.Parts[meta.Part()]
	if len(sound) > 0 && sound[0].Delta != nil {
		group.Exponents = maps.Clone(group.Exponents)
		group.fit(group.Exponents, "delta", "delta", samplesOf(sound, meanDelta))
		scaled := func(r *Run) float64 { return meanDelta(r) * r.MaxFrobenius }
		group.fit(group.Exponents, "delta_max_frobenius", "delta max_frobenius", samplesOf(sound, scaled))
	}
	if slope, ok := group.Exponents["delta_max_frobenius"]; ok {
		sum := -slope.Slope
		group.AlphaPlusBeta = &sum
	} else if slope, ok := group.Exponents["max_frobenius"]; ok {
		sum := meta.Alpha - slope.Slope
		group.AlphaPlusBeta = &sum
	}
	return group
}

// exponents returns the slopes and the variation index of one part. Notes name the
// part unless it is the primary one.
func (g *Group) exponents(runs []Run, part string, primary bool) GroupPath {
	path := GroupPath{Exponents: map[string]Slope{}, VariationSlope: map[string]Slope{}}
	prefix := ""
	if !primary {
		prefix = part + ": "
	}
	of := func(value func(PathNumbers) float64) []sample {
		return samplesOf(runs, func(r *Run) float64 { return value(r.Parts[part]) })
	}
	for _, q := range quantities {
		g.fit(path.Exponents, q.name, prefix+q.name, of(q.value))
	}
	if len(runs) == 0 {
		return path
	}
	variations := map[float64][]scaling.Sample{}
	for text := range runs[0].Parts[part].PVariation {
		samples := of(func(n PathNumbers) float64 { return n.PVariation[text] })
		g.fit(path.VariationSlope, text, prefix+"V_"+text, samples)
		for _, s := range samples {
			if s.usable() && s.Depth >= 2 { // a path of one layer has no variation
				p := exponentOf(text)
				variations[p] = append(variations[p], s.Sample)
			}
		}
	}
	path.VariationIndex = g.variationIndex(prefix, variations)
	slices.Sort(g.Notes) // the loop over a map has shuffled them
	return path
}

// variationIndex returns the index that V_p at several depths gives, by p; nil
// without two depths, or with a note.
func (g *Group) variationIndex(prefix string, variations map[float64][]scaling.Sample) *Index {
	if len(variations) == 0 || distinctDepths(variations[slices.Min(slices.Collect(maps.Keys(variations)))]) < 2 {
		return nil
	}
	x, err := scaling.VariationIndex(variations)
	if err != nil {
		g.Notes = append(g.Notes, prefix+err.Error())
		return nil
	}
	index := &Index{Index: x.Index, Low: x.Low, P: x.P, Method: x.Method, Warning: x.Warning}
	if !x.Unbounded {
		index.High = &x.High
	}
	return index
}

// A sample is a value of a run, which may be one that no logarithm takes.
type sample struct {
	scaling.Sample
	run string
}

func (s sample) usable() bool { return s.Value > 0 && !math.IsInf(s.Value, 0) }

// samplesOf returns one value of every run.
func samplesOf(runs []Run, value func(*Run) float64) []sample {
	samples := make([]sample, len(runs))
	for i := range runs {
		r := &runs[i]
		samples[i] = sample{scaling.Sample{Depth: r.Depth, Seed: r.Seed, Value: value(r)}, r.ID}
	}
	return samples
}

func distinctDepths(samples []scaling.Sample) int {
	depths := map[int]bool{}
	for _, s := range samples {
		depths[s.Depth] = true
	}
	return len(depths)
}

// fit puts the slope of one quantity against depth into slopes, if there is one.
func (g *Group) fit(slopes map[string]Slope, key, name string, samples []sample) {
	if slope := g.slope(name, samples); slope != nil {
		slopes[key] = *slope
	}
}

// slope returns the slope of a quantity against depth. Runs without a positive value
// are left out with a note; without two depths there is no slope (nil).
func (g *Group) slope(name string, samples []sample) *Slope {
	var used []scaling.Sample
	for _, s := range samples {
		if !s.usable() {
			g.Notes = append(g.Notes, fmt.Sprintf("%s: run %s left out, as its value is %v", name, s.run, s.Value))
			continue
		}
		used = append(used, s.Sample)
	}
	if distinctDepths(used) < 2 {
		return nil
	}
	slope, err := scaling.Fit(used)
	if err != nil {
		g.Notes = append(g.Notes, fmt.Sprintf("%s: %v", name, err))
		return nil
	}
	out := NewSlope(slope)
	return &out
}

// meanDelta returns the mean over the layers of |δ_k|, as a trained δ may change its sign.
func meanDelta(r *Run) float64 {
	sum := 0.0
	for _, delta := range r.Delta {
		sum += math.Abs(delta)
	}
	return sum / float64(len(r.Delta))
}

// rateRange returns the spread of the rate over the runs that have one, nil if none has.
func rateRange(runs []Run) *RateRange {
	var spread *RateRange
	for _, run := range runs {
		switch {
		case run.Rate == nil:
		case spread == nil:
			spread = &RateRange{MinR2: run.Rate.R2, MinRho: run.Rate.Rho, MaxRho: run.Rate.Rho}
		default:
			spread.MinR2 = min(spread.MinR2, run.Rate.R2)
			spread.MinRho = min(spread.MinRho, run.Rate.Rho)
			spread.MaxRho = max(spread.MaxRho, run.Rate.Rho)
		}
	}
	return spread
}
