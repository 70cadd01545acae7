package certify

import (
	"fmt"
	"math"
)

// A Tangent is what is known of an iterate θ of a network with outputs F(θ) ∈ R^{No} and squared
// loss: the tangent kernel K = DF DFᵀ, the residual r = F − Y, and a bound of the curvature of F
// around θ. From it follow two statements about all of training, Zero and Descent, for
// any block, bias and activation with bounded σ‴ (docs/certificates.md, sections 12 to 14).
type Tangent struct {
	Samples int
	Outputs int
	// Residual is ρ = ‖r‖, so that J = ρ²/(2N). Statements hold for any smaller one, too.
	Residual float64
	// LambdaMin and LambdaMax are the extreme eigenvalues σ₀² and σ₁² of K, or a lower and an upper bound.
	LambdaMin, LambdaMax float64
	// NewtonStep is n₁ = (rᵀK⁻¹r)^½, the length of the first Newton step, or an upper bound.
	NewtonStep float64
	// Curvature returns a bound of ‖F″‖ in the ball of that radius around θ, +Inf where there is none.
	Curvature func(radius float64) float64
	// Centre bounds ‖F″‖ at θ and Growth ‖F‴‖ in a ball, +Inf where there is none. They are used where Curvature does
	// not suffice; Growth may be nil.
	Centre float64
	Growth func(radius float64) float64
}

// A Zero is the statement that an exact zero-loss network lies within Distance of the iterate: Theorem
// 1, Newton–Kantorovich in the space θ + range DFᵀ.
type Zero struct {
	Issued   bool     `json:"issued"`
	H        *float64 `json:"h"`        // M n₁/σ₀, at most ½ where issued; null where M is infinite
	Distance *float64 `json:"distance"` // l
	Radius   float64  `json:"radius"`   // of the ball that M bounds the curvature in
	// CurvatureInBall is M; null where infinite.
	CurvatureInBall *float64 `json:"curvature_in_ball"`
	// CurvatureGrowth bounds ‖F‴‖ in the ball where the statement needs it: H then is such that σ₀√(1 − 2h) bounds the singular values
	// of DF at the distance l from below, as it does without.
	CurvatureGrowth *float64 `json:"curvature_growth,omitempty"`
	Why             string   `json:"why,omitempty"` // it was refused
}

// A LinearDescent is the statement that gradient descent from the iterate with any step size up to StepMax
// has a path of at most Length, ends at a zero-loss network and multiplies the loss by at most
// LossFactor in each step of size Step: Theorem 2, or Theorem 3 where Step was
// given and exceeds StepMax.
type LinearDescent struct {
	Issued          bool     `json:"issued"`
	H               *float64 `json:"h"` // Mρ/σ₀²
	Length          *float64 `json:"length"`
	Radius          float64  `json:"radius"`
	CurvatureInBall *float64 `json:"curvature_in_ball"`
	CurvatureGrowth *float64 `json:"curvature_growth,omitempty"` // as in Zero
	StepMax         *float64 `json:"step_max"`                   // N/β²
	Step            *float64 `json:"step"`
	LossFactor      *float64 `json:"loss_factor"` // q²
	// StepsTo is the number of such steps after which J ≤ 1e-28.
	StepsTo *float64 `json:"steps_to"`
	Why     string   `json:"why,omitempty"`
}

// NegligibleLoss is the loss that LinearDescent.StepsTo counts to.
const NegligibleLoss = 1e-28

// mostBalls bounds the search of a radius.
const mostBalls = 60

// Singular returns why K has no certain inverse, "" where it has one.
func (t *Tangent) Singular() string {
	if size := float64(t.Samples * t.Outputs); !(t.LambdaMin > 1e-14*size*t.LambdaMax) {
		return fmt.Sprintf("lambda_min of the tangent kernel is not positive beyond rounding (got %.3g, lambda_max %.3g)", t.LambdaMin, t.LambdaMax)
	}
	return ""
}

// above and below move the result of a few operations on positive numbers to its safe side.
func above(v float64) float64 { return v * (1 + 0x1p-48) }
func below(v float64) float64 { return v * (1 - 0x1p-48) }

// A closure is a radius found for the majorant ψ(t) = ρ₀ − σ₀t + ½Mt², whose first Newton step is
// first: h = M first/σ₀.
type closure struct {
	h, length, radius, curvature float64
	lost                         float64 // ≥ ∫M over the length: singular values of DF change by so much
	growth                       float64 // of the curvature, 0 where a bound of it suffices
	why                          string
}

// close looks for a radius by the bound of the curvature alone, and by that of its growth where the first finds none.
func (t *Tangent) close(first float64) closure {
	c := t.closePlain(first)
	if c.why == "" {
		return c
	}
	if sharper := t.closeSharper(first); sharper.why == "" {
		return sharper
	}
	return c
}

// closePlain looks for a radius w with h = M(w)·first/σ₀ ≤ ½ and l = 2 first/(1 + √(1 − 2h)) ≤ w.
func (t *Tangent) closePlain(first float64) closure {
	sigma := below(math.Sqrt(t.LambdaMin))
	c := closure{radius: first}
	for range mostBalls {
		c.curvature = t.Curvature(c.radius)
		c.h = above(c.curvature * first / sigma)
		switch {
		case math.IsInf(c.curvature, 1) || math.IsNaN(c.curvature):
			c.h = math.Inf(1)
			c.why = fmt.Sprintf("no bound of the curvature holds in the ball of radius %.3g that the residual needs", c.radius)
			return c
		case !(c.h <= 0.5):
			c.why = fmt.Sprintf("h is %.3g, above 1/2: the curvature %.3g in the ball of radius %.3g is too large for the residual", c.h, c.curvature, c.radius)
			return c
		}
		c.length = above(2 * first / (1 + math.Sqrt(1-2*c.h)))
		if c.length <= c.radius {
			c.lost = c.curvature * c.length
			return c
		}
		c.radius = c.length * (1 + closureSlack)
	}
	c.why = fmt.Sprintf("no radius closed in %d tries", mostBalls)
	return c
}

// grows returns the growth of the curvature where it was needed.
func (c *closure) grows() *float64 {
	if c.growth > 0 {
		return finite(c.growth)
	}
	return nil
}

// Zero returns what Theorem 1 says of the iterate.
func (t *Tangent) Zero() Zero {
	if why := t.Singular(); why != "" {
		return Zero{Why: why}
	}
	c := t.close(t.NewtonStep)
	z := Zero{Issued: c.why == "", H: finite(c.h), Radius: c.radius, CurvatureInBall: finite(c.curvature), CurvatureGrowth: c.grows(), Why: c.why}
	if z.Issued {
		z.Distance = &c.length
	}
	return z
}

// Descent returns what Theorems 2 and 3 say of gradient descent with step size step, 0 for
// the largest of Theorem 2.
func (t *Tangent) Descent(step float64) LinearDescent {
	if why := t.Singular(); why != "" {
		return LinearDescent{Why: why}
	}
	c := t.close(above(t.Residual / math.Sqrt(t.LambdaMin)))
	d := LinearDescent{H: finite(c.h), Radius: c.radius, CurvatureInBall: finite(c.curvature), CurvatureGrowth: c.grows(), Why: c.why}
	if step > 0 {
		d.Step = &step
	}
	if c.why != "" {
		return d
	}
	n := float64(t.Samples)
	beta := math.Sqrt(t.LambdaMax) + c.lost
	most := below(n / (beta * beta))
	d.StepMax = &most
	if step > most {
		return t.largeStep(d, step)
	}
	if step == 0 {
		step = most
	}
	nu := step / n
	end := t.LambdaMin * (1 - 2*c.h) // σ_∞²
	part := 1 - above(0.5*c.curvature*nu*t.Residual)
	if c.growth > 0 {
		part = max(part, 0.75)
	}
	q := 1 - below(nu*end*part)
	if c.growth > 0 {
		q = max(q, 0.25)
	}
	d.Issued, d.Length = true, &c.length
	d.set(step, q, t.loss())
	return d
}

// set fills in a step, its factor and the number of steps.
func (d *LinearDescent) set(step, q, loss float64) {
	factor := above(q * q)
	d.Step, d.LossFactor = &step, &factor
	count := 0.0
	if loss > NegligibleLoss {
		count = max(1, math.Ceil(above((math.Log(loss/NegligibleLoss)+0x1p-48)/-math.Log(factor))))
	}
	if factor < 1 {
		d.StepsTo = &count
	}
}

// loss returns J.
func (t *Tangent) loss() float64 { return square(t.Residual) / (2 * float64(t.Samples)) }

// largeStep is Theorem 3, for a step between N/β² and 2N/β², which needs a smaller residual.
func (t *Tangent) largeStep(d LinearDescent, step float64) LinearDescent {
	plain := t.largeStepIn(d, step, func(radius float64) (most, change float64) {
		most = t.Curvature(radius)
		return most, above(most * radius)
	})
	if plain.Issued || t.Growth == nil {
		return plain
	}
	sharper := t.largeStepIn(d, step, func(radius float64) (most, change float64) {
		most, growth := t.Curvature(radius), t.Growth(radius)
		change = min(above(most*radius), above(radius*(t.Centre+0.5*growth*radius)))
		return min(most, above(t.Centre+above(growth*radius))), change
	})
	if sharper.Issued {
		return sharper
	}
	return plain
}

// largeStepIn is largeStep with bounds of the curvature in a ball of that radius and of what DF changes by in it.
func (t *Tangent) largeStepIn(d LinearDescent, step float64, bend func(radius float64) (most, change float64)) LinearDescent {
	nu := step / float64(t.Samples)
	low, high := below(math.Sqrt(t.LambdaMin)), above(math.Sqrt(t.LambdaMax))
	d.Step, d.CurvatureGrowth = &step, nil
	refuse := func(why string) LinearDescent {
		d.Why = fmt.Sprintf("the step %.4g exceeds %.4g, up to which descent is certain, and Theorem 3 does not close: %s", step, *d.StepMax, why)
		return d
	}
	if !(nu*high*high < 2) {
		return refuse("it is at least 2N/lambda_max, where gradient descent is not stable")
	}
	d.Radius = nu * high * t.Residual / (1 - max(1-nu*low*low, nu*high*high-1))
	for range mostBalls {
		m, change := bend(d.Radius)
		d.CurvatureInBall, d.H = finite(m), nil
		sigma, beta := below(low-change), above(high+change)
		q := above(max(1-below(nu*sigma*sigma), above(nu*beta*beta)-1)+0.5*m*nu*nu*beta*beta*t.Residual) + 0x1p-50
		if !(sigma > 0 && nu*beta*beta < 2 && q < 1) {
			return refuse(fmt.Sprintf("the curvature %.3g in the ball of radius %.3g is too large for the residual", m, d.Radius))
		}
		length := above(nu * beta * t.Residual / (1 - q))
		if length <= d.Radius {
			d.Issued, d.Length, d.Why = true, &length, ""
			d.set(step, q, t.loss())
			return d
		}
		d.Radius = length * (1 + closureSlack)
	}
	return refuse(fmt.Sprintf("no radius closed in %d tries", mostBalls))
}

// LossNeeded returns the largest loss, to a relative 1e-3, at which Theorem 2 would close with this kernel and these bounds;
// 0 where there is none above 1e-60.
func (t *Tangent) LossNeeded() float64 {
	if t.Singular() != "" {
		return 0
	}
	at := *t
	closes := func(loss float64) bool {
		at.Residual = math.Sqrt(2 * float64(t.Samples) * loss)
		return at.close(at.Residual/math.Sqrt(t.LambdaMin)).why == ""
	}
	low, high := 1e-60, 1e10
	if !closes(low) {
		return 0
	}
	if closes(high) {
		return high
	}
	for high > low*(1+1e-3) {
		if middle := math.Sqrt(low * high); closes(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// Limits says in a sentence what keeps the loss that Theorem 2 needs small.
func (t *Tangent) Limits() string {
	if why := t.Singular(); why != "" {
		return why
	}
	centre := t.Curvature(0)
	kappa := t.LambdaMax / t.LambdaMin
	needed := t.LambdaMin / (2 * centre) // ρ with h = ½ were M constant
	switch {
	case t.LossNeeded() < 0.1*square(needed)/(2*float64(t.Samples)):
		return fmt.Sprintf("the growth of the curvature bound M around the iterate holds it back (M is %.3g there)", centre)
	case kappa > 1e4:
		return fmt.Sprintf("the conditioning of the kernel holds it back (κ = λ_max/λ_min is %.3g)", kappa)
	}
	return fmt.Sprintf("the residual ρ = %.3g is too large for the curvature M = %.3g and λ_min = %.3g", t.Residual, centre, t.LambdaMin)
}

// finite returns a pointer to v, nil unless it is a finite number.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
