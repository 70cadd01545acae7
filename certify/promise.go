package certify

import (
	"fmt"
	"math"
)

// A Later holds the numbers of an iterate after a Certificate, to compare with its promises.
type Later struct {
	Iteration int64   `json:"iteration"`
	Loss      float64 `json:"loss"`     // J there
	Movement  float64 `json:"movement"` // max_k ‖θ_k − θ_k(t)‖_F, t the iteration of the certificate
	StepSum   float64 `json:"step_sum"` // Σ η over the steps since t
	MinStep   float64 `json:"min_step"` // the smallest of them
	MaxStep   float64 `json:"max_step"` // the largest of them
}

// A Violation is a broken promise of a certificate: a fault of deeplimit, never of the run.
type Violation struct {
	Certificate Certificate
	Later       Later
	Bound       Bound
}

// Error names both iterations, the promise and the numbers.
func (v *Violation) Error() string {
	return fmt.Sprintf("certify: iteration %d: the certificate of iteration %d is violated: %s: got %g, promised at most %g; "+
		"this is a fault of deeplimit, please report it with run.json",
		v.Later.Iteration, v.Certificate.Iteration, v.Bound.Name, v.Bound.Measured, v.Bound.Value)
}

// Check compares a later iterate with the two promises of c and returns them as bounds, with a
// *Violation as error if one is broken. With s steps since the certificate the loss bound is
// (1 − μ̄ Σ η/s)^s J(t), which is at least Π (1 − ημ̄) J(t) by concavity of the logarithm, and
// equal to it for a constant η. The promises are NotApplicable after a step larger than
// StepSize. At iteration t, where the loss bound is an equality, they are Undecided.
//
// Rounding enters each step as √(2J) ← q√(2J) + grain, q² = 1 − ημ̄: the computed √(2J) may
// exceed its bound by the reading error and the sum of all grains. Later steps shrink each
// grain, so the sum is at most min(s, 2/(μ̄ min η)) grains.
func (c *Certificate) Check(l Later) ([]Bound, error) {
	if err := numbers("later loss, movement, step_sum, min_step or max_step", []float64{l.Loss, l.Movement, l.StepSum, l.MinStep, l.MaxStep}); err != nil {
		return nil, fmt.Errorf("certify: iteration %d: %w", l.Iteration, err)
	}
	r := c.Rounding
	if err := numbers("certificate", []float64{
		c.Loss, c.Radius, c.Movement, c.Rate, c.Smoothness, c.StepSize,
		r.Loss, r.LossStep, r.Weight, r.WeightStep, r.Reading, r.LossError, r.MovementError,
	}); err != nil {
		return nil, fmt.Errorf("certify: iteration %d: %w", c.Iteration, err)
	}
	steps := float64(l.Iteration - c.Iteration)
	const sum = 1e-6 // relative error allowed to a running sum
	if steps < 0 || l.MinStep*steps > l.StepSum*(1+sum) || l.StepSum > l.MaxStep*steps*(1+sum) {
		return nil, fmt.Errorf("certify: iteration %d: got step sizes from %v to %v with sum %v, want those of the %v steps since iteration %d",
			l.Iteration, l.MinStep, l.MaxStep, l.StepSum, steps, c.Iteration)
	}
	loss := Bound{Name: "certified-loss", Formula: "J(t+s) ≤ Π (1 − ημ̄) J(t)", Source: source("section 8")}
	ball := Bound{Name: "certified-ball", Formula: "max ‖θ_k(t+s) − θ_k(t)‖_F ≤ w", Source: source("section 8")}
	if l.MaxStep > c.StepSize {
		why := fmt.Sprintf("a step of %.6g exceeded the certified %.6g", l.MaxStep, c.StepSize)
		return []Bound{loss.refused(why), ball.refused(why)}, nil
	}
	limit := c.Loss
	var decay, off float64 // log of the promised decay; of the true √(2J) from its bound
	if steps > 0 {
		decay = -steps * math.Log1p(-min(1, c.Rate*l.StepSum/steps))
		limit *= math.Exp(-decay)
		off = (r.Loss + r.LossStep*l.MaxStep) * min(steps, 2/(c.Rate*l.MinStep)) * forwardNoise
	}
	root := math.Sqrt(2 * c.Loss)
	g := c.Movement * c.Rate / (2 * root)
	drift := (r.Weight*steps + (r.WeightStep+g*off)*l.StepSum) * forwardNoise
	if off > reserve*root || drift > reserve*c.Radius {
		why := fmt.Sprintf("the rounding of %v steps may have used up the certificate's reserve", steps)
		return []Bound{loss.unmeasured(exact(limit), why), ball.unmeasured(exact(c.Radius), why)}, nil
	}
	half := exact(0.5)
	// A running sum of s steps has an error of s units, which the exponent multiplies.
	promised := within(limit, (elementary+4*steps*(1+decay))*0x1p-52)
	seen := widened(within(2*l.Loss, r.LossError).sqrt(), off+r.Reading)
	bounds := []Bound{
		loss.judge(promised, half.mul(seen.square())),
		ball.judge(exact(c.Radius), widened(within(l.Movement, r.MovementError), drift)),
	}
	for _, b := range bounds {
		if b.Verdict == Violated {
			return bounds, &Violation{Certificate: *c, Later: l, Bound: b}
		}
	}
	return bounds, nil
}
