package certify_test

import (
	"fmt"

	"github.com/deeplimit/deeplimit/certify"
)

// All bounds at one iterate and a certificate of convergence, from numbers alone. It is the
// worked example of docs/certificates.md: two layers of width one, tanh, A = (0.1, 0.2),
// x = 1, y = 1.25, and one step of size 1/2.
func ExampleNew() {
	η, next := 0.5, 8.2281472e-05
	it, err := certify.New(
		certify.Problem{
			Block: "inner", Activation: "tanh", Loss: "squared", Method: "gd", Residual: "fixed", Embed: "identity", Readout: "identity",
			Depth: 2, Width: 1, Samples: 1, Outputs: 1, Alpha: 0.5, MinInputNorm: 1, MaxInputNorm: 1, UnitRoundoff: 0x1p-53,
		},
		certify.Measurement{
			Loss: 0.000462303126, GradientNorm: 0.0326741, Delta: []float64{0.7071067811865476},
			Weights: []float64{0.1, 0.2}, Gradients: []float64{0.0241642, 0.0219929}, Hidden: []float64{1, 1.0704759, 1.2195927},
			Features: []float64{1, 1.0704759}, Slopes: []float64{0.9900663, 0.9555284},
			WeightIncrements: []float64{0.1}, GradientIncrements: []float64{0.0021713},
			StepSize: &η, NextLoss: &next,
		})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, b := range it.Bounds() {
		fmt.Printf("%-20s %9.4g %9.4g %6.3f %s\n", b.Name, b.Measured, b.Value, b.Slack, b.Verdict)
	}
	c, err := it.Converge()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("radius %.4f, rate %.4f, step size at most %.4f\n", c.Radius, c.Rate, c.StepSize)
	// Output:
	// hidden-growth             1.07     1.073  1.003 holds
	// gradient-norm          0.02416   0.02658  1.100 holds
	// pl-ratio                 1.155    0.8844  1.306 holds
	// smoothness               1.152     1.736  1.506 holds
	// descent              8.228e-05 0.0001601  1.946 holds
	// gradient-increments   0.002171  0.008527  3.927 holds
	// radius 0.0692, rate 0.7460, step size at most 0.5081
}

// A later iterate held against the two promises of a certificate.
func ExampleCertificate_Check() {
	certificate := certify.Certificate{
		Loss: 4.62303e-4, Radius: 0.0692, Movement: 0.0681, Rate: 0.746, Smoothness: 1.968, StepSize: 0.508,
	}
	promises, err := certificate.Check(certify.Later{
		Iteration: 1, Loss: 8.2281e-5, Movement: 0.0120821, StepSum: 0.5, MinStep: 0.5, MaxStep: 0.5,
	})
	if err != nil {
		panic(err)
	}
	for _, b := range promises {
		fmt.Printf("%s: %.3g ≤ %.3g %s\n", b.Name, b.Measured, b.Value, b.Verdict)
	}
	// Output:
	// certified-loss: 8.23e-05 ≤ 0.00029 holds
	// certified-ball: 0.0121 ≤ 0.0692 holds
}
