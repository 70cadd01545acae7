package scaling

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// A Model is a positive function of coordinates with unknown coefficients.
type Model struct {
	Names []string // of the coefficients
	At    func(x, coefficients []float64) float64
	// Squares says that errors add as squares: the mean of y² is f², and coefficients maximise the likelihood of y² with a
	// gamma distribution about it.
	Squares bool
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

// FitModel returns the coefficients that minimise Σ (log y − log f(x))², or with Squares Σ (u − log(1 + u))/2 with
// u = y²/f² − 1, which is nearly the same for small u and whose f² is a mean where log f is one of logarithms; by the
// method of Levenberg and Marquardt from several starts. Intervals, at 95 %, leave out one seed at a time (ByJackknife), or are those of linearised
// regression where there is one seed. A coefficient whose sign changes nothing is given as positive, the
// lower end of its interval cut at 0, and has none where its best value is 0.
//
// It returns an error where points are too few, where no start leads to a positive f, and where two coefficients
// cannot be told apart.
func FitModel(points []Point, model Model) (ModelFit, error) {
	fail := func(err error) (ModelFit, error) { return ModelFit{}, fmt.Errorf("scaling: fit of a model: %w", err) }
	if err := checkPoints(points); err != nil {
		return fail(err)
	}
	if len(model.Names) == 0 {
		return fail(errors.New("got no coefficient, want one or more"))
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
	even := model.fold(points, best)
	gradient := model.gradient(points, best)
	kept := model.active(points, best, gradient, even)
	gradient = keptColumns(gradient, kept)
	if err := identified(gradient, chosenOf(model.Names, kept)); err != nil {
		return fail(err)
	}
	f := ModelFit{Coefficients: map[string]Interval{}, Method: NoInterval, Points: len(points), Seeds: seedsOf(points)}
	residuals := f.quality(points, model, best)
	half := jackknife(points, 0.95, func(left []Point) ([]float64, error) {
		if placesOf(left) < len(model.Names) {
			return nil, errors.New("too few places")
		}
		theta, c := model.descend(left, best)
		// From a coefficient of 0 whose sign changes nothing no step leads away.
		if other, lower := model.descend(left, model.rough(left, starts(len(best))[0])); lower < c {
			theta, c = other, lower
		}
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
	} else if len(f.Seeds) == 1 {
		if half = spread(regressionHalf(gradient, cost, len(points)-len(best)), kept); half != nil {
			f.Method = ByRegression
		}
	}
	for j, name := range model.Names {
		v := Interval{best[j], math.NaN(), math.NaN()}
		switch {
		case !kept[j]: // an interval would need coefficients whose squares are negative
			v.Value = 0
			f.Warning = fmt.Sprintf("the best %s is 0, which has no interval", name)
		case half != nil:
			v.Low, v.High = best[j]-half[j], best[j]+half[j]
			if even[j] {
				v.Low = max(0, v.Low)
			}
		}
		f.Coefficients[name] = v
	}
	f.LackOfFit = lackOfFit(points, residuals, func(x []float64) []float64 {
		return chosenOf(model.gradient([]Point{{X: x}}, best).RawRowView(0), kept)
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
			out[i] = m.residual(p.Value, m.At(p.X, theta))
		}
	})
}

// residual returns the root of what a value adds to the sum that is minimised, with a sign; NaN where f is negative.
func (m Model) residual(y, f float64) float64 {
	d := 2 * (math.Log(y) - math.Log(f))
	if !m.Squares {
		return -d / 2
	}
	// e^d − 1 − d, which loses its digits near 0 but for this.
	excess := math.Expm1(d) - d
	if math.Abs(d) < 1e-4 {
		excess = d * d / 2 * (1 + d/3)
	}
	return -math.Copysign(math.Sqrt(excess/2), d)
}

// gradient returns ∂ log f/∂θ at every point.
func (m Model) gradient(points []Point, theta []float64) *mat.Dense {
	return jacobian(theta, len(points), func(theta, out []float64) {
		for i, p := range points {
			out[i] = math.Log(m.At(p.X, theta))
		}
	})
}

// active tells which coefficients the gradient tells of: not those whose sign changes nothing and whose best value is
// 0, where it vanishes by symmetry.
func (m Model) active(points []Point, theta []float64, gradient *mat.Dense, even []bool) []bool {
	kept := make([]bool, len(theta))
	for j := range theta {
		other := slices.Clone(theta)
		other[j]++
		matters := slices.ContainsFunc(points, func(p Point) bool {
			a, b := m.At(p.X, theta), m.At(p.X, other)
			return !(math.Abs(a-b) <= 1e-12*math.Abs(a))
		})
		kept[j] = !even[j] || !matters || mat.Norm(gradient.ColView(j), 2) > 1e-4
	}
	return kept
}

// chosenOf returns the values that are kept.
func chosenOf[T any](values []T, kept []bool) (left []T) {
	for j, v := range values {
		if kept[j] {
			left = append(left, v)
		}
	}
	return left
}

// keptColumns returns the columns of x that are kept; one of zeros where none is.
func keptColumns(x *mat.Dense, kept []bool) *mat.Dense {
	rows, _ := x.Dims()
	left := mat.NewDense(rows, max(1, len(chosenOf(kept, kept))), nil)
	at := 0
	for j, keep := range kept {
		if keep {
			left.SetCol(at, mat.Col(nil, j, x))
			at++
		}
	}
	return left
}

// spread puts half widths of the coefficients kept in their places, and NaN in those of the others.
func spread(half []float64, kept []bool) []float64 {
	if half == nil {
		return nil
	}
	all := make([]float64, len(kept))
	at := 0
	for j, keep := range kept {
		all[j] = math.NaN()
		if keep {
			all[j] = half[at]
			at++
		}
	}
	return all
}

// identified returns an error that names two coefficients which the points cannot tell apart.
func identified(gradient *mat.Dense, names []string) error {
	if len(names) == 0 {
		return nil
	}
	rows, cols := gradient.Dims()
	scaled := mat.DenseCopyOf(gradient)
	for j := range cols {
		norm := mat.Norm(scaled.ColView(j), 2)
		if !(norm > 1e-10) {
			return fmt.Errorf("got a model that does not depend on %s at the points, want coefficients that matter", names[j])
		}
		for i := range rows {
			scaled.Set(i, j, scaled.At(i, j)/norm)
		}
	}
	for i := range cols {
		for j := range i {
			if cosine := mat.Dot(scaled.ColView(i), scaled.ColView(j)); !(math.Abs(cosine) < 1-1e-9) {
				return fmt.Errorf("got coefficients %s and %s that the points cannot tell apart, want runs in which their terms vary differently, or one coefficient", names[j], names[i])
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

// regressionHalf returns half widths of 95 % intervals by regression that is linear in gradient, with free degrees of
// freedom; nil where there are none, or where the coefficients cannot be told apart.
func regressionHalf(gradient *mat.Dense, rss float64, free int) []float64 {
	if free < 1 {
		return nil
	}
	var normal, inverse mat.Dense
	normal.Mul(gradient.T(), gradient)
	if inverse.Inverse(&normal) != nil {
		return nil
	}
	t := student(float64(free), 0.975)
	_, n := gradient.Dims()
	half := make([]float64, n)
	for j := range half {
		half[j] = t * math.Sqrt(rss/float64(free)*inverse.At(j, j))
	}
	return half
}
