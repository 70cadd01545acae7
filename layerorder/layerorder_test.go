package layerorder

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// dot returns ⟨x, y⟩.
func dot(x, y []float64) float64 {
	sum := 0.0
	for i, v := range x {
		sum += v * y[i]
	}
	return sum
}

// drawPath draws layers of normal numbers.
func drawPath(t *rapid.T) [][]float64 {
	layers, entries := rapid.IntRange(6, 20).Draw(t, "layers"), rapid.IntRange(1, 40).Draw(t, "entries")
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	path := empty(layers, entries)
	for _, x := range path {
		for e := range x {
			x[e] = r.NormFloat64()
		}
	}
	return path
}

// near holds a number to another one.
func near(t interface {
	Helper()
	Errorf(format string, args ...any)
}, what string, got, want float64,
) {
	t.Helper()
	if !(math.Abs(got-want) <= 1e-9*(1+math.Abs(want))) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// TestGramEqualsPath holds what follows from inner products to the same from the layers themselves.
func TestGramEqualsPath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := drawPath(t)
		g, err := NewGram(path)
		if err != nil {
			t.Fatal(err)
		}
		p := g.without(-1)
		n, entries := len(path), len(path[0])
		variance := 0.0
		for e := range entries {
			mean := 0.0
			for _, x := range path {
				mean += x[e] / float64(n)
			}
			for _, x := range path {
				variance += (x[e] - mean) * (x[e] - mean) / float64(n-1)
			}
		}
		near(t, "variance", p.variance(), variance)
		m := rapid.IntRange(1, 2).Draw(t, "lag")
		squares := 0.0
		for k := range n - 2*m {
			for e := range entries {
				d := path[k+2*m][e] - 2*path[k+m][e] + path[k][e]
				squares += d * d / float64(n-2*m)
			}
		}
		near(t, "second differences", p.differences(2, m), squares)
		result, err := Analyze(g)
		if err != nil {
			t.Fatal(err)
		}
		for k, x := range path {
			near(t, "norm", result.Norms[k], math.Sqrt(dot(x, x)))
		}
		shares := 0.0
		for _, share := range result.Explained {
			shares += share
		}
		if !(shares <= 1+1e-9) {
			t.Errorf("explained: got a sum of %v, want 1 at most", shares)
		}
	})
}

// TestScaleFree wants the same verdict, order and index of a path times a number.
func TestScaleFree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := drawPath(t)
		scaled := empty(len(path), len(path[0]))
		factor := math.Ldexp(1, rapid.IntRange(-40, 40).Draw(t, "power"))
		for k, x := range path {
			for e, v := range x {
				scaled[k][e] = factor * v
			}
		}
		a, b := analyzed(t, path), analyzed(t, scaled)
		if a.Verdict != b.Verdict || a.Order != b.Order || fmt.Sprint(a.Index) != fmt.Sprint(b.Index) {
			t.Errorf("scaled by %g: got %v %v %v, want %v %v %v", factor, b.Verdict, b.Order, b.Index, a.Verdict, a.Order, a.Index)
		}
	})
}

func analyzed(t interface{ Fatal(args ...any) }, path [][]float64) *Result {
	g, err := NewGram(path)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Analyze(g)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestIncrements holds the closed form of differences of a fractional path to its covariance
// (s^2H + t^2H − |s−t|^2H), term by term.
func TestIncrements(t *testing.T) {
	for _, hurst := range []float64{0.2, 0.5, 0.8} {
		for q := 1; q <= highestOrder; q++ {
			weights, want := binomials(q), 0.0
			power := func(v int) float64 { return math.Pow(math.Abs(float64(v)), 2*hurst) }
			for i, a := range weights {
				for j, b := range weights {
					want += a * b * (power(i+7) + power(j+7) - power(i-j))
				}
			}
			near(t, "increments", increments(q, hurst), want)
		}
	}
	near(t, "noise", increments(3, 0), 20)
}

// TestNonnegative holds the least squares to the best over all sets of coefficients that are zero.
func TestNonnegative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 2))
		rows, columns := 8, rapid.IntRange(1, 4).Draw(t, "columns")
		a, b := empty(rows, columns), make([]float64, rows)
		for i := range a {
			b[i] = r.NormFloat64()
			for j := range a[i] {
				a[i][j] = r.NormFloat64()
			}
		}
		x, got := nonnegative(a, b)
		for _, v := range x {
			if v < 0 {
				t.Fatalf("got %v, want at least 0", x)
			}
		}
		want := math.Inf(1)
		for set := range 1 << columns {
			chosen := empty(rows, 0)
			for i := range a {
				for j := range columns {
					if set>>j&1 == 1 {
						chosen[i] = append(chosen[i], a[i][j])
					}
				}
			}
			if misfit, ok := leastSquares(chosen, b); ok {
				want = min(want, misfit)
			}
		}
		if !(math.Abs(got-want) <= 1e-6) {
			t.Errorf("misfit: got %v, want %v", got, want)
		}
	})
}

// leastSquares returns the misfit of the solution without bounds by projecting columns out one by one; ok is false
// when a coefficient is negative.
func leastSquares(a [][]float64, b []float64) (misfit float64, ok bool) {
	n := len(a[0])
	x := make([]float64, n)
	for range 4000 { // coordinate descent converges for few columns
		for j := range n {
			top, bottom := 0.0, 0.0
			for i := range a {
				r := b[i]
				for l, v := range a[i] {
					if l != j {
						r -= v * x[l]
					}
				}
				top += r * a[i][j]
				bottom += a[i][j] * a[i][j]
			}
			x[j] = top / bottom
		}
	}
	for _, v := range x {
		if v < 0 {
			return 0, false
		}
	}
	for i := range a {
		r := b[i]
		for j, v := range a[i] {
			r -= v * x[j]
		}
		misfit += r * r
	}
	return misfit, true
}

// TestOutliers wants the first and the last layer named when they are unlike the others, and left out.
func TestOutliers(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	path := smoothPath(r, 14, 64)
	for e := range path[0] {
		path[0][e] += 20 * r.NormFloat64()
		path[13][e] += 20 * r.NormFloat64()
	}
	got := analyzed(t, path)
	if len(got.Outliers) != 2 || got.Outliers[0] != 0 || got.Outliers[1] != 13 || got.From != 1 || got.To != 13 || got.Verdict != Smooth {
		t.Errorf("got outliers %v, judged %d to %d as %v, want 0 and 13, and a smooth path between", got.Outliers, got.From, got.To, got.Verdict)
	}
	for k, v := range got.Axes[0] {
		if left := k == 0 || k == 13; math.IsNaN(v) != left {
			t.Errorf("layer %d: got %v along the first component, want a number of the layers that are judged alone", k, v)
		}
	}
	if !(got.Explained[0] > 0.5) {
		t.Errorf("got %v of the variance along the components, want most along the first", got.Explained)
	}
}

// TestEqualLayers wants equal layers, and layers of zeros, without a division by zero, however the sums of their products
// round, and with their cosines.
func TestEqualLayers(t *testing.T) {
	for _, value := range []float64{0, 3, 0.1, 7.77e-5} {
		for _, layers := range []int{2, 7, 12, 31, 96} {
			path := empty(layers, 17)
			for _, x := range path {
				for e := range x {
					x[e] = value * float64(1+e%7)
				}
			}
			got := analyzed(t, path)
			if !got.Equal || got.Verdict != Smooth || got.Order.P != 1 || len(got.Lags) != len(lagsOf(layers)) {
				t.Errorf("%d layers of %g: got %+v, want equal layers", layers, value, got)
			}
		}
	}
}

// TestNearlyEqualLayers wants layers that differ by more than rounding to be a path.
func TestNearlyEqualLayers(t *testing.T) {
	path := empty(12, 40)
	for k, x := range path {
		for e := range x {
			x[e] = 1 + 1e-6*math.Sin(float64(e)+float64(k)/4)
		}
	}
	if got := analyzed(t, path); got.Equal || got.Order.P > Level {
		t.Errorf("got equal %v, order %+v, want layers that differ and their order", got.Equal, got.Order)
	}
}

// TestDyadicIndex wants no bound where increments at lag 2 are not larger than those at lag 1.
func TestDyadicIndex(t *testing.T) {
	for _, c := range []struct {
		path [][]float64
		want float64
	}{
		{[][]float64{{0}, {1}, {2}, {3}}, 1},
		{[][]float64{{0}, {1}, {0}, {1}, {0}}, math.Inf(1)},
		{[][]float64{{0}, {3}, {1}, {4}, {2}}, math.Inf(1)},
	} {
		g, err := NewGram(c.path)
		if err != nil {
			t.Fatal(err)
		}
		if got := dyadicIndex(g.without(-1)); got != c.want {
			t.Errorf("%v: got %v, want %v", c.path, got, c.want)
		}
	}
}

// TestFewLayers wants no verdict of layers whose orders are too few.
func TestFewLayers(t *testing.T) {
	for layers := 2; layers < MinLayers; layers++ {
		got := analyzed(t, smoothPath(rand.New(rand.NewPCG(5, 6)), layers, 30))
		if got.Verdict != TooFewLayers || !math.IsNaN(got.Index.Value) {
			t.Errorf("%d layers: got %v with index %v, want no verdict", layers, got.Verdict, got.Index)
		}
	}
	if _, err := Analyze(EmptyGram(1, 3)); err == nil {
		t.Error("one layer: got no error")
	}
}
