package scaling

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// A mixture is the distribution of a number: normal ones, and points where spread is 0.
type mixture []outcome

type outcome struct{ weight, center, spread float64 }

// values returns the mixture as points with weights that sum to 1.
func (m mixture) values(of func(float64) float64) (points []outcome) {
	total := 0.0
	for _, o := range m {
		total += o.weight
	}
	for _, o := range m {
		if o.weight <= 1e-6*total {
			continue
		}
		if o.spread == 0 {
			points = append(points, outcome{weight: o.weight / total, center: of(o.center)})
			continue
		}
		const n = 200
		for i := range n {
			z := math.Sqrt2 * math.Erfinv(2*(float64(i)+0.5)/n-1)
			points = append(points, outcome{weight: o.weight / total / n, center: of(o.center + o.spread*z)})
		}
	}
	slices.SortFunc(points, func(a, b outcome) int { return cmp.Compare(a.center, b.center) })
	return points
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

func same(v float64) float64 { return v }

// leastError is the smallest standard deviation of log y that is believed, as below it the next order of the
// correction counts, and fixedPrior the prior probability that the exponent is the theory's.
const (
	leastError = 1e-3
	fixedPrior = 0.8
)

// averageExponent returns the distribution of s in y ~ L^s as L → ∞, over the models
//
//	log y = offset of the seed + s log L + Σ c L^−ω
//
// with no correction or ω among ½, 1, 2, where s is fitted, or is one that theory gives (together 0.8 of
// the prior, then also with two corrections). Weights are those of AICc, each model has its Student t,
// given here by a normal of the same quantile.
func averageExponent(samples []Sample, theory []float64) (mixture, string, error) {
	if err := checkSamples(samples); err != nil {
		return nil, "", fmt.Errorf("scaling: limit exponent: %w", err)
	}
	type row struct {
		fixed  bool
		s      float64
		omegas []float64
		prior  float64
	}
	var rows []row
	single := [][]float64{nil, {0.5}, {1}, {2}}
	share := 1 - fixedPrior
	if len(theory) == 0 {
		share = 1
	}
	for _, omegas := range single {
		rows = append(rows, row{omegas: omegas, prior: share / 4})
	}
	double := append(slices.Clone(single), []float64{0.5, 1}, []float64{1, 2})
	for _, s := range theory {
		for _, omegas := range double {
			rows = append(rows, row{fixed: true, s: s, omegas: omegas, prior: fixedPrior / float64(len(theory)*len(double))})
		}
	}
	var out mixture
	best, name := math.Inf(-1), ""
	for _, r := range rows {
		fit, ok := fitRow(samples, r.fixed, r.s, r.omegas)
		if !ok {
			continue
		}
		weight := math.Log(r.prior) - fit.aicc/2
		out = append(out, outcome{weight, fit.s, fit.spread})
		if weight > best {
			best, name = weight, correctionName(r.omegas)
		}
	}
	if len(out) == 0 {
		return nil, "", fmt.Errorf("scaling: limit exponent: got %d values, want more than the unknowns of a power law with an offset for each seed", len(samples))
	}
	for i := range out {
		out[i].weight = math.Exp(out[i].weight - best)
	}
	return out, name, nil
}

func correctionName(omegas []float64) string {
	text := ""
	for i, omega := range omegas {
		text += []string{"1 + ", " + "}[i] + fmt.Sprintf("c%d·L^−%g", i+1, omega)
	}
	if text == "" {
		return "none"
	}
	return text
}

type rowFit struct{ s, spread, aicc float64 }

func fitRow(samples []Sample, fixed bool, s float64, omegas []float64) (rowFit, bool) {
	groups := bySeed(samples)
	free := len(omegas)
	if !fixed {
		free++
	}
	n, k := len(samples), len(groups)+free
	freedom := n - k
	if freedom < 2 {
		return rowFit{}, false
	}
	x, y := mat.NewDense(n, k, nil), mat.NewVecDense(n, nil)
	for g, group := range groups {
		for _, i := range group {
			depth := float64(samples[i].Depth)
			x.Set(i, g, 1)
			for j, omega := range omegas {
				x.Set(i, len(groups)+j, math.Pow(depth, -omega))
			}
			y.SetVec(i, math.Log(samples[i].Value))
			if fixed {
				y.SetVec(i, y.AtVec(i)-s*math.Log(depth))
			} else {
				x.Set(i, k-1, math.Log(depth))
			}
		}
	}
	var normal mat.SymDense
	normal.SymOuterK(1, x.T())
	var root mat.Cholesky
	if !root.Factorize(&normal) {
		return rowFit{}, false
	}
	var right, c, residual mat.VecDense
	right.MulVec(x.T(), y)
	if err := root.SolveVecTo(&c, &right); err != nil {
		return rowFit{}, false
	}
	residual.MulVec(x, &c)
	residual.SubVec(&residual, y)
	rss := mat.Dot(&residual, &residual) + float64(freedom)*leastError*leastError
	numbers := float64(k + 1)
	fit := rowFit{s: s, aicc: float64(n)*math.Log(rss/float64(n)) + 2*numbers}
	if rest := float64(n) - numbers - 1; rest > 0 {
		fit.aicc += 2 * numbers * (numbers + 1) / rest
	} else {
		fit.aicc += 2 * numbers * (numbers + 1)
	}
	if !fixed {
		fit.s = c.AtVec(k - 1)
		var inverse mat.SymDense
		if err := root.InverseTo(&inverse); err != nil {
			return rowFit{}, false
		}
		fit.spread = math.Sqrt(rss/float64(freedom)*inverse.At(k-1, k-1)) * studentOverNormal(float64(freedom))
	}
	return fit, true
}

// studentOverNormal is the ratio of the 97.5 % quantiles.
func studentOverNormal(freedom float64) float64 {
	return studentQuantile(freedom) / 1.959964
}
