package kernel

import "unsafe"

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

func setTransposed[T Float](p, w, e []T, r, c, n int) {
	clear(p[:c*n])
	addTransposed(p, w, e, r, c, n)
}

func addOuter[T Float](g, e, h []T, r, c, n int, _ []T) {
	for i := range r {
		x := e[i*n : i*n+n]
		for j := range c {
			y := h[j*n : j*n+n]
			if interleaved(c, n) {
				g[i*c+j] += interleavedSum(x, y)
				continue
			}
			g[i*c+j] = chain(g[i*c+j], x, y)
		}
	}
}

func setOuter[T Float](g, e, h []T, r, c, n int, scratch []T) {
	clear(g[:r*c])
	addOuter(g, e, h, r, c, n, scratch)
}

// interleavedSum returns Σ x[s] y[s] in as many interleaved chains as a cache line has elements.
func interleavedSum[T Float](x, y []T) T {
	var sums [16]T // those that no element goes to add +0, as none of the others is −0
	mask := 64/int(unsafe.Sizeof(sums[0])) - 1
	for s, v := range x {
		sums[s&mask] = fma(v, y[s], sums[s&mask])
	}
	return tree(&sums)
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
