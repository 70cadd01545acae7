package assignment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"

	_ "github.com/deeplimit/deeplimit/test/fixedseed"
)

// TestSolve wants a permutation whose cost no other one is below. Prices prove that: what each row pays beyond its cheapest column
// at these prices bounds the cost that another permutation can save.
func TestSolve(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "n")
		element := rapid.OneOf(rapid.Float64Range(-1e3, 1e3), rapid.SampledFrom([]float64{0, 1, 2}), rapid.Float64Range(1e200, 1e300))
		proveBest(t, rapid.SliceOfN(element, n*n, n*n).Draw(t, "cost"), n)
	})
	for _, n := range []int{50, 300} {
		for name, cost := range sampleCosts(n) {
			t.Run(fmt.Sprint(name, " ", n), func(t *testing.T) { proveBest(t, cost, n) })
		}
	}
}

// proveBest finds new prices for the columns of the permutation by relaxation, as of shortest paths: they exist, without a cycle that
// saves, where the permutation is best.
func proveBest(t interface{ Fatalf(string, ...any) }, cost []float64, n int) {
	column := Solve(cost, n)
	row := make([]int, n)
	for j := range row {
		row[j] = none
	}
	largest := 0.0
	for i, j := range column {
		if j < 0 || j >= n || row[j] != none {
			t.Fatalf("got %v, which is no permutation", column)
		}
		row[j] = i
	}
	for _, c := range cost {
		largest = max(largest, math.Abs(c))
	}
	tolerance := 1e-12 * float64(n) * largest
	price := make([]float64, n) // of columns; that of row i is cost[i,column[i]] − price[column[i]]
	for range n + 1 {
		changed := false
		for i := range n {
			own := cost[i*n+column[i]] - price[column[i]]
			for j := range n {
				if most := cost[i*n+j] - own; most < price[j]-tolerance {
					price[j], changed = most, true
				}
			}
		}
		if !changed {
			return
		}
	}
	t.Fatalf("got %v, and rows can pass columns on at a gain", column)
}

// sampleCosts are kinds of costs that take different parts of the method.
func sampleCosts(n int) map[string][]float64 {
	r := rand.New(rand.NewPCG(1, uint64(n)))
	fill := func(f func(i, j int) float64) []float64 {
		cost := make([]float64, n*n)
		for k := range cost {
			cost[k] = f(k/n, k%n)
		}
		return cost
	}
	place := r.Perm(n)
	return map[string][]float64{
		"independent":  fill(func(int, int) float64 { return r.NormFloat64() }),
		"uniform":      fill(func(int, int) float64 { return r.Float64() }),
		"product":      fill(func(i, j int) float64 { return float64((i + 1) * (j + 1)) }), // every row wants the same columns
		"equal":        fill(func(int, int) float64 { return 1 }),
		"few values":   fill(func(int, int) float64 { return float64(r.IntN(3)) }),
		"permuted":     fill(func(i, j int) float64 { return r.NormFloat64() - 20*boolean(place[i] == j) }),
		"rounded only": fill(func(i, j int) float64 { return 1 + 0x1p-50*float64(r.IntN(9)) }),
	}
}

func boolean(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// BenchmarkSolve takes similarities of independent units, which are hardest, and of units that stand in another order.
func BenchmarkSolve(b *testing.B) {
	for _, n := range []int{256, 1024, 3072} {
		costs := sampleCosts(n)
		for _, kind := range []string{"independent", "permuted"} {
			b.Run(fmt.Sprintf("costs=%s/n=%d", kind, n), func(b *testing.B) {
				for b.Loop() {
					Solve(costs[kind], n)
				}
			})
		}
	}
}
