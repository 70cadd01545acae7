package resnet_test

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/resnet"
)

// Loss and gradient of a network of depth 4 and width 2 on two samples, and the same
// derivative by a central difference.
func ExampleEvaluator() {
	alpha := 0.5
	spec, err := resnet.Spec{Alpha: &alpha}.Resolve(2, 2) // block inner, tanh, squared loss
	if err != nil {
		panic(err)
	}
	net, err := resnet.New(spec, 4, 2, 2)
	if err != nil {
		panic(err)
	}
	initial, err := resnet.Initial{Kind: "normal"}.Resolve(spec, 4)
	if err != nil {
		panic(err)
	}
	theta, err := resnet.Parameters[float64](net, initial, 1, "") // seed 1
	if err != nil {
		panic(err)
	}
	samples := resnet.Samples{X: []float64{1, 0, 0, 1}, Y: []float64{0.8, 0.6, -0.6, 0.8}}
	evaluator, err := resnet.NewEvaluator[float64](net, samples, resnet.Options{Workers: 1})
	if err != nil {
		panic(err)
	}
	defer evaluator.Close()

	gradient := make([]float64, net.Layout.Trained)
	loss := evaluator.Gradient(theta, gradient).Loss
	const h = 1e-5
	unused := make([]float64, len(gradient))
	theta[0] += h
	above := evaluator.Gradient(theta, unused).Loss
	theta[0] -= 2 * h
	below := evaluator.Gradient(theta, unused).Loss
	agree := math.Abs((above-below)/(2*h)-gradient[0]) <= 1e-8

	fmt.Printf("%d parameters, loss %.3f, the first derivative agrees: %v\n", len(gradient), loss, agree)
	// Output:
	// 16 parameters, loss 0.138, the first derivative agrees: true
}

// The sharpness of the loss, the largest eigenvalue of its Hessian, by Hessian-vector products.
func ExampleEvaluator_HessianVector() {
	alpha := 0.5
	spec, err := resnet.Spec{Alpha: &alpha}.Resolve(2, 2)
	if err != nil {
		panic(err)
	}
	net, err := resnet.New(spec, 4, 2, 2)
	if err != nil {
		panic(err)
	}
	initial, err := resnet.Initial{Kind: "normal"}.Resolve(spec, 4)
	if err != nil {
		panic(err)
	}
	theta, err := resnet.Parameters[float64](net, initial, 1, "")
	if err != nil {
		panic(err)
	}
	samples := resnet.Samples{X: []float64{1, 0, 0, 1}, Y: []float64{0.8, 0.6, -0.6, 0.8}}
	evaluator, err := resnet.NewEvaluator[float64](net, samples, resnet.Options{Workers: 1})
	if err != nil {
		panic(err)
	}
	defer evaluator.Close()

	product := func(dst, v []float64) error {
		evaluator.HessianVector(theta, v, dst)
		return nil
	}
	found, err := curvature.Find(net.Layout.Trained, product, curvature.Options{LargestOnly: true})
	if err != nil {
		panic(err)
	}
	fmt.Printf("sharpness %.2f, so gradient descent is stable up to a step of about %.2f\n", found.Largest.Value, 2/found.Largest.Value)
	// Output:
	// sharpness 0.64, so gradient descent is stable up to a step of about 3.13
}
