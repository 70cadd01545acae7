package train

import (
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/resnet"
)

// A Base is a base depth; 0 stands for 1.
type Base int

// IsZero says whether b is the default, which has no part in JSON.
func (b Base) IsZero() bool { return b <= 1 }

// Parts are the values of parameter groups, 0 where the step's own holds.
type Parts struct {
	A       float64 `yaml:"A,omitempty" json:"A,omitempty" zero:"the value of the step"`
	B       float64 `yaml:"b,omitempty" json:"b,omitempty" zero:"the value of the step"`
	V       float64 `yaml:"V,omitempty" json:"V,omitempty" zero:"the value of the step"`
	W       float64 `yaml:"W,omitempty" json:"W,omitempty" zero:"the value of the step"`
	C       float64 `yaml:"c,omitempty" json:"c,omitempty" zero:"the value of the step"`
	Delta   float64 `yaml:"delta,omitempty" json:"delta,omitempty" zero:"the value of the step"`
	Embed   float64 `yaml:"E,omitempty" json:"E,omitempty" zero:"the value of the step"`
	Readout float64 `yaml:"C,omitempty" json:"C,omitempty" zero:"the value of the step"`
}

// each calls f with the name and the value of every group that has one.
func (p Parts) each(f func(name string, value float64)) {
	v := reflect.ValueOf(p)
	for i := range v.NumField() {
		if value := v.Field(i).Float(); value != 0 {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
			f(name, value)
		}
	}
}

// of returns the value of the named group, and otherwise where it has none.
func (p Parts) of(group string, otherwise float64) float64 {
	p.each(func(name string, value float64) {
		if name == group {
			otherwise = value
		}
	})
	return otherwise
}

// CheckParts refuses values for groups that the network does not train, with a *field.Error
// whose path is relative to the section.
func (s Spec) CheckParts(network resnet.Spec) error {
	trained := network.Trained()
	var err error
	s.Step.Parts.each(func(name string, value float64) {
		if err == nil && !slices.Contains(trained, name) {
			err = &field.Error{Path: "step.parts." + name, Got: value, Want: "a part that is trained: " + strings.Join(trained, ", ")}
		}
	})
	return err
}

// defaultGroups returns what step.groups is where it is left out.
func defaultGroups(method string) string {
	if slices.Contains([]string{"gd", "sgd", "momentum", "adam"}, method) {
		return "together"
	}
	return "apart"
}

// apart says whether rule depth gives each group a law of its own.
func (s Spec) apart() bool {
	groups := s.Step.Groups
	if groups == "" {
		groups = defaultGroups(s.Method)
	}
	return s.Step.Rule == "depth" && groups == "apart"
}

// checkGroups refuses base depth, groups and parts that are wrong or that the rule has no use for.
func (s Step) checkGroups(parametrised bool) error {
	if s.Groups != "" {
		if err := field.OneOf("groups", s.Groups, "together", "apart"); err != nil {
			return err
		}
		if s.Rule != "depth" {
			return &field.Error{Path: "groups", Got: s.Groups, Want: "it left out, or rule: depth"}
		}
	}
	switch {
	case s.BaseDepth < 0:
		return &field.Error{Path: "base-depth", Got: int(s.BaseDepth), Want: "a depth ≥ 1"}
	case s.BaseDepth > 1 && s.Rule != "depth" && s.Rule != "armijo" && !parametrised:
		return &field.Error{Path: "base-depth", Got: int(s.BaseDepth), Want: "it left out, or rule: depth or armijo, or a parametrisation"}
	case s.BaseWidth < 0:
		return &field.Error{Path: "base-width", Got: int(s.BaseWidth), Want: "a width ≥ 1"}
	case s.BaseWidth > 1 && !parametrised:
		return &field.Error{Path: "base-width", Got: int(s.BaseWidth), Want: "it left out, or a parametrisation"}
	}
	var err error
	s.Parts.each(func(name string, value float64) {
		switch {
		case err != nil:
		case !(value > 0) || math.IsInf(value, 1):
			err = &field.Error{Path: "parts." + name, Got: value, Want: positive.words}
		case s.Rule != "depth" && s.Rule != "constant":
			err = &field.Error{Path: "parts." + name, Got: value, Want: "it left out with rule " + s.Rule + " (use rule: depth or constant)"}
		}
	})
	return err
}
