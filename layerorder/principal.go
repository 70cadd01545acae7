package layerorder

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// axes is how many principal components are kept.
const axes = 3

// principal returns the coordinates of the layers along the first principal components of the path, and their
// shares of its variance. Each component points so that its last layer is not below its first.
func principal(p products) (coordinates [][]float64, explained []float64) {
	n := p.layers
	row, mean := make([]float64, n), 0.0
	for k := range n {
		for l := range n {
			row[k] += p.at(k, l) / float64(n)
		}
		mean += row[k] / float64(n)
	}
	centred, trace := mat.NewSymDense(n, nil), 0.0
	for k := range n {
		for l := range k + 1 {
			centred.SetSym(k, l, p.at(k, l)-row[k]-row[l]+mean)
		}
		trace += centred.At(k, k)
	}
	var eigen mat.EigenSym
	if !(trace > 0) || !eigen.Factorize(centred, true) {
		return nil, nil
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	values := eigen.Values(nil)
	for j := n - 1; j >= max(0, n-axes); j-- {
		size := math.Sqrt(max(0, values[j]))
		if vectors.At(n-1, j) < vectors.At(0, j) {
			size = -size
		}
		line := make([]float64, n)
		for k := range line {
			line[k] = size * vectors.At(k, j)
		}
		coordinates = append(coordinates, line)
		explained = append(explained, max(0, values[j])/trace)
	}
	return coordinates, explained
}
