package kernel

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The portable code is held to the contract: to the definition of a fused
// multiply-add, and to sums written out in the documented order.

func TestFMA32RoundsOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	// exact returns x·y + z rounded once, by big.Float with all digits.
	exact := func(x, y, z float32) float32 {
		const prec = 700 // exponents of products reach from −298 to 256
		sum := new(big.Float).SetPrec(prec).Mul(big.NewFloat(float64(x)), big.NewFloat(float64(y)))
		sum.Add(sum, new(big.Float).SetPrec(prec).SetFloat64(float64(z)))
		f, _ := sum.Float32()
		return f
	}
	anyBits := func() float32 {
		for {
			if f := math.Float32frombits(r.Uint32()); f-f == 0 {
				return f
			}
		}
	}
	check := func(x, y, z float32) {
		t.Helper()
		got, want := fma32(x, y, z), exact(x, y, z)
		if got != want { // zeros of either sign are equal: big.Float has no rule for x − x
			t.Fatalf("fma32(%x, %x, %x): got %x, want %x", x, y, z, got, want)
		}
	}
	for range 100_000 {
		check(anyBits(), anyBits(), anyBits())
		// Of a size with each other.
		x, y := float32(r.NormFloat64()), float32(r.NormFloat64())
		check(x, y, float32(math.Ldexp(r.NormFloat64(), r.IntN(120)-60)))
		// Near the midpoints of float32: a product of half an ulp of z, with and without a
		// tail that the float64 sum loses.
		z := 1 + float32(r.IntN(1<<23))*0x1p-23
		check(1+float32(r.IntN(3))*0x1p-23, 0x1p-24*(1+float32(r.IntN(3)-1)*0x1p-23), z)
		check(-(1 + float32(r.IntN(3))*0x1p-23), 0x1p-24*(1+float32(r.IntN(3)-1)*0x1p-23), z)
		// Results that are subnormal.
		check(float32(r.NormFloat64()*0x1p-70), float32(r.NormFloat64()*0x1p-70), float32(r.IntN(64))*0x1p-149)
	}
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, c := range []struct{ x, y, z, want float32 }{
		{inf, 1, 1, inf},
		{inf, 0, 1, nan},
		{inf, 1, -inf, nan},
		{1, 1, -inf, -inf},
		{nan, 1, 1, nan},
		{math.MaxFloat32, 2, 0, inf},
		{math.MaxFloat32, 2, -math.MaxFloat32, math.MaxFloat32},
	} {
		if got := fma32(c.x, c.y, c.z); bitsOf(got) != bitsOf(c.want) {
			t.Errorf("fma32(%v, %v, %v): got %v, want %v", c.x, c.y, c.z, got, c.want)
		}
	}
	if got := fma32(float32(math.Copysign(0, -1)), 1, float32(math.Copysign(0, -1))); !math.Signbit(float64(got)) {
		t.Errorf("fma32(-0, 1, -0): got %v, want -0", got)
	}
}

// The definitions of the contract, one element at a time with no thought of memory.
func TestPortableFollowsTheContract(t *testing.T) {
	const r, c, n = 3, 5, 40
	a := &arena[float64]{r: rand.New(rand.NewPCG(7, 8)), values: ordinary[float64]}
	ops := portableOf[float64]()
	w, h, b, e := a.array(r*c), a.array(c*n), a.array(r), a.array(r*n)
	z, p, g, sums := a.array(r*n), a.array(c*n), a.array(r*c), a.array(r)
	pWant, gWant, sumsWant := append([]float64{}, p...), append([]float64{}, g...), append([]float64{}, sums...)

	ops.Affine(z, w, h, b, r, c, n)
	ops.AddTransposed(p, w, e, r, c, n)
	ops.AddOuter(g, e, h, r, c, n, make([]float64, OuterScratch(r, c, n)))
	ops.AddRowSums(sums, e, r, n)
	for i := range r {
		for s := range n {
			want := b[i]
			for j := range c {
				want = math.FMA(w[i*c+j], h[j*n+s], want)
			}
			same(t, "Affine", z[i*n+s:][:1], []float64{want})
		}
		for j := range c {
			for s := range n {
				gWant[i*c+j] = math.FMA(e[i*n+s], h[j*n+s], gWant[i*c+j])
				pWant[j*n+s] = math.FMA(w[i*c+j], e[i*n+s], pWant[j*n+s])
			}
		}
		sumsWant[i] += sumInChains(e[i*n:i*n+n], func(sum, v float64) float64 { return sum + v })
	}
	same(t, "AddTransposed", p, pWant)
	same(t, "AddOuter", g, gWant)
	same(t, "AddRowSums", sums, sumsWant)
	fused := func(sum, v float64) float64 { return math.FMA(v, v, sum) }
	same(t, "SumSquares", []float64{ops.SumSquares(h)}, []float64{sumInChains(h, fused)})
}

// Products in float32 go past fma32 where numbers are of a size that allows it: here are numbers of every size, and short ones, whose sums often lie
// midway between two float32.
func TestPortableProductsRoundOnce(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	scaled := func(exponents int) func() float32 {
		return func() float32 { return float32(math.Ldexp(r.NormFloat64(), r.IntN(2*exponents+1)-exponents)) }
	}
	inf := float32(math.Inf(1))
	for name, value := range map[string]func() float32{
		"ordinary": scaled(2),
		"short":    func() float32 { return float32(r.IntN(1<<13)-1<<12) / 16 },
		"sparse":   func() float32 { return float32(r.NormFloat64()) * float32(r.IntN(2)) },
		"small":    func() float32 { return float32(math.Ldexp(r.NormFloat64(), -70)) },
		"large":    func() float32 { return float32(math.Ldexp(r.NormFloat64(), 63)) },
		"any size": scaled(100),
		"bounds": func() float32 {
			return []float32{0x1p-51, -0x1p-52, 0x1.fffffep29, -0x1p30, 0x1.000002p0, 0x1p-126, 0x1p-149, 0}[r.IntN(8)]
		},
		"infinite": func() float32 { return []float32{1, -0x1.8p-24, inf, -inf, 0}[min(4, r.IntN(400))] },
	} {
		array := func(n int) []float32 {
			v := make([]float32, n)
			for i := range v {
				v[i] = value()
			}
			return v
		}
		for range 20 {
			rows, c, n := 1+r.IntN(6), 1+r.IntN(70), 8*(1+r.IntN(6))
			if r.IntN(2) == 0 {
				c = 9 + r.IntN(7) // interleaved from n = 32 on
			}
			w, h, b, e := array(rows*c), array(c*n), array(rows), array(rows*n)
			z, p, g := array(rows*n), array(c*n), array(rows*c)
			for _, start := range [][]float32{b, p, g} { // of the size of products
				for i := range start {
					start[i] *= value()
				}
			}
			zWant, pWant, gWant := make([]float32, rows*n), slices.Clone(p), slices.Clone(g)
			for i := range rows {
				for s := range n {
					zWant[i*n+s] = b[i]
					for j := range c {
						zWant[i*n+s] = fma32(w[i*c+j], h[j*n+s], zWant[i*n+s])
						pWant[j*n+s] = fma32(w[i*c+j], e[i*n+s], pWant[j*n+s])
					}
				}
				for j := range c {
					var chains [16]float32
					for s := range n {
						if interleaved(c, n) {
							chains[s%16] = fma32(e[i*n+s], h[j*n+s], chains[s%16])
						} else {
							gWant[i*c+j] = fma32(e[i*n+s], h[j*n+s], gWant[i*c+j])
						}
					}
					if interleaved(c, n) {
						gWant[i*c+j] += tree(&chains)
					}
				}
			}
			ops := portableOf[float32]()
			ops.Affine(z, w, h, b, rows, c, n)
			ops.AddTransposed(p, w, e, rows, c, n)
			ops.AddOuter(g, e, h, rows, c, n, make([]float32, OuterScratch(rows, c, n)))
			at := fmt.Sprintf(" of %s numbers, r=%d c=%d n=%d", name, rows, c, n)
			same(t, "Affine"+at, z, zWant)
			same(t, "AddTransposed"+at, p, pWant)
			same(t, "AddOuter"+at, g, gWant)
		}
	}
}

// sumInChains is the documented sum, with the tree written out.
func sumInChains(x []float64, add func(sum, v float64) float64) float64 {
	var s [16]float64
	for i, v := range x {
		s[i%16] = add(s[i%16], v)
	}
	quarter := func(i int) float64 { return (s[i] + s[i+8]) + (s[i+4] + s[i+12]) }
	return (quarter(0) + quarter(2)) + (quarter(1) + quarter(3))
}

func TestShapeMismatchPanics(t *testing.T) {
	v := func(n int) []float32 { return make([]float32, n) }
	for _, ops := range Tiers[float32]() {
		for _, c := range []struct {
			run  func()
			want string
		}{
			{
				func() { ops.Affine(v(15), v(6), v(24), nil, 2, 3, 8) },
				"kernel: Affine: got r=2 c=3 n=8 (want r, c ≥ 1 and n a positive multiple of 8) with lengths z r×n: 15, w r×c: 6, h c×n: 24, b r or nil: 0 (want at least that)",
			},
			{func() { ops.Affine(v(16), v(6), v(24), v(1), 2, 3, 8) }, "kernel: Affine: got r=2 c=3 n=8"},
			{func() { ops.Affine(v(8), v(6), v(12), nil, 2, 3, 4) }, "kernel: Affine: got r=2 c=3 n=4"},
			{func() { ops.Affine(nil, nil, nil, nil, 0, 3, 8) }, "kernel: Affine: got r=0 c=3 n=8"},
			{func() { ops.AddTransposed(v(24), v(5), v(16), 2, 3, 8) }, "kernel: AddTransposed: got r=2 c=3 n=8"},
			{func() { ops.AddOuter(v(6), v(16), v(24), 2, 3, 8, v(24)) }, "kernel: AddOuter: got r=2 c=3 n=8"},
			{func() { ops.AddRowSums(v(1), v(16), 2, 8) }, "kernel: AddRowSums: got r=2 c=1 n=8"},
			{func() { ops.Centre(v(16), v(15), 2, 8) }, "kernel: Centre: got r=2 c=1 n=8"},
			{func() { ops.Normalise(v(16), v(7), v(16), 2, 8, 1) }, "kernel: Normalise: got r=2 c=1 n=8"},
			{func() { ops.AddNormalised(v(16), v(16), v(8), v(8), 2, 8) }, "kernel: AddNormalised: got r=2 c=1 n=8"},
			{
				func() { ops.Activate(Tanh, v(3), v(4), v(4)) },
				"kernel: Activate: got activation 0 and lengths s: 3, ds: 4, u: 4, want an activation from 0 to 10 and equal lengths",
			},
			{func() { ops.Activate(TanhValue+1, v(4), v(4), v(4)) }, "kernel: Activate: got activation 11"},
			{func() { ops.ActivateAdd(GELU, v(4), v(3), v(4), v(4), 1) }, "kernel: ActivateAdd: got activation 1"},
			{func() { ops.AddScaled(v(3), 1, v(4)) }, "kernel: AddScaled: got lengths y: 3, x: 4, want equal lengths"},
			{func() { ops.ScaleMul(v(4), 1, v(4), v(3)) }, "kernel: ScaleMul: got lengths z: 4, x: 4, y: 3, want equal lengths"},
			{func() { ops.ScaleMulSlope(v(4), 1, v(4), v(3)) }, "kernel: ScaleMulSlope: got lengths z: 4, x: 4, y: 3, want equal lengths"},
			{func() { ops.SumScaled(v(3), 1, v(4), v(4)) }, "kernel: SumScaled: got lengths z: 3, x: 4, y: 4, want equal lengths"},
			{func() { ops.SquaredDistances(make([]float64, 8), v(8), nil) }, "kernel: SquaredDistances: got lengths dst: 8, x: 8, y: 0, want tiles×8, tiles×y×8, at least 1"},
			{func() { ops.SquaredDistances(make([]float64, 8), v(23), v(3)) }, "kernel: SquaredDistances: got lengths dst: 8, x: 23, y: 3, want tiles×8, tiles×y×8, at least 1"},
			{func() { ops.FromBfloat16(make([]float64, 3), make([]byte, 5)) }, "kernel: FromBfloat16: got lengths x: 3, data: 5, want two bytes for each number"},
			{func() { ops.SumSquaredDifferences(v(3), v(4)) }, "kernel: SumSquaredDifferences: got lengths x: 3, y: 4, want equal lengths"},
			{func() { ops.Forward(Tanh, v(32), v(32), v(7), nil, v(16), 1, 2, 8, 2, 16, 16) }, "kernel: Forward: got r=2 c=2 n=8"},
			{func() { ops.Forward(Tanh, v(32), v(32), v(8), v(3), v(16), 1, 2, 8, 2, 16, 16) }, "kernel: Forward: got r=2 c=2 n=8"},
			{func() { ops.Forward(Tanh, v(31), v(32), v(8), nil, v(16), 1, 2, 8, 2, 16, 16) }, "kernel: Forward: got r=2 c=2 n=8"},
			{func() { ops.Forward(Tanh, v(32), v(32), v(8), nil, v(16), 1, 2, 8, 2, 16, -1) }, "kernel: Forward: got r=2 c=2 n=8"},
			{func() { ops.Forward(Tanh, v(16), v(16), v(8), nil, v(16), 1, 2, 8, 0, 0, 0) }, "kernel: Forward: got r=2 c=2 n=8"},
			{func() {
				ops.Backward(Tanh, v(8), nil, v(16), v(32), v(8), v(32), v(31), 1, 2, 8, 2, false, true, v(200))
			}, "kernel: Backward: got r=2 c=2 n=8"},
			{func() {
				ops.Backward(Tanh, v(8), v(3), v(16), v(32), v(8), v(32), v(32), 1, 2, 8, 2, false, true, v(200))
			}, "kernel: Backward: got r=2 c=2 n=8"},
		} {
			func() {
				defer func() {
					if got := fmt.Sprint(recover()); !strings.HasPrefix(got, c.want) {
						t.Errorf("%s: got panic %q, want %q", ops.Tier, got, c.want)
					}
				}()
				c.run()
			}()
		}
	}
}

func TestSetTier(t *testing.T) {
	defer func() {
		if err := SetTier(""); err != nil {
			t.Error(err)
		}
	}()
	for _, ops := range Tiers[float32]() {
		if err := SetTier(ops.Tier); err != nil {
			t.Fatal(err)
		}
		if got := For[float32]().Tier; got != ops.Tier {
			t.Errorf("float32 after SetTier(%q): got %q", ops.Tier, got)
		}
		if got := For[float64]().Tier; got != ops.Tier {
			t.Errorf("float64 after SetTier(%q): got %q", ops.Tier, got)
		}
		if peak := ops.Peak(); !(peak > 1e6) {
			t.Errorf("%s: peak %v FLOP/s", ops.Tier, peak)
		}
	}
	err := SetTier("abacus")
	if err == nil || !strings.HasPrefix(err.Error(), `kernel: tier: got "abacus", want one of [`) {
		t.Errorf(`SetTier("abacus"): got %v`, err)
	}
}

// A step calls these all the time: none of them may allocate.
func TestNoAllocation(t *testing.T) {
	noAllocation[float32](t)
	noAllocation[float64](t)
}

func noAllocation[T Float](t *testing.T) {
	const d, n = 11, 24
	for _, ops := range Tiers[T]() {
		l := newTile[T](d, n)
		if got := testing.AllocsPerRun(10, func() {
			ops.Forward(Tanh, l.next, l.ds, l.w, l.e, l.h, 0.1, d, n, 1, 0, 0)
			ops.Forward(TanhValue, l.next, l.ds, l.w, nil, l.h, 0.1, d, 8, 1, 0, 0)
			ops.Backward(TanhValue, l.g, nil, l.p, l.e, l.w, l.ds, l.h, 0.1, d, n, 1, true, true, l.tmp)
			ops.Backward(GELU, l.g, l.next[:d], l.p, l.e, l.w, l.ds, l.h, 1e-3, d, n, 1, false, true, l.tmp)
			ops.Activate(GELU, l.next, l.ds, l.h)
			ops.AddScaled(l.w, -1e-3, l.g)
			ops.Centre(l.e, l.h, d, n)
			ops.Normalise(l.e, l.tmp, l.h, d, n, 1e-5)
			ops.AddNormalised(l.p, l.h, l.e, l.tmp, d, n)
			if sum := ops.SumSquares(l.g) + ops.SumSquaredDifferences(l.g, l.w); sum != sum {
				t.Error("sum of squares is NaN")
			}
		}); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", ops.Tier, got)
		}
	}
}
