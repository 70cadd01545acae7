package main

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/tangent"
)

// open returns the model of a place at its initial weights, which it may move.
func open(at place) (m *tangent.Model, theta []float64, err error) {
	width := map[string]float64{"diabetes": 10, "digits": 64}[at.Data]
	amplitude := 1 / math.Sqrt(width)
	if at.Alpha == 1 {
		amplitude *= 2
	}
	bias := "b: {kind: normal, amplitude: 0.5, exponent: 0}"
	if at.Block == "mlp" {
		bias += ", c: {kind: normal, amplitude: 0.5, exponent: 0}"
	}
	text := fmt.Sprintf("name: cell\ndepths: [%d]\ndata: {kind: %s, samples: %d}\nnetwork: {block: %s, bias: true, alpha: %g}\n"+
		"initial: {kind: normal, amplitude: %v, exponent: 0, parts: {%s}}\n", at.Depth, at.Data, at.Samples, at.Block, at.Alpha, amplitude, bias)
	s, err := study.Parse("cell.yaml", []byte(text), nil)
	if err != nil {
		return nil, nil, err
	}
	p, err := plan.New(s)
	if err != nil {
		return nil, nil, err
	}
	problem := p.Problem(&p.Runs[0])
	if theta, err = plan.Initial[float64](problem); err != nil {
		return nil, nil, err
	}
	m, err = tangent.New(problem.Network, theta, problem.Samples.X, problem.Samples.Y, runtime.GOMAXPROCS(0))
	return m, theta, err
}

// afterNewton measures a cell of the first tables.
func afterNewton(at place) (cell, error) {
	c := cell{place: at}
	m, theta, err := open(at)
	if err != nil {
		return c, err
	}
	ctx := context.Background()
	if c.Steps, _, err = m.Polish(ctx, theta, mostSteps, nil); err != nil {
		return c, err
	}
	if c.Loss = m.Loss(); c.Loss > zeroLoss {
		return c, nil
	}
	k, err := m.Prove(ctx, tangent.Options{})
	if err != nil {
		return c, err
	}
	c.Zero, c.Descent, c.Rounding = k.Zero.Issued, k.Descent.Issued, k.Rounding
	c.LambdaMin, c.LambdaMax, c.LossNeeded = k.LambdaMin, k.LambdaMax, k.LossNeeded
	return c, nil
}

// mostSteps is the most Levenberg–Marquardt steps of a cell; a loss above zeroLoss at their end is no zero.
const (
	mostSteps = 150
	zeroLoss  = 1e-20
)

// afterDescent follows plain gradient descent for that many steps at most, until it is certified.
func afterDescent(at place, steps int) (descent, error) {
	d := descent{place: at}
	m, theta, err := open(at)
	if err != nil {
		return d, err
	}
	ctx := context.Background()
	first, err := m.Prove(ctx, tangent.Options{Bound: tangent.Cheap})
	if err != nil {
		return d, err
	}
	grad := make([]float64, m.Trained())
	try := 1e-8
	for d.Steps < steps {
		descend(m, theta, grad, float64(at.Samples) / *first.LambdaMax)
		d.Steps++
		if m.Loss() > try && d.Steps < steps {
			continue
		}
		try = m.Loss() / 10
		k, err := m.Prove(ctx, tangent.Options{})
		if err != nil {
			return d, err
		}
		d.Loss, d.LossNeeded = k.Loss, k.LossNeeded
		if k.Descent.Issued && k.Zero.Issued {
			return d, compare(ctx, m, theta, grad, k, &d)
		}
	}
	return d, nil
}

// descend makes a step of size eta.
func descend(m *tangent.Model, theta, grad []float64, eta float64) {
	m.Pull(grad, m.Residual())
	nu := eta / float64(len(m.Residual())) // one output for each sample
	for i, g := range grad {
		theta[i] -= nu * g
	}
	m.Move(theta)
}

// compare holds the certificate to what comes: a zero by Newton steps, and the factor of the last of 300 further steps.
func compare(ctx context.Context, m *tangent.Model, theta, grad []float64, k *certify.Kernel, d *descent) error {
	d.Issued, d.Certified, d.Length = true, 1-*k.Descent.LossFactor, *k.Zero.Distance
	var err error
	if _, d.Distance, err = m.Polish(ctx, slices.Clone(theta), 50, nil); err != nil {
		return err
	}
	m.Move(theta)
	for range 300 {
		before := m.Loss()
		descend(m, theta, grad, *k.Descent.Step)
		d.Observed = 1 - m.Loss()/before
	}
	return nil
}
