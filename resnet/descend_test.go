package resnet

import (
	"math"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/internal/random"
)

// few returns a network whose weights alone are trained, at most 16 samples of it and
// parameters.
func few(t testing.TB, activation string, width, samples, depth int) (*Network, Samples, []float64) {
	t.Helper()
	alpha := 0.5
	net := netOf(t, Spec{Alpha: &alpha, Activation: activation}, depth, width, width)
	rng := random.New(47, "few")
	return net, randomSamples(rng, net, samples), randomParameters(rng, net)
}

// TestDescend wants two steps by Ahead and Descend to have the bits of Gradient followed
// by an update: losses, weights, norm of the gradient and of its layers.
func TestDescend(t *testing.T) {
	for _, c := range []struct {
		activation            string
		width, samples, depth int
	}{
		{"tanh", 10, 8, 90},
		{"tanh", 10, 16, 1800},
		{"tanh", 1, 1, 1},
		{"tanh", 3, 16, 300},
		{"gelu", 10, 5, 12},
		{"gelu", 70, 9, 2},
		{"tanh", 46, 8, 3},
	} {
		net, samples, theta := few(t, c.activation, c.width, c.samples, c.depth)
		all := []Options{{Workers: 1}, {Workers: 3}, {Workers: 1, Memory: 1}, {Workers: 2, Memory: 1 << 18}}
		if c.depth > 1000 { // slow in portable Go
			all = all[:1]
		}
		for _, options := range all {
			sameDescent(t, net, samples, theta, options)
			sameDescent(t, net, samples, rounded(theta), options)
		}
	}
}

func sameDescent[T Float](t *testing.T, net *Network, samples Samples, theta []T, options Options) {
	t.Helper()
	e, err := NewEvaluator[T](net, samples, options)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if !e.Descends() {
		t.Fatalf("width %d, %d samples: want a problem for Descend", net.Width, len(samples.X)/net.Inputs)
	}
	ops, grad := kernel.For[T](), make([]T, net.Layout.Trained)
	apart, together := slices.Clone(theta), slices.Clone(theta)
	wantNorms, norms := make([]float64, net.Depth), make([]float64, net.Depth)
	const eta = 0.001 // at which no loss here overflows
	for step := range 2 {
		want := e.Gradient(apart, grad)
		wantSquare := e.GradientSquare()
		LayerNormsTo(wantNorms, net, grad)
		ops.AddScaled(apart[:len(grad)], -eta, grad)

		got := e.Ahead(together)
		e.Norms(together, theta)
		e.Descend(together, eta, norms)
		if got != want || e.GradientSquare() != wantSquare || !slices.Equal(norms, wantNorms) || !slices.Equal(together, apart) {
			t.Fatalf("%T, width %d, depth %d, %+v, step %d: Ahead and Descend differ from Gradient and update", theta, net.Width, net.Depth, options, step)
		}
	}
	if !(e.GradientSquare() <= math.MaxFloat32) {
		t.Fatalf("width %d: the descent left the finite numbers", net.Width)
	}
	if slices.Equal(together, theta) {
		t.Fatalf("width %d: the weights did not move", net.Width)
	}

	loss := e.Gradient(together, grad)
	again := make([]T, len(grad))
	if got := e.Ahead(together); got != loss {
		t.Fatalf("Ahead: got %+v, want %+v", got, loss)
	}
	if e.Back(together, again); !slices.Equal(again, grad) {
		t.Fatalf("width %d, depth %d: Ahead and Back differ from Gradient", net.Width, net.Depth)
	}
}

// TestDescends wants Descend refused where more than A is trained, where the samples are
// more than a tile, and for mini-batches.
func TestDescends(t *testing.T) {
	few, samples, _ := few(t, "tanh", 10, 8, 4)
	many, more, _ := large(t, Spec{})
	biased, some, _ := large(t, Spec{Bias: true})
	outer, others, _ := large(t, Spec{Block: "outer"})
	for name, c := range map[string]struct {
		net     *Network
		samples Samples
		options Options
		want    bool
	}{
		"few":     {few, samples, Options{Workers: 2}, true},
		"batches": {few, samples, Options{Workers: 2, Batch: 8}, false},
		"many":    {many, more, Options{Workers: 2}, false},
		"bias":    {biased, Samples{X: some.X[:15], Y: some.Y[:12]}, Options{Workers: 1}, false},
		"outer":   {outer, Samples{X: others.X[:15], Y: others.Y[:12]}, Options{Workers: 1}, false},
		"one":     {many, Samples{X: more.X[:5], Y: more.Y[:4]}, Options{Workers: 1}, true},
	} {
		e, err := NewEvaluator[float64](c.net, c.samples, c.options)
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if got := e.Descends(); got != c.want {
			t.Errorf("%s: got %t, want %t", name, got, c.want)
		}
	}
}
