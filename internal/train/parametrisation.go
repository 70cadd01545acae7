package train

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/resnet"
)

// Parametrisations are the names that a study's parametrisation takes. docs/step-size.md has their
// table with its sources.
var Parametrisations = []string{"ntk", "mean-field", "mup", "complete-p", "depth-mup"}

// ratios are the sizes of a network over those at which the values of a study hold as written.
type ratios struct{ width, hidden, depth float64 }

// ratiosOf returns them for a network of that depth.
func (s Spec) ratiosOf(depth int, network resnet.Spec) ratios {
	r := ratios{
		width: float64(network.Width) / float64(max(1, s.Step.BaseWidth)),
		depth: float64(depth) / float64(max(1, s.Step.BaseDepth)),
	}
	r.hidden = r.width
	if network.Block == "mlp" {
		r.hidden = float64(network.Hidden) / float64(max(1, s.Step.BaseWidth))
	}
	return r
}

// factors are what a parametrisation multiplies the step size of a group with, and ε and λ.
type factors struct{ step, epsilon, decay float64 }

// factors returns those of one group. Every one but the depth's part of complete-p and depth-mup
// keeps ηλ, as they leave λ alone.
func (s Spec) factors(group string, depth int, network resnet.Spec) factors {
	r, along := s.ratiosOf(depth, network), !normalised(s.Method)
	var f factors
	switch s.Parametrisation {
	case "ntk":
		f = r.ntk(group)
	case "mean-field":
		f = r.meanField(group, along)
	default:
		f = r.mup(group, along)
	}
	f.decay = 1 / f.step
	if deep := s.Parametrisation == "complete-p" || s.Parametrisation == "depth-mup"; !deep || group == "E" || group == "C" || group == "delta" {
		return f
	}
	exponent := *network.Alpha - 1
	if along {
		exponent = 2**network.Alpha - 1
	}
	f.step *= math.Pow(r.depth, exponent)
	f.epsilon *= math.Pow(r.depth, -*network.Alpha)
	return f
}

// fan returns the ratio of the columns of a group's matrices.
func (r ratios) fan(group string) float64 {
	if group == "V" {
		return r.hidden
	}
	return r.width
}

// rows returns the ratio of the rows of a group's matrices, of which the adjoint has the size.
func (r ratios) rows(group string) float64 {
	if group == "W" || group == "b" {
		return r.hidden
	}
	return r.width
}

// ntk is w = u/√columns with u moved along the gradient [Jacot et al. 2018], and for normalised methods
// with their step size for u over √columns once more [Everett et al. 2024, Table 1].
func (r ratios) ntk(group string) factors {
	f := factors{step: 1, epsilon: 1 / math.Sqrt(r.rows(group))}
	switch group {
	case "A", "V", "W":
		f.step = 1 / r.fan(group)
	case "C":
		f = factors{step: 1 / r.width, epsilon: 1}
	}
	return f
}

// meanField is a block (1/(L m)) Σ_j v_j σ(w_j h + b_j) with v and w moved in time L m along the
// gradient [Ding et al. 2021]; V here is v/m.
func (r ratios) meanField(group string, along bool) factors {
	f := factors{step: 1, epsilon: 1}
	switch group {
	case "V":
		f = factors{step: r.depth / r.hidden, epsilon: 1 / r.depth}
		if !along {
			f.step = 1 / r.hidden
		}
		return f
	case "W", "b":
		f = factors{step: r.depth * r.hidden, epsilon: 1 / (r.depth * r.hidden)}
	case "c":
		f = factors{step: r.depth, epsilon: 1 / r.depth}
	}
	if !along {
		f.step = 1
	}
	return f
}

// mup is the maximal update parametrisation over width [Yang and Hu 2021, Table 3].
func (r ratios) mup(group string, along bool) factors {
	f := factors{step: 1, epsilon: 1 / r.rows(group)}
	switch {
	case group == "C":
		f = factors{step: 1 / r.width, epsilon: 1}
	case group == "E" || group == "b" || group == "c":
		if along {
			f.step = r.rows(group)
		}
	case !along:
		f.step = 1 / r.fan(group)
	}
	return f
}

// ParametrisedAlpha returns the α of a parametrisation where network.alpha is left out, and whether
// it takes no other.
func ParametrisedAlpha(name string) (alpha float64, alone bool) {
	switch name {
	case "mean-field":
		return 1, true
	case "complete-p":
		return 1, false
	case "depth-mup":
		return 0.5, true
	}
	return 0.5, false
}

// ParametrisedInitial returns the initial section with the sizes of the section's parametrisation:
// each amplitude, 1 where it is left out, times 1/√columns of the matrix, at every depth; that of a bias times 1, as
// its fan-in is 1 [Yang and Hu 2021, Table 3]; E and C times powers of the width's ratio.
func (s Spec) ParametrisedInitial(initial resnet.Initial, network resnet.Spec) resnet.Initial {
	r := s.ratiosOf(1, network)
	embed, readout := 1.0, 1.0
	switch s.Parametrisation {
	case "mup", "complete-p", "depth-mup":
		embed, readout = math.Sqrt(r.width), 1/math.Sqrt(r.width)
	}
	return initial.Sized(network, embed, readout, func(part string) float64 {
		if part == "b" || part == "c" {
			return 1
		}
		columns := float64(network.Width)
		if part == "V" {
			columns = float64(network.Hidden)
		}
		size := 1 / math.Sqrt(columns)
		if part == "V" && s.Parametrisation == "mean-field" {
			size /= math.Sqrt(r.hidden)
		}
		return size
	})
}

// CheckParametrisation refuses a network that the section's parametrisation is not for, with a
// *field.Error whose path is that of the study file.
func (s Spec) CheckParametrisation(network resnet.Spec) error {
	if s.Parametrisation == "" {
		return nil
	}
	alpha, alone := ParametrisedAlpha(s.Parametrisation)
	switch {
	case alone && *network.Alpha != alpha:
		return &field.Error{Path: "network.alpha", Got: *network.Alpha, Want: fmt.Sprint(alpha) + " with parametrisation " + s.Parametrisation + " (complete-p takes any)"}
	case s.Parametrisation == "mean-field" && network.Block != "mlp":
		return &field.Error{Path: "network.block", Got: network.Block, Want: "mlp with parametrisation mean-field, whose limit is that of wide blocks"}
	case network.Residual != "fixed":
		return &field.Error{Path: "network.residual", Got: network.Residual, Want: "fixed with a parametrisation, none of which has a law for a trained one"}
	}
	return nil
}
