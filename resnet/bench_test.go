package resnet

import (
	"fmt"
	"testing"

	"github.com/deeplimit/deeplimit/internal/random"
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

func benchmarkStep[T Float](b *testing.B, shape [3]int, workers int) {
	e, theta, grad := benchmarked[T](b, Spec{}, shape, workers)
	for b.Loop() {
		e.Gradient(theta, grad)
	}
	flops := 6 * float64(shape[0]) * float64(shape[0]) * float64(shape[1]) * float64(shape[2])
	b.ReportMetric(flops*float64(b.N)/b.Elapsed().Seconds()/1e9, "GFLOP/s")
}

// benchmarked returns an evaluator for a network of the shape, with θ and room for ∇J.
func benchmarked[T Float](b *testing.B, spec Spec, shape [3]int, workers int) (e *Evaluator[T], theta, grad []T) {
	d, n, depth := shape[0], shape[1], shape[2]
	alpha := 0.5
	spec.Alpha = &alpha
	spec, err := spec.Resolve(d, d)
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
	theta, err = Parameters[T](net, initial, 1, "")
	if err != nil {
		b.Fatal(err)
	}
	e, err = NewEvaluator[T](net, randomSamples(random.New(1, "bench"), net, n), Options{Workers: workers})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(e.Close)
	return e, theta, make([]T, net.Layout.Trained)
}

// BenchmarkResults is what an evaluator computes for the blocks, on one worker.
func BenchmarkResults(b *testing.B) {
	for _, c := range []struct {
		name  string
		spec  Spec
		shape [3]int
	}{
		{"inner", Spec{}, [3]int{10, 8, 1000}},
		{"inner", Spec{}, [3]int{10, 8, 20000}},
		{"inner/bias", Spec{Bias: true}, [3]int{10, 64, 300}},
		{"inner/bias", Spec{Bias: true}, [3]int{10, 8, 20000}},
		{"inner/bias", Spec{Bias: true}, [3]int{64, 64, 50}},
		{"inner/gelu", Spec{Activation: "gelu"}, [3]int{10, 64, 300}},
		{"inner/gelu", Spec{Activation: "gelu"}, [3]int{10, 8, 20000}},
		{"inner/gelu", Spec{Activation: "gelu"}, [3]int{64, 64, 50}},
		{"inner/relu", Spec{Activation: "relu"}, [3]int{10, 64, 300}},
		{"inner/layered", Spec{Residual: "layered"}, [3]int{10, 64, 300}},
		{"outer", Spec{Block: "outer"}, [3]int{10, 64, 300}},
		{"mlp", Spec{Block: "mlp", Bias: true, Residual: "shared"}, [3]int{10, 64, 300}},
		{"mlp", Spec{Block: "mlp"}, [3]int{64, 64, 50}},
	} {
		name := fmt.Sprintf("%s/d=%d/N=%d/L=%d", c.name, c.shape[0], c.shape[1], c.shape[2])
		b.Run(name, func(b *testing.B) {
			e, theta, grad := benchmarked[float64](b, c.spec, c.shape, 1)
			run := func(name string, f func()) {
				b.Run("result="+name, func(b *testing.B) {
					for b.Loop() {
						f()
					}
				})
			}
			run("loss", func() { e.Loss(theta) })
			run("gradient", func() { e.Gradient(theta, grad) })
			if e.Descends() {
				run("descent", func() { e.Ahead(theta); e.Descend(theta, 1e-6, nil) })
			}
			if c.shape[2] > 1000 {
				return
			}
			hv := make([]float64, len(grad))
			run("hessian", func() { e.HessianVector(theta, grad, hv) })
			run("norms", func() { e.HiddenNorms(theta) })
			run("gram", func() {
				e.Choose([]int{0, 1, 2, 3})
				if _, err := e.Gram(theta); err != nil {
					b.Fatal(err)
				}
			})
		})
	}
}

// BenchmarkStart is one draw of an untrained network.
func BenchmarkStart(b *testing.B) {
	for _, block := range []string{"inner", "mlp"} {
		for _, bias := range []bool{false, true} {
			b.Run(fmt.Sprintf("block=%s/bias=%t", block, bias), func(b *testing.B) {
				const d, depth = 30, 200
				spec, err := Spec{Block: block, Bias: bias}.Resolve(d, d)
				if err != nil {
					b.Fatal(err)
				}
				net, err := New(spec, depth, d, d)
				if err != nil {
					b.Fatal(err)
				}
				initial, err := Initial{Kind: "normal"}.Resolve(spec, depth)
				if err != nil {
					b.Fatal(err)
				}
				s, samples := NewStarter[float64](net, initial, ""), randomSamples(random.New(1, "bench"), net, 8)
				for b.Loop() {
					if _, err := s.Draw(samples, 1); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
