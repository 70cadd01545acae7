package scaling

import (
	"encoding/json"
	"math"
	"slices"
)

// A Point is a value at a place of several coordinates.
type Point struct {
	X     []float64 // positive
	Seeds []uint64  // that the value depends on: one, or the two of a distance between seeds
	Value float64
}

// An Interval is a number with its interval; both ends are NaN, null in JSON, where there is none.
type Interval struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// MarshalJSON writes numbers that are not finite as null.
func (v Interval) MarshalJSON() ([]byte, error) {
	number := func(x float64) *float64 {
		if notFinite(x) {
			return nil
		}
		return &x
	}
	return json.Marshal(struct {
		Value *float64 `json:"value"`
		Low   *float64 `json:"low"`
		High  *float64 `json:"high"`
	}{number(v.Value), number(v.Low), number(v.High)})
}

// ByJackknife is the Method of an interval by Student's t with S − 1 degrees of freedom, whose variance comes
// from leaving out one of S seeds at a time. For the mean over seeds of a slope it is the interval BySeeds.
const ByJackknife = "jackknife"

// seedsOf returns the seeds that points depend on, ascending.
func seedsOf(points []Point) []uint64 {
	var seeds []uint64
	for _, p := range points {
		seeds = append(seeds, p.Seeds...)
	}
	slices.Sort(seeds)
	return slices.Compact(seeds)
}

// jackknife returns the half widths of the intervals of what estimate returns for points: (S − 1)/S Σ_s (θ_s − θ̄)²
// is the variance, θ_s the estimate without the points of seed s. It returns nil where fewer than two seeds are
// left, or where an estimate cannot be had without one of them.
func jackknife(points []Point, level float64, estimate func([]Point) ([]float64, error)) []float64 {
	seeds := seedsOf(points)
	if len(seeds) < 2 {
		return nil
	}
	var without [][]float64
	for _, seed := range seeds {
		left := slices.DeleteFunc(slices.Clone(points), func(p Point) bool { return slices.Contains(p.Seeds, seed) })
		values, err := estimate(left)
		if err != nil {
			return nil
		}
		without = append(without, values)
	}
	n := float64(len(seeds))
	t := student(n-1, (1+level)/2)
	half := make([]float64, len(without[0]))
	for j := range half {
		mean, squares := 0.0, 0.0
		for _, values := range without {
			mean += values[j] / n
		}
		for _, values := range without {
			squares += (values[j] - mean) * (values[j] - mean)
		}
		half[j] = t * math.Sqrt((n-1)/n*squares)
	}
	return half
}
