package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

func TestNormalisationsIdentical(t *testing.T) {
	eachTier(t, normalisationsIdentical[float32], normalisationsIdentical[float64])
}

func normalisationsIdentical[T Float](t *testing.T, ops *Ops[T], a *arena[T]) {
	want := portableOf[T]()
	for r := 1; r <= 70; r++ {
		n, epsilon := 8+8*a.r.IntN(9), math.Ldexp(1, -a.r.IntN(60))
		at := func(name string) string { return fmt.Sprintf("%s r=%d n=%d", name, r, n) }
		h := a.array(r * n)
		x, xWant := a.pair(r * n)
		ops.Centre(x, h, r, n)
		want.Centre(xWant, h, r, n)
		same(t, at("Centre"), x, xWant)
		ops.Centre(x, x, r, n)
		want.Centre(xWant, xWant, r, n)
		same(t, at("Centre in place"), x, xWant)

		inverse, inverseWant := a.pair(n)
		ops.Normalise(x, inverse, h, r, n, epsilon)
		want.Normalise(xWant, inverseWant, h, r, n, epsilon)
		same(t, at("Normalise x"), x, xWant)
		same(t, at("Normalise inverse"), inverse, inverseWant)

		g := a.array(r * n)
		p, pWant := a.pair(r * n)
		ops.AddNormalised(p, g, x, inverse, r, n)
		want.AddNormalised(pWant, g, x, inverse, r, n)
		same(t, at("AddNormalised"), p, pWant)

		ops.Normalise(x, inverse, x, r, n, epsilon)
		want.Normalise(xWant, inverseWant, xWant, r, n, epsilon)
		same(t, at("Normalise in place"), x, xWant)
		a.check(t, at("a normalisation"))
	}
}

// TestNormalise holds the portable code to the definitions, one column at a time: rows and derivative of
// h/√(mean h² + ε), by central differences, and means of zero.
func TestNormalise(t *testing.T) {
	const epsilon, step = 1e-3, 1e-6
	rng := rand.New(rand.NewPCG(1, 18))
	ops := portableOf[float64]()
	for _, r := range []int{1, 2, 5, 13} {
		n := 16
		array := func() []float64 {
			v := make([]float64, r*n)
			for i := range v {
				v[i] = rng.NormFloat64()
			}
			return v
		}
		h, g, p := array(), array(), make([]float64, r*n)
		x, inverse := make([]float64, r*n), make([]float64, n)
		ops.Normalise(x, inverse, h, r, n, epsilon)
		ops.AddNormalised(p, g, x, inverse, r, n)
		moved := func(by float64) []float64 {
			out := make([]float64, r*n)
			for i := range out {
				out[i] = h[i] + by*g[i]
			}
			ops.Normalise(out, make([]float64, n), out, r, n, epsilon)
			return out
		}
		ahead, behind := moved(step), moved(-step)
		centred := make([]float64, r*n)
		ops.Centre(centred, h, r, n)
		for s := range n {
			square, mean := 0.0, 0.0
			for j := range r {
				square += h[j*n+s] * h[j*n+s] / float64(r)
				mean += centred[j*n+s]
			}
			if want := 1 / math.Sqrt(square+epsilon); !(math.Abs(inverse[s]/want-1) <= 1e-14) {
				t.Errorf("r=%d: inverse of column %d: got %v, want %v", r, s, inverse[s], want)
			}
			if !(math.Abs(mean) <= 1e-14) {
				t.Errorf("r=%d: column %d has mean %g after Centre, want 0", r, s, mean)
			}
			for j := range r {
				i := j*n + s
				if want := h[i] * inverse[s]; x[i] != want {
					t.Errorf("r=%d: x at %d: got %v, want %v", r, i, x[i], want)
				}
				// Rounding of a difference of numbers of size 1/√ε over the step, and its third derivative.
				if want := (ahead[i] - behind[i]) / (2 * step); !(math.Abs(p[i]-want) <= 1e-6*(1+math.Abs(want))) {
					t.Errorf("r=%d: derivative at %d: got %v, want %v", r, i, p[i], want)
				}
			}
		}
	}
}

// TestNormaliseZeros wants zeros, and finite numbers, of columns of zeros and of numbers whose squares leave the range
// of float32.
func TestNormaliseZeros(t *testing.T) {
	for _, ops := range Tiers[float32]() {
		for _, size := range []float32{0, 1e-45, 1e-30, 1e30, math.MaxFloat32} {
			const r, n = 6, 8
			h, x, p, inverse := make([]float32, r*n), make([]float32, r*n), make([]float32, r*n), make([]float32, n)
			for i := range h {
				h[i] = size
			}
			ops.Normalise(x, inverse, h, r, n, 1e-5)
			ops.AddNormalised(p, h, x, inverse, r, n)
			want := 0.0
			if size >= 1 {
				want = 1
			}
			for i := range x {
				if !(math.Abs(float64(x[i])-want) <= 1e-6) || p[i] != p[i] {
					t.Fatalf("%s, entries %g: got %g, want %g, with a derivative that is a number, not %g", ops.Tier, size, x[i], want, p[i])
				}
			}
		}
	}
}
