package certify

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
	// Rounding is RoundingEstimated: no number carries a bound of its rounding.
	Rounding string `json:"rounding"`
}

// A Polish is what Newton steps from the iterate lead to.
type Polish struct {
	Steps   int     `json:"steps"`
	Loss    float64 `json:"loss"`    // J after them
	Moved   float64 `json:"moved"`   // ‖θ_polished − θ‖
	Weights string  `json:"weights"` // the file of θ_polished
	Zero    Zero    `json:"zero"`    // at θ_polished
	// Distance is Moved + Zero.Distance: an exact zero-loss network lies within it of the iterate; null where
	// Zero is not issued.
	Distance *float64 `json:"distance"`
}

// RoundingEstimated is the value of Kernel.Rounding.
const RoundingEstimated = "estimated"

// Refused returns a Kernel in which both statements are refused for the same reason.
func Refused(loss, residual float64, why string) *Kernel {
	return &Kernel{Loss: loss, Residual: residual, Zero: Zero{Why: why}, Descent: LinearDescent{Why: why}, Rounding: RoundingEstimated}
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
