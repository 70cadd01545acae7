package pvar

import (
	"math"
	"testing"
)

// TestVectorCost counts distances on straight lines: the dyadic search may take a
// multiple of log n a point and those of the leaves, and a quadratic one would take n/2.
func TestVectorCost(t *testing.T) {
	for _, p := range []float64{1.2, 2, 3} {
		for _, n := range []int{1 << 10, 1 << 14} {
			x := Points{Dim: 3, Data: make([]float64, 3*n)}
			for i := range x.Data {
				x.Data[i] = float64(i / 3)
			}
			s, count := newSearch(Euclidean, x, p), 0
			raw := s.space.raw
			s.space.raw = func(x, y []float64) float64 { count++; return raw(x, y) }
			plain := s.tiles.ops
			ops := *plain
			ops.SquaredDistances = func(dst, x, y []float64) { count += len(dst); plain.SquaredDistances(dst, x, y) }
			s.tiles.ops = &ops
			s.partition()
			if perPoint := float64(count) / float64(n); !(perPoint <= 30+5*math.Log2(float64(n))) {
				t.Errorf("line of %d points, p = %v: %.0f distances a point", n, p, perPoint)
			}
		}
	}
}

// TestScalarCost counts powers on paths that keep long lists of candidates alive:
// a bounded number a point, whatever n.
func TestScalarCost(t *testing.T) {
	for name, path := range map[string]func(i, n int) float64{
		"rising zig-zag":    func(i, n int) float64 { return float64(i%2) + 1e-3*float64(i) },
		"growing zig-zag":   func(i, n int) float64 { return float64(1-2*(i%2)) * float64(i) },
		"shrinking zig-zag": func(i, n int) float64 { return float64(1-2*(i%2)) * float64(n-i) },
		"falling staircase": func(i, n int) float64 { return float64(i%2)*1.5 - float64(i) },
		"waves of waves": func(i, n int) float64 {
			sum := 0.0
			for period := 2; period < n; period *= 3 {
				sum += math.Sqrt(float64(period)) * math.Sin(2*math.Pi*float64(i)/float64(period)+float64(period))
			}
			return sum
		},
	} {
		for _, p := range []float64{1.2, 2, 3} {
			for _, n := range []int{1 << 10, 1 << 15} {
				x := make([]float64, n)
				for i := range x {
					x[i] = path(i, n)
				}
				count := 0
				at := extrema(x)
				z := make([]float64, len(at))
				for k, i := range at {
					z[k] = x[i]
				}
				s := newScalarSearch(z, p)
				pow := s.pow
				s.pow = func(d float64) float64 { count++; return pow(d) }
				s.run()
				if perPoint := float64(count) / float64(n); !(perPoint <= 60) {
					t.Errorf("%s of %d points, p = %v: %.0f powers a point", name, n, p, perPoint)
				}
			}
		}
	}
}
