package analyze

import (
	"fmt"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/scaling"
	"github.com/deeplimit/deeplimit/weightpath"
)

// quantities are the numbers of a run whose exponents over depth a group has.
var quantities = []struct {
	name  string
	value func(*Run) float64
}{
	{"max_frobenius", func(r *Run) float64 { return r.MaxFrobenius }},
	{"displacement", func(r *Run) float64 { return r.Displacement }},
	{"max_increment", func(r *Run) float64 { return r.MaxIncrement }},
	{"root_sum_squares", func(r *Run) float64 { return r.RootSumSquares }},
	{"displacement_variation", func(r *Run) float64 { return r.DisplacementVariation }},
}

// newGroup returns what runs that differ in depth and seed alone have in common;
// meta is that of one of them.
func newGroup(meta weightpath.Meta, runs []Run) Group {
	group := Group{
		Group: meta.Group, Settings: meta.Settings, Data: meta.Data, Block: meta.Block,
		Activation: meta.Activation, Alpha: meta.Alpha,
		Exponents: map[string]Slope{}, VariationSlope: map[string]Slope{},
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

	for _, q := range quantities {
		group.fit(group.Exponents, q.name, "", sound, q.value)
	}
	if len(sound) > 0 {
		for p := range sound[0].PVariation {
			group.fit(group.VariationSlope, p, "V_", sound, func(r *Run) float64 { return r.PVariation[p] })
		}
		if sound[0].Delta != nil {
			group.fit(group.Exponents, "delta", "", sound, meanDelta)
		}
	}
	slices.Sort(group.Notes)
	if slope, ok := group.Exponents["max_frobenius"]; ok {
		sum := meta.Alpha - slope.Slope
		group.AlphaPlusBeta = &sum
	}
	return group
}

// fit puts the slope of one quantity against depth into slopes. Runs without a
// positive value are left out with a note; without two depths there is no slope.
func (g *Group) fit(slopes map[string]Slope, name, prefix string, runs []Run, value func(*Run) float64) {
	var samples []scaling.Sample
	depths := map[int]bool{}
	for i := range runs {
		v := value(&runs[i])
		if !(v > 0) || math.IsInf(v, 0) {
			g.Notes = append(g.Notes, fmt.Sprintf("%s%s: run %s left out, as its value is %v", prefix, name, runs[i].ID, v))
			continue
		}
		samples = append(samples, scaling.Sample{Depth: runs[i].Depth, Seed: runs[i].Seed, Value: v})
		depths[runs[i].Depth] = true
	}
	if len(depths) < 2 {
		return
	}
	slope, err := scaling.Fit(samples)
	if err != nil {
		g.Notes = append(g.Notes, fmt.Sprintf("%s%s: %v", prefix, name, err))
		return
	}
	slopes[name] = Slope{
		Slope: slope.Slope, Low: slope.Low, High: slope.High, Intercept: slope.Intercept,
		R2: slope.R2, Method: slope.Method, Warning: slope.Warning,
	}
}

// meanDelta returns the mean of the trained residual scale over the layers.
func meanDelta(r *Run) float64 {
	sum := 0.0
	for _, delta := range r.Delta {
		sum += delta
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
