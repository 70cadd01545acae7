package scaling

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Index is a variation index with its interval. High is +Inf when the slope of V_p may be
// 1, and both ends are NaN when Method is NoInterval.
type Index struct {
	Index   float64 `json:"index"` // at least 1
	Low     float64 `json:"low"`
	High    float64 `json:"high"`
	P       float64 `json:"p"`      // the p whose V_p it was read from
	Method  string  `json:"method"` // of Slope
	Warning string  `json:"warning,omitempty"`
	Basis
}

// VariationIndex returns the variation index of a path from values of V_p (sums,
// without the root) at several depths and seeds, by p: the smallest p at which V_p
// does not grow with depth.
//
// V_p over L steps of size L^(−1/index) is of order L^(1 − p/index) for p below the
// index, and stays bounded above it: slope(p) = max(0, 1 − p/index) has a corner at the
// index, which is rounded at every finite depth. The corner is therefore found from the
// straight part, which passes through slope 1 at p = 0:
//
//	index = p / (1 − slope(p)) at the smallest p given (1 is best),
//
// an increasing function of the slope, so the ends of the slope's interval give those of the
// index with the same coverage. Below p = index V_p is, up to constants, a sum over L − 1
// steps. The fit takes V_p·L/(L−1), because slopes over small depths are too steep without
// that factor. An index is at least 1; estimates and ends below 1 are given as 1.
//
// A warning says if V_p still grows like L^0.1 or more at a p beyond 1.5 times the
// upper end, which no single index explains.
//
// It returns an error if V_p grows as fast as L or faster, so that there is no finite
// index, if a depth is 1, and the errors of Fit.
func VariationIndex(variations map[float64][]Sample, opts ...Option) (Index, error) {
	ps := slices.Sorted(maps.Keys(variations))
	if len(ps) == 0 || !(ps[0] >= 1) {
		return Index{}, fmt.Errorf("scaling: variation index: got p in %v, want one or more, all at least 1", ps)
	}
	p := ps[0]
	samples := slices.Clone(variations[p])
	for i, s := range samples {
		if s.Depth < 2 {
			return Index{}, fmt.Errorf("scaling: variation index: seed %d: got depth %d, want at least 2", s.Seed, s.Depth)
		}
		samples[i].Value *= float64(s.Depth) / float64(s.Depth-1)
	}
	f, err := Fit(samples, opts...)
	if err != nil {
		return Index{}, fmt.Errorf("scaling: variation index: p = %v: %w", p, err)
	}
	if f.Slope >= 1 {
		return Index{}, fmt.Errorf("scaling: variation index: V_p grows like L^%.3g at p = %v: got no finite index, want a slope below 1", f.Slope, p)
	}
	x := Index{Index: indexAt(p, f.Slope), Low: indexAt(p, f.Low), High: indexAt(p, f.High), P: p, Method: f.Method, Basis: f.Basis}
	warnings := []string{}
	if f.Warning != "" {
		warnings = append(warnings, f.Warning)
	}
	for _, q := range ps[1:] {
		if !(q >= 1.5*x.High) {
			continue
		}
		g, err := Fit(variations[q], opts...)
		if err != nil {
			return Index{}, fmt.Errorf("scaling: variation index: p = %v: %w", q, err)
		}
		if g.Low > 0.1 {
			warnings = append(warnings, fmt.Sprintf("V_p grows like L^%s at p = %v, beyond the index", g.Estimate(), q))
		}
	}
	x.Warning = strings.Join(warnings, "; ")
	return x, nil
}

// indexAt returns the index at which V_p has the given slope: +Inf from 1 on, NaN for NaN.
func indexAt(p, slope float64) float64 {
	if slope >= 1 {
		return math.Inf(1)
	}
	return max(1, p/(1-slope))
}
