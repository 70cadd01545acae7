package scaling

import (
	"cmp"
	"math"
	"slices"
)

// A mixture is the distribution of a number: normal ones, and points where spread is 0.
type mixture []outcome

type outcome struct{ weight, center, spread float64 }

// total is the sum of the weights.
func (m mixture) total() float64 {
	sum := 0.0
	for _, o := range m {
		sum += o.weight
	}
	return sum
}

// times returns the mixture with its weights scaled to the sum weight.
func (m mixture) times(weight float64) mixture {
	out, total := slices.Clone(m), m.total()
	for i := range out {
		out[i].weight *= weight / total
	}
	return out
}

// shifted returns the distribution of the number plus by.
func (m mixture) shifted(by float64) mixture {
	out := slices.Clone(m)
	for i := range out {
		out[i].center += by
	}
	return out
}

// below returns the probability of a number below v.
func (o outcome) below(v float64) float64 {
	switch {
	case o.spread > 0:
		return math.Erfc((o.center-v)/o.spread/math.Sqrt2) / 2
	case o.center < v:
		return 1
	}
	return 0
}

// values returns the mixture as points, in order, with weights that sum to 1.
func (m mixture) values(of func(float64) float64) (points []outcome) {
	total := m.total()
	for _, o := range m {
		if o.weight <= 1e-5*total {
			continue
		}
		if o.spread == 0 {
			points = append(points, outcome{weight: o.weight / total, center: of(o.center)})
			continue
		}
		const fewest, most, all = 5, 200, 4000
		n := float64(min(most, max(fewest, int(all*o.weight/total))))
		for i := range int(n) {
			z := math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/n-1)
			points = append(points, outcome{weight: o.weight / total / n, center: of(o.center + o.spread*z)})
		}
	}
	slices.SortFunc(points, func(a, b outcome) int { return cmp.Compare(a.center, b.center) })
	return points
}

// draws returns n quantiles of the mixture, as many values of equal weight.
func (m mixture) draws(n int) []float64 {
	points := m.values(same)
	out := make([]float64, n)
	at, sum := 0, points[0].weight
	for i := range out {
		for q := (float64(i) + 0.5) / float64(n); sum < q && at+1 < len(points); sum += points[at].weight {
			at++
		}
		out[i] = points[at].center
	}
	return out
}

// quantile returns that of points in order.
func quantile(points []outcome, q float64) float64 {
	sum := 0.0
	for _, p := range points {
		if sum += p.weight; sum >= q {
			return p.center
		}
	}
	return points[len(points)-1].center
}

func same(v float64) float64 { return v }

// LimitExponent is an exponent of the limit L → ∞ with its 95 % interval: not the slope over the depths
// there are, which Slope is.
type LimitExponent struct {
	Exponent   float64 `json:"exponent"`
	Low        float64 `json:"low"`
	High       float64 `json:"high"`
	Correction string  `json:"correction"` // what bends the window, as the best model has it
}

func (m mixture) exponent(of func(float64) float64, correction string) *LimitExponent {
	points := m.values(of)
	if len(points) == 0 {
		return nil
	}
	x := &LimitExponent{quantile(points, 0.5), quantile(points, 0.025), quantile(points, 0.975), correction}
	if notFinite(x.Exponent) || notFinite(x.Low) || notFinite(x.High) {
		return nil
	}
	return x
}
