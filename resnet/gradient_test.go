package resnet

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/internal/random"
)

// small returns a network with its samples and random parameters; sizes are odd so
// that no dimension can be taken for another.
func small(t testing.TB, spec Spec, inputs, outputs int, seed uint64) (*Network, Samples, []float64) {
	t.Helper()
	alpha := 0.5
	spec.Alpha, spec.Width = &alpha, 3
	if spec.Block == "mlp" {
		spec.Hidden = 4
	}
	const depth, samples = 5, 7
	net := netOf(t, spec, depth, inputs, outputs)
	rng := random.New(seed, "test")
	return net, randomSamples(rng, net, samples), randomParameters(rng, net)
}

func randomSamples(rng *rand.Rand, net *Network, n int) Samples {
	s := Samples{X: make([]float64, n*net.Inputs), Y: make([]float64, n*net.Outputs)}
	for i := range s.X {
		s.X[i] = rng.NormFloat64()
	}
	for i := range s.Y {
		s.Y[i] = rng.NormFloat64()
	}
	if net.Loss == "cross-entropy" {
		clear(s.Y)
		s.Labels = make([]int, n)
		for i := range n {
			s.Labels[i] = rng.IntN(net.Outputs)
			s.Y[i*net.Outputs+s.Labels[i]] = 1
		}
	}
	return s
}

func randomParameters(rng *rand.Rand, net *Network) []float64 {
	theta := make([]float64, net.Layout.Size)
	for i := range theta {
		theta[i] = 0.6 * rng.NormFloat64()
	}
	for i, delta := 0, View(net.Layout, theta, "delta"); i < len(delta); i++ {
		delta[i] = 0.3 + 0.2*rng.Float64()
	}
	return theta
}

// everySpec calls test with each block × activation × loss × residual scale, with
// and without bias, for equal and differing sizes of input and output.
func everySpec(t *testing.T, test func(t *testing.T, spec Spec, inputs, outputs int)) {
	for _, block := range []string{"inner", "outer", "mlp"} {
		for _, sigma := range activation.Names() {
			for _, loss := range []string{"squared", "cross-entropy", "lp"} {
				for _, residual := range []string{"fixed", "shared", "layered"} {
					for _, bias := range []bool{false, true} {
						spec := Spec{Block: block, Activation: sigma, Loss: loss, Residual: residual, Bias: bias}
						name := fmt.Sprintf("%s/%s/%s/%s/bias=%t", block, sigma, loss, residual, bias)
						t.Run(name, func(t *testing.T) { test(t, spec, 3, 3) })
						if sigma == "tanh" {
							spec.Embed, spec.Readout = "trained", "trained"
							t.Run(name+"/trained", func(t *testing.T) { test(t, spec, 5, 2) })
							spec.Embed, spec.Readout = "orthonormal", "orthonormal"
							t.Run(name+"/orthonormal", func(t *testing.T) { test(t, spec, 2, 4) })
						}
					}
				}
			}
		}
	}
}

// perturbed returns θ + ε v on the trained parameters.
func perturbed(theta, v []float64, epsilon float64) []float64 {
	moved := append([]float64(nil), theta...)
	for i, x := range v {
		moved[i] += epsilon * x
	}
	return moved
}

// direction returns a unit vector that is zero outside the named group, or over
// all trained parameters for the empty name.
func direction(rng *rand.Rand, net *Network, group string) []float64 {
	v := make([]float64, net.Layout.Trained)
	entries := v
	if group != "" {
		entries = View(net.Layout, v, group)
	}
	for i := range entries {
		entries[i] = rng.NormFloat64()
	}
	length := norm(v)
	for i := range entries {
		entries[i] /= length
	}
	return v
}

// TestGradient compares the derivative of J along a random direction in each
// parameter group with a central difference of step ε. Its error is ε²/6 times a
// third derivative, plus 2u|J|/ε of rounding: with ε = 1e-5 and derivatives of order
// one to some hundred both are under 1e-8. relu has kinks, which a random point with
// prime sizes avoids by more than ε in all but a seed that would show up here.
func TestGradient(t *testing.T) { everySpec(t, holdGradient) }

func holdGradient(t *testing.T, spec Spec, inputs, outputs int) {
	net, samples, theta := small(t, spec, inputs, outputs, 11)
	e, err := NewEvaluator[float64](net, samples, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	grad := make([]float64, net.Layout.Trained)
	loss := e.Gradient(theta, grad).Loss
	if again := e.Loss(theta).Loss; again != loss {
		t.Errorf("loss is %g with the gradient and %g without", loss, again)
	}
	rng := random.New(12, t.Name())
	const epsilon = 1e-5
	for _, g := range net.Layout.Groups {
		if !g.Trained {
			continue
		}
		v := direction(rng, net, g.Name)
		want := (e.Loss(perturbed(theta, v, epsilon)).Loss - e.Loss(perturbed(theta, v, -epsilon)).Loss) / (2 * epsilon)
		if got := inner(grad, v); !(math.Abs(got-want) <= 1e-7*(1+math.Abs(want)+loss)) {
			t.Errorf("derivative along %s: got %.12g, central difference %.12g", g.Name, got, want)
		}
	}
}

// TestHessianVector compares ∇²J·v with a central difference of gradients, group by
// group of v and as a whole. Activations with a kink are left to the points where
// they are smooth, as in TestGradient.
func TestHessianVector(t *testing.T) { everySpec(t, holdHessian) }

func holdHessian(t *testing.T, spec Spec, inputs, outputs int) {
	net, samples, theta := small(t, spec, inputs, outputs, 21)
	e, err := NewEvaluator[float64](net, samples, Options{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	size := net.Layout.Trained
	hv, plus, minus := make([]float64, size), make([]float64, size), make([]float64, size)
	rng := random.New(22, t.Name())
	const epsilon = 1e-5
	for _, g := range net.Layout.Groups {
		if !g.Trained {
			continue
		}
		v := direction(rng, net, g.Name)
		loss := e.HessianVector(theta, v, hv).Loss
		if want := e.Loss(theta).Loss; !(math.Abs(loss-want) <= 1e-12*want) {
			t.Errorf("loss beside the Hessian: got %g, want %g", loss, want)
		}
		e.Gradient(perturbed(theta, v, epsilon), plus)
		e.Gradient(perturbed(theta, v, -epsilon), minus)
		scale := 1 + norm(hv) + norm(plus)
		for i := range hv {
			want := (plus[i] - minus[i]) / (2 * epsilon)
			if !(math.Abs(hv[i]-want) <= 1e-6*scale) {
				t.Fatalf("v in %s, entry %d: got %.12g, central difference %.12g", g.Name, i, hv[i], want)
			}
		}
	}
}
