package scaling

import (
	"cmp"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/pvar"
)

// Variation returns the exponent of V_p: of its trend like the p-th power of a size L^γ, and of increments like
// L^−e of the sum of their p-th powers, whichever grows faster.
func (x *Inference) Variation(p float64) *LimitExponent {
	var out mixture
	for _, b := range x.branches {
		out = append(out, b.combined(func(e, gamma float64) float64 { return max(p*gamma, 1-p*e) })...)
	}
	return out.exponent(same, x.partName())
}

// combined returns the distribution of a function of e and γ.
func (b branch) combined(f func(e, gamma float64) float64) (out mixture) {
	const n = 41
	gammas := b.size.draws(n)
	for _, e := range b.increments.draws(5 * n) {
		for _, gamma := range gammas {
			out = append(out, outcome{weight: b.weight / (5 * n * n), center: f(e, gamma)})
		}
	}
	return out
}

// Index returns the variation index if there is one, nil where it is as likely that there is none: where the paths have no
// limit, or increments that do not vanish.
func (x *Inference) Index() *LimitExponent {
	out := x.index()
	if out.total() < 0.5 {
		return nil
	}
	return out.exponent(same, x.partName())
}

// index returns the distribution of the index, with the probability that there is one as its total.
func (x *Inference) index() (out mixture) {
	const least = 0.02 // exponent of increments that vanish
	own := 0.0
	if x.OwnScale != nil {
		own = x.OwnScale.Exponent
	}
	for _, b := range x.branches {
		if !b.steady {
			continue
		}
		for _, e := range b.increments.draws(400) {
			if e+own > least {
				out = append(out, outcome{weight: b.weight / 400, center: max(1, 1/(e+own))})
			}
		}
	}
	return out
}

// mean returns the distribution of e over all branches.
func (x *Inference) mean() (out mixture) {
	for _, b := range x.branches {
		out = append(out, b.increments.times(b.weight)...)
	}
	return out
}

// RootSumSquares returns the exponent of (Σ‖Ā_k‖²)^½.
func (x *Inference) RootSumSquares() *LimitExponent {
	if !x.trend {
		return x.mean().exponent(func(e float64) float64 { return 0.5 - e }, x.partName())
	}
	return x.size(0.5, func(square float64, _ []float64) float64 { return math.Sqrt(square) }).exponent()
}

// unresolved is the weight of theory's number in the exponent of the largest norm where the steepest place, and so perhaps
// the largest norm, is not resolved: no correction in powers of L stands for that.
const unresolved = 0.1

// MaxFrobenius returns the exponent of max ‖Ā_k‖.
func (x *Inference) MaxFrobenius() *LimitExponent {
	largest := func(_ float64, norms []float64) float64 { return slices.Max(norms) }
	if !x.trend {
		if x.heavy {
			return x.size(math.NaN(), largest).exponent()
		}
		return x.mean().exponent(func(e float64) float64 { return -e }, x.partName())
	}
	m := x.size(0, largest)
	if m.mixture != nil && x.smoothShare() > 0.5 && x.incrementsInLag() < resolved {
		m.mixture = append(m.times(1-unresolved), outcome{unresolved, 0, theorySpread})
	}
	return m.exponent()
}

// size returns the average of a statistic of the norms of the layers; theory is the one of a path that has a limit.
func (x *Inference) size(theory float64, of func(square float64, norms []float64) float64) average {
	samples := x.sizes(of)
	if x.design != nil {
		samples = Extend(samples, *x.design, theory)
	}
	m, err := averageExponent(samples, about(theory, theoryPrior), allCorrections)
	if err != nil {
		return average{} // a path that is 0 has none
	}
	return m
}

// exponent is that of an average, nil for none.
func (m average) exponent() *LimitExponent { return m.mixture.exponent(same, m.correction) }

// sizes returns a statistic of the layers' norms, and of the sum of their squares, for every path.
func (x *Inference) sizes(of func(square float64, norms []float64) float64) (samples []Sample) {
	for _, p := range x.paths {
		norms, sum := make([]float64, p.Path.Len()), 0.0
		for i := range norms {
			for _, v := range p.Path.At(i) {
				norms[i] += v * v
			}
			sum += norms[i]
			norms[i] = math.Sqrt(norms[i])
		}
		samples = append(samples, Sample{p.Depth, p.Seed, of(sum, norms)})
	}
	return samples
}

// AverageExponent returns the exponent of the limit from values alone, by a model average over corrections; theory
// is the one that a limit has, NaN for none.
func AverageExponent(samples []Sample, theory float64) (*LimitExponent, error) {
	m, err := averageExponent(samples, about(theory, theoryPrior), allCorrections)
	if err != nil {
		return nil, err
	}
	return m.exponent(), nil
}

// MaxIncrement returns the exponent of max ‖Ā_{k+1} − Ā_k‖: that of jumps as likely as there are any, and −e of the
// roughest part otherwise.
func (x *Inference) MaxIncrement() *LimitExponent {
	if x.Unexplained {
		return nil
	}
	jumped := x.Probability[JumpLimit]
	correction := x.partName()
	var out mixture
	if jumped > unlikely {
		sizes := x.jumped
		if sizes == nil {
			sizes = mixture{{1, 0, theorySpread}}
		}
		out = sizes.times(jumped)
		correction = "jumps"
	}
	if jumped < 1-unlikely {
		out = append(out, x.largest().times(1-jumped)...)
	}
	return out.exponent(same, correction)
}

// resolved is the least exponent in the lag of the largest increment of a smooth path whose steepest place is seen.
const resolved = 0.9

// largest returns the distribution of the exponent of the largest increment where there are no jumps.
func (x *Inference) largest() (out mixture) {
	if x.heavy && x.smoothShare() < 0.5 {
		return x.heavyIncrement()
	}
	// Where the steepest place is not resolved, any exponent from that at larger lags on.
	low := x.incrementsInLag()
	for _, b := range x.branches {
		smooth, sum := 0.0, b.increments.total()
		for _, o := range b.increments {
			if math.IsInf(o.center, 1) {
				smooth += o.weight / sum * b.weight
				continue
			}
			out = append(out, outcome{o.weight / sum * b.weight, max(-1, -o.center), o.spread})
		}
		const steps = 8
		for j := range steps + 1 {
			at := 0.0
			if low < resolved {
				at = (1 - max(0, low-0.25)) * float64(j) / steps
			}
			out = append(out, b.size.shifted(at-1).times(smooth/(steps+1))...)
		}
	}
	return out
}

// heavyIncrement is MaxIncrement of parts with heavy tails of an index that is not known: their largest value grows
// beside the typical one, like L^(1/index) with an index of 1.5 or more.
func (x *Inference) heavyIncrement() mixture {
	var out mixture
	if fitted, err := averageExponent(largestIncrements(x.paths), about(math.NaN(), 0), allCorrections); err == nil { // else paths are constant
		out = fitted.times(0.5)
	}
	for _, o := range x.mean().times(0.5) {
		if math.IsInf(o.center, 1) {
			o.center = 1
		}
		const steps = 14
		for i := range steps + 1 {
			out = append(out, outcome{o.weight / (steps + 1), -o.center + 0.7*float64(i)/steps, o.spread})
		}
	}
	return out
}

// smoothShare is the probability of no rough part.
func (x *Inference) smoothShare() float64 {
	sum := 0.0
	for i := range x.posterior {
		if !x.posterior[i].present() {
			sum += x.posterior[i].probability
		}
	}
	return sum
}

// incrementsInLag is the smallest exponent of the largest increment in the lag, at the deepest
// depth: 1 where a smooth path is resolved.
func (x *Inference) incrementsInLag() float64 {
	deepest := slices.MaxFunc(x.paths, func(a, b DepthPath) int { return cmp.Compare(a.Depth, b.Depth) }).Depth
	least := 1.0
	var before float64
	for m := 1; 16*m <= deepest; m *= 2 {
		largest := 0.0
		for _, p := range x.paths {
			if p.Depth == deepest {
				largest += largestIncrement(p.Path, m)
			}
		}
		if m == 2 && math.Log2(largest/before) >= 0.93 {
			return 1
		}
		if m > 1 {
			least = min(least, math.Log2(largest/before))
		}
		before = largest
	}
	return least
}

// largestIncrement returns max_k ‖x_{k+m} − x_k‖.
func largestIncrement(x pvar.Points, m int) float64 {
	most := 0.0
	for i := range x.Len() - m {
		square := 0.0
		next := x.At(i + m)
		for k, v := range x.At(i) {
			square += (next[k] - v) * (next[k] - v)
		}
		most = max(most, square)
	}
	return math.Sqrt(most)
}

func largestIncrements(paths []DepthPath) (samples []Sample) {
	for _, p := range paths {
		samples = append(samples, Sample{p.Depth, p.Seed, largestIncrement(p.Path, 1)})
	}
	return samples
}
