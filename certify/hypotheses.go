package certify

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/activation"
)

// A hypothesis returns the empty string when it is met, and otherwise why it is not.
type hypothesis func(it *Iterate) string

// refuse returns the reasons of all hypotheses that fail, joined, or "". Every bound needs blocks without a norm.
func (it *Iterate) refuse(hypotheses ...hypothesis) string {
	var reasons string
	for _, h := range append([]hypothesis{withoutNorm}, hypotheses...) {
		if why := h(it); why != "" {
			if reasons != "" {
				reasons += "; "
			}
			reasons += why
		}
	}
	return reasons
}

func zeroAtOrigin(it *Iterate) string {
	if v := it.σ.Value(0); v != 0 {
		return fmt.Sprintf("σ(0) = %v for %s, the bound needs σ(0) = 0", v, it.p.Activation)
	}
	return ""
}

// withoutNorm: the derivative of a norm grows as its input shrinks, and no bound keeps states from doing so.
func withoutNorm(it *Iterate) string {
	if it.p.Normalise != "" {
		return "the blocks are normalised (" + it.p.Normalise + "), the bound is for blocks that see the states as they are"
	}
	return ""
}

func squaredLoss(it *Iterate) string {
	if it.p.Loss != "squared" {
		return "the loss is " + it.p.Loss + ", the bound is for squared"
	}
	return ""
}

func gradientDescent(it *Iterate) string {
	if it.p.Method != "gd" {
		return "the method is " + it.p.Method + ", the bound is for full-batch gd"
	}
	return ""
}

func fixedResidual(it *Iterate) string {
	if it.p.Residual != "fixed" {
		return "the residual scale is trained (" + it.p.Residual + "), the bound needs it fixed"
	}
	return ""
}

func fixedEmbed(it *Iterate) string {
	if it.p.Embed == "trained" {
		return "the embedding is trained, the bound needs it fixed"
	}
	return ""
}

// isometricReadout asks for ‖Cᵀr‖ ≤ ‖r‖.
func isometricReadout(it *Iterate) string {
	if it.p.Readout == "trained" {
		return "the readout is trained, the bound needs the identity or a fixed orthonormal one"
	}
	return ""
}

// ontoReadout asks for ‖Cᵀr‖ = ‖r‖.
func ontoReadout(it *Iterate) string {
	if it.p.Outputs > it.p.Width {
		return fmt.Sprintf("%d outputs exceed the width %d, so that residuals can be invisible to the network", it.p.Outputs, it.p.Width)
	}
	return ""
}

func continuousSlope(it *Iterate) string {
	if it.σ.Smoothness() < 1 {
		return "σ′ of " + it.p.Activation + " jumps, the bound needs it continuous"
	}
	return ""
}

func lipschitzSlope(it *Iterate) string {
	if math.IsInf(it.σ.SupSecond(), 1) {
		return "sup|σ″| is infinite for " + it.p.Activation
	}
	return ""
}

// rows returns the number of rows of the feature matrix.
func (it *Iterate) rows() int {
	n := it.p.Width
	if it.p.Block == "mlp" {
		n = it.p.Hidden
	}
	if it.p.Bias {
		n++
	}
	return n
}

func fewSamples(it *Iterate) string {
	if it.p.Samples > it.rows() {
		return fmt.Sprintf("N = %d samples exceed the %d features of a layer, so that σ_min = 0", it.p.Samples, it.rows())
	}
	return ""
}

func notTwoLayer(it *Iterate) string {
	if it.p.Block == "mlp" {
		return "not worked out for block mlp, where the movement of W changes the features of V"
	}
	return ""
}

func positiveLoss(it *Iterate) string {
	if it.m.Loss == 0 {
		return "the loss is 0, there is nothing left to descend"
	}
	return ""
}

// A Hypothesis is one assumption of the theory with the number that decides it.
type Hypothesis struct {
	Name string `json:"name"`
	Met  bool   `json:"met"`
	Got  string `json:"got"`  // what this run has, with the number
	Want string `json:"want"` // what the theory asks for
}

// Hypotheses lists the assumptions of the theory one by one, met or not: those of these
// bounds, and those of [CRX] on data and initial weights. For the latter c is the smallest constant with ‖A_k‖₂ ≤ c L^−β at this iterate (‖V_k‖₂ in
// mlp), which should be iteration 0; separation is |⟨x_i,x_j⟩| ≤ e^{−4c}/(8N).
func (it *Iterate) Hypotheses() []Hypothesis {
	p := &it.p
	var largest float64
	for _, a := range it.m.Weights {
		largest = max(largest, a)
	}
	c := math.Pow(float64(p.Depth), 1-p.Alpha) * largest
	separation := math.Exp(-4*c) / (8 * float64(p.Samples))
	unit := max(math.Abs(p.MinInputNorm-1), math.Abs(p.MaxInputNorm-1))
	smooth := "infinitely often differentiable"
	if s := it.σ.Smoothness(); s != activation.Smooth {
		smooth = fmt.Sprintf("%d times continuously differentiable", s)
	}
	block := p.Block
	if p.Normalise != "" {
		block += ", normalised (" + p.Normalise + ")"
	}
	return []Hypothesis{
		{"loss", p.Loss == "squared", p.Loss, "squared"},
		{"method", p.Method == "gd", p.Method, "gd, full batch"},
		{"block", block == "inner", block, "inner in [CRX]; outer and mlp are deeplimit's"},
		{"bias", !p.Bias, fmt.Sprint(p.Bias), "false in [CRX]; true is deeplimit's"},
		{"residual", p.Residual == "fixed", p.Residual, "fixed"},
		{"embedding", p.Embed != "trained", p.Embed, "identity or orthonormal, not trained"},
		{"readout", p.Readout != "trained" && p.Outputs <= p.Width, fmt.Sprintf("%s, %d outputs", p.Readout, p.Outputs), fmt.Sprintf("identity or orthonormal, at most d = %d outputs, not trained", p.Width)},
		{"activation-origin", it.σ.Value(0) == 0, fmt.Sprintf("σ(0) = %g", it.σ.Value(0)), "σ(0) = 0"},
		{"activation-smooth", it.σ.Smoothness() >= 2, smooth, "at least twice; the bounds make do with a Lipschitz σ′"},
		{"activation-slope", it.σ.SupFirst() <= 1, fmt.Sprintf("sup|σ′| = %.6g", it.σ.SupFirst()), "at most 1 in [CRX]; larger is deeplimit's"},
		{"samples", p.Samples <= it.rows(), fmt.Sprintf("N = %d", p.Samples), fmt.Sprintf("at most %d, the features of a layer", it.rows())},
		{"unit-norm", unit <= 1e-6, fmt.Sprintf("‖x_i‖ in [%.6g, %.6g]", p.MinInputNorm, p.MaxInputNorm), "‖x_i‖ = 1 to 1e-6"},
		{"separation", p.MaxInnerProduct <= separation, fmt.Sprintf("max |⟨x_i,x_j⟩| = %.3g", p.MaxInnerProduct), fmt.Sprintf("at most e^(−4c)/(8N) = %.3g, c = %.3g", separation, c)},
		{"initial-size", it.size() <= 1, fmt.Sprintf("δ M₁ Σ‖A_k‖₂ = %.3g", it.size()), "at most 1, so that e^S does not swamp the bounds"},
	}
}

// size returns S at this iterate.
func (it *Iterate) size() float64 { return it.env.s.middle() }
