package scaling

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/pvar"
)

func TestDistancesByHand(t *testing.T) {
	a := pvar.Scalars([]float64{1, 3})    // 1 on (0,½], 3 on (½,1]
	b := pvar.Scalars([]float64{1, 2, 6}) // jumps at ⅓ and ⅔
	// a − b is 0, −1, 1, −3 on pieces of length ⅓, 1/6, 1/6, ⅓: the integral runs through 0, −1/6, 0, −1.
	got, err := IntegralDistance(a, b)
	if err != nil || !(math.Abs(got-1) <= 1e-15) {
		t.Errorf("integral distance: got %v, %v, want 1", got, err)
	}
	got, err = L2Distance(a, b)
	if want := math.Sqrt(1./6 + 1./6 + 3); err != nil || !(math.Abs(got-want) <= 1e-15*want) {
		t.Errorf("L2 distance: got %v, %v, want %v", got, err, want)
	}
	if got, err := IntegralDistance(a, a); err != nil || got != 0 {
		t.Errorf("a path to itself: got %v, %v", got, err)
	}
}

// TestDistancesEqualRefinement holds both distances to those of the paths repeated
// to a common depth, where they are plain sums, and checks symmetry.
func TestDistancesEqualRefinement(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for range 300 {
		m, n, dim := 1+rng.IntN(12), 1+rng.IntN(12), 1+rng.IntN(3)
		a, b := noisePath(rng, m, dim, 1, gaussian), noisePath(rng, n, dim, 1, gaussian)
		sum, integral, want := 0.0, make([]float64, dim), 0.0
		for s := range m * n {
			square := 0.0
			for k := range dim {
				d := (a.At(s / n)[k] - b.At(s / m)[k]) / float64(m*n)
				sum += d * d * float64(m*n)
				integral[k] += d
				square += integral[k] * integral[k]
			}
			want = max(want, math.Sqrt(square))
		}
		for _, c := range []struct {
			name     string
			distance Distance
			want     float64
		}{{"integral", IntegralDistance, want}, {"L2", L2Distance, math.Sqrt(sum)}} {
			got, err := c.distance(a, b)
			if err != nil {
				t.Fatal(err)
			}
			// mn ≤ 144 additions of terms of order 1, each rounded to 2⁻⁵³.
			if !(math.Abs(got-c.want) <= 1e-13) {
				t.Fatalf("%s: depths %d, %d: got %v, want %v", c.name, m, n, got, c.want)
			}
			if back, _ := c.distance(b, a); !(math.Abs(got-back) <= 1e-14) {
				t.Fatalf("%s: got %v, and %v the other way", c.name, got, back)
			}
		}
	}
}

// TestLimitRate checks the rates of theory: step functions of a smooth path converge like 1/L.
func TestLimitRate(t *testing.T) {
	var paths []DepthPath
	for seed := range uint64(3) {
		for _, depth := range []int{4096, 16, 64, 32, 128} { // in any order
			x := pvar.Points{Dim: 1, Data: make([]float64, depth)}
			for i := range x.Data {
				x.Data[i] = math.Sin(2*float64(i+1)/float64(depth) + float64(seed))
			}
			paths = append(paths, DepthPath{depth, seed, x})
		}
	}
	for name, distance := range map[string]Distance{"integral": IntegralDistance, "L2": L2Distance} {
		samples, err := DeepestDistances(paths, distance)
		if err != nil {
			t.Fatal(err)
		}
		if len(samples) != 12 || samples[0].Depth != 16 || samples[3].Depth != 128 {
			t.Errorf("%s: got samples %v", name, samples)
		}
		f, err := Fit(samples)
		if err != nil || !(math.Abs(f.Slope+1) <= 0.05) {
			t.Errorf("%s: slope %v, %v, want −1", name, f.Slope, err)
		}
	}
}

func TestLimitErrors(t *testing.T) {
	one := pvar.Scalars([]float64{1, 2})
	for _, c := range []struct {
		a, b pvar.Points
		want string
	}{
		{one, pvar.Points{Dim: 2, Data: []float64{1, 2}}, "got paths of dimension 1 and 2, want the same"},
		{one, pvar.Points{Dim: 1}, "got an empty path, want one layer or more"},
		{pvar.Scalars([]float64{1, math.NaN()}), one, "first path: layer 2: got NaN, want a finite number"},
		{one, pvar.Scalars([]float64{math.Inf(1)}), "second path: layer 1: got +Inf, want a finite number"},
	} {
		if _, err := IntegralDistance(c.a, c.b); err == nil || err.Error() != "scaling: integral distance: "+c.want {
			t.Errorf("got error %v, want %s", err, c.want)
		}
		if _, err := L2Distance(c.a, c.b); err == nil || err.Error() != "scaling: L2 distance: "+c.want {
			t.Errorf("got error %v, want %s", err, c.want)
		}
	}
	_, err := DeepestDistances([]DepthPath{{2, 1, one}, {2, 1, one}}, L2Distance)
	if want := "scaling: deepest distances: depth 2, seed 1: got two paths, want one"; err == nil || err.Error() != want {
		t.Errorf("got error %v, want %s", err, want)
	}
	_, err = DeepestDistances([]DepthPath{{2, 1, one}, {3, 1, pvar.Points{Dim: 2}}}, L2Distance)
	if err == nil || !strings.HasPrefix(err.Error(), "scaling: deepest distances: depths 2 and 3, seed 1: scaling: L2 distance: ") {
		t.Errorf("got error %v", err)
	}
}
