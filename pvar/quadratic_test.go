package pvar

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestQuadraticVariation(t *testing.T) {
	got, err := QuadraticVariation(Points{Dim: 2, Data: []float64{0, 0, 3, 4, 3, 6}})
	if err != nil || got != 29 {
		t.Errorf("got %v, %v, want 29", got, err)
	}
	if got, err := QuadraticVariation(Scalars([]float64{5})); err != nil || got != 0 {
		t.Errorf("one point: got %v, %v", got, err)
	}
	if _, err := QuadraticVariation(Scalars([]float64{0, math.NaN()})); err == nil || err.Error() != "pvar: path: point 1, entry 0: got NaN, want a finite number" {
		t.Errorf("NaN: got error %v", err)
	}
	for _, step := range []float64{1e200, 1e-200} {
		want := fmt.Sprintf("pvar: quadratic variation: got %v², outside the range of float64; want a rescaled path", step)
		if _, err := QuadraticVariation(Scalars([]float64{0, step})); err == nil || err.Error() != want {
			t.Errorf("step %v: got error %v", step, err)
		}
	}
}

func TestDyadicVariations(t *testing.T) {
	// 0, 1, 3, 6, 10, 15: strides 1, 2 (0 3 10 15), 4 (0 10 15), 8 (0 15).
	got, err := DyadicVariations(Scalars([]float64{0, 1, 3, 6, 10, 15}))
	want := []Stride{{1, 55, math.Sqrt(55)}, {2, 83, math.Sqrt(83)}, {4, 125, math.Sqrt(125)}, {8, 225, 15}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if got, err := DyadicVariations(Scalars([]float64{1})); err != nil || len(got) != 0 {
		t.Errorf("one point: got %v, %v", got, err)
	}
	// Of a Brownian path all are about n·dim, with relative standard deviation √(2m/(n·dim)).
	const n, dim = 4096, 20
	levels, err := DyadicVariations(brownian(n+1, dim))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range levels[:8] {
		sd := math.Sqrt(2 * float64(l.Stride) / (n * dim))
		if !(math.Abs(l.Value/(n*dim)-1) <= 5*sd) {
			t.Errorf("Brownian, stride %d: got %v, want %v ± %v", l.Stride, l.Value, n*dim, n*dim*sd)
		}
	}
}

func TestHoelder(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	noise, smooth := make([]float64, 4096*4), make([]float64, 4096)
	for i := range noise {
		noise[i] = rng.NormFloat64()
	}
	for i := range smooth {
		smooth[i] = math.Sin(float64(i) / 4096)
	}
	for _, c := range []struct {
		name          string
		path          Points
		want          float64
		mean, uniform float64 // tolerances
	}{
		// The slope over lags 1 … 1024 of n·dim increments; long lags have few independent ones.
		{"brownian", brownian(4096, 50), 0.5, 0.05, 0.08},
		{"noise", Points{Dim: 4, Data: noise}, 0, 0.01, 0.03},
		{"smooth", Scalars(smooth), 1, 0.01, 0.02},
	} {
		r, err := Hoelder(c.path)
		if err != nil || !(math.Abs(r.Mean-c.want) <= c.mean) || !(math.Abs(r.Uniform-c.want) <= c.uniform) || len(r.Lags) != 10 {
			t.Errorf("%s: got %v and %v over lags %v, %v, want %v", c.name, r.Mean, r.Uniform, r.Lags, err, c.want)
		}
	}
	for _, c := range []struct {
		path Points
		want string
	}{
		{Scalars(make([]float64, 16)), "pvar: Hölder exponent: got 16 points, want 17 or more"},
		{Scalars(make([]float64, 17)), "pvar: Hölder exponent: lag 1: got increments of size 0, want positive finite ones"},
		{Points{Dim: 0}, "pvar: path: got dimension 0, want at least 1"},
	} {
		if _, err := Hoelder(c.path); err == nil || err.Error() != c.want {
			t.Errorf("got error %v, want %s", err, c.want)
		}
	}
}

// TestRegularityScales wants roots to scale with the path and exponents to stay, however small or large it is.
func TestRegularityScales(t *testing.T) {
	x := brownian(100, 3)
	strides, err := DyadicVariations(x)
	if err != nil {
		t.Fatal(err)
	}
	regularity, err := Hoelder(x)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range []int{-1000, -700, -520, -300, 300, 520, 1000} {
		y := Points{Dim: 3, Data: make([]float64, len(x.Data))}
		for i, v := range x.Data {
			y.Data[i] = math.Ldexp(v, e)
		}
		scaled, err := DyadicVariations(y)
		if err != nil {
			t.Fatal(err)
		}
		for k, s := range scaled {
			if want := math.Ldexp(strides[k].Root, e); !(math.Abs(s.Root-want) <= 1e-14*want) {
				t.Errorf("2^%d, stride %d: got root %v, want %v", e, s.Stride, s.Root, want)
			}
			if outside := e < -510 || e > 510; math.IsNaN(s.Value) != outside {
				t.Errorf("2^%d, stride %d: got value %v", e, s.Stride, s.Value)
			}
		}
		h, err := Hoelder(y)
		if err != nil {
			t.Fatal(err)
		}
		if !(math.Abs(h.Mean-regularity.Mean) <= 1e-12 && math.Abs(h.Uniform-regularity.Uniform) <= 1e-12) {
			t.Errorf("2^%d: got exponents %v and %v, want %v and %v", e, h.Mean, h.Uniform, regularity.Mean, regularity.Uniform)
		}
		if want := math.Ldexp(regularity.Largest[2], e); !(math.Abs(h.Largest[2]-want) <= 1e-14*want) {
			t.Errorf("2^%d: got largest %v, want %v", e, h.Largest[2], want)
		}
	}
}
