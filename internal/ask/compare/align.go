package compare

import (
	"math"

	"github.com/deeplimit/deeplimit/internal/assignment"
)

// alignedDistance is that of step functions at the best order of hidden units on every piece.
func alignedDistance(a, b *profile, norm string) float64 {
	sum, most := 0.0, 0.0
	n := a.dim / a.unit
	cost := make([]float64, n*n)
	eachPiece(a.rows(), b.rows(), func(width float64, i, j, _ int) {
		x, y := a.row(i), b.row(j)
		for u := range n {
			for v := range n {
				cost[u*n+v] = squareOf(x[u*a.unit:(u+1)*a.unit], y[v*a.unit:(v+1)*a.unit])
			}
		}
		square := 0.0
		for u, v := range assignment.Solve(cost, n) {
			square += cost[u*n+v]
		}
		sum += width * square
		most = max(most, square)
	})
	if norm == "sup" {
		return math.Sqrt(most)
	}
	return math.Sqrt(sum)
}
