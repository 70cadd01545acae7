package scaling

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/deeplimit/deeplimit/internal/rescale"
	"github.com/deeplimit/deeplimit/pvar"
)

// Kind is the kind of limit that weight paths have as depth grows.
type Kind string

// The kinds of [CCRX], Hypotheses 1 and 2.
const (
	// Smooth: L^β A has a limit of bounded variation (index 1).
	Smooth Kind = "smooth"
	// RoughContinuous: L^β A has a continuous limit of index above 1, as
	// fractional Brownian values of Hurst exponent H have index 1/H.
	RoughContinuous Kind = "rough continuous"
	// Diffusive: L^β A is a smooth trend plus layer noise that does not accumulate
	// in A and whose quadratic variation does not vanish.
	Diffusive Kind = "diffusive"
	// Neither: none of these.
	Neither Kind = "neither"
)

// Rule names the step of Regime that decided.
type Rule string

// The rules, in the order in which they are asked.
const (
	AllConstant        Rule = "all paths are constant"
	IncrementStays     Rule = "the largest increment does not vanish"
	IncrementsDominate Rule = "single increments dominate"
	BoundedVariation   Rule = "the mean increment vanishes like 1/L"
	SteadyNoise        Rule = "independent noise of steady quadratic variation"
	UnsteadyNoise      Rule = "independent noise of unsteady quadratic variation"
	SelfSimilar        Rule = "one exponent in the lag and in depth"
	NotSelfSimilar     Rule = "two exponents, in the lag and in depth"
)

// Verdict is the kind of limit that the paths have, with the reasons.
type Verdict struct {
	Kind Kind `json:"regime"`
	Rule Rule `json:"rule"`
	// Doubts are the statistics whose interval holds a limit that decided.
	Doubts   []Doubt  `json:"doubts,omitempty"`
	Index    *Index   `json:"index,omitempty"` // variation index; nil when there is none
	Evidence Evidence `json:"evidence"`
}

// A Doubt is a statistic of Evidence, by its name in JSON, whose interval holds a limit.
type Doubt struct {
	Statistic string  `json:"statistic"`
	Limit     float64 `json:"limit"`
}

// Evidence holds the statistics that Regime looks at. Increments are
// Ā_{k+1} − Ā_k of the rescaled path; norms are Frobenius. Slopes are over depth, of
// sums over increments times L/(L−1), as VariationIndex explains.
type Evidence struct {
	// Variation is the slope of V_1: 0 for smooth paths, 1 − H for steps L^−H.
	Variation Slope `json:"variation"`
	// MaxIncrement is the slope of max_k ‖Ā_{k+1} − Ā_k‖: below 0 if and only if the limit is continuous.
	MaxIncrement Slope `json:"max_increment"`
	// QuadraticVariation is the slope of Σ_k ‖Ā_{k+1} − Ā_k‖².
	QuadraticVariation Slope `json:"quadratic_variation"`
	// NoiseVariation is the slope of the quadratic variation of layer noise, estimated
	// from second differences as L/(3(L−2)) Σ_k ‖Ā_{k+1} − 2Ā_k + Ā_{k−1}‖², to which a
	// smooth trend hardly contributes: 0 for noise of size L^−½. It is zero, with an
	// empty Method, if a path is a straight line.
	NoiseVariation Slope `json:"noise_variation"`
	// Peak is the slope of max_k ‖increment‖² / mean_k ‖increment‖²: near 0 for thin
	// tails, near 1 when the largest increment is a share of the whole.
	Peak Slope `json:"peak"`
	// Accumulation is how second differences grow with the lag inside one path,
	// ‖Ā_{k+2m} − 2Ā_{k+m} + Ā_k‖ ∝ m^H from m = 1 to 2, at the largest depth, mean over
	// seeds: 2 for smooth paths, H for fractional Brownian values, 0 for
	// independent layer noise. AccumulationSpread is its standard deviation over seeds, 0 for one.
	Accumulation       float64 `json:"accumulation"`
	AccumulationSpread float64 `json:"accumulation_spread"`
	// ResidualCorrelation is the correlation of neighbouring layers in the noise part of
	// Split, at the largest depth, mean over seeds.
	ResidualCorrelation float64 `json:"residual_correlation"`
	// CumulativeSum is max_k ‖Σ_{j≤k} noise_j‖ / (Σ_j ‖noise_j‖²)^½ there: about 1 or less
	// when the noise is independent over layers, of order L^½ when it is persistent.
	CumulativeSum float64 `json:"cumulative_sum"`
	// TrendSize and NoiseSize are the root mean squares over layers of the two parts there,
	// the trend about its mean.
	TrendSize float64 `json:"trend_size"`
	NoiseSize float64 `json:"noise_size"`
}

// Limits of the decision. Planted paths at depths 64 … 1024 are far from each of them;
// TestRegime has the margins.
const (
	Vanishing        = -0.1 // increments that shrink more slowly do not count as shrinking
	SmoothSlope      = 0.1  // V_1 slopes below it count as bounded: index up to 1.11
	HeavyPeak        = 0.5  // between thin tails (log L, slope below 0.2) and one dominant jump (slope 1)
	NoMemory         = 0.1  // accumulation below it counts as independent layers
	SteadyNoiseSlope = 0.15 // slope of the noise's quadratic variation taken as not vanishing nor exploding
	SelfSimilarGap   = 0.15 // largest gap between the exponent in the lag and that in depth

	minimumLayers = MinSplit
)

// Regime returns the kind of limit of rescaled paths L^β A at several depths, by
// these steps:
//
//  1. If all paths are constant they are smooth.
//  2. The limit must be continuous: the largest increment shrinks (slope below
//     −0.1), and no increment dominates (slope of Peak below 0.5). Otherwise: neither.
//  3. If V_1 stays bounded (slope below 0.1): smooth.
//  4. If second differences do not grow with the lag (Accumulation below 0.1), layers
//     carry independent noise: diffusive if its quadratic variation neither vanishes nor
//     explodes (slope within ±0.15), otherwise neither.
//  5. Otherwise the path accumulates its noise: rough continuous if the exponent
//     in the lag is the exponent in depth, to within 0.15, as for a path that exists at
//     all scales; otherwise neither.
//
// The slopes are compared, not their intervals, so that a small number of seeds does not
// change the verdict; Doubts lists the intervals that hold a limit that decided.
//
// At least two depths of 8 or more are needed, better four or more over a decade
// with three seeds or more. It returns an error if there are fewer, if shapes disagree,
// if a number is not finite or if some but not all paths are constant.
func Regime(paths []DepthPath) (Verdict, error) {
	if err := checkPaths(paths); err != nil {
		return Verdict{}, fmt.Errorf("scaling: regime: %w", err)
	}
	paths, exponent := rescaledPaths(paths)
	measured := make([]roughness, len(paths))
	constant := true
	for i, p := range paths {
		measured[i] = measure(p.Path)
		constant = constant && measured[i].variation == 0
	}
	if constant {
		index := &Index{Index: 1, Low: math.NaN(), High: math.NaN(), P: 1, Method: NoInterval, Basis: basisOf(samplesOf(paths, measured, func(roughness) float64 { return 0 }))}
		return Verdict{Kind: Smooth, Rule: AllConstant, Index: index}, nil
	}
	e, err := evidence(paths, measured)
	if err != nil {
		return Verdict{}, fmt.Errorf("scaling: regime: %w", err)
	}
	v := Verdict{Evidence: e}
	if index, err := VariationIndex(map[float64][]Sample{1: samplesOf(paths, measured, func(r roughness) float64 { return r.variation })}); err == nil {
		v.Index = &index
	} // else V_1 grows like L or faster, and there is no index
	v.Kind, v.Rule = decide(e)
	v.Doubts = doubts(e)
	v.Evidence.scale(exponent)
	return v, nil
}

// rescaledPaths returns the paths times one power of two, 2^−exponent, which keeps squares of
// differences in range; exponent is 0 for paths of ordinary size.
func rescaledPaths(paths []DepthPath) (out []DepthPath, exponent int) {
	widest := 0.0
	for _, p := range paths {
		widest = max(widest, rescale.Spread(p.Path.Dim, p.Path.Data))
	}
	if exponent = rescale.Exponent(widest); exponent == 0 {
		return paths, 0
	}
	out = slices.Clone(paths)
	for i := range out {
		out[i].Path = scaled(out[i].Path, exponent)
	}
	return out, exponent
}

// scale converts the evidence of paths times 2^−exponent to that of the paths: sizes, and
// intercepts of lines.
func (e *Evidence) scale(exponent int) {
	if exponent == 0 {
		return
	}
	shift := float64(exponent) * math.Ln2
	e.Variation.Intercept += shift
	e.MaxIncrement.Intercept += shift
	e.QuadraticVariation.Intercept += 2 * shift
	if e.NoiseVariation.Method != "" {
		e.NoiseVariation.Intercept += 2 * shift
	}
	e.TrendSize, e.NoiseSize = math.Ldexp(e.TrendSize, exponent), math.Ldexp(e.NoiseSize, exponent)
}

// doubts returns the slopes whose interval holds a limit that decide compared them with.
func doubts(e Evidence) (found []Doubt) {
	holds := func(name string, s Slope, limits ...float64) {
		for _, l := range limits {
			if s.Low <= l && l <= s.High {
				found = append(found, Doubt{name, l})
			}
		}
	}
	holds("max_increment", e.MaxIncrement, Vanishing)
	if e.MaxIncrement.Slope <= Vanishing {
		holds("peak", e.Peak, HeavyPeak)
		holds("variation", e.Variation, SmoothSlope)
		if e.Variation.Slope >= SmoothSlope && e.Accumulation < NoMemory {
			holds("noise_variation", e.NoiseVariation, -SteadyNoiseSlope, SteadyNoiseSlope)
		}
	}
	return found
}

// decide applies steps 2 to 5 of Regime.
func decide(e Evidence) (Kind, Rule) {
	exponent := 1 - e.Variation.Slope // of the size of increments in depth
	switch {
	case e.MaxIncrement.Slope > Vanishing:
		return Neither, IncrementStays
	case e.Peak.Slope > HeavyPeak:
		return Neither, IncrementsDominate
	case e.Variation.Slope < SmoothSlope:
		return Smooth, BoundedVariation
	case e.Accumulation < NoMemory && e.NoiseVariation.Method != "" && math.Abs(e.NoiseVariation.Slope) <= SteadyNoiseSlope:
		return Diffusive, SteadyNoise
	case e.Accumulation < NoMemory:
		return Neither, UnsteadyNoise
	case math.Abs(e.Accumulation-exponent) <= SelfSimilarGap:
		return RoughContinuous, SelfSimilar
	default:
		return Neither, NotSelfSimilar
	}
}

// checkPaths returns an error unless the paths are valid input of Regime.
func checkPaths(paths []DepthPath) error {
	if len(paths) == 0 {
		return errors.New("got no paths, want two depths or more")
	}
	for _, p := range paths {
		where := fmt.Sprintf("depth %d, seed %d", p.Depth, p.Seed)
		switch {
		case p.Depth < minimumLayers:
			return fmt.Errorf("%s: want a depth of %d or more", where, minimumLayers)
		case p.Path.Len() != p.Depth || p.Path.Dim < 1 || len(p.Path.Data) != p.Depth*p.Path.Dim:
			return fmt.Errorf("%s: got %d numbers in dimension %d, want one point a layer", where, len(p.Path.Data), p.Path.Dim)
		case p.Path.Dim != paths[0].Path.Dim:
			return fmt.Errorf("%s: got dimension %d, want %d as at depth %d", where, p.Path.Dim, paths[0].Path.Dim, paths[0].Depth)
		}
		if i := slices.IndexFunc(p.Path.Data, notFinite); i >= 0 {
			return fmt.Errorf("%s: layer %d: got %v, want a finite number", where, i/p.Path.Dim+1, p.Path.Data[i])
		}
	}
	return nil
}

// evidence fits the statistics of the paths.
func evidence(paths []DepthPath, measured []roughness) (Evidence, error) {
	var e Evidence
	for _, f := range []struct {
		name string
		dst  *Slope
		of   func(roughness) float64
	}{
		{"V_1", &e.Variation, func(r roughness) float64 { return r.perStep(r.variation) }},
		{"largest increment", &e.MaxIncrement, func(r roughness) float64 { return r.largest }},
		{"quadratic variation", &e.QuadraticVariation, func(r roughness) float64 { return r.perStep(r.squares) }},
		{"noise variation", &e.NoiseVariation, func(r roughness) float64 { return r.noise }},
		{"peak", &e.Peak, func(r roughness) float64 { return r.largest * r.largest / r.squares * float64(r.steps) }},
	} {
		samples := samplesOf(paths, measured, f.of)
		zero := slices.ContainsFunc(samples, func(s Sample) bool { return s.Value == 0 })
		if f.dst == &e.NoiseVariation && zero {
			continue
		}
		var err error
		if *f.dst, err = Fit(samples); err != nil {
			return e, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	deepest := slices.MaxFunc(paths, func(a, b DepthPath) int { return a.Depth - b.Depth }).Depth
	var growth []float64
	for i, p := range paths {
		if p.Depth != deepest {
			continue
		}
		growth = append(growth, measured[i].growth)
		trend, noise, err := Split(p.Path)
		if err != nil {
			return e, err
		}
		r := residuals(trend, noise)
		e.ResidualCorrelation += r.ResidualCorrelation
		e.CumulativeSum += r.CumulativeSum
		e.TrendSize += r.TrendSize
		e.NoiseSize += r.NoiseSize
	}
	seeds := float64(len(growth))
	e.ResidualCorrelation /= seeds
	e.CumulativeSum /= seeds
	e.TrendSize /= seeds
	e.NoiseSize /= seeds
	e.Accumulation = stat.Mean(growth, nil)
	if len(growth) > 1 {
		e.AccumulationSpread = stat.StdDev(growth, nil)
	}
	return e, nil
}

// samplesOf returns one statistic of each path.
func samplesOf(paths []DepthPath, measured []roughness, of func(roughness) float64) []Sample {
	samples := make([]Sample, len(paths))
	for i, p := range paths {
		samples[i] = Sample{Depth: p.Depth, Seed: p.Seed, Value: of(measured[i])}
	}
	return samples
}

// residuals returns the statistics of the two parts of one path that Evidence averages.
func residuals(trend, noise pvar.Points) Evidence {
	n, dim := noise.Len(), noise.Dim
	sum, mean := make([]float64, dim), make([]float64, dim)
	for i := range n {
		for k, v := range trend.At(i) {
			mean[k] += v / float64(n)
		}
	}
	var squares, products, about, farthest float64
	for i := range n {
		square := 0.0
		for k, v := range noise.At(i) {
			squares += v * v
			if i > 0 {
				products += v * noise.At(i - 1)[k]
			}
			sum[k] += v
			square += sum[k] * sum[k]
			d := trend.At(i)[k] - mean[k]
			about += d * d
		}
		farthest = max(farthest, math.Sqrt(square))
	}
	e := Evidence{TrendSize: math.Sqrt(about / float64(n)), NoiseSize: math.Sqrt(squares / float64(n))}
	if squares > 0 {
		e.ResidualCorrelation = products / squares
		e.CumulativeSum = farthest / math.Sqrt(squares)
	}
	return e
}
