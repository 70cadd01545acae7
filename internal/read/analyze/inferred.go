package analyze

import (
	"math"
	"math/bits"
	"strings"
	"sync"

	"gonum.org/v1/gonum/floats"

	"github.com/deeplimit/deeplimit/scaling"
)

// partPaths are the paths L^β A of one part at all depths and seeds, those of its displacements L^β (A(T) − A(0)), nil
// where a run has none, and the coarsest rounding of its weights.
type partPaths struct {
	weights, moved []scaling.DepthPath
	rounding       float64
}

// infer fills in what the paths of one part say of the limit, or why they do not.
func (g *Group) infer(path *GroupPath, part string, paths partPaths, beta float64, runs []Run) {
	var evidence, around Regime
	var measured sync.WaitGroup // beside the inference, which takes as long
	measured.Go(func() { evidence.measure(paths.weights) })
	var moved *scaling.Inference
	var still string
	measured.Go(func() { moved, still = g.inferMoved(paths) })
	measured.Go(func() { around.measure(paths.moved) })
	x, err := scaling.Infer(paths.weights, scaling.Assumptions{Rounding: paths.rounding, FreeSize: g.Trained()})
	measured.Wait()
	if err != nil {
		path.unsettled(reason(err))
		return
	}
	put := path.conclude(x, &evidence, beta)
	if path.Displacement != nil && moved != nil {
		path.Displacement.conclude(moved, &around, beta)
	} else if path.Displacement != nil {
		path.Displacement.unsettled(still)
	}
	displacements := samplesOf(runs, func(r *Run) float64 { return r.Parts[part].Displacement * math.Pow(float64(r.Depth), beta) })
	var displacement, variation *scaling.LimitExponent
	if moved != nil {
		displacement, variation = moved.MaxFrobenius(), moved.Variation(1)
	} else {
		displacement = averaged(displacements, 0)
		variation = averaged(samplesOf(runs, func(r *Run) float64 { return r.Parts[part].DisplacementVariation }), 0)
	}
	put("displacement", displacement, -beta)
	put("displacement_variation", variation, 0)
	if g.Trained() && part == g.part() {
		put("delta", averaged(samplesOf(runs, meanDelta), math.NaN()), 0)
		put("delta_max_frobenius", averaged(samplesOf(runs, func(r *Run) float64 { return r.DeltaMaxFrobenius }), math.NaN()), 0)
	}
	if g.Next != nil {
		g.next(part, x, displacement, displacements)
	}
}

// conclude fills in what an inference says of the limit, r being its evidence, and returns how further exponents are put beside
// those, with what is added to each.
func (path *GroupPath) conclude(x *scaling.Inference, r *Regime, beta float64) (put func(key string, e *scaling.LimitExponent, shift float64)) {
	delete(path.Missing, "variation_index")
	r.Verdict, r.Probability, r.Unexplained = x.Verdict, x.Probability, x.Unexplained
	path.Regime = r
	path.Mixture = &Mixture{NoiseShare: shareOf(x.NoiseShare), Hurst: shareOf(x.Hurst), DetectionLimit: finite(x.DetectionLimit)}
	if path.VariationIndex = x.VariationIndex(); path.VariationIndex == nil {
		path.Missing["variation_index"] = "increments may not vanish with depth, and then there is none"
		if x.Unexplained {
			path.Missing["variation_index"] = "the paths have no structure that is known"
		}
	}
	put = func(key string, e *scaling.LimitExponent, shift float64) {
		if e != nil {
			path.LimitExponents[key] = scaling.LimitExponent{Exponent: e.Exponent + shift, Low: e.Low + shift, High: e.High + shift, Correction: e.Correction}
		}
	}
	for key, e := range map[string]*scaling.LimitExponent{
		"max_frobenius": x.MaxFrobenius(), "max_increment": x.MaxIncrement(), "root_sum_squares": x.RootSumSquares(),
	} {
		if _, ok := path.Exponents[key]; ok {
			put(key, e, -beta)
		}
	}
	for text := range path.VariationSlope {
		put("variation_"+text, x.Variation(exponentOf(text)), 0)
	}
	put("index", x.Index(), 0)
	return put
}

// inferMoved infers from the displacements, or says why it does not. They are differences of weights, so their rounding is
// that of the larger weights.
func (g *Group) inferMoved(paths partPaths) (x *scaling.Inference, why string) {
	largest := func(list []scaling.DepthPath) (most float64) {
		for _, p := range list {
			most = max(most, floats.Norm(p.Path.Data, math.Inf(1)))
		}
		return most
	}
	switch {
	case paths.moved == nil:
		return nil, "some runs have no initial weights"
	case !(largest(paths.moved) > 0):
		return nil, "the weights have not moved"
	}
	rounding := paths.rounding * max(1, largest(paths.weights)/largest(paths.moved))
	x, err := scaling.Infer(paths.moved, scaling.Assumptions{Rounding: rounding, FreeSize: g.Trained()})
	if err != nil {
		return nil, reason(err)
	}
	return x, ""
}

// reason is why scaling.Infer gives nothing.
func reason(err error) string { return strings.TrimPrefix(err.Error(), "scaling: infer: ") }

// unsettled leaves a path without a verdict, an index and exponents of the limit.
func (path *GroupPath) unsettled(why string) {
	path.Regime, path.Mixture = &Regime{Probability: map[scaling.LimitKind]float64{}, Why: why}, &Mixture{}
	path.Missing["variation_index"] = why
}

// told reports whether depths and seeds are enough to weigh the kinds of limit.
func (r *Regime) told() bool { return r != nil && len(r.Probability) > 0 }

// measure fills in the evidence, where two depths have it.
func (r *Regime) measure(paths []scaling.DepthPath) {
	if e, err := scaling.Increments(paths); err == nil {
		r.Evidence = e
	}
	for _, known := range evidenceNames {
		r.slope(known.statistic).Residuals = nil // of numbers that the result does not hold
	}
}

// averaged returns the limit's exponent of values alone, nil from fewer than three depths or two seeds.
func averaged(samples []sample, theory float64) *scaling.LimitExponent {
	used := samplesUsed(samples)
	depths, seeds := map[int]bool{}, map[uint64]bool{}
	for _, s := range used {
		depths[s.Depth], seeds[s.Seed] = true, true
	}
	if len(depths) < 3 || len(seeds) < 2 {
		return nil
	}
	e, err := scaling.AverageExponent(used, theory)
	if err != nil {
		return nil
	}
	return e
}

func shareOf(e *scaling.LimitExponent) *Share {
	if e == nil {
		return nil
	}
	return &Share{e.Exponent, e.Low, e.High}
}

// rounding returns the relative precision of numbers: 2^−24 where all of them fit 32-bit floats, 2^−8 for bfloat16.
func rounding(data []float64) float64 {
	const mantissa = 52
	used, count := uint64(0), 0
	for _, v := range data {
		if v != 0 {
			used |= math.Float64bits(v) & (1<<mantissa - 1)
			count++
		}
	}
	const few = 64 // numbers may be short by chance
	if count < few || used == 0 {
		return 0x1p-53
	}
	return math.Ldexp(1, -(mantissa - bits.TrailingZeros64(used) + 1))
}
