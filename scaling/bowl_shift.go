package scaling

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// shifted returns the 95 % interval of the best log setting of all seeds, of which those at hand are a sample, where
// seeds differ in the place of their curves: y_s(x) = f(x − s) + h_s, s normal over seeds. Where one flank is steep the
// mean over all seeds is least where few of them have gone over the edge, fewer than one in S at times, and no test
// between settings sees that. It is false where noise accounts for what seeds differ in.
//
// Of the least of the mean of f(x − s), m + g(σ) for s of mean m and standard deviation σ, the interval is that over
// m = z σ/√S, σ² = (S − 1) σ̂²/χ², with z standard normal and χ² of S − 1 degrees of freedom: exact for
// g proportional to σ, as for a curve of two straight flanks.
func (c *bowlTrials) shifted() (from, to float64, ok bool) {
	shifts, ok := c.shifts()
	if !ok {
		return 0, 0, false
	}
	n := float64(len(shifts))
	_, spread := stat.MeanStdDev(shifts, nil)
	var sigmas [24]float64
	chi, normal := distuv.ChiSquared{K: n - 1}, distuv.Normal{Sigma: 1}
	for i := range sigmas {
		level := (float64(i) + 0.5) / float64(len(sigmas))
		sigmas[i] = spread * math.Sqrt((n-1)/chi.Quantile(level))
	}
	best := c.template(shifts, spread).best(sigmas[:])
	var places []float64
	for i, sigma := range sigmas {
		const steps = 48
		for k := range steps {
			z := normal.Quantile((float64(k) + 0.5) / steps)
			places = append(places, best[i]+z*sigma/math.Sqrt(n))
		}
	}
	slices.Sort(places)
	return stat.Quantile(0.025, stat.Empirical, places, nil), stat.Quantile(0.975, stat.Empirical, places, nil), true
}

// shifts returns how far the curve of each seed lies right of their mean, to first order: by regression of
// y_s(x) − mean(x) on the slope of the mean, with a free height. Heights above the least count by
// 1/(1 + height²), so that what lies far up a flank has no more to say than what lies near. It is false unless they are
// told from noise at 1 % by an F test.
func (c *bowlTrials) shifts() ([]float64, bool) {
	seeds, n := len(c.y), len(c.x)
	if seeds < 2 || n < 4 {
		return nil, false
	}
	slope, weight := make([]float64, n), make([]float64, n)
	least := slices.Min(c.mean)
	for i := range n {
		slope[i] = c.slope(i)
		weight[i] = 1 / (1 + (c.mean[i]-least)*(c.mean[i]-least))
	}
	middle := stat.Mean(slope, weight)
	squares := 0.0
	for i, v := range slope {
		slope[i] = v - middle
		squares += weight[i] * slope[i] * slope[i]
	}
	shifts := make([]float64, seeds)
	explained, left := 0.0, 0.0
	level := stat.Mean(c.mean, weight)
	for s, y := range c.y {
		height := stat.Mean(y, weight) - level
		product := 0.0
		for i := range n {
			product += weight[i] * slope[i] * (y[i] - c.mean[i] - height)
		}
		shifts[s] = -product / squares
		for i := range n {
			fitted := -shifts[s] * slope[i]
			rest := y[i] - c.mean[i] - height - fitted
			explained += weight[i] * fitted * fitted
			left += weight[i] * rest * rest
		}
	}
	over := float64(seeds - 1)
	f := distuv.F{D1: over, D2: over * float64(n-2)}
	told := squares > 0 && explained/f.D1 > f.Quantile(0.99)*left/f.D2
	return shifts, told
}

// slope returns the slope of the mean at column i, that of the parabola through it and its neighbours.
func (c *bowlTrials) slope(i int) float64 {
	middle := min(max(i, 1), len(c.x)-2)
	h, k := c.x[middle]-c.x[middle-1], c.x[middle+1]-c.x[middle]
	before, behind := (c.mean[middle]-c.mean[middle-1])/h, (c.mean[middle+1]-c.mean[middle])/k
	return (k*before+h*behind)/(h+k) + 2*(behind-before)/(h+k)*(c.x[i]-c.x[middle])
}

// A template is the curve that seeds are shifted copies of, in equal steps.
type template struct {
	from, step  float64
	y           []float64
	first, last float64 // setting tried
}

// template returns the mean over seeds of their curves, moved on one another, straight between trials and beyond them.
func (c *bowlTrials) template(shifts []float64, spread float64) template {
	last := len(c.x) - 1
	t := template{step: (c.x[last] - c.x[0]) / 160, first: c.x[0], last: c.x[last]}
	beyond := min(40*spread, 4*(t.last-t.first))
	t.from = c.x[0] - beyond
	for x := t.from; x <= c.x[last]+beyond; x += t.step {
		sum := 0.0
		for s, y := range c.y {
			i, _ := slices.BinarySearch(c.x, x+shifts[s])
			i = min(max(i, 1), last)
			part := (x + shifts[s] - c.x[i-1]) / (c.x[i] - c.x[i-1])
			sum += (1-part)*y[i-1] + part*y[i]
		}
		t.y = append(t.y, sum)
	}
	return t
}

// best returns where the mean of copies shifted by normal numbers of each standard deviation is least, between the first
// setting tried and the last.
func (t template) best(sigmas []float64) []float64 {
	const nodes = 25
	var z, w [nodes]float64
	for i := range nodes {
		z[i] = 3.5 * (2*float64(i)/(nodes-1) - 1)
		w[i] = math.Exp(-z[i] * z[i] / 2)
	}
	at := func(x float64) float64 {
		place := (x - t.from) / t.step
		i := min(max(int(place), 0), len(t.y)-2)
		part := place - float64(i)
		return (1-part)*t.y[i] + part*t.y[i+1]
	}
	out := make([]float64, len(sigmas))
	for k, sigma := range sigmas {
		least := math.Inf(1)
		for x := t.first; x <= t.last; x += t.step {
			sum := 0.0
			for i := range nodes {
				sum += w[i] * at(x-sigma*z[i])
			}
			if sum < least {
				least, out[k] = sum, x
			}
		}
	}
	return out
}
