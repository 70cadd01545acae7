package train

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/field"
)

// Methods are the names that train.method takes for steps along, or made from, the gradient.
var Methods = []string{"gd", "sgd", "momentum", "nesterov", "adam", "adamw", "sign", "lion", "muon"}

// normalised says whether the size of the method's update does not depend on that of the
// gradient: Adam divides by it, sign and lion take its signs, muon its singular directions. The
// others move along the gradient, or a sum of gradients.
func normalised(method string) bool {
	return slices.Contains([]string{"adam", "adamw", "sign", "lion", "muon"}, method)
}

// adaptive says whether the method moves anything by Adam, and so has an ε.
func adaptive(method string) bool { return slices.Contains([]string{"adam", "adamw", "muon"}, method) }

// Altered stands for method gd in Spec.Update where steps are not those of gradient descent.
const Altered = "altered gd"

// Update names what a step is: the method, or Altered for gd with weight decay, clipping or
// a step size for each group, of which nothing can be certified that holds of gradient descent.
func (s Spec) Update() string {
	if key, _ := s.AlteredBy(); s.Method == "gd" && key != "" {
		return Altered
	}
	return s.Method
}

// AlteredBy returns the key of a study that makes a step more than one of the method along the
// gradient, with its value, or "".
func (s Spec) AlteredBy() (key string, value any) {
	switch {
	case s.decay() != 0:
		return "train.weight-decay", s.decay()
	case s.Clip != 0:
		return "train.clip", s.Clip
	case s.Step.Groups == "apart":
		return "train.step.groups", s.Step.Groups
	case s.Parametrisation != "":
		return "parametrisation", s.Parametrisation
	}
	s.Step.Parts.each(func(name string, v float64) {
		if key == "" {
			key, value = "train.step.parts."+name, v
		}
	})
	return key, value
}

// A Decay is λ of weight decay.
type Decay float64

// IsZero says whether there is none.
func (d Decay) IsZero() bool { return d == 0 }

// decay returns λ; nil, as in the JSON of a resolved section, stands for 0.
func (s Spec) decay() float64 {
	if s.WeightDecay == nil {
		return 0
	}
	return float64(*s.WeightDecay)
}

// setMethod fills in the defaults of the method.
func (s *Spec) setMethod(samples int) {
	switch s.Method {
	case "sgd":
		if s.Batch == 0 {
			s.Batch = 32
			if samples > 0 {
				s.Batch = min(s.Batch, samples)
			}
		}
	case "momentum", "nesterov":
		s.Momentum = cmp.Or(s.Momentum, 0.9)
	case "muon":
		s.Momentum = cmp.Or(s.Momentum, 0.95)
	case "lion":
		s.Beta1, s.Beta2 = cmp.Or(s.Beta1, 0.9), cmp.Or(s.Beta2, 0.99)
	}
	if adaptive(s.Method) {
		s.Beta1, s.Beta2 = cmp.Or(s.Beta1, 0.9), cmp.Or(s.Beta2, 0.999)
		s.Epsilon = cmp.Or(s.Epsilon, 1e-8)
	}
	if s.WeightDecay == nil {
		s.WeightDecay = new(Decay(0))
		if s.Method == "adamw" {
			*s.WeightDecay = 0.01
		}
	}
}

// checkMethod refuses wrong values of the method's parameters.
func (s Spec) checkMethod(samples int) error {
	switch key, value := s.AlteredBy(); {
	case s.Method == LevenbergMarquardt && s.Batch != 0:
		return &field.Error{Path: "batch", Got: s.Batch, Want: "no batch with method levenberg-marquardt, which takes all samples"}
	case s.Method == LevenbergMarquardt && key != "":
		return &field.Error{Path: strings.TrimPrefix(key, "train."), Got: value, Want: "it left out with method levenberg-marquardt"}
	case s.Method == "gd" && s.Batch != 0:
		return &field.Error{Path: "batch", Got: s.Batch, Want: "no batch with method gd, which takes all samples (use method: sgd)"}
	case s.Batch < 0:
		return &field.Error{Path: "batch", Got: s.Batch, Want: "a whole number ≥ 1"}
	case samples > 0 && s.Batch > samples:
		return &field.Error{Path: "batch", Got: s.Batch, Want: fmt.Sprintf("at most %d, the number of samples", samples)}
	}
	accelerated := s.Method == "momentum" || s.Method == "nesterov" || s.Method == "muon"
	averages := adaptive(s.Method) || s.Method == "lion"
	return firstWrong(
		setting{"momentum", s.Momentum, accelerated, "method: momentum, nesterov or muon", open(0, 1)},
		setting{"beta1", s.Beta1, averages, "method: adam, adamw, lion or muon", open(0, 1)},
		setting{"beta2", s.Beta2, averages, "method: adam, adamw, lion or muon", open(0, 1)},
		setting{"epsilon", s.Epsilon, adaptive(s.Method), "method: adam, adamw or muon", positive},
		setting{"weight-decay", s.decay(), true, "", nonNegative},
		setting{"clip", s.Clip, true, "", nonNegative},
	)
}

// checkAltered refuses what changes a step beside a rule that finds η for steps along the
// gradient.
func (s Spec) checkAltered() error {
	key, value := s.AlteredBy()
	if key == "" || s.Step.Rule != "armijo" && s.Step.Rule != "certified" {
		return nil
	}
	return &field.Error{Path: strings.TrimPrefix(key, "train."), Got: value, Want: "it left out with step rule " + s.Step.Rule + ", which finds the step size for steps along the gradient (use rule: depth or constant)"}
}
