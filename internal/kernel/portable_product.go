package kernel

// The products in portable Go: the loops of the contract, ordered so that memory is
// read along rows where the contract leaves the order of elements free.

func affine[T Float](z, w, h, b []T, r, c, n int) {
	for i := range r {
		row := z[i*n : i*n+n]
		var start T
		if b != nil {
			start = b[i]
		}
		for s := range row {
			row[s] = start
		}
		for j := range c {
			addScaled(row, w[i*c+j], h[j*n:j*n+n])
		}
	}
}

func addTransposed[T Float](p, w, e []T, r, c, n int) {
	for j := range c {
		row := p[j*n : j*n+n]
		for i := range r {
			addScaled(row, w[i*c+j], e[i*n:i*n+n])
		}
	}
}

func addOuter[T Float](g, e, h []T, r, c, n int, _ []T) {
	for i := range r {
		x := e[i*n : i*n+n]
		for j := range c {
			g[i*c+j] = chain(g[i*c+j], x, h[j*n:j*n+n])
		}
	}
}

func addRowSums[T Float](g, e []T, r, n int) {
	for i := range r {
		var chains [16]T
		for s, v := range e[i*n : i*n+n] {
			chains[s%16] += v
		}
		g[i] += tree(&chains)
	}
}

// tree returns the sum of the 16 chains, chain i added to chain i + half.
func tree[T Float](chains *[16]T) T {
	for half := 8; half > 0; half /= 2 {
		for i := range half {
			chains[i] += chains[i+half]
		}
	}
	return chains[0]
}
