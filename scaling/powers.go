package scaling

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Powers is the fit y ≈ C Π_j x_j^Exponents[j].
type Powers struct {
	Exponents []Interval
	Intercept float64 // log C
	R2        float64 // over all points
	Method    string  // ByJackknife, ByRegression or NoInterval
	LackOfFit *LackOfFit
	Points    int
	Seeds     []uint64
	Warning   string
}

// FitPowers returns the exponents of a power law in several coordinates, by least squares in log y.
//
// Where every seed (or pair of seeds) has points enough to tell all exponents, each has an offset of its own, so that
// seeds of different height do not bend a design that lacks points; else one offset serves all. The
// interval, at 95 %, leaves out one seed at a time (ByJackknife), or is that of regression theory where there is one
// seed. It returns an error for a coordinate or a value that is not positive and finite, and for coordinates that vary
// too little, or together, to tell their exponents apart.
func FitPowers(points []Point) (Powers, error) {
	if err := checkPoints(points); err != nil {
		return Powers{}, fmt.Errorf("scaling: fit of powers: %w", err)
	}
	dim := len(points[0].X)
	within := true
	exponents, err := powersOf(points, true)
	if err != nil {
		within = false
		if exponents, err = powersOf(points, false); err != nil {
			return Powers{}, fmt.Errorf("scaling: fit of powers: %w", err)
		}
	}
	f := Powers{Points: len(points), Seeds: seedsOf(points), Method: NoInterval}
	meanY, meanX := 0.0, make([]float64, dim)
	for _, p := range points {
		meanY += math.Log(p.Value) / float64(len(points))
		for j, x := range p.X {
			meanX[j] += math.Log(x) / float64(len(points))
		}
	}
	f.Intercept = meanY
	for j, s := range exponents {
		f.Intercept -= s * meanX[j]
		f.Exponents = append(f.Exponents, Interval{s, math.NaN(), math.NaN()})
	}
	rss, tss := 0.0, 0.0
	residuals := make([]float64, len(points))
	for i, p := range points {
		residuals[i] = math.Log(p.Value) - f.Intercept
		for j, x := range p.X {
			residuals[i] -= exponents[j] * math.Log(x)
		}
		rss += residuals[i] * residuals[i]
		tss += math.Pow(math.Log(p.Value)-meanY, 2)
	}
	f.R2 = 1
	if tss > 0 {
		f.R2 = 1 - rss/tss
	}
	if half := jackknife(points, 0.95, func(left []Point) ([]float64, error) { return powersOf(left, within) }); half != nil {
		f.setInterval(half, ByJackknife)
	} else if len(f.Seeds) == 1 {
		x, _ := design(points, false)
		if half := regressionHalf(x, rss, len(points)-dim-1); half != nil {
			f.setInterval(half, ByRegression)
		}
	}
	f.LackOfFit = lackOfFit(points, residuals, func(x []float64) []float64 {
		row := []float64{1}
		for _, v := range x {
			row = append(row, math.Log(v))
		}
		return row
	})
	if f.Method == NoInterval {
		f.Warning = "too few points or seeds for an interval"
	}
	return f, nil
}

// setInterval sets the intervals from their half widths.
func (f *Powers) setInterval(half []float64, method string) {
	f.Method = method
	for j, h := range half {
		e := &f.Exponents[j]
		e.Low, e.High = e.Value-h, e.Value+h
	}
}

// checkPoints returns an error unless points can be put on log–log axes.
func checkPoints(points []Point) error {
	if len(points) == 0 {
		return errors.New("got no points, want two or more")
	}
	for _, p := range points {
		if len(p.X) == 0 || len(p.X) != len(points[0].X) {
			return fmt.Errorf("got points of %d and %d coordinates, want one number of them, at least 1", len(points[0].X), len(p.X))
		}
		for _, v := range append(slices.Clone(p.X), p.Value) {
			if !(v > 0) || math.IsInf(v, 1) {
				return fmt.Errorf("at %v, seeds %v: got %v, want positive finite numbers", p.X, p.Seeds, v)
			}
		}
	}
	return nil
}

// design returns the logarithms of coordinates and values less their means, over the points of the same seeds or over
// all.
func design(points []Point, within bool) (x *mat.Dense, y *mat.VecDense) {
	dim := len(points[0].X)
	x, y = mat.NewDense(len(points), dim, nil), mat.NewVecDense(len(points), nil)
	members := map[string][]int{}
	for i, p := range points {
		unit := ""
		if within {
			unit = fmt.Sprint(p.Seeds)
		}
		members[unit] = append(members[unit], i)
		for j, v := range p.X {
			x.Set(i, j, math.Log(v))
		}
		y.SetVec(i, math.Log(p.Value))
	}
	for _, rows := range members {
		n := float64(len(rows))
		for j := range dim {
			mean := 0.0
			for _, i := range rows {
				mean += x.At(i, j) / n
			}
			for _, i := range rows {
				x.Set(i, j, x.At(i, j)-mean)
			}
		}
		mean := 0.0
		for _, i := range rows {
			mean += y.AtVec(i) / n
		}
		for _, i := range rows {
			y.SetVec(i, y.AtVec(i)-mean)
		}
	}
	return x, y
}

// mostCondition bounds the condition number of a design that tells its coordinates apart.
const mostCondition = 1e8

// powersOf returns the exponents by least squares.
func powersOf(points []Point, within bool) ([]float64, error) {
	if len(points) == 0 {
		return nil, errors.New("got no points")
	}
	dim := len(points[0].X)
	if len(points) < dim+1 {
		return nil, fmt.Errorf("got %d points, want %d or more", len(points), dim+1)
	}
	x, y := design(points, within)
	var values mat.SVD
	if !values.Factorize(x, mat.SVDNone) {
		return nil, errors.New("got a design whose singular values cannot be had")
	}
	if s := values.Values(nil); !(s[0] < mostCondition*s[len(s)-1]) {
		return nil, errors.New("got coordinates that vary too little, or together, want two or more values of each that are not tied to each other")
	}
	var solution mat.VecDense
	if err := solution.SolveVec(x, y); err != nil {
		return nil, err
	}
	return solution.RawVector().Data, nil
}
