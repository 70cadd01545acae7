package kernel

import (
	"fmt"
	"testing"
)

// Benchmarks report GFLOP/s, a fused multiply-add counted as two; over that of
// BenchmarkPeak in the same run it is the fraction of the peak.

func BenchmarkPeak(b *testing.B) {
	benchmarkTiers(b, benchmarkPeak[float32], benchmarkPeak[float64])
}

func benchmarkPeak[T Float](b *testing.B, ops *Ops[T]) {
	var best float64
	for b.Loop() {
		best = max(best, ops.Peak())
	}
	b.ReportMetric(best/1e9, "GFLOP/s")
}

// benchmarkTiers runs a benchmark for every tier of both types.
func benchmarkTiers(b *testing.B, single func(*testing.B, *Ops[float32]), double func(*testing.B, *Ops[float64])) {
	for _, ops := range Tiers[float32]() {
		b.Run("dtype=float32/impl="+ops.Tier, func(b *testing.B) { single(b, ops) })
	}
	for _, ops := range Tiers[float64]() {
		b.Run("dtype=float64/impl="+ops.Tier, func(b *testing.B) { double(b, ops) })
	}
}

// A tile is what one layer works on.
type tile[T Float] struct {
	d, n                         int
	w, g, h, next, ds, e, p, tmp []T
}

func newTile[T Float](d, n int) *tile[T] {
	ramp := func(size int, scale float64) []T {
		v := make([]T, size)
		for i := range v {
			v[i] = T(scale * (float64(i*7919%1000)/1000 - 0.5))
		}
		return v
	}
	return &tile[T]{
		d: d, n: n,
		w: ramp(d*d, 1/float64(d)), g: make([]T, d*d), h: ramp(d*n, 1),
		next: ramp(d*n, 1), ds: ramp(d*n, 1), e: ramp(d*n, 1e-3), p: ramp(d*n, 1e-3),
		tmp: make([]T, OuterScratch(d, d, n)),
	}
}

var benchmarkShapes = [][2]int{{10, 8}, {10, 16}, {10, 32}, {10, 64}, {32, 16}, {32, 32}, {64, 16}, {64, 32}, {64, 64}, {128, 16}, {128, 32}, {128, 64}}

func BenchmarkLayer(b *testing.B) {
	benchmarkTiers(b, benchmarkLayer[float32], benchmarkLayer[float64])
}

func benchmarkLayer[T Float](b *testing.B, ops *Ops[T]) {
	for _, shape := range benchmarkShapes {
		d, n := shape[0], shape[1]
		t := newTile[T](d, n)
		square, linear := float64(2*d*d*n), float64(2*d*n)
		for _, part := range []struct {
			name  string
			flops float64
			run   func()
		}{
			{"Affine", square, func() { ops.Affine(t.next, t.w, t.h, nil, d, d, n) }},
			{"AddTransposed", square, func() { ops.AddTransposed(t.p, t.w, t.e, d, d, n) }},
			{"AddOuter", square, func() { ops.AddOuter(t.g, t.e, t.h, d, d, n, t.tmp) }},
			{"Tanh", linear, func() { ops.ActivateAdd(Tanh, t.next, t.ds, t.h, t.h, 0.1) }},
			{"GELU", linear, func() { ops.ActivateAdd(GELU, t.next, t.ds, t.h, t.h, 0.1) }},
			{"Normalise", linear, func() { ops.Normalise(t.next, t.tmp, t.h, d, n, 1e-5) }},
			{"AddNormalised", linear, func() { ops.AddNormalised(t.next, t.e, t.h, t.tmp, d, n) }},
			{"Forward", square, func() { ops.Forward(TanhValue, t.next, t.ds, t.w, nil, t.h, 0.1, d, n, 1, d*n, d*n) }},
			{"Backward", 2 * square, func() {
				ops.Backward(TanhValue, t.g, nil, t.p, t.e, t.w, t.ds, t.h, 1e-6, d, n, 1, false, false, t.tmp)
			}},
		} {
			b.Run(fmt.Sprintf("d=%d/n=%d/%s", d, n, part.name), func(b *testing.B) {
				for b.Loop() {
					part.run()
				}
				b.ReportMetric(part.flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
			})
		}
	}
}
