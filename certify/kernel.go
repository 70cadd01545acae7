package certify

import "math"

// A Kernel is what is proved about an iterate from its tangent kernel: `kernel` in the JSON of
// `deeplimit certify --kernel`.
type Kernel struct {
	Loss      float64  `json:"loss"`       // J
	Residual  float64  `json:"residual"`   // ρ = ‖F − Y‖
	LambdaMin *float64 `json:"lambda_min"` // of K = DF DFᵀ; null where K was not computed
	LambdaMax *float64 `json:"lambda_max"`
	// Bound is cheap (norms alone) or full (with the second propagator).
	Bound string `json:"bound,omitempty"`
	// CurvatureAtCentre is M(0) ≥ ‖F″(θ)‖; null where the second propagator was not computed.
	CurvatureAtCentre *float64 `json:"curvature_at_centre"`
	// NewtonStep is (rᵀK⁻¹r)^½.
	NewtonStep *float64      `json:"newton_step"`
	Zero       Zero          `json:"zero"`
	Descent    LinearDescent `json:"descent"`
	// LossNeeded is the loss at which Descent would be issued with this kernel and these bounds; null where
	// there is none.
	LossNeeded *float64 `json:"loss_needed"`
	// Limits says what keeps LossNeeded small; empty where Descent is issued.
	Limits string `json:"limits,omitempty"`
	// StepsNeeded is about how many further steps of the run's own descent take the loss there, at
	// the rate of its end; null where that is not known.
	StepsNeeded *float64 `json:"steps_needed,omitempty"`
	Polish      *Polish  `json:"polish,omitempty"`
	// Rounding is RoundingProven where all errors of rounding were bounded and both statements hold nevertheless: the numbers then
	// agree with those of Proven to a relative 1e-6, or are those. It is RoundingEstimated where numbers
	// are as float64 gives them and no more is known.
	Rounding string `json:"rounding"`
	// RoundingWhy says why it is estimated.
	RoundingWhy string  `json:"rounding_why,omitempty"`
	Proven      *Proven `json:"proven,omitempty"`
}

// A Proven holds bounds that count every rounding error: LambdaMin and StepMax are lower ones, all others upper ones.
type Proven struct {
	Residual          float64       `json:"residual"`
	LambdaMin         float64       `json:"lambda_min"`
	LambdaMax         float64       `json:"lambda_max"`
	NewtonStep        float64       `json:"newton_step"`
	CurvatureAtCentre *float64      `json:"curvature_at_centre"`
	Zero              Zero          `json:"zero"`
	Descent           LinearDescent `json:"descent"`
}

// Prove completes k, whose numbers are estimated, by what bounds of all rounding errors give. It says why it cannot, "" where it can.
func (k *Kernel) Prove(bounds *Kernel) string {
	if bounds.Zero.Issued != k.Zero.Issued || bounds.Descent.Issued != k.Descent.Issued {
		return "what is issued is so close to what can be that rounding decides"
	}
	proven := &Proven{
		bounds.Residual, *bounds.LambdaMin, *bounds.LambdaMax, *bounds.NewtonStep, bounds.CurvatureAtCentre, bounds.Zero, bounds.Descent,
	}
	if !k.agrees(bounds) {
		loss := k.Loss
		*k = *bounds
		k.Loss = loss
	}
	k.Rounding, k.RoundingWhy, k.Proven = RoundingProven, "", proven
	return ""
}

// agrees says whether all numbers of the statements are equal to a relative 1e-6.
func (k *Kernel) agrees(o *Kernel) bool {
	rate := func(d *LinearDescent) *float64 { // 1 − factor is what matters of it
		if d.LossFactor == nil {
			return nil
		}
		return finite(1 - *d.LossFactor)
	}
	for _, pair := range [][2]*float64{
		{&k.Residual, &o.Residual},
		{k.LambdaMin, o.LambdaMin},
		{k.LambdaMax, o.LambdaMax},
		{k.NewtonStep, o.NewtonStep},
		{k.CurvatureAtCentre, o.CurvatureAtCentre},
		{k.Zero.H, o.Zero.H},
		{k.Zero.Distance, o.Zero.Distance},
		{k.Descent.H, o.Descent.H},
		{k.Descent.Length, o.Descent.Length},
		{k.Descent.StepMax, o.Descent.StepMax},
		{rate(&k.Descent), rate(&o.Descent)},
	} {
		if (pair[0] == nil) != (pair[1] == nil) || pair[0] != nil && !(math.Abs(*pair[0]-*pair[1]) <= 1e-6*math.Abs(*pair[1])) {
			return false
		}
	}
	return true
}

// A Polish is what Newton steps from the iterate lead to.
type Polish struct {
	Steps   int     `json:"steps"`
	Loss    float64 `json:"loss"`    // J after them
	Moved   float64 `json:"moved"`   // ‖θ_polished − θ‖
	Weights string  `json:"weights"` // the file of θ_polished
	Zero    Zero    `json:"zero"`    // at θ_polished
	// Rounding and RoundingWhy are those of Zero.
	Rounding    string `json:"rounding"`
	RoundingWhy string `json:"rounding_why,omitempty"`
	// Distance is Moved + Zero.Distance: an exact zero-loss network lies within it of the iterate; null where
	// Zero is not issued.
	Distance *float64 `json:"distance"`
}

// The values of Kernel.Rounding.
const (
	RoundingProven    = "proven"
	RoundingEstimated = "estimated"
)

// Refused returns a Kernel in which both statements are refused for the same reason.
func Refused(loss, residual float64, why string) *Kernel {
	return &Kernel{Loss: loss, Residual: residual, Zero: Zero{Why: why}, Descent: LinearDescent{Why: why}, Rounding: RoundingEstimated, RoundingWhy: "nothing is stated"}
}

// Kernel returns both statements for gradient descent with the given step size (0 for the largest).
func (t *Tangent) Kernel(step float64) *Kernel {
	k := &Kernel{
		Loss: t.loss(), Residual: t.Residual, LambdaMin: finite(t.LambdaMin), LambdaMax: finite(t.LambdaMax),
		Zero: t.Zero(), Descent: t.Descent(step), Rounding: RoundingEstimated,
	}
	if t.Singular() != "" {
		return k
	}
	k.NewtonStep = finite(t.NewtonStep)
	if needed := t.LossNeeded(); needed > 0 {
		k.LossNeeded = &needed
	}
	if !k.Descent.Issued {
		k.Limits = t.Limits()
	}
	return k
}
