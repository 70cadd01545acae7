package scaling

import (
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/pvar"
)

// Variation returns the exponent of V_p.
func (x *Inference) Variation(p float64) *LimitExponent {
	return x.drifting(p, func(e float64) float64 { return max(0, 1-p*min(1, e)) })
}

// Index returns the variation index; nil where increments may not vanish.
func (x *Inference) Index() *LimitExponent {
	if x.drift != nil {
		return nil
	}
	return x.increments.exponent(func(e float64) float64 {
		if e <= 0.02 {
			return math.Inf(1)
		}
		return max(1, 1/min(1, e))
	}, x.partName())
}

// drifting returns the distribution of f(e) + p γ.
func (x *Inference) drifting(p float64, f func(float64) float64) *LimitExponent {
	if x.drift == nil {
		return x.increments.exponent(f, x.partName())
	}
	var sum mixture
	for _, e := range x.increments.values(f) {
		for _, o := range x.drift {
			sum = append(sum, outcome{e.weight * o.weight, e.center + p*o.center, p * o.spread})
		}
	}
	return sum.exponent(same, x.partName())
}

// RootSumSquares returns the exponent of (Σ‖Ā_k‖²)^½.
func (x *Inference) RootSumSquares() *LimitExponent {
	if !x.trend {
		return x.increments.exponent(func(e float64) float64 { return 0.5 - e }, x.partName())
	}
	return x.size(0.5, func(square float64, _ []float64) float64 { return math.Sqrt(square) })
}

// MaxFrobenius returns the exponent of max ‖Ā_k‖.
func (x *Inference) MaxFrobenius() *LimitExponent {
	largest := func(_ float64, norms []float64) float64 { return slices.Max(norms) }
	if !x.trend {
		if x.heavy {
			return x.size(math.NaN(), largest)
		}
		return x.increments.exponent(func(e float64) float64 { return -e }, x.partName())
	}
	return x.size(0, largest)
}

// size returns the exponent of a statistic of the norms of the layers; theory is the one of a path that has a limit.
func (x *Inference) size(theory float64, of func(square float64, norms []float64) float64) *LimitExponent {
	exponent, err := AverageExponent(x.sizes(of), theory)
	if err != nil {
		return nil // a path that is 0 has none
	}
	return exponent
}

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
	var known []float64
	if !math.IsNaN(theory) {
		known = []float64{theory}
	}
	m, correction, err := averageExponent(samples, known)
	if err != nil {
		return nil, err
	}
	return m.exponent(same, correction), nil
}

// MaxIncrement returns the exponent of max ‖Ā_{k+1} − Ā_k‖.
func (x *Inference) MaxIncrement() *LimitExponent {
	if x.Unexplained {
		return nil
	}
	if x.Probability[JumpLimit] >= Certain {
		return &LimitExponent{0, 0, 0, "jumps"}
	}
	if x.heavy && x.smoothShare() < 0.5 {
		return x.heavyIncrement()
	}
	if x.drift != nil {
		return x.drifting(1, func(e float64) float64 { return -min(1, e) })
	}
	m := slices.Clone(x.increments)
	if x.Probability[JumpLimit] > 0 {
		m = append(m, outcome{1, 0, 0})
	}
	low := x.incrementsInLag()
	for i := range m {
		if m[i].center == 1 && m[i].spread == 0 && low < 0.9 {
			// The steepest place is not resolved: any exponent from 1 to that at larger lags.
			w := m[i].weight / 9
			for j := range 9 {
				m = append(m, outcome{w, 1 - (1-max(0, low-0.25))*float64(j)/8, 0})
			}
			m[i].weight = 0
		}
	}
	return m.exponent(func(e float64) float64 { return -min(1, e) }, x.partName())
}

// heavyIncrement is MaxIncrement of parts with heavy tails of an index that is not known: their largest value grows
// beside the typical one, like L^(1/index) with an index of 1.5 or more.
func (x *Inference) heavyIncrement() *LimitExponent {
	fitted, correction, err := averageExponent(largestIncrements(x.paths), nil)
	if err != nil {
		return nil
	}
	total := 0.0
	for _, o := range fitted {
		total += o.weight
	}
	for _, o := range x.increments {
		const steps = 14
		for i := range steps + 1 {
			fitted = append(fitted, outcome{total * o.weight / (steps + 1), -o.center + 0.7*float64(i)/steps, o.spread})
		}
	}
	return fitted.exponent(same, correction)
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
	deepest := x.data[len(x.data)-1].depth
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
