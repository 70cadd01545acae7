package train

import (
	"math"

	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// DepthExponent returns the x of rule depth, η₀ = value·L^x: the law that the largest
// stable step size, and the best one, follow over depth. docs/step-size.md derives it.
//
//	trained                      along the gradient   normalised
//	weights and biases           2α − 1               α − 1
//	one δ for all layers, too    min(2α − 1, −½)      min(α − 1, −½)
//	a δ for each layer, too      min(2α − 1, 0)       min(α − 1, −½)
//	E or C, too                  min(2α − 1, 0)       α − 1
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

// groupExponent returns the law of one trained group by itself: that of the layers' weights and
// biases and of a trained δ, which move together, and that of E and C.
func groupExponent(method, group string, network resnet.Spec) float64 {
	if group == "E" || group == "C" {
		return 0
	}
	network.Embed, network.Readout = "identity", "identity"
	return DepthExponent(method, network)
}

// At returns the step sizes of a run of the resolved section: by the rule's law, what η₀
// is at this depth, and the schedule that follows it. Everything that needs the factor
// between depths, the descent included, takes it from here.
func (s Spec) At(depth int, network resnet.Spec) runfolder.StepLaw {
	law := runfolder.StepLaw{Rule: s.Step.Rule, Schedule: s.Step.Schedule.name(), Value: s.Step.Value, Epsilon: s.Epsilon, Decay: s.decay(), Parametrisation: s.Parametrisation}
	relative := float64(depth)
	if base := s.Step.BaseDepth; base > 1 {
		law.BaseDepth = int(base)
		relative /= float64(base)
	}
	exponent := 0.0
	scaled := s.Step.Rule == "depth" || s.Step.Rule == "armijo"
	switch {
	case s.Step.Rule == "certified", s.Step.Rule == gainRatio: // η is known at an iterate alone
		return law
	case s.apart():
		exponent = groupExponent(s.Method, "", network)
	case scaled:
		exponent = DepthExponent(s.Method, network)
	}
	factor := math.Pow(relative, exponent)
	if s.Step.Rule == "constant" && s.Parametrisation == "" {
		law.Law = new(DepthExponent(s.Method, network))
	}
	if scaled {
		// The gradient of the weights is of the order δ = L^−α, and so is what ε is added to.
		law.Epsilon *= math.Pow(relative, -*network.Alpha)
	}
	first := s.Step.Value * factor
	law.Exponent, law.First = &exponent, &first
	law.Decay /= factor // ηλ, the share that a step takes off a weight, is the same at every depth
	for _, group := range network.Trained() {
		if part := s.part(group, depth, relative, law, network); part != nil {
			law.Parts = append(law.Parts, *part)
		}
	}
	return law
}

// part returns the step sizes of a group that are not those of the law, nil where they are.
func (s Spec) part(group string, depth int, relative float64, law runfolder.StepLaw, network resnet.Spec) *runfolder.StepPart {
	value := s.Step.Parts.of(group, s.Step.Value)
	p := runfolder.StepPart{Name: group, Value: value, Exponent: *law.Exponent, Epsilon: law.Epsilon}
	if s.apart() {
		p.Exponent = groupExponent(s.Method, group, network)
		if group == "E" || group == "C" || group == "delta" {
			p.Epsilon = s.Epsilon // their gradients do not fall with L
		}
	}
	factor := math.Pow(relative, p.Exponent)
	p.First, p.Decay = value*factor, s.decay()/factor
	if s.Parametrisation != "" {
		f := s.factors(group, depth, network)
		p.First, p.Decay, p.Epsilon = value*f.step, s.decay()*f.decay, s.Epsilon*f.epsilon
	}
	if p.First == *law.First && p.Epsilon == law.Epsilon && p.Decay == law.Decay && p.Exponent == *law.Exponent {
		return nil
	}
	return &p
}
