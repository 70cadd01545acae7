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

// Evidence holds statistics of increments over the window of depths there are. Increments are
// Ā_{k+1} − Ā_k of the rescaled path; norms are Frobenius. Slopes are over depth, of
// sums over increments times L/(L−1): V_1 of the L−1 steps is fitted as if there were L.
type Evidence struct {
	// Variation is the slope of V_1: 0 for smooth paths, 1 − H for steps L^−H.
	Variation Slope `json:"variation"`
	// MaxIncrement is the slope of max_k ‖Ā_{k+1} − Ā_k‖: below 0 if and only if the limit is continuous.
	MaxIncrement Slope `json:"max_increment"`
	// QuadraticVariation is the slope of Σ_k ‖Ā_{k+1} − Ā_k‖².
	QuadraticVariation Slope `json:"quadratic_variation"`
	// NoiseVariation is the slope of the quadratic variation of layer noise, taken
	// from second differences as L/(3(L−2)) Σ_k ‖Ā_{k+1} − 2Ā_k + Ā_{k−1}‖², which a
	// smooth trend hardly enters: 0 for noise of size L^−½. It is left zero, with an
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

// minimumLayers is the smallest depth whose increments are looked at.
const minimumLayers = MinSplit

// Increments returns the statistics of increments of rescaled paths L^β A at several depths of 8 or
// more; none, with empty slopes, where all paths are constant.
//
// It returns an error if there are fewer than two depths, if shapes disagree, if a number is not finite
// or if some but not all paths are constant.
func Increments(paths []DepthPath) (Evidence, error) {
	if err := checkPaths(paths); err != nil {
		return Evidence{}, fmt.Errorf("scaling: increments: %w", err)
	}
	paths, exponent := rescaledPaths(paths)
	measured := make([]roughness, len(paths))
	constant := true
	for i, p := range paths {
		measured[i] = measure(p.Path)
		constant = constant && measured[i].variation == 0
	}
	if constant {
		return Evidence{}, nil
	}
	e, err := evidence(paths, measured)
	if err != nil {
		return Evidence{}, fmt.Errorf("scaling: increments: %w", err)
	}
	e.scale(exponent)
	return e, nil
}

// rescaledPaths returns paths times one power of two, 2^−exponent, so that squares of their differences stay in
// range; the paths themselves, as a rule.
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

// scale turns the evidence of paths times 2^−exponent into that of the paths: sizes and heights of lines.
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

// checkPaths returns an error unless Increments and Infer can look at the paths.
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
