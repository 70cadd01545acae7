//go:build (amd64 || arm64) && !purego

package kernel

import (
	"slices"
	"unsafe"
)

//go:generate ./generate.sh

// The starts of a product's chains, as the assembly numbers them.
const (
	fromZero = iota
	fromBias
	fromOld
)

// assembly is one tier's functions for one element type. Sizes are checked before
// they are called; strides are in bytes, lengths are positive multiples of the
// granularity that the generator states.
type assembly[T Float] struct {
	tier                               string
	lanes                              int // a power of two
	product                            func(c, a, b, bias *T, rows, k, cols, lda, ka, ldb, ldc, mode int)
	half                               func(c, a, b, bias *T, rows, k, cols, lda, ka, ldb, ldc, mode int) // product with vectors of half the lanes, or nil
	transpose                          func(dst, src *T, lds, ldd, rows, n int)
	interleavedOuter                   func(g, e, h *T, r, c, n int)
	addRowSums                         func(g, e *T, r, n int)
	activations                        [TanhValue + 1]func(next, ds, u, h *T, a T, n int)
	addScaled                          func(y, x *T, a T, n int)
	scaleMul, scaleMulSlope, sumScaled func(z, x, y *T, a T, n int)
	squares                            func(x *T, n int) (chains [16]float64)
	distances                          func(x, y *T, n int) (chains [16]float64)
	toPoint                            func(dst *float64, x, y *T, tiles, d int)
	fromBfloat16                       func(x *float64, data *byte, n int) (largest [8]uint32)
	peak                               func(rounds int, x *T)
	chain                              chains[T]
	norm                               norms[T]
	update                             updates[T]
}

// updates are the steps of methods; c holds factors.
type updates[T Float] struct {
	scale              func(z, x *T, a T, n int)
	momentum, nesterov func(y, v, g, c *T, n int)
	adam               func(y, m, s, g, c *T, n int)
	sign               func(y, g, c *T, n int)
	lion               func(y, m, g, c *T, n int)
}

// norms normalise columns of r rows.
type norms[T Float] struct {
	centre        func(x, h *T, count float64, r, n int)
	normalise     func(x, inverse, h *T, count, epsilon float64, r, n int)
	addNormalised func(p, g, x, inverse *T, count float64, r, n int)
}

// chains take a tile of few rows through several layers: one for rows of whole vectors, one
// for those of vectors of half the lanes and one for those of Lanes columns, where there is
// a faster one.
type chains[T Float] struct{ whole, half, narrow layered[T] }

// layered is one way through several layers; ld is the bytes of a row.
type layered[T Float] struct {
	tanhLayers   func(next, s, w, h *T, a T, d, ld, layers, nextStep, sStep int)
	tanhAdjoints func(e, p, w, s *T, a T, d, ld, layers int)
}

// ops returns the tier.
func (f *assembly[T]) ops() Ops[T] {
	ops := Ops[T]{Tier: f.tier}
	f.setProducts(&ops)
	f.setVectors(&ops)
	f.setUpdates(&ops)
	f.setNorms(&ops)
	f.setActivations(&ops)
	f.setChains(&ops)
	return ops
}

// setProducts sets the products.
func (f *assembly[T]) setProducts(ops *Ops[T]) {
	size := int(unsafe.Sizeof(T(0)))
	ops.Affine = func(z, w, h, b []T, r, c, n int) {
		mode := fromZero
		if b != nil {
			mode = fromBias
		}
		f.productOf(n)(&z[0], &w[0], &h[0], unsafe.SliceData(b), r, c, n, c*size, size, n*size, n*size, mode)
	}
	ops.AddTransposed = func(p, w, e []T, r, c, n int) { f.transposed(p, w, e, r, c, n, fromOld) }
	ops.SetTransposed = func(p, w, e []T, r, c, n int) { f.transposed(p, w, e, r, c, n, fromZero) }
	ops.AddOuter = func(g, e, h []T, r, c, n int, scratch []T) { f.outer(g, e, h, r, c, n, fromOld, scratch) }
	ops.SetOuter = func(g, e, h []T, r, c, n int, scratch []T) { f.outer(g, e, h, r, c, n, fromZero, scratch) }
}

// setVectors sets the functions of long vectors, and the peak.
func (f *assembly[T]) setVectors(ops *Ops[T]) {
	size := int(unsafe.Sizeof(T(0)))
	ops.AddRowSums = func(g, e []T, r, n int) { f.addRowSums(&g[0], &e[0], r, n) }
	ops.AddScaled = func(y []T, a T, x []T) {
		main := len(x) &^ 15
		if main > 0 {
			f.addScaled(&y[0], &x[0], a, main)
		}
		addScaled(y[main:], a, x[main:])
	}
	ops.ScaleMul = func(z []T, a T, x, y []T) {
		main := len(x) &^ (f.lanes - 1)
		if main > 0 {
			f.scaleMul(&z[0], &x[0], &y[0], a, main)
		}
		scaleMul(z[main:], a, x[main:], y[main:])
	}
	ops.ScaleMulSlope = func(z []T, a T, x, y []T) {
		main := len(x) &^ (f.lanes - 1)
		if main > 0 {
			f.scaleMulSlope(&z[0], &x[0], &y[0], a, main)
		}
		scaleMulSlope(z[main:], a, x[main:], y[main:])
	}
	ops.SumScaled = func(z []T, a T, x, y []T) {
		main := len(x) &^ (f.lanes - 1)
		if main > 0 {
			f.sumScaled(&z[0], &x[0], &y[0], a, main)
		}
		sumScaled(z[main:], a, x[main:], y[main:])
	}
	ops.SumSquares = func(x []T) float64 {
		var chains [16]float64
		main := len(x) &^ 15
		if main > 0 {
			chains = f.squares(&x[0], main)
		}
		addSquares(&chains, x[main:])
		return tree(&chains)
	}
	ops.SumSquaredDifferences = func(x, y []T) float64 {
		var chains [16]float64
		main := len(x) &^ 15
		if main > 0 {
			chains = f.distances(&x[0], &y[0], main)
		}
		addSquaredDifferences(&chains, x[main:], y[main:])
		return tree(&chains)
	}
	ops.SquaredDistances = func(dst []float64, x, y []T) {
		if len(dst) > 0 {
			f.toPoint(&dst[0], &x[0], &y[0], len(dst)/Lanes, len(y))
		}
	}
	ops.FromBfloat16 = func(x []float64, data []byte) bool {
		main, largest := len(x)&^7, uint32(0)
		if main > 0 {
			lanes := f.fromBfloat16(&x[0], &data[0], main)
			largest = slices.Max(lanes[:])
		}
		return fromBfloat16(x[main:], data[2*main:]) && largest < infinity32
	}
	ops.prefetch = func(x []T) {
		if len(x) > 0 {
			prefetch((*byte)(unsafe.Pointer(&x[0])), len(x)*size)
		}
	}
	ops.peak = func(rounds int) float64 {
		half := T(0.5)
		f.peak(rounds, &half)
		return float64(rounds) * peakChains * float64(f.lanes) * 2
	}
}

// setUpdates sets the steps of methods.
func (f *assembly[T]) setUpdates(ops *Ops[T]) {
	ops.Scale = func(z []T, a T, x []T) {
		main := len(x) &^ (f.lanes - 1)
		if main > 0 {
			f.update.scale(&z[0], &x[0], a, main)
		}
		scale(z[main:], a, x[main:])
	}
	ops.Momentum = func(y, v []T, a, mu T, g []T) {
		main := len(g) &^ (f.lanes - 1)
		if main > 0 {
			c := factors[T]{a, mu}
			f.update.momentum(&y[0], &v[0], &g[0], &c[0], main)
		}
		momentum(y[main:], v[main:], a, mu, g[main:])
	}
	ops.Nesterov = func(y, v []T, a, mu T, g []T) {
		main := len(g) &^ (f.lanes - 1)
		if main > 0 {
			c := factors[T]{a, mu}
			f.update.nesterov(&y[0], &v[0], &g[0], &c[0], main)
		}
		nesterov(y[main:], v[main:], a, mu, g[main:])
	}
	ops.Sign = func(y []T, a T, g []T) {
		main := len(g) &^ (f.lanes - 1)
		if main > 0 {
			f.update.sign(&y[0], &g[0], &a, main)
		}
		signDescent(y[main:], a, g[main:])
	}
	ops.Lion = func(y, m []T, a, b1, b2 T, g []T) {
		main := len(g) &^ (f.lanes - 1)
		if main > 0 {
			c := lionFactors(a, b1, b2)
			f.update.lion(&y[0], &m[0], &g[0], &c[0], main)
		}
		lion(y[main:], m[main:], a, b1, b2, g[main:])
	}
	ops.Adam = func(y, m, s []T, numbers AdamFactors[T], g []T) {
		main := len(g) &^ (f.lanes - 1)
		if main > 0 {
			c := numbers.factors()
			f.update.adam(&y[0], &m[0], &s[0], &g[0], &c[0], main)
		}
		adam(y[main:], m[main:], s[main:], numbers, g[main:])
	}
}

// setNorms sets the normalisations.
func (f *assembly[T]) setNorms(ops *Ops[T]) {
	ops.Centre = func(x, h []T, r, n int) { f.norm.centre(&x[0], &h[0], float64(r), r, n) }
	ops.Normalise = func(x, inverse, h []T, r, n int, epsilon float64) {
		f.norm.normalise(&x[0], &inverse[0], &h[0], float64(r), epsilon, r, n)
	}
	ops.AddNormalised = func(p, g, x, inverse []T, r, n int) {
		f.norm.addNormalised(&p[0], &g[0], &x[0], &inverse[0], float64(r), r, n)
	}
}

// setActivations sets the activations.
func (f *assembly[T]) setActivations(ops *Ops[T]) {
	ops.Activate = func(kind Activation, s, ds, u []T) {
		main := len(u) &^ (f.lanes - 1)
		if main > 0 {
			f.activations[kind](&s[0], &ds[0], &u[0], nil, 0, main)
		}
		activate(kind, s[main:], ds[main:], u[main:])
	}
	ops.ActivateAdd = func(kind Activation, next, ds, u, h []T, a T) {
		main := len(u) &^ (f.lanes - 1)
		if main > 0 {
			f.activations[kind](&next[0], unsafe.SliceData(ds), &u[0], &h[0], a, main)
		}
		if main == len(u) {
			return
		}
		if ds != nil {
			ds = ds[main:]
		}
		activateAdd(kind, next[main:], ds, u[main:], h[main:], a)
	}
}

// setChains sets the ways through several layers.
func (f *assembly[T]) setChains(ops *Ops[T]) {
	size := int(unsafe.Sizeof(T(0)))
	ops.forwardTanh = func(next, s, w, h []T, a T, d, n, layers, nextStep, sStep int) {
		f.chainOf(n).tanhLayers(&next[0], &s[0], &w[0], &h[0], a, d, n*size, layers, nextStep*size, sStep*size)
	}
	ops.backTanh = func(e, p, w, s []T, a T, d, n, layers int) {
		last := layers - 1
		f.chainOf(n).tanhAdjoints(&e[last*d*n], &p[0], &w[last*d*d], &s[last*d*n], a, d, n*size, layers)
	}
}

// transposed computes p = start + Wᵀ E. w is read down its columns. Taken by fewer rows at a time, its cache lines are
// still there when the next columns are read; the chains wait in p.
func (f *assembly[T]) transposed(p, w, e []T, r, c, n, start int) {
	product, step := f.productOf(n), r
	if r > 2*transposedRows {
		step = transposedRows
	}
	size := int(unsafe.Sizeof(p[0]))
	for i := 0; i < r; i += step {
		product(&p[0], &w[i*c], &e[i*n], nil, c, min(step, r-i), n, size, c*size, n*size, n*size, start)
		start = fromOld
	}
}

// outer computes g = start + E Hᵀ.
func (f *assembly[T]) outer(g, e, h []T, r, c, n, start int, scratch []T) {
	if interleaved(c, n) {
		if start == fromZero {
			clear(g[:r*c])
		}
		f.interleavedOuter(&g[0], &e[0], &h[0], r, c, n)
		return
	}
	// The lanes run over j, so h is transposed to (n, stride) first. Rows of whole cache
	// lines are fastest, unless they are so many that all fall into the same cache sets.
	size := int(unsafe.Sizeof(g[0]))
	line := 64 / size
	stride := (c + line - 1) &^ (line - 1)
	if stride == c && stride%128 == 0 {
		stride += line
	}
	f.transpose(&scratch[0], &h[0], n*size, stride*size, c, n)
	f.productOf(c)(&g[0], &e[0], &scratch[0], nil, r, n, c, n*size, size, stride*size, c*size, start)
}

// transposedRows is how many rows of a tall w AddTransposed takes at a time. Of 32 to
// 256 it was the best or near it from 256 to 1024 rows, twice as fast as all rows at
// 1024 in float64.
const transposedRows = 64

// productOf returns the product for that many columns: vectors of half the lanes
// where they fit few columns better.
func (f *assembly[T]) productOf(cols int) func(c, a, b, bias *T, rows, k, cols, lda, ka, ldb, ldc, mode int) {
	if last := cols & (f.lanes - 1); f.half != nil && 0 < last && last <= f.lanes/2 && cols < 4*f.lanes {
		return f.half
	}
	return f.product
}

// chainOf returns the chain for tiles of that many columns.
func (f *assembly[T]) chainOf(n int) *layered[T] {
	switch {
	case n == Lanes && f.chain.narrow.tanhLayers != nil:
		return &f.chain.narrow
	case n&(f.lanes-1) != 0:
		return &f.chain.half
	}
	return &f.chain.whole
}
