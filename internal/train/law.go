package train

import (
	"math"

	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// DepthExponent returns the x of rule depth, η₀ = value·L^x: the law that the largest
// stable step size, and the best one, follow over depth. docs/step-size.md derives it.
//
//	trained                      gd, sgd, momentum   adam
//	weights and biases           2α − 1              α − 1
//	one δ for all layers, too    min(2α − 1, −½)     min(α − 1, −½)
//	a δ for each layer, too      min(2α − 1, 0)      min(α − 1, −½)
//	E or C, too                  min(2α − 1, 0)      α − 1
//
// All groups are moved by one step size, so the group that bears the smallest decides.
func DepthExponent(method string, network resnet.Spec) float64 {
	alpha := *network.Alpha
	frames := network.Embed == "trained" || network.Readout == "trained"
	if normalised(method) {
		x := alpha - 1
		if network.Residual == "shared" || network.Residual == "layered" {
			x = min(x, -0.5)
		}
		return x
	}
	x := 2*alpha - 1
	switch {
	case network.Residual == "shared":
		x = min(x, -0.5)
	case network.Residual == "layered", frames:
		x = min(x, 0)
	}
	return x
}

// At returns the step sizes of a run of the resolved section: by the rule's law, what η₀
// is at this depth, and the schedule that follows it. Everything that needs the factor
// between depths, the descent included, takes it from here.
func (s Spec) At(depth int, network resnet.Spec) runfolder.StepLaw {
	law := runfolder.StepLaw{Rule: s.Step.Rule, Schedule: s.Step.Schedule.name(), Value: s.Step.Value, Epsilon: s.Epsilon, Decay: s.decay()}
	factor, exponent := 1.0, 0.0
	switch s.Step.Rule {
	case "certified": // η is known at an iterate alone
		return law
	case "depth", "armijo":
		exponent = DepthExponent(s.Method, network)
		factor = math.Pow(float64(depth), exponent)
		// The gradient of the weights is of the order δ = L^−α, and so is what ε is added to.
		law.Epsilon *= math.Pow(float64(depth), -*network.Alpha)
		law.Decay /= factor // ηλ, the share that a step takes off a weight, is the same at every depth
	}
	first := s.Step.Value * factor
	law.Exponent, law.First = &exponent, &first
	return law
}
