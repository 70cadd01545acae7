package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Every tier is held to the portable code, bit by bit, on arrays that start at any
// offset and end at a guard word: a write outside would change it.

// bitsOf returns the bits of v, all NaNs alike.
func bitsOf[T Float](v T) uint64 {
	if v != v {
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(float64(v)) // exact from float32, so the bits tell them apart
}

// arena hands out arrays with guard words before and after.
type arena[T Float] struct {
	r      *rand.Rand
	values func(*rand.Rand) T
	blocks [][]T
}

const guardWords = 17

// guard is written around arrays; it is not a value of any test.
func guard[T Float]() T { return T(-12345.678) }

// array returns n values at a random offset of at most 8 elements from an allocation.
func (a *arena[T]) array(n int) []T {
	before := guardWords + a.r.IntN(8)
	block := make([]T, before+n+guardWords)
	for i := range block {
		block[i] = guard[T]()
	}
	v := block[before : before+n : before+n]
	for i := range v {
		v[i] = a.values(a.r)
	}
	a.blocks = append(a.blocks, block[:before:before], block[before+n:])
	return v
}

// pair returns two arrays with the same values, for two tiers to write.
func (a *arena[T]) pair(n int) (x, y []T) {
	x, y = a.array(n), a.array(n)
	copy(y, x)
	return x, y
}

// check fails t if a guard word has changed, and forgets all arrays.
func (a *arena[T]) check(t *testing.T, what string) {
	t.Helper()
	for _, block := range a.blocks {
		for _, v := range block {
			if v != guard[T]() {
				t.Fatalf("%s wrote outside an array", what)
			}
		}
	}
	a.blocks = a.blocks[:0]
}

func ordinary[T Float](r *rand.Rand) T { return T(r.NormFloat64()) }

// special returns values at which arithmetic may go separate ways: infinities, NaN, zeros
// of both signs, subnormals, overflow; and values of all sizes.
func special[T Float](r *rand.Rand) T {
	list := []T{0, T(math.Copysign(0, -1)), T(math.Inf(1)), T(math.Inf(-1)), T(math.NaN()), 1, -1}
	switch r.IntN(6) {
	case 0:
		return list[r.IntN(len(list))]
	case 1:
		return T(r.NormFloat64() * 1e-40)
	case 2:
		return T(math.Ldexp(r.NormFloat64(), r.IntN(2200)-1100))
	case 3:
		return T(math.Ldexp(r.NormFloat64(), r.IntN(300)-150))
	}
	return T(r.NormFloat64() * 4)
}

// eachTier runs f for every tier but the portable one, in both types and with both kinds
// of values.
func eachTier(t *testing.T, single func(*testing.T, *Ops[float32], *arena[float32]), double func(*testing.T, *Ops[float64], *arena[float64])) {
	inType(t, "float32", single)
	inType(t, "float64", double)
}

func inType[T Float](t *testing.T, name string, f func(*testing.T, *Ops[T], *arena[T])) {
	all := Tiers[T]()
	if all[len(all)-1].Tier != "portable" {
		t.Fatalf("last tier is %q, want portable", all[len(all)-1].Tier)
	}
	for _, ops := range all[:len(all)-1] {
		for kind, values := range map[string]func(*rand.Rand) T{"ordinary": ordinary[T], "special": special[T]} {
			t.Run(fmt.Sprintf("%s/%s/%s", name, ops.Tier, kind), func(t *testing.T) {
				f(t, ops, &arena[T]{r: rand.New(rand.NewPCG(1, 2)), values: values})
			})
		}
	}
}

func portableOf[T Float]() *Ops[T] {
	all := Tiers[T]()
	return all[len(all)-1]
}

func same[T Float](t *testing.T, what string, got, want []T) {
	t.Helper()
	for i := range want {
		if bitsOf(got[i]) != bitsOf(want[i]) {
			t.Fatalf("%s: element %d of %d: got %v, want %v", what, i, len(want), got[i], want[i])
		}
	}
}

// productShapes covers all small widths, the boundaries of the register blocks and some large.
func productShapes(r *rand.Rand) (shapes [][3]int) {
	for d := 1; d <= 40; d++ {
		shapes = append(shapes, [3]int{d, d, 8 + 8*(d%4)})
	}
	for range 250 {
		shapes = append(shapes, [3]int{1 + r.IntN(52), 1 + r.IntN(52), 8 + 8*r.IntN(9)})
	}
	for c := 8; c <= 16; c++ { // around those of interleaved sums
		for _, n := range []int{24, 32, 40, 64, 136} {
			shapes = append(shapes, [3]int{1 + r.IntN(15), c, n}, [3]int{c, c, n})
		}
	}
	return append(shapes, [3]int{100, 3, 16}, [3]int{3, 100, 16}, [3]int{129, 65, 24}, [3]int{1, 300, 8}, [3]int{300, 1, 8}, [3]int{128, 128, 64})
}

func TestProductsIdentical(t *testing.T) {
	eachTier(t, productsIdentical[float32], productsIdentical[float64])
}

func productsIdentical[T Float](t *testing.T, ops *Ops[T], a *arena[T]) {
	want := portableOf[T]()
	for _, shape := range productShapes(a.r) {
		r, c, n := shape[0], shape[1], shape[2]
		at := func(name string) string { return fmt.Sprintf("%s r=%d c=%d n=%d", name, r, c, n) }
		w, h, b := a.array(r*c), a.array(c*n), a.array(r)
		if a.r.IntN(2) == 0 {
			b = nil
		}
		z, zWant := a.pair(r * n)
		ops.Affine(z, w, h, b, r, c, n)
		want.Affine(zWant, w, h, b, r, c, n)
		same(t, at("Affine"), z, zWant)

		e := a.array(r * n)
		p, pWant := a.pair(c * n)
		ops.AddTransposed(p, w, e, r, c, n)
		want.AddTransposed(pWant, w, e, r, c, n)
		same(t, at("AddTransposed"), p, pWant)

		g, gWant := a.pair(r * c)
		scratch := a.array(OuterScratch(r, c, n))
		ops.AddOuter(g, e, h, r, c, n, scratch)
		want.AddOuter(gWant, e, h, r, c, n, scratch)
		same(t, at("AddOuter"), g, gWant)

		ops.SetTransposed(p, w, e, r, c, n)
		want.SetTransposed(pWant, w, e, r, c, n)
		same(t, at("SetTransposed"), p, pWant)
		ops.SetOuter(g, e, h, r, c, n, scratch)
		want.SetOuter(gWant, e, h, r, c, n, scratch)
		same(t, at("SetOuter"), g, gWant)

		sums, sumsWant := a.pair(r)
		ops.AddRowSums(sums, e, r, n)
		want.AddRowSums(sumsWant, e, r, n)
		same(t, at("AddRowSums"), sums, sumsWant)
		a.check(t, at("a product"))
	}
}

func TestVectorsIdentical(t *testing.T) {
	eachTier(t, vectorsIdentical[float32], vectorsIdentical[float64])
}

func vectorsIdentical[T Float](t *testing.T, ops *Ops[T], a *arena[T]) {
	want := portableOf[T]()
	for n := range 420 {
		if n > 100 {
			n = 101 + a.r.IntN(3000)
		}
		at := func(name string) string { return fmt.Sprintf("%s n=%d", name, n) }
		x, y, scale := a.array(n), a.array(n), a.values(a.r)

		got, gotWant := a.pair(n)
		ops.AddScaled(got, scale, x)
		want.AddScaled(gotWant, scale, x)
		same(t, at("AddScaled"), got, gotWant)

		ops.ScaleMul(got, scale, x, y)
		want.ScaleMul(gotWant, scale, x, y)
		same(t, at("ScaleMul"), got, gotWant)
		ops.ScaleMul(got, scale, got, y)
		want.ScaleMul(gotWant, scale, gotWant, y)
		same(t, at("ScaleMul in place of x"), got, gotWant)
		ops.ScaleMul(got, scale, x, got)
		want.ScaleMul(gotWant, scale, x, gotWant)
		same(t, at("ScaleMul in place of y"), got, gotWant)

		ops.ScaleMulSlope(got, scale, x, y)
		want.ScaleMulSlope(gotWant, scale, x, y)
		same(t, at("ScaleMulSlope"), got, gotWant)
		ops.ScaleMulSlope(got, scale, x, got)
		want.ScaleMulSlope(gotWant, scale, x, gotWant)
		same(t, at("ScaleMulSlope in place of y"), got, gotWant)

		ops.SumScaled(got, scale, x, y)
		want.SumScaled(gotWant, scale, x, y)
		same(t, at("SumScaled"), got, gotWant)
		ops.SumScaled(got, scale, got, y)
		want.SumScaled(gotWant, scale, gotWant, y)
		same(t, at("SumScaled in place of x"), got, gotWant)
		if late := 16 + 8*(n%3); n > late {
			ops.SumScaled(got[late:], scale, x[late:], got[:n-late])
			want.SumScaled(gotWant[late:], scale, x[late:], gotWant[:n-late])
			same(t, at("SumScaled behind y"), got, gotWant)
		}

		updatesIdentical(t, ops, a, n)

		if got, want := ops.SumSquares(x), want.SumSquares(x); bitsOf(got) != bitsOf(want) {
			t.Fatalf("%s: got %v, want %v", at("SumSquares"), got, want)
		}
		if tiles := n / Lanes % 5; n > 0 && tiles > 0 {
			d := 1 + n%23
			points, point := a.array(tiles*d*Lanes), a.array(d)
			got, other := make([]float64, tiles*Lanes), make([]float64, tiles*Lanes)
			ops.SquaredDistances(got, points, point)
			want.SquaredDistances(other, points, point)
			same(t, at("SquaredDistances"), got, other)
		}
		data := make([]byte, 2*n)
		for i := range data {
			data[i] = byte(a.r.Uint32())
		}
		if n%3 > 0 { // as of weights: random bits are seldom all finite
			for i := 1; i < len(data); i += 2 {
				data[i] = data[i]&0x80 | 0x3c
			}
		}
		numbers, numbersWant := make([]float64, n), make([]float64, n)
		if got, want := ops.FromBfloat16(numbers, data), want.FromBfloat16(numbersWant, data); got != want {
			t.Fatalf("%s: got %v for all are finite, want %v", at("FromBfloat16"), got, want)
		}
		same(t, at("FromBfloat16"), numbers, numbersWant)
		if got, want := ops.SumSquaredDifferences(x, y), want.SumSquaredDifferences(x, y); bitsOf(got) != bitsOf(want) {
			t.Fatalf("%s: got %v, want %v", at("SumSquaredDifferences"), got, want)
		}
		a.check(t, at("a vector function"))
	}
}

func TestActivationsIdentical(t *testing.T) {
	eachTier(t, activationsIdentical[float32], activationsIdentical[float64])
}

func activationsIdentical[T Float](t *testing.T, ops *Ops[T], a *arena[T]) {
	want := portableOf[T]()
	for n := range 180 {
		if n > 100 {
			n = 101 + a.r.IntN(1000)
		}
		for kind := Tanh; kind <= TanhValue; kind++ {
			at := func(name string) string { return fmt.Sprintf("%s activation %d n=%d", name, kind, n) }
			u, h, scale := a.array(n), a.array(n), a.values(a.r)
			s, sWant := a.pair(n)
			ds, dsWant := a.pair(n)
			ops.Activate(kind, s, ds, u)
			want.Activate(kind, sWant, dsWant, u)
			same(t, at("Activate σ"), s, sWant)
			same(t, at("Activate σ′"), ds, dsWant)

			ops.ActivateAdd(kind, s, nil, u, h, scale)
			want.ActivateAdd(kind, sWant, nil, u, h, scale)
			same(t, at("ActivateAdd without σ′"), s, sWant)
			ops.ActivateAdd(kind, s, ds, u, s, scale)
			want.ActivateAdd(kind, sWant, dsWant, u, sWant, scale)
			same(t, at("ActivateAdd in place of h"), s, sWant)

			v, vWant := a.pair(n)
			ops.ActivateAdd(kind, v, ds, v, h, scale)
			want.ActivateAdd(kind, vWant, dsWant, vWant, h, scale)
			same(t, at("ActivateAdd in place of u"), v, vWant)
			same(t, at("ActivateAdd σ′"), ds, dsWant)
			ops.Activate(kind, v, ds, v)
			want.Activate(kind, vWant, dsWant, vWant)
			same(t, at("Activate in place"), v, vWant)
			a.check(t, at("an activation"))
		}
	}
}

// TestLayersAreTheirComposition wants Forward and Backward to be what their documentation
// composes them of in every tier, the portable one too: with all states kept or none.
func TestLayersAreTheirComposition(t *testing.T) {
	layersAreTheirComposition[float32](t)
	layersAreTheirComposition[float64](t)
}

func layersAreTheirComposition[T Float](t *testing.T) {
	a := &arena[T]{r: rand.New(rand.NewPCG(5, 6)), values: ordinary[T]}
	for _, ops := range Tiers[T]() {
		for _, kind := range []Activation{GELU, ReLU, TanhValue} {
			for _, withBias := range []bool{false, true} {
				for _, n := range []int{8, 24, 32, 40} {
					for _, d := range []int{1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 33} {
						composed(t, ops, a, kind, withBias, d, n)
					}
				}
			}
		}
	}
}

func composed[T Float](t *testing.T, ops *Ops[T], a *arena[T], kind Activation, withBias bool, d, n int) {
	const layers, gap = 3, 5
	at := func(name string) string {
		return fmt.Sprintf("%s %s activation %d d=%d n=%d bias=%v", ops.Tier, name, kind, d, n, withBias)
	}
	size, square := d*n, d*d
	w, b, h := a.array(layers*square), a.array(layers*d), a.array(size)
	gb, gbWant := a.pair(layers * d)
	if !withBias {
		b, gb, gbWant = nil, nil, nil
	}
	next, nextWant := a.pair(layers * size)
	ds, dsWant := a.pair((layers-1)*(size+gap) + size)
	slopes, z, from := a.array(layers*size), a.array(size), h
	for k := range layers {
		to, kept := nextWant[k*size:][:size], dsWant[k*(size+gap):][:size]
		ops.Affine(z, w[k*square:], from, row(b, k, d), d, d, n)
		ops.Activate(Tanh+kind%TanhValue, z, slopes[k*size:][:size], z) // σ′ of tanh for TanhValue
		copy(kept, slopes[k*size:])
		if kind == TanhValue {
			copy(kept, z)
		}
		copy(to, from)
		ops.AddScaled(to, 0.3, z)
		ops.SumScaled(z, 0.3, z, from)
		same(t, at("SumScaled"), z, to)
		from = to
	}
	ops.Forward(kind, next, ds, w, b, h, 0.3, d, n, layers, size, size+gap)
	same(t, at("Forward"), next, nextWant)
	same(t, at("Forward σ′"), ds, dsWant)
	last := append([]T(nil), h...)
	ops.Forward(kind, last, z, w, b, last, 0.3, d, n, layers, 0, 0)
	same(t, at("Forward in place"), last, from)

	g, gWant := a.pair(layers * square)
	p, pWant := a.pair(size)
	e, eWant, states, scratch := a.array(layers*size), a.array(size), a.array(layers*size), a.array(OuterScratch(d, d, n))
	kept := make([]T, 0, layers*size)
	for k := range layers {
		kept = append(kept, dsWant[k*(size+gap):][:size]...)
	}
	fresh := d%2 == 0
	ops.Backward(kind, g, gb, p, e, w, kept, states, 0.3, d, n, layers, fresh, true, scratch)
	if fresh {
		clear(gWant)
		clear(gbWant)
	}
	for k := layers - 1; k >= 0; k-- {
		ops.ScaleMul(eWant, 0.3, pWant, slopes[k*size:][:size])
		ops.AddOuter(gWant[k*square:], eWant, states[k*size:], d, d, n, scratch)
		if withBias {
			ops.AddRowSums(gbWant[k*d:], eWant, d, n)
		}
		ops.AddTransposed(pWant, w[k*square:], eWant, d, d, n)
	}
	same(t, at("Backward g"), g, gWant)
	same(t, at("Backward gb"), gb, gbWant)
	same(t, at("Backward p"), p, pWant)
	a.check(t, at("layers"))
}
