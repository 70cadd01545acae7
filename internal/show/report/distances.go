package report

import (
	"fmt"
	"math"
	"strconv"

	"github.com/deeplimit/deeplimit/field"
)

// A DistanceCell is the distance between two of the runs that labels name.
type DistanceCell struct {
	A, B     int
	Distance float64
}

// mostDistances is how many runs a heat map of distances shows.
const mostDistances = 400

// Distances draws the distances of all pairs of runs as a heat map that is symmetric; pairs that were not compared
// stay white.
func Distances(of string, labels []string, cells []DistanceCell) (*Figure, error) {
	if n := len(labels); n > mostDistances {
		return nil, &field.Error{Path: "runs", Got: n, Want: fmt.Sprintf("at most %d in a heat map; choose fewer with --only", mostDistances)}
	}
	values := make([][]float64, len(labels))
	for i := range values {
		values[i] = make([]float64, len(labels))
		for j := range values[i] {
			values[i][j] = math.NaN()
		}
	}
	f := &Figure{
		Kind: "distances", Name: "distances-" + slug(of), Title: "Distances of " + of,
		Caption: "Distance of " + of + " between every two runs; pairs that were not compared are white.",
		Data:    Table{Header: []string{"a", "b", "distance"}},
		style:   Paper,
	}
	var all []float64
	for _, c := range cells {
		values[c.A][c.B], values[c.B][c.A] = c.Distance, c.Distance
		all = append(all, c.Distance)
		f.Data.Rows = append(f.Data.Rows, []string{labels[c.A], labels[c.B], exact(c.Distance)})
	}
	scale := newColorScale("distance", all, true)
	names := plainNames(labels)
	side := func() axis {
		return axis{low: -0.5, high: float64(len(labels)) - 0.5, names: names, stride: stride(names, 44)}
	}
	y := side()
	y.stride = (len(labels) + 15) / 16
	f.panels = [][]panel{{{x: side(), y: y, heat: &heat{x: edges(len(labels)), y: edges(len(labels)), values: values, scale: scale}}}}
	f.bar = &scale
	f.Alt = "Heat map of the distances between " + strconv.Itoa(len(labels)) + " runs."
	return f, nil
}
