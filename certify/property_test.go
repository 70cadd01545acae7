package certify_test

import (
	"errors"
	"fmt"
	"math"
	"testing"

	"github.com/deeplimit/deeplimit/certify"
	"pgregory.net/rapid"
)

// drawShape draws a network of the given block and activation: any data scale,
// weights from tiny to far outside the regime of the theory.
func drawShape(t *rapid.T, block, activation string) shape {
	s := shape{
		block: block, activation: activation,
		L: rapid.OneOf(rapid.IntRange(1, 8), rapid.IntRange(1, 60)).Draw(t, "L"),
		d: rapid.IntRange(1, 12).Draw(t, "d"),

		alpha:     rapid.Float64Range(0.3, 1).Draw(t, "alpha"),
		amplitude: math.Pow(10, rapid.Float64Range(-3, 0.5).Draw(t, "log amplitude")),
		scale:     math.Pow(10, rapid.Float64Range(-3, 2).Draw(t, "log scale")),
		error:     math.Pow(10, rapid.Float64Range(-9, 0.5).Draw(t, "log error")),
		bias:      rapid.Bool().Draw(t, "bias"),
		ortho:     rapid.Bool().Draw(t, "orthonormal readout"),
		aline:     rapid.Bool().Draw(t, "aligned"),
		seed:      rapid.Uint64().Draw(t, "seed"),
	}
	s.N = rapid.IntRange(1, s.d).Draw(t, "N")
	s.m = rapid.IntRange(s.N, 12).Draw(t, "m")
	s.out = rapid.IntRange(1, s.d).Draw(t, "out")
	return s
}

// TestNoBoundIsViolated draws 100 networks for each of 27 kinds and takes two steps
// with each: no bound at any of the three iterates is violated, and those whose
// hypotheses are met are decided.
func TestNoBoundIsViolated(t *testing.T) {
	for _, block := range []string{"inner", "outer", "mlp"} {
		for _, activation := range []string{"tanh", "sin", "gelu", "silu", "softplus", "elu", "centred-sigmoid", "relu", "identity"} {
			t.Run(block+"/"+activation, func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(t *rapid.T) {
					s := drawShape(t, block, activation)
					n := draw(s)
					factor := math.Pow(10, rapid.Float64Range(-2, 1.5).Draw(t, "log step"))
					if err := descend(n, factor, 2); err != nil {
						t.Fatalf("%+v: %v", s, err)
					}
				})
			})
		}
	}
}

// descend takes steps of factor times the certified size and returns an error for
// the first bound that is violated on the way.
func descend(n *network, factor float64, steps int) error {
	p := n.problem()
	var history certify.History
	var certificate *certify.Certificate
	var later certify.Later
	start, issued := parameters(n), parameters(n)
	for t := range steps {
		s := n.evaluate()
		m := n.measure(s)
		m.Iteration = int64(t)
		it, err := certify.New(p, m)
		if err != nil {
			return err
		}
		η, err := it.CertifiedStepSize()
		if err != nil {
			η = 1e-3 // relu, or K overflows: any step will do for the other bounds
		}
		if certificate == nil {
			c, err := it.Converge()
			var refusal *certify.Refusal
			if err == nil {
				certificate, issued = c, parameters(n)
				later = certify.Later{MinStep: math.Inf(1)}
				η = min(η, c.StepSize)
			} else if !errors.As(err, &refusal) {
				return err
			}
		}
		if certificate == nil {
			η *= factor
		} else {
			η = min(η, certificate.StepSize)
		}
		n.step(s, η)
		next := n.evaluate()
		if math.IsInf(next.loss, 0) || math.IsNaN(next.loss) {
			return nil
		}
		m.StepSize, m.NextLoss = &η, &next.loss
		if it, err = certify.New(p, m); err != nil {
			return err
		}
		for _, b := range it.Bounds() {
			if b.Verdict == certify.Violated {
				return fmt.Errorf("iteration %d: %+v", t, b)
			}
		}
		stretch := certify.Stretch{Steps: 1, RootLoss: η * math.Sqrt(2*m.Loss)}
		for _, g := range m.Gradients {
			stretch.Lengths = append(stretch.Lengths, η*g)
		}
		if err := history.Add(it, stretch); err != nil {
			return err
		}
		bounds, err := history.Bounds(p, displaced(n, start))
		if err != nil {
			return err
		}
		if certificate != nil {
			later.Iteration, later.Loss = int64(t+1), next.loss
			later.StepSum += η
			later.MinStep, later.MaxStep = min(later.MinStep, η), max(later.MaxStep, η)
			later.Movement = movement(n, issued)
			promised, err := certificate.Check(later)
			if err != nil {
				return err
			}
			bounds = append(bounds, promised...)
		}
		for _, b := range bounds {
			if b.Verdict == certify.Violated {
				return fmt.Errorf("after iteration %d: %+v", t, b)
			}
		}
	}
	return nil
}

func parameters(n *network) [][]float64 {
	var p [][]float64
	for k := range n.v {
		p = append(p, n.parameters(k))
	}
	return p
}

func movement(n *network, from [][]float64) float64 {
	var most float64
	for k := range from {
		most = max(most, distance(n.parameters(k), from[k]))
	}
	return most
}

// displaced measures the way since start. V_2 of a path of at most 60 points is
// found by the O(L²) recursion of its definition.
func displaced(n *network, start [][]float64) certify.Displaced {
	size := len(n.v[0].RawMatrix().Data)
	scale := math.Pow(float64(n.depth()), 1-n.alpha)
	var now, was [][]float64
	d := certify.Displaced{Displacement: movement(n, start)}
	for k := range start {
		now = append(now, n.parameters(k)[:size])
		was = append(was, start[k][:size])
		if k > 0 {
			u, v := make([]float64, size), make([]float64, size)
			for j := range u {
				u[j], v[j] = now[k][j]-was[k][j], now[k-1][j]-was[k-1][j]
			}
			d.Variation += distance(u, v)
		}
	}
	twoVariation := func(path [][]float64) float64 {
		best := make([]float64, len(path))
		for j := range path {
			for i := range j {
				step := scale * distance(path[i], path[j])
				best[j] = max(best[j], best[i]+step*step)
			}
		}
		return best[len(best)-1]
	}
	d.Initial, d.Final = math.Sqrt(twoVariation(was)), math.Sqrt(twoVariation(now))
	return d
}
