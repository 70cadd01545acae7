package scaling

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// A Model is a positive function of coordinates with unknown coefficients.
type Model struct {
	Names []string // of the coefficients
	At    func(x, coefficients []float64) float64
}

// A ModelFit is a Model with the coefficients that fit points best.
type ModelFit struct {
	Coefficients map[string]Interval
	R2           float64 // of log y, over all points
	Deviation    float64 // root mean square of the residuals of log y
	Method       string  // ByJackknife, ByRegression or NoInterval
	LackOfFit    *LackOfFit
	Points       int
	Seeds        []uint64
	Fitted       []float64 // f at each point
	Warning      string
}

// FitModel returns the coefficients that minimise Σ (log y − log f(x))², by the method of Levenberg and Marquardt from
// several starts. Intervals, at 95 %, leave out one seed at a time (ByJackknife), or are those of linearised
// regression where there is one seed. A coefficient whose sign changes nothing is given as positive, and so is the
// lower end of its interval cut at 0.
//
// It returns an error where points are too few, where no start leads to a positive f, and where two coefficients
// cannot be told apart.
func FitModel(points []Point, model Model) (ModelFit, error) {
	fail := func(err error) (ModelFit, error) { return ModelFit{}, fmt.Errorf("scaling: fit of a model: %w", err) }
	if err := checkPoints(points); err != nil {
		return fail(err)
	}
	if n := placesOf(points); n < len(model.Names) {
		return fail(fmt.Errorf("got points at %d places for %d coefficients, want as many places or more", n, len(model.Names)))
	}
	best, cost := []float64(nil), math.Inf(1)
	for _, start := range starts(len(model.Names)) {
		theta, c := model.descend(points, model.rough(points, start))
		if c < cost {
			best, cost = theta, c
		}
	}
	if best == nil {
		return fail(errors.New("got a model that is not positive at all points for any coefficients tried, want one that can be"))
	}
	gradient := model.gradient(points, best)
	if err := model.identified(gradient, best); err != nil {
		return fail(err)
	}
	even := model.fold(points, best)
	f := ModelFit{Coefficients: map[string]Interval{}, Method: NoInterval, Points: len(points), Seeds: seedsOf(points)}
	residuals := f.quality(points, model, best)
	half := jackknife(points, 0.95, func(left []Point) ([]float64, error) {
		if placesOf(left) < len(model.Names) {
			return nil, errors.New("too few places")
		}
		theta, c := model.descend(left, best)
		if math.IsInf(c, 1) {
			return nil, errors.New("no fit")
		}
		for j := range theta {
			if even[j] {
				theta[j] = math.Abs(theta[j])
			}
		}
		return theta, nil
	})
	if half != nil {
		f.Method = ByJackknife
	} else if free := len(points) - len(best); len(f.Seeds) == 1 && free > 0 {
		half = regressionHalf(gradient, cost, free)
		f.Method = ByRegression
	}
	for j, name := range model.Names {
		v := Interval{best[j], math.NaN(), math.NaN()}
		if half != nil {
			v.Low, v.High = best[j]-half[j], best[j]+half[j]
			if even[j] {
				v.Low = max(0, v.Low)
			}
		}
		f.Coefficients[name] = v
	}
	f.LackOfFit = lackOfFit(points, residuals, func(x []float64) []float64 {
		return model.gradient([]Point{{X: x}}, best).RawRowView(0)
	})
	if f.Method == NoInterval {
		f.Warning = "too few points or seeds for an interval"
	}
	return f, nil
}

// quality fills in what the fit leaves, and returns the residuals of log y.
func (f *ModelFit) quality(points []Point, model Model, theta []float64) []float64 {
	residuals := make([]float64, len(points))
	mean, rss, tss := 0.0, 0.0, 0.0
	for _, p := range points {
		mean += math.Log(p.Value) / float64(len(points))
	}
	for i, p := range points {
		f.Fitted = append(f.Fitted, model.At(p.X, theta))
		residuals[i] = math.Log(p.Value) - math.Log(f.Fitted[i])
		rss += residuals[i] * residuals[i]
		tss += math.Pow(math.Log(p.Value)-mean, 2)
	}
	f.R2, f.Deviation = 1, math.Sqrt(rss/float64(len(points)))
	if tss > 0 {
		f.R2 = 1 - rss/tss
	}
	return residuals
}

// placesOf returns the number of different places.
func placesOf(points []Point) int {
	places := map[string]bool{}
	for _, p := range points {
		places[fmt.Sprint(p.X)] = true
	}
	return len(places)
}

// starts returns coefficients of 1, and each of them smaller or larger.
func starts(n int) [][]float64 {
	ones := make([]float64, n)
	for j := range ones {
		ones[j] = 1
	}
	list := [][]float64{ones}
	for j := range n {
		for _, v := range []float64{0.1, 10, -1} {
			start := slices.Clone(ones)
			start[j] = v
			list = append(list, start)
		}
	}
	return list
}

// rough minimises Σ (f/y − 1)² from a start: one step where f is linear in its coefficients.
func (m Model) rough(points []Point, start []float64) []float64 {
	theta, _ := marquardt(start, len(points), func(theta, out []float64) {
		for i, p := range points {
			out[i] = m.At(p.X, theta)/p.Value - 1
		}
	})
	return theta
}

// descend minimises Σ (log f − log y)² and returns the minimum, infinite where f is not positive.
func (m Model) descend(points []Point, start []float64) ([]float64, float64) {
	return marquardt(start, len(points), func(theta, out []float64) {
		for i, p := range points {
			out[i] = math.Log(m.At(p.X, theta)) - math.Log(p.Value) // NaN where f is negative
		}
	})
}

// gradient returns ∂ log f/∂θ at every point.
func (m Model) gradient(points []Point, theta []float64) *mat.Dense {
	return jacobian(theta, len(points), func(theta, out []float64) {
		for i, p := range points {
			out[i] = math.Log(m.At(p.X, theta))
		}
	})
}

// identified returns an error that names two coefficients which the points cannot tell apart.
func (m Model) identified(gradient *mat.Dense, theta []float64) error {
	rows, cols := gradient.Dims()
	scaled := mat.DenseCopyOf(gradient)
	for j := range cols {
		norm := mat.Norm(scaled.ColView(j), 2)
		if !(norm*max(math.Abs(theta[j]), 1e-300) > 1e-10) && !(norm > 1e-10) {
			return fmt.Errorf("got a model that does not depend on %s at the points, want coefficients that matter", m.Names[j])
		}
		for i := range rows {
			scaled.Set(i, j, scaled.At(i, j)/norm)
		}
	}
	for i := range cols {
		for j := range i {
			if cosine := mat.Dot(scaled.ColView(i), scaled.ColView(j)); !(math.Abs(cosine) < 1-1e-9) {
				return fmt.Errorf("got coefficients %s and %s that the points cannot tell apart, want runs in which their terms vary differently, or one coefficient", m.Names[j], m.Names[i])
			}
		}
	}
	var values mat.SVD
	if !values.Factorize(scaled, mat.SVDNone) {
		return errors.New("got a model whose gradient is not finite at the best coefficients")
	}
	if s := values.Values(nil); !(s[0] < mostCondition*s[len(s)-1]) {
		return errors.New("got coefficients that the points cannot tell apart, want fewer of them or more varied runs")
	}
	return nil
}

// fold makes coefficients positive whose sign changes nothing, and tells which those are.
func (m Model) fold(points []Point, theta []float64) (even []bool) {
	even = make([]bool, len(theta))
	for j := range theta {
		other := slices.Clone(theta)
		other[j] = -theta[j]
		even[j] = !slices.ContainsFunc(points, func(p Point) bool {
			a, b := m.At(p.X, theta), m.At(p.X, other)
			return !(math.Abs(a-b) <= 1e-12*math.Abs(a))
		})
		if even[j] {
			theta[j] = math.Abs(theta[j])
		}
	}
	return even
}

// regressionHalf returns half widths of 95 % intervals by linearised regression.
func regressionHalf(gradient *mat.Dense, rss float64, free int) []float64 {
	var normal, inverse mat.Dense
	normal.Mul(gradient.T(), gradient)
	if inverse.Inverse(&normal) != nil {
		return nil
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(free)}.Quantile(0.975)
	_, n := gradient.Dims()
	half := make([]float64, n)
	for j := range half {
		half[j] = t * math.Sqrt(rss/float64(free)*inverse.At(j, j))
	}
	return half
}
