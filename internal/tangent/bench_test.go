package tangent

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deeplimit/deeplimit/resnet"
)

// random returns a random network with samples, its weights of the size of 1/√width.
func random(t testing.TB, spec resnet.Spec, depth, samples, inputs, outputs int, seed uint64) *Model {
	t.Helper()
	spec, err := spec.Resolve(inputs, outputs)
	if err != nil {
		t.Fatal(err)
	}
	net, err := resnet.New(spec, depth, inputs, outputs)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(seed, 1))
	theta := make([]float64, net.Layout.Size)
	for _, g := range net.Layout.Groups {
		view := resnet.View(net.Layout, theta, g.Name)
		scale := 1.0
		if len(g.Shape) > 1 {
			scale = 1 / math.Sqrt(float64(g.Shape[len(g.Shape)-1]))
		}
		for i := range view {
			view[i] = scale * rng.NormFloat64()
		}
		if g.Name == "delta" {
			for i := range view {
				view[i] = net.ResidualScale() * (1 + 0.1*rng.NormFloat64())
			}
		}
	}
	x, y := make([]float64, samples*inputs), make([]float64, samples*outputs)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	for i := range y {
		y[i] = rng.NormFloat64()
	}
	m, err := New(net, theta, x, y, 2)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func BenchmarkPropagations(b *testing.B) {
	m := random(b, resnet.Spec{Bias: true, Readout: "orthonormal"}, 64, 4, 64, 10, 1)
	for b.Loop() {
		if _, err := m.Propagations(context.Background(), true, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkKernel(b *testing.B) {
	m := random(b, resnet.Spec{Bias: true, Readout: "orthonormal"}, 64, 100, 64, 10, 1)
	for b.Loop() {
		m.Kernel()
	}
}
