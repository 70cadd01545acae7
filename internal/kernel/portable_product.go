package kernel

import (
	"math"
	"unsafe"
)

// The products in portable Go. All three are one sum over j of a(i,j) b(j,s), for one row and some columns at a time: a chain takes 4 j
// on its way from memory and back. The part of b that this needs is copied first, in float64.

// A panel holds columns of b for some j.
type panel [32][16]float64

// factor is a matrix whose entry (i,j) is at i·rows + j·columns; one of both is 1.
type factor[T Float] struct {
	data          []T
	rows, columns int
}

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
	}
	addProduct(z, factor[T]{w[:r*c], c, 1}, factor[T]{h[:c*n], n, 1}, r, c, n)
}

func addTransposed[T Float](p, w, e []T, r, c, n int) {
	addProduct(p, factor[T]{w[:r*c], 1, c}, factor[T]{e[:r*n], n, 1}, c, r, n)
}

func setTransposed[T Float](p, w, e []T, r, c, n int) {
	clear(p[:c*n])
	addTransposed(p, w, e, r, c, n)
}

func addOuter[T Float](g, e, h []T, r, c, n int, _ []T) {
	if !interleaved(c, n) {
		addProduct(g, factor[T]{e[:r*n], n, 1}, factor[T]{h[:c*n], 1, n}, r, n, c)
		return
	}
	plain := extentOf(e[:r*n]).plain(extentOf(h[:c*n]))
	for i := range r {
		x := e[i*n : i*n+n]
		for j := range c {
			g[i*c+j] += interleavedSum(x, h[j*n:j*n+n], plain)
		}
	}
}

func setOuter[T Float](g, e, h []T, r, c, n int, scratch []T) {
	clear(g[:r*c])
	addOuter(g, e, h, r, c, n, scratch)
}

// addProduct adds Σ_j a(i,j) b(j,s) to z (rows,columns), j in order.
func addProduct[T Float](z []T, a, b factor[T], rows, k, columns int) {
	var p panel
	var sums [len(p[0])]float64
	plain := extentOf(a.data).plain(extentOf(b.data))
	for j := 0; j < k; j += len(p) {
		depth := min(len(p), k-j)
		for s := 0; s < columns; s += len(sums) {
			width := min(len(sums), columns-s)
			fill(&p, b.data[j*b.rows+s*b.columns:], depth, width, b.rows, b.columns)
			for i := range rows {
				row := z[i*columns+s:][:width]
				for t, v := range row {
					sums[t] = float64(v)
				}
				addColumns(sums[:width], a.data[i*a.rows+j*a.columns:], a.columns, p[:depth], plain)
				for t := range row {
					row[t] = T(sums[t])
				}
			}
		}
	}
}

// fill sets depth rows and width columns of p to those of b, of which one is consecutive.
func fill[T Float](p *panel, b []T, depth, width, rows, columns int) {
	if columns == 1 {
		for j := range p[:depth] {
			from, to := b[j*rows:][:width], p[j][:width]
			for s, v := range from {
				to[s] = float64(v)
			}
		}
		return
	}
	for s := range width {
		for j, v := range b[s*columns:][:depth] {
			p[j&(len(p)-1)][s&(len(p[0])-1)] = float64(v)
		}
	}
}

// addColumns adds Σ_j x[j·step] p[j] to sums, which are as many as the columns to take. plain is what the extents of the factors say.
func addColumns[T Float](sums []float64, x []T, step int, p [][16]float64, plain bool) {
	at := 0
	switch {
	case unsafe.Sizeof(x[0]) == 8:
		for ; len(p) >= 4; p = p[4:] {
			p0, p1, p2, p3 := p[0][:len(sums)], p[1][:len(sums)], p[2][:len(sums)], p[3][:len(sums)]
			x0, x1, x2, x3 := float64(x[at]), float64(x[at+step]), float64(x[at+2*step]), float64(x[at+3*step])
			for s, z := range sums {
				z = math.FMA(x0, p0[s], z)
				z = math.FMA(x1, p1[s], z)
				z = math.FMA(x2, p2[s], z)
				sums[s] = math.FMA(x3, p3[s], z)
			}
			at += 4 * step
		}
		for j := range p {
			p0, x0 := p[j][:len(sums)], float64(x[at])
			for s, z := range sums {
				sums[s] = math.FMA(x0, p0[s], z)
			}
			at += step
		}
	case plain:
		for ; len(p) >= 4; p = p[4:] {
			p0, p1, p2, p3 := p[0][:len(sums)], p[1][:len(sums)], p[2][:len(sums)], p[3][:len(sums)]
			x0, x1, x2, x3 := float64(x[at]), float64(x[at+step]), float64(x[at+2*step]), float64(x[at+3*step])
			for s, z := range sums {
				bits := math.Float64bits(x0*p0[s] + z)
				if midway(bits) {
					bits = fmaMidway(x0, p0[s], z)
				}
				z = nearest(bits)
				bits = math.Float64bits(x1*p1[s] + z)
				if midway(bits) {
					bits = fmaMidway(x1, p1[s], z)
				}
				z = nearest(bits)
				bits = math.Float64bits(x2*p2[s] + z)
				if midway(bits) {
					bits = fmaMidway(x2, p2[s], z)
				}
				z = nearest(bits)
				bits = math.Float64bits(x3*p3[s] + z)
				if midway(bits) {
					bits = fmaMidway(x3, p3[s], z)
				}
				sums[s] = nearest(bits)
			}
			at += 4 * step
		}
		for j := range p {
			p0, x0 := p[j][:len(sums)], float64(x[at])
			for s, z := range sums {
				bits := math.Float64bits(x0*p0[s] + z)
				if midway(bits) {
					bits = fmaMidway(x0, p0[s], z)
				}
				sums[s] = nearest(bits)
			}
			at += step
		}
	default:
		for j := range p {
			for s, z := range sums {
				sums[s] = float64(fma32(float32(x[j*step]), float32(p[j][s]), float32(z)))
			}
		}
	}
}

// interleavedSum returns Σ x[s] y[s] in as many interleaved chains as a cache line has elements. plain is what the extents of the factors say.
func interleavedSum[T Float](x, y []T, plain bool) T {
	var sums [16]T // those that no element goes to add +0, as none of the others is −0
	chains := 64 / int(unsafe.Sizeof(x[0]))
	if unsafe.Sizeof(x[0]) == 8 || !plain {
		for s, v := range x {
			sums[s&(chains-1)] = fma(v, y[s], sums[s&(chains-1)])
		}
		return tree(&sums)
	}
	for s := range chains {
		z := 0.0
		for at := s; at < len(x) && at < len(y); at += chains {
			a, b := float64(x[at]), float64(y[at])
			bits := math.Float64bits(a*b + z)
			if midway(bits) {
				bits = fmaMidway(a, b, z)
			}
			z = nearest(bits)
		}
		sums[s] = T(z)
	}
	return tree(&sums)
}

func addRowSums[T Float](g, e []T, r, n int) {
	for i := range r {
		var chains [16]T
		for s, v := range e[i*n : i*n+n] {
			chains[s&(len(chains)-1)] += v
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
