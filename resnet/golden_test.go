package resnet

import (
	"encoding/json"
	"math"
	"os"
	"strconv"
	"testing"

	"github.com/deeplimit/deeplimit/internal/kernel"
	"github.com/deeplimit/deeplimit/pvar"
)

// goldenCase is one entry of testdata/network.json, numbers of an independent
// float64 program; the data are closed forms of the case's fields.
type goldenCase struct {
	Case struct {
		Name           string
		D, N, L, Steps int
		Alpha, Eps     float64
		Amp, Bias      float64
		Twist, Eta     float64
		Act            string
	}
	Delta     float64
	Loss      float64
	GradA     float64     `json:"grad_A_norm"`
	GradB     float64     `json:"grad_b_norm"`
	GradFirst [][]float64 `json:"grad_A_first"`
	GradLast  [][]float64 `json:"grad_A_last"`
	Output    []float64   `json:"output_first_sample"`
	Trace     []float64   `json:"loss_trace"`
	Trained   struct {
		Loss         float64
		MaxFrobenius float64            `json:"max_frobenius"`
		Quadratic    float64            `json:"quadratic_variation"`
		PVariation   map[string]float64 `json:"p_variation"`
	}
}

func readGolden(t testing.TB) []goldenCase {
	t.Helper()
	text, err := os.ReadFile("testdata/network.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []goldenCase
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// problem returns the network, samples and weights that the case describes.
// Biases are kept even where they start at zero, as the golden gradient has them.
func (g goldenCase) problem(t testing.TB, bias bool) (*Network, Samples, []float64) {
	t.Helper()
	c := g.Case
	net := netOf(t, Spec{Activation: c.Act, Alpha: &c.Alpha, Bias: bias}, c.L, c.D, c.D)
	samples := Samples{X: make([]float64, c.N*c.D), Y: make([]float64, c.N*c.D)}
	for n := range c.N {
		x, y := samples.X[n*c.D:(n+1)*c.D], samples.Y[n*c.D:(n+1)*c.D]
		square := 0.0
		for i := range x {
			x[i] = math.Cos(float64((i+1)*(n+1)) + c.Twist)
			square += x[i] * x[i]
		}
		for i := range x {
			x[i] /= math.Sqrt(square)
			y[i] = x[i] + c.Eps*math.Sin(float64(1+2*i+3*n)+c.Twist)
		}
	}
	theta := make([]float64, net.Layout.Size)
	scale := math.Pow(float64(c.L), -(1 - c.Alpha))
	weights, biases := View(net.Layout, theta, "A"), View(net.Layout, theta, "b")
	for k := 1; k <= c.L; k++ {
		for r := range c.D {
			for s := range c.D {
				weights[((k-1)*c.D+r)*c.D+s] = c.Amp * scale * math.Sin(float64(r+2*s+3*k)+c.Twist) / float64(c.D)
			}
			if biases != nil {
				biases[(k-1)*c.D+r] = c.Bias * scale * math.Cos(float64(r+k)+c.Twist)
			}
		}
	}
	View(net.Layout, theta, "delta")[0] = net.ResidualScale()
	return net, samples, theta
}

// near fails unless got and want agree to a relative tolerance.
func near(t *testing.T, what string, got, want, tol float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tol*math.Abs(want)) {
		t.Errorf("%s: got %.17g, want %.17g (relative difference %.2g)", what, got, want, math.Abs(got-want)/math.Abs(want))
	}
}

func norm(v []float64) float64 { return math.Sqrt(kernel.For[float64]().SumSquares(v)) }

// TestGolden holds loss, gradients, outputs and a descent of every golden case to
// 1e-10: rounding over some hundred layers and steps is far below.
func TestGolden(t *testing.T) {
	const tol = 1e-10
	for _, g := range readGolden(t) {
		t.Run(g.Case.Name, func(t *testing.T) {
			net, samples, theta := g.problem(t, true)
			near(t, "delta", net.ResidualScale(), g.Delta, tol)
			e, err := NewEvaluator[float64](net, samples, Options{Workers: 2})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			grad := make([]float64, net.Layout.Trained)
			near(t, "loss", e.Gradient(theta, grad).Loss, g.Loss, tol)
			near(t, "loss without gradient", e.Loss(theta).Loss, g.Loss, tol)
			weights := View(net.Layout, grad, "A")
			near(t, "gradient of A", norm(weights), g.GradA, tol)
			near(t, "gradient of b", norm(View(net.Layout, grad, "b")), g.GradB, tol)
			for r, row := range g.GradFirst {
				for s, want := range row {
					near(t, "first layer's gradient", weights[r*g.Case.D+s], want, tol)
					near(t, "last layer's gradient", weights[len(weights)-g.Case.D*(g.Case.D-r)+s], g.GradLast[r][s], tol)
				}
			}
			outputs := make([]float64, g.Case.N*g.Case.D)
			if err := e.Outputs(theta, outputs); err != nil {
				t.Fatal(err)
			}
			for i, want := range g.Output {
				near(t, "output", outputs[i], want, tol)
			}
		})
	}
}

// TestGoldenDescent follows the golden descent of A, and of b where the case has one.
func TestGoldenDescent(t *testing.T) {
	const tol = 1e-10
	for _, g := range readGolden(t) {
		t.Run(g.Case.Name, func(t *testing.T) {
			net, samples, theta := g.problem(t, g.Case.Bias != 0)
			e, err := NewEvaluator[float64](net, samples, Options{Workers: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			grad := make([]float64, net.Layout.Trained)
			for step := range g.Case.Steps {
				near(t, "loss at step "+strconv.Itoa(step), e.Gradient(theta, grad).Loss, g.Trace[step], tol)
				kernel.For[float64]().AddScaled(theta[:len(grad)], -g.Case.Eta, grad)
			}
			near(t, "trained loss", e.Loss(theta).Loss, g.Trained.Loss, tol)
			near(t, "max_frobenius", e.Norms(theta, theta).MaxFrobenius, g.Trained.MaxFrobenius, tol)

			rescaled := make([]float64, len(View(net.Layout, theta, "A")))
			scale := math.Pow(float64(net.Depth), 1-g.Case.Alpha)
			for i, v := range View(net.Layout, theta, "A") {
				rescaled[i] = scale * v
			}
			for p, want := range g.Trained.PVariation {
				exponent, err := strconv.ParseFloat(p, 64)
				if err != nil {
					t.Fatal(err)
				}
				got, err := pvar.Compute(pvar.Points{Dim: g.Case.D * g.Case.D, Data: rescaled}, exponent)
				if err != nil {
					t.Fatal(err)
				}
				near(t, "V_"+p, got[0].Value, want, tol)
			}
		})
	}
}
