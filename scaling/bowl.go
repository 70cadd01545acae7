package scaling

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Trial is what training gave with one value of a setting, such as a step size.
type Trial struct {
	Depth   int
	Seed    uint64
	Setting float64 // positive
	Measure float64 // such as the last loss, ≥ 0; +Inf or NaN where training diverged
}

// A Bowl is the best setting at one depth: where the mean over seeds of log Measure is least.
type Bowl struct {
	Depth   int
	Setting float64
	// Low and High are the 95 % interval of Setting. Low is NaN, and High +Inf, where the interval holds all settings
	// tried on that side; both are NaN with one seed.
	Low, High float64
	// NearLow and NearHigh bound the settings about the best whose mean measure is at most a tenth above the least.
	NearLow, NearHigh float64
	Tried             float64 // the setting tried whose mean measure is least
	Measure           float64 // geometric mean over seeds there
	// End is "low" or "high" where the least measure is that of the smallest or largest setting
	// tried, so that the best may lie beyond; else "".
	End   string
	Seeds int
}

// The values of Bowl.End.
const (
	LowEnd  = "low"
	HighEnd = "high"
)

// nearly is log of how far above the least measure settings count as near the best.
var nearly = math.Log(1.1)

// FitBowl returns the best setting among trials of one depth.
//
// It takes the settings that every seed has. One at which any seed diverged counts as worse than all others, and
// bounds the bowl. Setting is the lowest point of the parabola, in log Setting, through the
// means of log Measure at the best setting tried and its two neighbours.
//
// A setting is rejected if the mean over seeds is above that of any setting from it to the best, by a
// paired t test, one-sided at 97.5 %. The interval reaches to the neighbours of those that are not
// rejected, so it is never narrower than the settings tried resolve. Settings at which seeds disagree stay: a flat bowl
// has a wide interval, and of two wells as deep both are in it. Where the curves of seeds differ in their place, it also
// holds the interval of the best over all seeds that such shifts give (shifted).
//
// Fewer than three settings where no seed diverged are an error.
func FitBowl(trials []Trial) (Bowl, error) {
	c, err := newBowlTrials(trials)
	if err != nil {
		return Bowl{}, fmt.Errorf("scaling: bowl: %w", err)
	}
	if len(c.x) < 3 {
		return Bowl{}, fmt.Errorf("scaling: bowl: depth %d: got %d settings at which no seed diverged, want three or more", c.depth, len(c.x))
	}
	best := slices.Index(c.mean, slices.Min(c.mean))
	b := Bowl{Depth: c.depth, Seeds: len(c.y), Tried: c.setting[best], Measure: math.Exp(c.mean[best])}
	from, to := c.near(best)
	lowest := c.lowest(best)
	b.Setting, b.NearLow, b.NearHigh = math.Exp(lowest), math.Exp(min(from, lowest)), math.Exp(max(to, lowest))
	b.Low, b.High = math.NaN(), math.NaN()
	if len(c.y) > 1 {
		from, to := c.interval(best)
		if low, high, ok := c.shifted(); ok {
			from, to = min(from, low), max(to, high)
		}
		if b.High = math.Exp(to); from > math.Inf(-1) {
			b.Low = math.Exp(from)
		}
	}
	switch {
	case best == 0 && math.IsInf(c.below, -1):
		b.End = LowEnd
	case best == len(c.x)-1 && math.IsInf(c.above, 1):
		b.End = HighEnd
	}
	return b, nil
}

// LogMeasure returns log measure; a measure of 0 counts as 2^−1000, so that it has a logarithm.
func LogMeasure(measure float64) float64 { return math.Log(max(0x1p-1000, measure)) }

// bowlTrials are trials of one depth: the logarithms of the measure at the settings where no seed diverged, and that
// every seed has.
type bowlTrials struct {
	depth   int
	seeds   []uint64    // ascending
	setting []float64   // ascending
	x       []float64   // its logarithm
	y       [][]float64 // log Measure by seed and setting
	mean    []float64   // of y over seeds
	// below and above are the log settings nearest to x at which a seed diverged; infinite for none.
	below, above float64
}

// newBowlTrials takes the settings between those at which a seed diverged, about the best.
func newBowlTrials(trials []Trial) (bowlTrials, error) {
	if len(trials) == 0 {
		return bowlTrials{}, errors.New("got no trials")
	}
	c := bowlTrials{depth: trials[0].Depth, below: math.Inf(-1), above: math.Inf(1)}
	bySetting, seeds := map[float64]map[uint64]float64{}, map[uint64]bool{}
	for _, t := range trials {
		if t.Depth != c.depth {
			return c, fmt.Errorf("got depths %d and %d, want one", c.depth, t.Depth)
		}
		if !(t.Setting > 0) || math.IsInf(t.Setting, 1) || t.Measure < 0 {
			return c, fmt.Errorf("depth %d, seed %d: got measure %v at setting %v, want positive numbers", t.Depth, t.Seed, t.Measure, t.Setting)
		}
		if bySetting[t.Setting] == nil {
			bySetting[t.Setting] = map[uint64]float64{}
		}
		if _, ok := bySetting[t.Setting][t.Seed]; ok {
			return c, fmt.Errorf("depth %d, seed %d: got two trials of setting %v, want one", t.Depth, t.Seed, t.Setting)
		}
		bySetting[t.Setting][t.Seed] = t.Measure
		seeds[t.Seed] = true
	}
	c.seeds = slices.Sorted(maps.Keys(seeds))
	c.y = make([][]float64, len(c.seeds))
	var diverged []float64
	for _, setting := range slices.Sorted(maps.Keys(bySetting)) {
		column := bySetting[setting]
		if slices.ContainsFunc(slices.Collect(maps.Values(column)), func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
			diverged = append(diverged, math.Log(setting))
			continue
		}
		if len(column) < len(c.seeds) {
			continue
		}
		c.setting, c.x = append(c.setting, setting), append(c.x, math.Log(setting))
		mean := 0.0
		for s, seed := range c.seeds {
			v := LogMeasure(column[seed])
			c.y[s] = append(c.y[s], v)
			mean += v / float64(len(c.seeds))
		}
		c.mean = append(c.mean, mean)
	}
	c.cut(diverged)
	return c, nil
}

// cut keeps the settings between those at which a seed diverged, on either side of the best.
func (c *bowlTrials) cut(diverged []float64) {
	if len(c.x) == 0 {
		return
	}
	best := c.x[slices.Index(c.mean, slices.Min(c.mean))]
	for _, x := range diverged {
		if x < best {
			c.below = max(c.below, x)
		} else {
			c.above = min(c.above, x)
		}
	}
	from, _ := slices.BinarySearch(c.x, c.below)
	to, _ := slices.BinarySearch(c.x, c.above)
	c.setting, c.x, c.mean = c.setting[from:to], c.x[from:to], c.mean[from:to]
	for s := range c.y {
		c.y[s] = c.y[s][from:to]
	}
}

// interval returns the settings next to those that are not rejected, on either side: at them, or where a
// seed diverged, the measure is worse.
func (c *bowlTrials) interval(best int) (from, to float64) {
	first, last := best, best
	for i := range c.x {
		if !c.rejects(i, best) {
			first, last = min(first, i), max(last, i)
		}
	}
	from, to = c.below, c.above
	if first > 0 {
		from = c.x[first-1]
	}
	if last < len(c.x)-1 {
		to = c.x[last+1]
	}
	return from, to
}

// rejects reports whether column i is above any column from it to the best.
func (c *bowlTrials) rejects(i, best int) bool {
	column := func(j int) []float64 {
		values := make([]float64, len(c.y))
		for s, y := range c.y {
			values[s] = y[j]
		}
		return values
	}
	at := column(i)
	for j := min(i, best); j <= max(i, best); j++ {
		if j != i && Above(at, column(j)) {
			return true
		}
	}
	return false
}

// Above reports whether values of seeds lie above others of the same seeds, in the mean, by a paired t test,
// one-sided at 97.5 %. One seed is above another where it is larger, and one value that is infinite is above all
// that are not.
func Above(values, others []float64) bool {
	differences := make([]float64, len(values))
	for s := range values {
		differences[s] = values[s] - others[s]
		if math.IsInf(values[s], 1) && !math.IsInf(others[s], 1) {
			return true
		}
	}
	if len(values) == 1 {
		return differences[0] > 0
	}
	return tOf(differences) > student(float64(len(values)-1), 0.975)
}

// lowest returns the lowest point of the parabola through the means at the best column and its neighbours,
// which lies between them.
func (c *bowlTrials) lowest(best int) float64 {
	i := min(max(best, 1), len(c.x)-2)
	h, k := c.x[i]-c.x[i-1], c.x[i+1]-c.x[i]
	fall, rise := (c.mean[i]-c.mean[i-1])/h, (c.mean[i+1]-c.mean[i])/k
	if i != best || !(rise > fall) {
		return c.x[best]
	}
	return (c.x[i-1]+c.x[i])/2 + (h+k)/2*(-fall)/(rise-fall)
}

// near returns where the mean crosses a tenth above its least value, on either side of the best.
func (c *bowlTrials) near(best int) (from, to float64) {
	limit := c.mean[best] + nearly
	cross := func(step, end int) float64 {
		for i := best; i != end; i += step {
			if a, b := c.mean[i], c.mean[i+step]; b > limit {
				return c.x[i] + (c.x[i+step]-c.x[i])*(limit-a)/(b-a)
			}
		}
		return c.x[end]
	}
	return cross(-1, 0), cross(1, len(c.x)-1)
}

// student returns a quantile of Student's t.
func student(degrees, level float64) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: degrees}.Quantile(level)
}

// tOf returns the mean of values over its standard error: 0 where the mean is, else infinite for equal values.
func tOf(values []float64) float64 {
	mean, sd := stat.MeanStdDev(values, nil)
	if mean == 0 {
		return 0
	}
	return mean / (sd / math.Sqrt(float64(len(values))))
}

// BowlsByDepth fits the bowl of every depth, ascending. A depth whose trials have none is left out, with
// the reason.
func BowlsByDepth(trials []Trial) (bowls []Bowl, missing map[int]error) {
	missing = map[int]error{}
	for _, part := range byDepth(trials) {
		b, err := FitBowl(part)
		if err != nil {
			missing[part[0].Depth] = err
			continue
		}
		bowls = append(bowls, b)
	}
	return bowls, missing
}

// byDepth returns the trials of each depth, the depths ascending.
func byDepth(trials []Trial) [][]Trial {
	sorted := slices.Clone(trials)
	slices.SortStableFunc(sorted, func(a, b Trial) int {
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.Setting, b.Setting))
	})
	var out [][]Trial
	for from, to := 0, 0; from < len(sorted); from = to {
		for to = from + 1; to < len(sorted) && sorted[to].Depth == sorted[from].Depth; {
			to++
		}
		out = append(out, sorted[from:to])
	}
	return out
}
