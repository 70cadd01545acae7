package prolong

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/resnet"
)

// network returns a network of that depth, of every kind of trained group.
func network(t *testing.T, depth int, residual string) *resnet.Network {
	t.Helper()
	spec, err := resnet.Spec{Block: "mlp", Activation: "gelu", Alpha: new(0.75), Residual: residual, Bias: true, Width: 3, Hidden: 4, Embed: "trained", Readout: "trained"}.Resolve(2, 2)
	if err != nil {
		t.Fatal(err)
	}
	net, err := resnet.New(spec, depth, 2, 2)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// smooth returns weights on a smooth path of k/L.
func smooth(net *resnet.Network) []float64 {
	theta := make([]float64, net.Layout.Size)
	for _, g := range net.Layout.Groups {
		n, dim := 1, g.Len()
		if Layered(net, g) {
			n, dim = net.Depth, g.Len()/net.Depth
		}
		scale := math.Pow(float64(net.Depth), -keeping(net, g))
		for k := range n {
			s := (float64(k) + 0.5) / float64(n)
			for i := range dim {
				theta[g.Offset+k*dim+i] = scale * (0.5 + math.Sin(float64(3*i+len(g.Name))+2*s)) / 2
			}
		}
	}
	return theta
}

// gradient returns ∂J/∂θ on some samples.
func gradient(t *testing.T, net *resnet.Network, theta []float64) ([]float64, float64) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var samples resnet.Samples
	for range 10 {
		samples.X, samples.Y = append(samples.X, rng.NormFloat64()), append(samples.Y, rng.NormFloat64())
	}
	e, err := resnet.NewEvaluator[float64](net, samples, resnet.Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	grad := make([]float64, net.Layout.Trained)
	loss := e.Gradient(theta, grad).Loss
	return grad, loss
}

// TestLaws wants weights taken to twice the depth, and to 2.4 times, where layers are not repeated equally often, to give the loss, and its gradient taken there to be the gradient there, up to
// an error that falls with depth: of all groups, and of their squares.
func TestLaws(t *testing.T) {
	for _, residual := range []string{"shared", "layered"} {
		for _, way := range []string{ByStretch, ByLinear} {
			for _, ratio := range []float64{2, 2.4} {
				testLaws(t, residual, way, ratio)
			}
		}
	}
}

func testLaws(t *testing.T, residual, way string, ratio float64) {
	var errors [][]float64
	for _, depth := range []int{32, 128} {
		errors = append(errors, distances(t, depth, int(ratio*float64(depth)), residual, Of(way)))
	}
	for i, last := range errors[1] {
		// of first order at least: a fourth of the error at four times the depth.
		if !(last <= 0.4*errors[0][i]) || !(last < 0.05) {
			t.Errorf("δ %s, %s to %g times the depth, number %d: error %.3g at depth 32 and %.3g at 128, want a fourth", residual, way, ratio, i, errors[0][i], last)
		}
	}
}

// distances returns the relative errors of the loss, and of each group's gradient and squared gradient.
func distances(t *testing.T, depth, deeper int, residual string, along Path) []float64 {
	t.Helper()
	from, to := network(t, depth, residual), network(t, deeper, residual)
	theta := smooth(from)
	prolonged := make([]float64, to.Layout.Size)
	if err := WeightsTo(prolonged, to, theta, from, along); err != nil {
		t.Fatal(err)
	}
	shallow, first := gradient(t, from, theta)
	deep, second := gradient(t, to, prolonged)
	list := []float64{math.Abs(second/first - 1)}
	for _, power := range []float64{1, 2} {
		got, powers := make([]float64, len(deep)), make([]float64, len(shallow))
		for i, v := range shallow {
			powers[i] = math.Pow(v, power)
		}
		if err := GradientsTo(got, to, powers, from, along, power); err != nil {
			t.Fatal(err)
		}
		for _, g := range to.Layout.Groups {
			difference, size := 0.0, 0.0
			for i := g.Offset; i < g.Offset+g.Len(); i++ {
				want := math.Pow(deep[i], power)
				difference, size = difference+(got[i]-want)*(got[i]-want), size+want*want
			}
			list = append(list, math.Sqrt(difference/size))
		}
	}
	return list
}

// TestStretch wants each layer repeated.
func TestStretch(t *testing.T) {
	got := Stretch(pvar.Points{Dim: 2, Data: []float64{1, 2, 3, 4}}, 6).Data
	want := []float64{1, 2, 1, 2, 1, 2, 3, 4, 3, 4, 3, 4}
	for i := range want {
		if len(got) != len(want) || got[i] != want[i] {
			t.Fatalf("got %v, want %v", got, want)
		}
	}
}
