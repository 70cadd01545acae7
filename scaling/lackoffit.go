package scaling

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
)

// LackOfFit is a test of what a fit leaves: whether the residuals of all seeds lean the same way.
type LackOfFit struct {
	F       float64 `json:"f"`       // mean square of what seeds have in common over that of what they do not
	P       float64 `json:"p_value"` // probability of an F as large where the model holds
	Freedom [2]int  `json:"freedom"` // degrees of freedom of both
}

// lackOfFit tests residuals of one value for each seed at each place, nil where some are missing or seeds are too few.
//
// The residuals of a seed over the places are projected off the gradient of the model in its coefficients (row), which
// leaves out whatever coefficients the seed has of its own. With r_s what is left, S seeds, n places and p
// coefficients,
//
//	F = S Σ r̄² / (n − p)  over  Σ_s Σ (r_s − r̄)² / ((S − 1)(n − p)),
//
// which has an F distribution where errors are normal and of one size.
func lackOfFit(points []Point, residuals []float64, row func(x []float64) []float64) *LackOfFit {
	places, seeds := map[string]int{}, map[uint64]int{}
	var rows [][]float64
	for _, p := range points {
		if len(p.Seeds) != 1 {
			return nil
		}
		key := fmt.Sprint(p.X)
		if _, ok := places[key]; !ok {
			places[key] = len(places)
			rows = append(rows, row(p.X))
		}
		if _, ok := seeds[p.Seeds[0]]; !ok {
			seeds[p.Seeds[0]] = len(seeds)
		}
	}
	n, s, p := len(places), len(seeds), len(rows[0])
	if s < 2 || n <= p || len(points) != n*s {
		return nil
	}
	values := mat.NewDense(n, s, nil)
	filled := map[[2]int]bool{}
	for i, point := range points {
		at := [2]int{places[fmt.Sprint(point.X)], seeds[point.Seeds[0]]}
		filled[at] = true
		values.Set(at[0], at[1], residuals[i])
	}
	if len(filled) != n*s {
		return nil
	}
	gradient := mat.NewDense(n, p, nil)
	for i, r := range rows {
		gradient.SetRow(i, r)
	}
	var along, explained mat.Dense
	if along.Solve(gradient, values) != nil {
		return nil
	}
	explained.Mul(gradient, &along)
	values.Sub(values, &explained)
	common, own := 0.0, 0.0
	for i := range n {
		mean := 0.0
		for j := range s {
			mean += values.At(i, j) / float64(s)
		}
		common += float64(s) * mean * mean
		for j := range s {
			own += (values.At(i, j) - mean) * (values.At(i, j) - mean)
		}
	}
	test := &LackOfFit{Freedom: [2]int{n - p, (s - 1) * (n - p)}}
	if !(own > 0) {
		return nil // seeds with the same residuals, as without randomness
	}
	test.F = common / float64(test.Freedom[0]) / (own / float64(test.Freedom[1]))
	test.P = distuv.F{D1: float64(test.Freedom[0]), D2: float64(test.Freedom[1])}.Survival(test.F)
	if math.IsNaN(test.F) || math.IsInf(test.F, 0) {
		return nil
	}
	return test
}
