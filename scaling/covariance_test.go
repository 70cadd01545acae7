package scaling

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/stat"
)

// The variances that covariance gives the values of a variogram are those over draws, within 25 %: three standard
// deviations of a variance over 300 draws, √(2/300) each.
func TestCovarianceOfDraws(t *testing.T) {
	const draws, dim = 300, 4
	for name, s := range map[string]structure{
		"layer noise":            {part: layerNoise},
		"fractional 0.3":         {part: roughPart},
		"fractional 0.5":         {part: roughPart},
		"fractional 0.7":         {part: roughPart},
		"fractional 0.9":         {part: roughPart},
		"Ornstein–Uhlenbeck 10":  {part: roughPart, theta: 10},
		"Ornstein–Uhlenbeck 100": {part: roughPart, theta: 100},
	} {
		for _, depth := range []int{16, 128} {
			var values [][]float64
			var expected []float64
			for draw := range uint64(draws) {
				paths, family := drawn(t, name, draw, []int{depth}, 1, dim, 0)
				v, ok := variogramOf(depth, paths, 0)
				if !ok {
					t.Fatalf("%s: got no variogram", name)
				}
				if draw == 0 {
					c := s.covariance(family.Hurst, v)
					values = make([][]float64, len(v.lags))
					for i := range v.lags {
						expected = append(expected, c.At(i, i)/dim)
					}
				}
				for i := range v.lags {
					values[i] = append(values[i], v.log[i])
				}
			}
			for i := range expected {
				found := stat.Variance(values[i], nil)
				if !(math.Abs(expected[i]/found-1) <= 0.25) {
					t.Errorf("%s, depth %d, lag %d: got a variance of %.3g, %.3g over draws, want them within 25 %%", name, depth, 1<<i, expected[i], found)
				}
			}
		}
	}
}
