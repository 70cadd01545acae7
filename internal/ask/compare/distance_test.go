package compare

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/scaling"
)

func drawProfile(t *rapid.T, kind, rows, dim int, name string) *profile {
	return &profile{kind: kind, dim: dim, data: rapid.SliceOfN(rapid.Float64Range(-2, 2), rows*dim, rows*dim).Draw(t, name)}
}

// TestStepDistance holds distances of step functions to those of package scaling, and sup to the largest over a grid
// that meets every piece.
func TestStepDistance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(1, 3).Draw(t, "dim")
		m, n := rapid.IntRange(1, 7).Draw(t, "m"), rapid.IntRange(1, 7).Draw(t, "n")
		a, b := drawProfile(t, steps, m, dim, "a"), drawProfile(t, steps, n, dim, "b")
		x, y := pvar.Points{Dim: dim, Data: a.data}, pvar.Points{Dim: dim, Data: b.data}
		for norm, of := range map[string]scaling.Distance{"l2": scaling.L2Distance, "integral": scaling.IntegralDistance} {
			want, err := of(x, y)
			if err != nil {
				t.Fatal(err)
			}
			if got := stepDistance(a, b, norm); !(math.Abs(got-want) <= 1e-13*(1+want)) {
				t.Errorf("%s: got %v, want %v", norm, got, want)
			}
		}
		most := 0.0
		for i := range m * n {
			s := (float64(i) + 0.5) / float64(m*n)
			most = max(most, squareOf(a.row(int(s*float64(m))), b.row(int(s*float64(n)))))
		}
		if got := stepDistance(a, b, "sup"); !(math.Abs(got-math.Sqrt(most)) <= 1e-14*(1+got)) {
			t.Errorf("sup: got %v, want %v", got, math.Sqrt(most))
		}
	})
}

// at returns the value of a piecewise linear profile at s in [0,1].
func (p *profile) at(s float64) []float64 {
	L := float64(p.rows() - 1)
	k := min(int(s*L), p.rows()-2)
	out := make([]float64, p.dim)
	for i := range out {
		out[i] = p.row(k)[i] + (s*L-float64(k))*(p.row(k + 1)[i]-p.row(k)[i])
	}
	return out
}

// TestLineDistance holds distances of piecewise linear functions to Simpson's rule on pieces, which is exact for
// squares, and to a fine grid.
func TestLineDistance(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dim := rapid.IntRange(1, 3).Draw(t, "dim")
		m, n := rapid.IntRange(1, 6).Draw(t, "m"), rapid.IntRange(1, 6).Draw(t, "n")
		a, b := drawProfile(t, lines, m+1, dim, "a"), drawProfile(t, lines, n+1, dim, "b")
		sum, most, integralMost := 0.0, 0.0, 0.0
		integral := make([]float64, dim)
		pieces := m * n
		for i := range pieces {
			low, high := float64(i)/float64(pieces), float64(i+1)/float64(pieces)
			square := func(s float64) float64 { return squareOf(a.at(s), b.at(s)) }
			sum += (square(low) + 4*square((low+high)/2) + square(high)) / 6 / float64(pieces)
			most = max(most, square(low), square(high))
			x, y := a.at((low+high)/2), b.at((low+high)/2)
			for k := range integral {
				integral[k] += (x[k] - y[k]) / float64(pieces)
			}
			if (i+1)%m == 0 || (i+1)%n == 0 {
				integralMost = max(integralMost, squareOf(integral, make([]float64, dim)))
			}
		}
		for norm, want := range map[string]float64{"l2": sum, "sup": most, "integral": integralMost} {
			if got := lineDistance(a, b, norm); !(math.Abs(got-math.Sqrt(want)) <= 1e-12*(1+got)) {
				t.Errorf("%s: got %v, want %v", norm, got, math.Sqrt(want))
			}
		}
	})
}

// TestAligned wants 0 for layers whose units stand in another order, and the plain distance where that is best.
func TestAligned(t *testing.T) {
	a := &profile{kind: steps, dim: 6, unit: 2, data: []float64{1, 2, 30, 40, 500, 600, 7, 8, 90, 100, 1100, 1200}}
	b := &profile{kind: steps, dim: 6, unit: 2, data: []float64{500, 600, 1, 2, 30, 40, 7, 8, 1100, 1200, 90, 100}}
	if got := alignedDistance(a, b, "l2"); got != 0 {
		t.Errorf("other orders: got %v, want 0", got)
	}
	c := &profile{kind: steps, dim: 6, unit: 2, data: append([]float64{}, a.data...)}
	c.data[0] += 3
	if got, want := alignedDistance(a, c, "l2"), stepDistance(a, c, "l2"); got != want {
		t.Errorf("the same order: got %v, want %v", got, want)
	}
}
