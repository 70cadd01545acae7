package scaling

import (
	"fmt"
	"math"
	"slices"

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

// LimitKinds are all kinds, in the order in which they are told.
var LimitKinds = []LimitKind{SmoothLimit, SmoothAndNoise, RoughLimit, JumpLimit, NoiseAlone, NoLimit}

// leastDrift is the smallest γ that counts: less is what a path that is not yet resolved shows.
const leastDrift = 0.05

// Certain is the probability from which on a verdict is given.
const Certain = 0.95

// unlikely is the probability below which a possibility is not looked into.
const unlikely = 0.01

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
	// OwnScale is γ where the size of the paths is free: what is inferred is of L^(−γ) times the paths. Nil elsewhere.
	OwnScale *LimitExponent

	branches  []branch
	jumped    mixture // exponent of the size of jumps, where there are some
	trend     bool
	heavy     bool // whether the tails of differences are heavier than normal ones
	paths     []DepthPath
	posterior []weighted
	data      []variogram
	jumps     *jumpRecord
	rounding  float64
	tilt      float64 // standard deviation of γ where it is free
	design    *Design // where more depths and seeds are expected than paths has
}

// A branch is what follows where the sizes of the paths have a limit, or where they have none.
type branch struct {
	weight     float64
	steady     bool
	size       mixture // γ: the paths go like L^γ
	increments mixture // e: mean increments of the roughest part go like L^−e; +Inf where there is no such part
}

// Assumptions say what Infer may take for granted.
type Assumptions struct {
	// Rounding is the relative precision that the numbers were stored with, such as 2^−24 for 32-bit floats; 0
	// stands for 2^−53. What is not larger than it is not told from a smooth path.
	Rounding float64
	// FreeSize says that the power of L which gives the paths a limit is not known, as where the residual scale is
	// trained: then it is measured, and sizes that go like a power of L speak against no limit.
	FreeSize bool
}

// sizeLaws are those of the exponent of the paths' size.
func (a Assumptions) sizeLaws() []law {
	if a.FreeSize {
		return about(math.NaN(), 0)
	}
	return about(0, limitPrior)
}

// Infer returns what the paths say. It needs three depths of 8 layers or more, and two seeds; fewer
// are an error that says so.
func Infer(paths []DepthPath, given Assumptions) (*Inference, error) {
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
	if given.Rounding == 0 {
		given.Rounding = 0x1p-53
	}
	x := infer(paths, given.Rounding, 0)
	if !x.trend {
		return x.settle(), nil // layer noise alone has no size of its own
	}
	sizes, err := averageExponent(meanSquareRoots(paths), given.sizeLaws(), allCorrections)
	if err != nil {
		return x.settle(), nil // of paths that are 0
	}
	if given.FreeSize {
		return x.rescaled(sizes.mixture, given.Rounding), nil
	}
	x.drifting(sizes.mixture, given.Rounding)
	return x.settle(), nil
}

// meanSquareRoots are the root mean squares of the paths.
func meanSquareRoots(paths []DepthPath) (samples []Sample) {
	for _, p := range paths {
		square := 0.0
		for _, v := range p.Path.Data {
			square += v * v
		}
		samples = append(samples, Sample{p.Depth, p.Seed, math.Sqrt(square / float64(p.Depth))})
	}
	return samples
}

// times returns the paths times L^power.
func times(paths []DepthPath, power float64) []DepthPath {
	out := slices.Clone(paths)
	for i, p := range out {
		factor := math.Pow(float64(p.Depth), power)
		out[i].Path = pvar.Points{Dim: p.Path.Dim, Data: slices.Clone(p.Path.Data)}
		for j := range out[i].Path.Data {
			out[i].Path.Data[j] *= factor
		}
	}
	return out
}

// rescaled returns what the paths say of L^(−γ) times themselves, γ being the exponent of their size.
func (x *Inference) rescaled(sizes mixture, rounding float64) *Inference {
	own := sizes.exponent(same, "")
	gamma := own.Exponent
	out := infer(times(x.paths, -gamma), rounding, (own.High-own.Low)/2/1.96)
	out.paths = x.paths
	for i := range out.branches {
		out.branches[i].increments = out.branches[i].increments.shifted(-gamma)
		out.branches[i].size = sizes
	}
	out.OwnScale = own
	return out.settle()
}

// drifting adds that the sizes of the paths go like L^γ and not like 1, as likely as that is. L^β A has no limit then, but
// L^(−γ) times it may: its parts are looked for there.
func (x *Inference) drifting(sizes mixture, rounding float64) {
	likely, moving := x.weighDrift(sizes)
	if likely < unlikely {
		return
	}
	gamma := quantile(moving.values(same), 0.5)
	again := infer(times(x.paths, -gamma), rounding, 0)
	for _, b := range again.branches {
		x.branches = append(x.branches, branch{b.weight * likely, false, moving, b.increments.shifted(-gamma)})
	}
	x.Unexplained = x.Unexplained && again.Unexplained
	if likely > 0.5 {
		x.posterior, x.data = again.posterior, again.data
		x.Hurst, x.NoiseShare, x.DetectionLimit = nil, nil, math.NaN()
	}
}

// weighDrift gives no limit the probability that sizes go like L^γ, and returns it with the distribution of γ then.
func (x *Inference) weighDrift(sizes mixture) (likely float64, moving mixture) {
	var still mixture
	for _, o := range sizes {
		if math.Abs(o.center) < leastDrift {
			still = append(still, o)
		} else {
			moving = append(moving, o)
		}
	}
	likely = moving.total() / sizes.total()
	if still != nil {
		for i := range x.branches {
			x.branches[i].size = still
		}
	}
	if likely < unlikely {
		return likely, moving
	}
	for kind := range x.Probability {
		x.Probability[kind] *= 1 - likely
	}
	x.Probability[NoLimit] += likely
	for i := range x.branches {
		x.branches[i].weight *= 1 - likely
	}
	return likely, moving
}

// settle gives the verdict.
func (x *Inference) settle() *Inference {
	for _, kind := range LimitKinds {
		if x.Probability[kind] >= Certain && !x.Unexplained {
			x.Verdict = kind
		}
	}
	return x
}

// infer does the work of Infer for paths of a size that has a limit; tilt is that of fit.
func infer(paths []DepthPath, rounding, tilt float64) *Inference {
	cleaned, jumps := separateJumps(paths)
	x := &Inference{paths: paths, jumps: jumps, rounding: rounding, tilt: tilt}
	if jumps.any() && jumps.depths[len(jumps.depths)-2] >= jumpDepth {
		cleaned = slices.DeleteFunc(cleaned, func(p DepthPath) bool { return p.Depth < jumpDepth })
	}
	x.data = variograms(cleaned, rounding)
	if len(x.data) < 2 {
		x.nothingSeen(cleaned, rounding)
	} else {
		x.posterior = posterior(x.data, tilt)
		for len(x.data) > 2 && x.misfit() > 4 {
			x.data = x.data[1:]
			x.posterior = posterior(x.data, tilt)
		}
		x.heavy = heavyTails(x.data)
		x.sharpen(cleaned)
		x.trend = x.hasTrend(cleaned)
	}
	x.classify(jumps, rounding, 1)
	x.parts(cleaned)
	if x.Unexplained = x.misfit() > 15; x.Unexplained {
		x.branches = nil
		for _, kind := range LimitKinds { // what fits best fits badly, and says nothing
			x.Probability[kind] = 1 / float64(len(LimitKinds))
		}
	}
	return x
}

// heavyTails reports whether third differences have heavier tails than normal ones, whose measure is 0.57.
func heavyTails(data []variogram) bool {
	const heavy = 0.64
	sum, count := 0.0, 0.0
	for _, v := range data {
		sum += v.heavy * float64(v.depth)
		count += float64(v.depth)
	}
	return sum > heavy*count
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

// classify adds up the probabilities of structures by kind, and those of jumps: single ones that stay, and those of
// a rough part that jumps at all scales; gain is how many times as many layers there are as in the paths.
func (x *Inference) classify(jumps *jumpRecord, rounding, gain float64) {
	x.Probability = map[LimitKind]float64{}
	var increments mixture
	for i := range x.posterior {
		f := &x.posterior[i]
		spread := f.spread
		if jumps.any() {
			// What is left of small jumps depends on the depth.
			spread = math.Hypot(spread, 0.1)
		}
		e := outcome{f.probability, f.exponent, spread}
		if !f.present() {
			e = outcome{f.probability, math.Inf(1), 0}
		}
		increments = append(increments, e)
		for kind, p := range x.kinds(f) {
			x.Probability[kind] += p * f.probability
		}
	}
	scales, rough, laws := 0.0, x.Probability[RoughLimit], jumpLaws
	if x.heavy && rough > 0.5 {
		laws = walkLaws
	}
	var single float64
	single, x.jumped = jumps.stay(laws)
	if x.heavy && rough > unlikely {
		scales = jumping(x.paths, gain)
		if scales > unlikely && x.jumped != nil {
			// Where jumps of all scales make a path rough, its law is seen with the large ones alone.
			if data := variograms(x.paths, rounding); len(data) > 1 {
				whole := &Inference{data: data, posterior: posterior(data, x.tilt), trend: x.trend}
				whole.classify(&jumpRecord{}, rounding, 1)
				increments = append(increments.times(1-scales/2), whole.branches[0].increments.times(scales/2)...)
			}
		}
		scales *= rough
	}
	jumped := 1 - (1-single)*(1-scales)
	for kind := range x.Probability {
		x.Probability[kind] *= 1 - jumped
	}
	x.Probability[JumpLimit] += jumped
	x.branches = []branch{{weight: 1, steady: true, size: mixture{{1, 0, 0}}, increments: increments}}
}

// kinds returns the probabilities of the kinds of limit of one structure.
func (x *Inference) kinds(f *weighted) map[LimitKind]float64 {
	switch {
	case !f.present():
		return map[LimitKind]float64{SmoothLimit: 1}
	case f.part == roughPart:
		return map[LimitKind]float64{RoughLimit: 1}
	case !x.trend:
		return map[LimitKind]float64{NoiseAlone: 1}
	}
	// Noise that vanishes like the steps of the trend is smooth; that of which V_3 would not be bounded has no limit.
	const low, vanishing = 0.35, 0.85
	e := outcome{1, f.exponent, f.spread}
	large, vanishes := e.below(low), 1-e.below(vanishing)
	return map[LimitKind]float64{NoLimit: large, SmoothLimit: vanishes, SmoothAndNoise: 1 - large - vanishes}
}

// VariationIndex returns Index as an estimate with the runs that it rests on.
func (x *Inference) VariationIndex() *Index {
	e := x.Index()
	if e == nil {
		return nil
	}
	index := &Index{Index: e.Exponent, Low: e.Low, High: e.High, Method: ByModel, Basis: x.basis()}
	if there := x.index().total(); there < Certain {
		index.Warning = fmt.Sprintf("with probability %s there is no index, and the interval is that of one if there is", fixed(1-there, 2))
	}
	return index
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
