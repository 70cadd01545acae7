package resnet

import (
	"fmt"
	"testing"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/stream"
)

// BenchmarkStep is one loss and gradient, tanh, block inner, for the shapes
// (d,N,L) of docs/performance.md.
func BenchmarkStep(b *testing.B) {
	for _, shape := range [][3]int{{10, 8, 1000}, {10, 1024, 1000}, {32, 1024, 500}, {64, 2048, 100}, {128, 512, 64}} {
		for _, workers := range []int{1, 2} {
			name := fmt.Sprintf("d=%d/N=%d/L=%d/workers=%d", shape[0], shape[1], shape[2], workers)
			b.Run("dtype=float32/"+name, func(b *testing.B) { benchmarkStep[float32](b, shape, workers) })
			b.Run("dtype=float64/"+name, func(b *testing.B) { benchmarkStep[float64](b, shape, workers) })
		}
	}
}

func benchmarkStep[T kernel.Float](b *testing.B, shape [3]int, workers int) {
	d, n, depth := shape[0], shape[1], shape[2]
	alpha := 0.5
	spec, err := Spec{Alpha: &alpha}.Resolve(d, d)
	if err != nil {
		b.Fatal(err)
	}
	net, err := New(spec, depth, d, d)
	if err != nil {
		b.Fatal(err)
	}
	initial, err := Initial{}.Resolve(spec, depth)
	if err != nil {
		b.Fatal(err)
	}
	theta, err := Parameters[T](net, initial, 1, "")
	if err != nil {
		b.Fatal(err)
	}
	e, err := NewEvaluator[T](net, randomSamples(stream.New(1, "bench"), net, n), Options{Workers: workers})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	grad := make([]T, net.Layout.Trained)
	for b.Loop() {
		e.Gradient(theta, grad)
	}
	flops := 6 * float64(d) * float64(d) * float64(n) * float64(depth)
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}
