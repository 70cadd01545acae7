// Package scaling fits power laws over the depths there are, and infers from weight paths
// which limit they have as depth grows.
//
//   - Fit: the slope b of y ∝ L^b from samples (depth, seed, value), with its interval;
//   - Infer: the kind of limit, its exponents, variation index and parts, from paths at several depths;
//   - AverageExponent: the exponent of the limit from values alone;
//   - Increments: statistics of the increments of paths over the depths there are;
//   - Split: a path as a smooth trend plus layer noise;
//   - IntegralDistance, L2Distance, DeepestDistances: how far paths of different depths are
//     apart;
//   - FitBowl, Collapse: the best setting at each depth, and how whole curves over a setting move with depth;
//   - FitPowers, FitModel: power laws and models in several fields of runs.
//
// docs/statistics.md has the formulas, what they assume and how often they are right.
//
// Values must be positive and finite, paths hold one point for each layer (pvar.Points),
// and every error names the depth and the seed. Slopes are natural: d log y / d log L.
// Estimate is the common form of every result, a value with interval, basis and warning, and
// writes itself to the digits that the interval leaves.
//
// All functions are pure and safe for concurrent use. Fits cost microseconds; Infer costs a tenth of a second
// for hundreds of least-squares fits and a few passes over each path, Split a few dozen passes.
//
// # Where the intervals of slopes come from
//
// The slope of every seed is fitted on its own; the estimate is their mean and
// the interval is Student's t with S − 1 degrees of freedom for S seeds. The
// seeds are the independent unit: depths of one seed may share their noise
// (coupled initial weights), which regression theory over all points would mistake
// for more information. A bootstrap over seeds would not do: with the 3 to 5 seeds of a
// usual study a percentile bootstrap draws from 10 to 126 distinct resamples and covers far
// less than its level; TestCoverage measures both.
package scaling

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Sample is one measured value y at one depth, from one seed.
type Sample struct {
	Depth int
	Seed  uint64
	Value float64
}

// The values of Method of a Slope, an Index or an Estimate.
const (
	// BySeeds: Student's t over the slopes of S seeds, S − 1 degrees of freedom.
	BySeeds = "seeds"
	// ByRegression: regression theory over the n depths of one seed, n − 2 degrees of freedom.
	ByRegression = "regression"
	// ByModel: the posterior of Infer or of AverageExponent.
	ByModel = "model"
	// NoInterval: two runs determine a line but not its error.
	NoInterval = "none"
)

// Slope is the fit y ≈ e^Intercept · L^Slope, an exponent of y in depth. Low and High are
// NaN when Method is NoInterval; no other field is ever NaN or infinite.
type Slope struct {
	Slope     float64 `json:"slope"`
	Low       float64 `json:"low"` // interval of Slope at the chosen level
	High      float64 `json:"high"`
	Intercept float64 `json:"intercept"` // log y at log L = 0
	R2        float64 `json:"r2"`        // over all samples; 1 when they lie on the line
	Method    string  `json:"method"`
	// Center, Margin and Lean give the interval of the fitted line, see Band: the mean of
	// log L, the half width there in log y, and the scaled covariance over seeds of the line's
	// height there and its slope. All are 0 when Method is NoInterval.
	Center float64 `json:"center,omitempty"`
	Margin float64 `json:"margin,omitempty"`
	Lean   float64 `json:"lean,omitempty"`
	// Warning says, in words, what speaks against reading the fit as a power law:
	// the log–log plot is curved, the depths span less than a decade, or there is
	// no interval. Several are joined by "; ".
	Warning string `json:"warning,omitempty"`
	Basis
	// Residuals are log y − Intercept − Slope·log L of the samples in Basis, in their order.
	Residuals []float64 `json:"residuals,omitempty"`
}

// Band returns the interval of the fitted line e^Intercept · L^Slope at a depth, at the
// level of the fit: with u = log L − Center and h half the width of [Low, High],
//
//	log y = Intercept + Slope·log L ± √(Margin² + 2 Lean u + h² u²),
//
// by regression theory, or by Student's t over the lines of the seeds. The level holds at each
// depth, not at all depths together. Both ends are NaN when Method is NoInterval.
func (s Slope) Band(depth float64) (low, high float64) {
	if s.Method == NoInterval {
		return math.NaN(), math.NaN()
	}
	x := math.Log(depth)
	u, h := x-s.Center, (s.High-s.Low)/2
	half := math.Sqrt(max(0, s.Margin*s.Margin+2*s.Lean*u+h*h*u*u)) // below 0 by rounding alone
	line := s.Intercept + s.Slope*x
	return math.Exp(line - half), math.Exp(line + half)
}

// An Option changes how Fit works.
type Option func(*options)

type options struct{ level float64 }

// Level sets the confidence level of the interval, in (0,1); the default is 0.95.
func Level(level float64) Option { return func(o *options) { o.level = level } }

// Fit returns the slope of log y against log L by least squares.
//
// If two seeds or more have two depths or more, the estimate is the mean of their slopes
// (for a complete design the slope over all samples), with the interval of the package
// comment; samples of other seeds are left out. Otherwise it is the slope over all samples,
// with the interval of regression theory. Basis says which samples entered.
//
// It returns an error if a value is not positive and finite, if a depth is not
// positive, if a depth and seed occur twice, or if there is only one depth; each
// names the depth and seed.
func Fit(samples []Sample, opts ...Option) (Slope, error) {
	o := options{level: 0.95}
	for _, set := range opts {
		set(&o)
	}
	if !(o.level > 0 && o.level < 1) {
		return Slope{}, fmt.Errorf("scaling: fit: level: got %v, want a number in (0,1)", o.level)
	}
	if err := checkSamples(samples); err != nil {
		return Slope{}, fmt.Errorf("scaling: fit: %w", err)
	}
	samples = several(samples)
	x, y := make([]float64, len(samples)), make([]float64, len(samples))
	for i, s := range samples {
		x[i], y[i] = math.Log(float64(s.Depth)), math.Log(s.Value)
	}
	if lo, hi := slices.Min(x), slices.Max(x); lo == hi {
		return Slope{}, fmt.Errorf("scaling: fit: got depth %d alone, want two depths or more", samples[0].Depth)
	}

	f := Slope{Basis: basisOf(samples)}
	var warnings []string
	if slopes, heights := seedLines(samples, x, y); len(slopes) >= 2 {
		mean, half := MeanInterval(slopes, o.level)
		f.Slope, f.Low, f.High, f.Method = mean, mean-half, mean+half, BySeeds
		f.Center = stat.Mean(x, nil)
		_, f.Margin = MeanInterval(heights, o.level)
		if v := stat.Variance(slopes, nil); v > 0 {
			f.Lean = half * half / v * stat.Covariance(slopes, heights, nil)
		}
	} else {
		_, f.Slope = stat.LinearRegression(x, y, nil, false)
		f.Low, f.High, f.Method = math.NaN(), math.NaN(), ByRegression
	}
	f.Intercept = stat.Mean(y, nil) - f.Slope*stat.Mean(x, nil)
	f.Residuals = make([]float64, len(x))
	rss, tss, xss := 0.0, 0.0, 0.0
	for i := range x {
		f.Residuals[i] = y[i] - f.Intercept - f.Slope*x[i]
		rss += f.Residuals[i] * f.Residuals[i]
	}
	meanX, meanY := stat.Mean(x, nil), stat.Mean(y, nil)
	for i := range x {
		tss += (y[i] - meanY) * (y[i] - meanY)
		xss += (x[i] - meanX) * (x[i] - meanX)
	}
	f.R2 = 1
	if rss > roundingSquares(y) {
		f.R2 = 1 - rss/tss
	}
	if f.Method == ByRegression {
		if n := float64(len(x)); n > 2 {
			t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 2}.Quantile((1 + o.level) / 2)
			half := t * math.Sqrt(rss/(n-2)/xss)
			f.Low, f.High = f.Slope-half, f.Slope+half
			f.Center, f.Margin = meanX, t*math.Sqrt(rss/(n-2)/n)
		} else {
			f.Method = NoInterval
			warnings = append(warnings, "two runs give a line and no interval")
		}
	}
	if w := curvature(samples, x, y); w != "" {
		warnings = append(warnings, w)
	}
	if lo, hi := slices.Min(x), slices.Max(x); hi-lo < math.Log(10) {
		warnings = append(warnings, fmt.Sprintf("depths span a factor %.3g, less than a decade", math.Exp(hi-lo)))
	}
	f.Warning = strings.Join(warnings, "; ")
	return f, nil
}

// checkSamples returns an error unless the samples can be put on log–log axes.
func checkSamples(samples []Sample) error {
	if len(samples) == 0 {
		return errors.New("got no samples, want two depths or more")
	}
	type key struct {
		depth int
		seed  uint64
	}
	seen := make(map[key]bool, len(samples))
	for _, s := range samples {
		if s.Depth < 1 {
			return fmt.Errorf("seed %d: got depth %d, want a positive number", s.Seed, s.Depth)
		}
		if !(s.Value > 0) || math.IsInf(s.Value, 1) {
			return fmt.Errorf("depth %d, seed %d: got value %v, want a positive finite number", s.Depth, s.Seed, s.Value)
		}
		k := key{s.Depth, s.Seed}
		if seen[k] {
			return fmt.Errorf("depth %d, seed %d: got two values, want one", s.Depth, s.Seed)
		}
		seen[k] = true
	}
	return nil
}

// several returns the samples of the seeds that were run at two depths or more where there
// are two such seeds, else all of them.
func several(samples []Sample) []Sample {
	depths := map[uint64]int{}
	for _, s := range samples {
		depths[s.Seed]++ // checkSamples has refused a depth that a seed has twice
	}
	seeds := 0
	for _, n := range depths {
		if n >= 2 {
			seeds++
		}
	}
	if seeds < 2 {
		return samples
	}
	return slices.DeleteFunc(slices.Clone(samples), func(s Sample) bool { return depths[s.Seed] < 2 })
}

// seedLines returns the least-squares slope of every seed with two depths or more, and
// the height of its line at the mean of all x, in the order of the seeds.
func seedLines(samples []Sample, x, y []float64) (slopes, heights []float64) {
	at := stat.Mean(x, nil)
	for _, group := range bySeed(samples) {
		if len(group) < 2 {
			continue
		}
		gx, gy := make([]float64, len(group)), make([]float64, len(group))
		for k, i := range group {
			gx[k], gy[k] = x[i], y[i]
		}
		intercept, slope := stat.LinearRegression(gx, gy, nil, false)
		slopes, heights = append(slopes, slope), append(heights, intercept+slope*at)
	}
	return slopes, heights
}

// bySeed returns the indices of the samples of each seed, in the order of the seeds.
func bySeed(samples []Sample) [][]int {
	order := make([]int, len(samples))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(samples[a].Seed, samples[b].Seed) })
	var groups [][]int
	for k, i := range order {
		if k == 0 || samples[i].Seed != samples[order[k-1]].Seed {
			groups = append(groups, nil)
		}
		groups[len(groups)-1] = append(groups[len(groups)-1], i)
	}
	return groups
}

// MeanInterval returns the mean of values and the half width of its Student interval at
// the given level, such as 0.95; NaN with fewer than two values.
func MeanInterval(values []float64, level float64) (mean, half float64) {
	if len(values) < 2 {
		return stat.Mean(values, nil), math.NaN()
	}
	mean, sd := stat.MeanStdDev(values, nil)
	n := float64(len(values))
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile((1 + level) / 2)
	return mean, t * sd / math.Sqrt(n)
}

// roundingSquares bounds the residual sum of squares that rounding alone leaves of exact
// powers: each logarithm, and each fitted value, has an error of a few ulps of the largest.
func roundingSquares(y []float64) float64 {
	largest := 1.0
	for _, v := range y {
		largest = max(largest, math.Abs(v))
	}
	const ulp = 0x1p-52
	return float64(len(y)) * math.Pow(8*ulp*largest, 2)
}
