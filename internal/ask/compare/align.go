package compare

import "math"

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
		for u, v := range assign(cost, n) {
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

// assign returns the permutation π that minimises Σ_i cost[i·n + π(i)], in O(n³) steps: rows are added one at a time,
// each by the shortest augmenting path under reduced costs (the Hungarian method in the form of Jonker and Volgenant,
// 1987). No well-kept Go library solves the problem for real costs.
func assign(cost []float64, n int) []int {
	const none = -1
	// Potentials of rows and columns; column n is a dummy from which paths start.
	u, v := make([]float64, n), make([]float64, n+1)
	row := make([]int, n+1) // that a column is given to
	for j := range row {
		row[j] = none
	}
	least, from, seen := make([]float64, n+1), make([]int, n+1), make([]bool, n+1)
	for i := range n {
		for j := range least {
			least[j], from[j], seen[j] = math.Inf(1), none, false
		}
		row[n] = i
		at := n
		for row[at] != none {
			seen[at] = true
			r, next, delta := row[at], none, math.Inf(1)
			for j := range n {
				if seen[j] {
					continue
				}
				if reduced := cost[r*n+j] - u[r] - v[j]; reduced < least[j] {
					least[j], from[j] = reduced, at
				}
				if least[j] < delta {
					delta, next = least[j], j
				}
			}
			for j := range n + 1 {
				if seen[j] {
					u[row[j]] += delta
					v[j] -= delta
				} else {
					least[j] -= delta
				}
			}
			at = next
		}
		for at != n {
			before := from[at]
			row[at] = row[before]
			at = before
		}
	}
	permutation := make([]int, n)
	for j, i := range row[:n] {
		permutation[i] = j
	}
	return permutation
}
