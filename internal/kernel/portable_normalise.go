package kernel

import "math"

// Normalisation of columns in portable Go, Lanes columns at a time.

// columnChains is the number of chains that a sum over rows runs in.
const columnChains = 4

// columnSums returns Σ_j a[j,s] b[j,s] over the r rows of n entries, for the columns from first on; b is nil
// for ones.
func columnSums[T Float](a, b []T, first, r, n int) (sums [Lanes]float64) {
	var chains [columnChains][Lanes]float64
	for j := range r {
		chain := &chains[j%columnChains]
		row := a[j*n+first:][:Lanes]
		if b == nil {
			for s, v := range row {
				chain[s] += float64(v)
			}
			continue
		}
		other := b[j*n+first:][:Lanes]
		for s, v := range row {
			chain[s] = math.FMA(float64(v), float64(other[s]), chain[s])
		}
	}
	for s := range sums {
		sums[s] = float64(chains[0][s]+chains[2][s]) + float64(chains[1][s]+chains[3][s])
	}
	return sums
}

func centre[T Float](x, h []T, r, n int) {
	for first := 0; first < n; first += Lanes {
		sums := columnSums(h, nil, first, r, n)
		for s, sum := range sums {
			mean := T(sum / float64(r))
			for at := first + s; at < r*n; at += n {
				x[at] = h[at] - mean
			}
		}
	}
}

func normalise[T Float](x, inverse, h []T, r, n int, epsilon float64) {
	for first := 0; first < n; first += Lanes {
		squares := columnSums(h, h, first, r, n)
		for s, square := range squares {
			factor := T(1 / math.Sqrt(float64(square/float64(r))+epsilon))
			inverse[first+s] = factor
			for at := first + s; at < r*n; at += n {
				x[at] = h[at] * factor
			}
		}
	}
}

func addNormalised[T Float](p, g, x, inverse []T, r, n int) {
	for first := 0; first < n; first += Lanes {
		products := columnSums(x, g, first, r, n)
		for s, product := range products {
			along, factor := T(product/float64(r)), inverse[first+s]
			for at := first + s; at < r*n; at += n {
				p[at] = fma(factor, fma(-x[at], along, g[at]), p[at])
			}
		}
	}
}
