package scaling

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/deeplimit/deeplimit/pvar"
)

// LimitKind is what the rescaled paths tend to as depth grows.
type LimitKind string

// The kinds, as docs/statistics.md explains them.
const (
	SmoothLimit    LimitKind = "smooth"           // of bounded variation
	SmoothAndNoise LimitKind = "smooth-and-noise" // a smooth trend, and layer noise of size L^−½
	RoughLimit     LimitKind = "rough"            // continuous, of a Hurst exponent below 1
	JumpLimit      LimitKind = "jumps"
	NoiseAlone     LimitKind = "noise" // layers without a trend
	NoLimit        LimitKind = "no-limit"
)

// leastDrift is the smallest γ that counts: less is what a path that is not yet resolved shows.
const leastDrift = 0.05

// Certain is the probability from which on a verdict is given.
const Certain = 0.95

// Inference is what the paths of several depths and seeds say of the limit. Exponents, regime and parts come
// from one posterior, so that they cannot contradict one another.
type Inference struct {
	Verdict     LimitKind // "" where no kind stands out
	Probability map[LimitKind]float64
	// Unexplained reports that no sum of the parts that are known fits the paths; then there is no verdict, and no
	// exponent of increments.
	Unexplained bool
	// Hurst is the exponent of the rough part, NoiseShare the size a of layer noise a·L^(−½)·N(0,1) over the
	// root mean square of the trend; nil where there is no such part.
	Hurst, NoiseShare *LimitExponent
	// DetectionLimit bounds the noise share, with probability 0.95.
	DetectionLimit float64

	increments mixture // of e: mean increments go like L^−e; smooth paths have 1
	drift      mixture // of γ where sizes go like L^γ, nil where they have a limit
	trend      bool
	heavy      bool // whether the tails of differences are heavier than normal ones
	paths      []DepthPath
	posterior  []weighted
	data       []variogram
}

// Infer returns what the paths say. It needs three depths of 8 layers or more, and two seeds; fewer
// are an error that says so. rounding is the relative precision that the numbers were stored with, such as 2^−24 for
// 32-bit floats; 0 stands for 2^−53. What is not larger than it is not told from a smooth path.
func Infer(paths []DepthPath, rounding float64) (*Inference, error) {
	if err := checkPaths(paths); err != nil {
		return nil, fmt.Errorf("scaling: infer: %w", err)
	}
	seeds, depths := map[uint64]bool{}, map[int]bool{}
	for _, p := range paths {
		seeds[p.Seed], depths[p.Depth] = true, true
	}
	if len(depths) < 3 || len(seeds) < 2 {
		return nil, fmt.Errorf("scaling: infer: got depths %d, seeds %d, want three depths and two seeds or more", len(depths), len(seeds))
	}
	paths, _ = rescaledPaths(paths)
	if rounding == 0 {
		rounding = 0x1p-53
	}
	x := infer(paths, rounding)
	if drift := x.sizeDrift(); drift != nil {
		// L^β A has no limit, but L^(−γ) times it may: its parts are looked for there.
		gamma := quantile(drift.values(same), 0.5)
		again := slices.Clone(paths)
		for i, p := range again {
			again[i].Path = pvar.Points{Dim: p.Path.Dim, Data: slices.Clone(p.Path.Data)}
			factor := math.Pow(float64(p.Depth), -gamma)
			for j := range again[i].Path.Data {
				again[i].Path.Data[j] *= factor
			}
		}
		x = infer(again, rounding)
		x.drift, x.paths = drift, paths
		x.Verdict, x.Probability = NoLimit, map[LimitKind]float64{NoLimit: 1}
		x.Hurst, x.NoiseShare, x.DetectionLimit = nil, nil, math.NaN()
	}
	return x, nil
}

// sizeDrift returns the distribution of γ where the root mean square of the paths goes like L^γ and
// not like 1, nil otherwise. Layer noise alone has no size of its own.
func (x *Inference) sizeDrift() mixture {
	if !x.trend {
		return nil
	}
	m, _, err := averageExponent(x.sizes(func(square float64, norms []float64) float64 { return math.Sqrt(square / float64(len(norms))) }), []float64{0})
	if err != nil {
		return nil
	}
	total, still := 0.0, 0.0
	for _, o := range m {
		total += o.weight
		if o.spread == 0 {
			still += o.weight
		}
	}
	if still >= 0.01*total || math.Abs(quantile(m.values(same), 0.5)) < leastDrift {
		return nil
	}
	return m
}

// infer does the work of Infer for paths of a size that has a limit.
func infer(paths []DepthPath, rounding float64) *Inference {
	x := &Inference{paths: paths}
	cleaned, jumps := separateJumps(paths)
	stay, some := jumps.stay()
	if some {
		cleaned = slices.DeleteFunc(cleaned, func(p DepthPath) bool { return p.Depth < jumpDepth })
	}
	x.data = variograms(cleaned, rounding)
	if len(x.data) < 2 {
		x.nothingSeen(cleaned, rounding)
		x.classify(stay, some)
		x.parts(cleaned)
		return x
	}
	x.posterior = posterior(x.data)
	for len(x.data) > 2 && x.misfit() > 4 {
		x.data = x.data[1:]
		x.posterior = posterior(x.data)
	}
	x.heavy = x.data[len(x.data)-1].heavy > 0.75
	x.trend = x.hasTrend(cleaned)
	x.classify(stay, some)
	x.parts(cleaned)
	if f := x.best(); some && x.heavyRough() && f.present() {
		x.withJumpsIn(rounding)
	}
	return x
}

// withJumpsIn adds what the paths say with their jumps, at half the weight. Where jumps of all sizes make a path
// rough, its law is seen with the large ones alone; a rough part that has jumps beside is seen without them.
func (x *Inference) withJumpsIn(rounding float64) {
	data := variograms(x.paths, rounding)
	if len(data) < 2 {
		return
	}
	whole := &Inference{paths: x.paths, data: data, posterior: posterior(data), trend: x.trend}
	whole.classify(false, false)
	x.increments = append(slices.Clone(x.increments), whole.increments...)
}

// nothingSeen is for paths that are smooth as far as their numbers tell: constant, or straight lines, or
// with differences no larger than the rounding of the numbers.
func (x *Inference) nothingSeen(paths []DepthPath, rounding float64) {
	deepest := slices.MaxFunc(paths, func(a, b DepthPath) int { return a.Depth - b.Depth })
	floor := roundingFloor(paths, deepest.Depth, rounding)
	x.trend = true
	x.data = []variogram{{depth: deepest.Depth, lags: []int{1}, log: []float64{math.Log(floor)}, variance: []float64{0}}}
	x.posterior = []weighted{{fitted: fitted{structure: structure{smooth: smoothShapes[0]}}, probability: 1}}
}

func (x *Inference) best() *weighted {
	best := 0
	for i := range x.posterior {
		if x.posterior[i].probability > x.posterior[best].probability {
			best = i
		}
	}
	return &x.posterior[best]
}

func (x *Inference) misfit() float64 { return excess(x.best().fitted, x.data) }

// classify adds up the probabilities of structures by kind.
func (x *Inference) classify(stay, some bool) {
	x.Probability = map[LimitKind]float64{}
	jumped := 0.0
	switch {
	case stay:
		jumped = 0.98
	case some, x.heavyRough():
		jumped = 0.5
	}
	x.Probability[JumpLimit] = jumped
	for i := range x.posterior {
		f := &x.posterior[i]
		p := f.probability * (1 - jumped)
		exponent, spread := f.exponent, f.spread
		kind := SmoothLimit
		switch {
		case !f.present():
			exponent, spread = 1, 0
		case f.part == roughPart:
			kind, exponent = RoughLimit, min(1, exponent)
		case !x.trend:
			kind = NoiseAlone
		case f.exponent > 0.85:
			kind = SmoothLimit // noise that vanishes like the steps of the trend
		case f.exponent < 0.35 || f.exponent > 0.65:
			kind = NoLimit
		default:
			kind = SmoothAndNoise
		}
		x.Probability[kind] += p
		if stay && spread > 0 {
			// What is left of small jumps depends on the depth.
			spread = math.Hypot(spread, 0.1)
		}
		x.increments = append(x.increments, outcome{f.probability, exponent, spread})
	}
	for _, kind := range []LimitKind{SmoothLimit, SmoothAndNoise, RoughLimit, JumpLimit, NoiseAlone, NoLimit} {
		if x.Probability[kind] >= Certain {
			x.Verdict = kind
		}
	}
	if x.Unexplained = x.misfit() > 15; x.Unexplained {
		x.Verdict, x.increments = "", nil
	}
}

// heavyRough reports whether a rough part has tails that fractional paths do not have, as a process that jumps at
// all scales has.
func (x *Inference) heavyRough() bool {
	const heavy = 0.75 // normal differences have 0.57
	f := x.best()
	return f.present() && f.part == roughPart && x.data[len(x.data)-1].heavy > heavy
}

// VariationIndex returns Index as an estimate with the runs that it rests on.
func (x *Inference) VariationIndex() *Index {
	e := x.Index()
	if e == nil {
		return nil
	}
	return &Index{Index: e.Exponent, Low: e.Low, High: e.High, Method: ByModel, Basis: x.basis()}
}

func (x *Inference) basis() Basis {
	samples := make([]Sample, len(x.paths))
	for i, p := range x.paths {
		samples[i] = Sample{Depth: p.Depth, Seed: p.Seed}
	}
	return basisOf(samples)
}

// partName names the roughest part of the best structure.
func (x *Inference) partName() string {
	f := x.best()
	switch {
	case !f.present():
		return "smooth"
	case f.part == roughPart:
		return "rough part"
	case f.phi != 0:
		return "correlated layer noise"
	}
	return "layer noise"
}

func studentQuantile(freedom float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}.Quantile(0.975)
}
