// Package layerorder tells whether the layers of one network are a path: ordered by depth, smooth, rough or noise,
// from a single depth and whatever the scale of the weights.
//
// A path is layers X_1 … X_L of one shape. Everything follows from their inner products (Gram), so that a family of
// layers of any size is read once, in pieces:
//
//   - order, by permutation: the mean cosine of neighbouring layers against that of shuffled layers, and against
//     independent normal layers;
//   - the share of independent noise and the roughness of what is no smooth trend, from differences Δ^q at lags
//     1, 2, 4 …: noise of variance σ² has E‖Δ^q X‖² = (2q over q) σ² at every lag, a fractional path c_q m^2H, and a
//     wave of f cycles per layer (2 sin πfm)^2q, which high orders hardly see (Istas and Lang 1997, Kent and Wood 1997);
//   - jumps, and first and last layers that are unlike the others;
//   - principal components, for a drawing.
//
// Intervals are of the jackknife over blocks of entries, widened by what the number of layers leaves to chance.
package layerorder

import (
	"fmt"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/field"
)

// A Verdict says what the layers are.
type Verdict string

// The verdicts.
const (
	Smooth         Verdict = "smooth"           // a smooth path; equal layers, too
	SmoothAndNoise Verdict = "smooth-and-noise" // a smooth trend and independent noise
	Rough          Verdict = "rough"            // a path of index above 1, as a Brownian one
	Jumps          Verdict = "jumps"            // a path with jumps
	Noise          Verdict = "noise"            // no order beyond chance
	TooFewLayers   Verdict = "too-few-layers"   // to tell
)

// Bounds of the verdicts.
const (
	// Level is that of the order test.
	Level = 0.01
	// MinLayers is the smallest number of layers whose order can be seen at this level: five have 60 orders.
	MinLayers = 6
	// SureLayers is the smallest number at which no order seen counts as none.
	SureLayers = 7
	// RoughLayers is the smallest number at which a rough path is told from a trend and noise.
	RoughLayers = 16
	// Little is the share of noise in a smooth path at most.
	Little = 0.03
	// LittleOrder is the share of order (Order.Share) in what counts as noise: layers that each permute m hidden units keep
	// the mean over these, a share of 1/m.
	LittleOrder = 0.05
)

// An Interval is a number with its 95 % interval. What is not known is NaN; an index without bound is +Inf.
type Interval struct{ Value, Low, High float64 }

// Unknown is the interval of what is not known.
var Unknown = Interval{math.NaN(), math.NaN(), math.NaN()}

// A Result is what the layers of a path say.
type Result struct {
	Layers     int
	Norms      []float64 // ‖X_k‖
	Increments []float64 // ‖X_{k+1} − X_k‖/‖X_k‖, NaN behind a layer of zeros
	Lags       []Lag
	Order      Order
	// NoiseShare is the variance of independent noise over that of the layers.
	NoiseShare Interval
	// Index is the variation index, 1/H of the roughest part that shows: 1 for a smooth path, 2 for a Brownian one, without
	// bound for noise.
	Index Interval
	// JumpAfter are the layers behind which the path jumps, counted from 0.
	JumpAfter []int
	// Outliers are layers unlike all others, counted from 0; those at the ends are left out of all that follows Lags.
	Outliers []int
	From, To int // the layers From … To−1 are judged
	// Equal says that no layer is farther from the first one than rounding to float32, 2^-23 of the norm, explains.
	Equal   bool
	Verdict Verdict
	// Axes are the coordinates of the judged layers along the first principal components of their path, NaN of layers that are left
	// out, and Explained their shares of the variance.
	Axes      [][]float64
	Explained []float64
}

// Analyze returns what the layers of a path say. It returns an error for fewer than 2 layers.
func Analyze(g *Gram) (*Result, error) {
	if g.Layers < 2 {
		return nil, fmt.Errorf("layerorder: %w", &field.Error{Path: "layers", Got: g.Layers, Want: "at least 2"})
	}
	all := g.without(-1)
	r := &Result{Layers: g.Layers, Norms: all.norms(), NoiseShare: Unknown, Index: Unknown, To: g.Layers}
	for k, n := range r.Norms[:g.Layers-1] {
		increment := math.Sqrt(all.squaredDistance(k, k+1)) / n
		if n == 0 {
			increment = math.NaN()
		}
		r.Increments = append(r.Increments, increment)
	}
	if all.equal() {
		r.Equal, r.Verdict = true, Smooth
		_, r.Lags = testOrder(all, g)
		r.Order = Order{1, 0, 1, 1}
		if r.Norms[0] > 0 {
			r.NoiseShare, r.Index = Interval{0, 0, 0}, Interval{1, 1, 1}
		}
		return r, nil
	}
	r.Outliers = outliers(all)
	r.From, r.To = withoutEnds(r.Outliers, g.Layers)
	judged := g.Slice(r.From, r.To)
	p := judged.without(-1)
	r.Axes, r.Explained = principal(p)
	for i, line := range r.Axes {
		whole := slices.Repeat([]float64{math.NaN()}, g.Layers)
		copy(whole[r.From:], line)
		r.Axes[i] = whole
	}
	r.Order, r.Lags = testOrder(p, judged)
	if judged.Layers < g.Layers {
		_, r.Lags = testOrder(all, g)
	}
	r.judge(judged, p)
	return r, nil
}

// judge fills in the parts of the path and the verdict.
func (r *Result) judge(g *Gram, p products) {
	n := g.Layers
	if n >= MinLayers {
		parts := splitParts(g, p)
		r.NoiseShare, r.Index = parts.noise, parts.index
		r.JumpAfter = jumps(p)
		for i := range r.JumpAfter {
			r.JumpAfter[i] += r.From
		}
		r.Verdict = verdict(n, r.Order, parts, len(r.JumpAfter) > 0)
	} else {
		r.Verdict = TooFewLayers
	}
	switch r.Verdict {
	case Smooth:
		r.Index = Interval{1, 1, max(1, dyadicIndex(p))}
	case Noise, SmoothAndNoise: // independent noise is there, whose variation has no bound
		r.Index.Value, r.Index.High = math.Inf(1), math.Inf(1)
	}
}

// verdict decides.
func verdict(layers int, order Order, parts parts, jump bool) Verdict {
	switch {
	case order.P > Level && layers < SureLayers:
		return TooFewLayers
	case order.P > Level || order.Share < LittleOrder:
		return Noise
	case jump:
		return Jumps
	case parts.rough && layers >= RoughLayers:
		return Rough
	case parts.noise.Value < Little:
		return Smooth
	}
	return SmoothAndNoise
}

// dyadicIndex returns 1/H of increments at lags 1 and 2, +Inf where those at lag 2 are not larger.
func dyadicIndex(p products) float64 {
	growth := math.Log2(p.differences(1, 2) / p.differences(1, 1))
	if !(growth > 0) {
		return math.Inf(1)
	}
	return 2 / growth
}
