package scaling

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Difference is that of two values which share all that is random: the data and the seed of training.
type Difference struct {
	Data  uint64 // of the data set, where there are several draws of it; else equal in all
	Seed  uint64
	Value float64
}

// A Contrast is the mean of differences, with its interval and the test that it is 0.
type Contrast struct {
	Interval
	P       float64 // two-sided, NaN where there is no interval
	Freedom float64 // degrees of freedom of Student's t
	Pairs   int
}

// MeanDifference returns the mean of differences with its 95 % interval.
//
// Where Data is the same in all, that is the paired t test over the seeds. Else data sets and seeds are two samples that
// cross: with V_d the variance of the mean when data sets are the units, V_s when seeds are, and V_0 when all differences
// are, the variance is the largest of V_d, V_s and V_d + V_s − V_0 [Cameron, Gelbach, Miller 2011], and the degrees of
// freedom are those of Satterthwaite for V_d + V_s. So the interval says what other data, and other seeds, would
// give. With one seed the data sets are the units, and the interval says nothing of other seeds.
//
// There is no interval for one seed of one data set, and for differences that are equal but for rounding.
func MeanDifference(differences []Difference) Contrast {
	values := make([]float64, len(differences))
	for i, d := range differences {
		values[i] = d.Value
	}
	mean := stat.Mean(values, nil)
	c := Contrast{Interval: Interval{mean, math.NaN(), math.NaN()}, P: math.NaN(), Freedom: math.NaN(), Pairs: len(values)}
	bySeed, seeds := clustered(differences, mean, func(d Difference) uint64 { return d.Seed })
	variance, freedom := bySeed, float64(seeds-1)
	if byData, sets := clustered(differences, mean, func(d Difference) uint64 { return d.Data }); sets > 1 {
		all := stat.Variance(values, nil) / float64(len(values))
		variance = max(byData, bySeed, byData+bySeed-all)
		freedom = (byData + bySeed) * (byData + bySeed) / (byData*byData/float64(sets-1) + bySeed*bySeed/float64(seeds-1))
		if seeds < 2 {
			variance, freedom = byData, float64(sets-1)
		}
	}
	if equal(values) || !(variance > 0) || math.IsInf(variance, 0) || !(freedom >= 1) {
		return c
	}
	deviation := math.Sqrt(variance)
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: freedom}
	half := t.Quantile(0.975) * deviation
	c.Low, c.High, c.Freedom = mean-half, mean+half, freedom
	c.P = 2 * t.Survival(math.Abs(mean)/deviation)
	return c
}

// equal reports whether values differ by rounding at most, as those of 0.9 − 0.8 and of 0.8 − 0.7 do.
func equal(values []float64) bool {
	const rounding = 1e-12
	if len(values) == 0 {
		return true
	}
	low, high := slices.Min(values), slices.Max(values)
	return high-low <= rounding*max(math.Abs(low), math.Abs(high))
}

// clustered returns the variance of the mean where units share what key names, G/(G − 1)·Σ_g (Σ_{i∈g} (y_i − ȳ))²/n², and
// the number G of units.
func clustered(differences []Difference, mean float64, key func(Difference) uint64) (variance float64, units int) {
	sorted := slices.Clone(differences)
	slices.SortStableFunc(sorted, func(a, b Difference) int { return cmp.Compare(key(a), key(b)) })
	sum, total := 0.0, 0.0
	for i, d := range sorted {
		sum += d.Value - mean
		if i == len(sorted)-1 || key(sorted[i+1]) != key(d) {
			total += sum * sum
			sum = 0
			units++
		}
	}
	g, n := float64(units), float64(len(sorted))
	return g / (g - 1) * total / (n * n), units
}

// Holm returns p values adjusted for their number by the method of Holm (1979): to reject where they are at most 0.05 makes a
// false rejection among all of them with a probability of 0.05 at most, whatever their dependence. NaN stays, and
// does not count.
func Holm(p []float64) []float64 {
	adjusted := slices.Clone(p)
	var order []int
	for i, v := range p {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	least := 0.0
	for rank, i := range order {
		least = max(least, min(1, float64(len(order)-rank)*p[i]))
		adjusted[i] = least
	}
	return adjusted
}
