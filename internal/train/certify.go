package train

import (
	"cmp"

	"github.com/deeplimit/deeplimit/field"
)

// Certify is the `certify` section of a study's train section: at which iterates a
// run measures what package certify needs.
type Certify struct {
	// Cadence says when: growing (iterations 0, 1, 4, 16, 64, …, the last, and where
	// the loss has fallen so far that a certificate of convergence may be had), all
	// (every iteration in the trace), ends (the first and the last) or off; epochs
	// instead of iterations with mini-batches. Default auto: growing with method
	// gd, off with the others, about which little can be proved.
	Cadence string `yaml:"cadence,omitempty" json:"cadence"`
	// Curvature adds the extreme eigenvalues of the Hessian by Lanczos, each to four digits,
	// which takes some dozen to some hundred Hessian-vector products, each as costly as four to
	// ten steps.
	Curvature bool `yaml:"curvature,omitempty" json:"curvature,omitempty"`
	// Gram adds the smallest eigenvalue of the neural tangent matrix, for at most 2000
	// samples times outputs: one backward pass for each output.
	Gram bool `yaml:"gram,omitempty" json:"gram,omitempty"`
	// Kernel proves statements about the last iterate from its tangent kernel (package tangent); true by default with
	// method levenberg-marquardt alone, which is then left out.
	Kernel bool `yaml:"kernel,omitempty" json:"kernel,omitempty"`
}

// IsZero says whether c, resolved, is the default: the section then has no part in the
// run's hash, as it changes no result.
func (c Certify) IsZero() bool { return c == Certify{} || c == Certify{Cadence: "auto"} }

// resolve fills in the default and refuses what is wrong.
func (c Certify) resolve(method string) (Certify, error) {
	c.Cadence = cmp.Or(c.Cadence, "auto")
	if err := field.OneOf("cadence", c.Cadence, "auto", "growing", "all", "ends", "off"); err != nil {
		return Certify{}, err
	}
	if c.in(method) == "off" && (c.Curvature || c.Gram) {
		path := "curvature"
		if c.Gram {
			path = "gram"
		}
		return Certify{}, &field.Error{Path: path, Got: true, Want: "it left out, or a cadence: growing, all or ends (nothing is measured with cadence " + c.Cadence + " and method " + method + ")"}
	}
	return c, nil
}

// Certifies says whether anything is measured.
func (s Spec) Certifies() bool { return s.cadence() != "off" }

// cadence returns that of the measurements: off with a penalty, as they are about the loss alone.
func (s Spec) cadence() string {
	if !s.Penalty.IsZero() {
		return "off"
	}
	return s.Certify.in(s.Update())
}

// ProvesKernel says whether the last iterate is held against the theorems of the tangent kernel.
func (s Spec) ProvesKernel() bool { return s.Certify.Kernel || s.Method == LevenbergMarquardt }

// in returns the cadence with a method: growing, all, ends or off.
func (c Certify) in(method string) string {
	switch {
	case c.Cadence != "auto":
		return c.Cadence
	case method == "gd":
		return "growing"
	}
	return "off"
}
