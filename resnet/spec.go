package resnet

import (
	"cmp"
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/field"
)

// Spec is the `network` section of a study file. Zero values mean the default,
// which Resolve fills in.
type Spec struct {
	// Block is inner (σ(A h + b)), outer (A σ(h) + b) or mlp (V σ(W h + b) + c); default inner.
	Block string `yaml:"block,omitempty" json:"block"`
	// Activation is one of activation.Names; default tanh.
	Activation string `yaml:"activation,omitempty" json:"activation"`
	// Alpha is the exponent of the residual scale δ = L^−α, in [0,1]; default 1/2. β = 1 − α.
	Alpha *float64 `yaml:"alpha,omitempty" json:"alpha"`
	// Residual says how δ is trained: fixed (not), shared (one δ for all layers)
	// or layered (one for each); default fixed. A trained δ starts at L^−α.
	Residual string `yaml:"residual,omitempty" json:"residual"`
	// Normalise is none, or pre: a block then sees its normalised input, f(norm(h)) in the place of f(h);
	// default none, for which it is left empty.
	Normalise string `yaml:"normalise,omitempty" json:"normalise,omitempty"`
	// NormKind is rms (h over its root mean square) or layer (the same of h less its mean); default rms.
	NormKind string `yaml:"norm,omitempty" json:"norm,omitempty"`
	// NormEpsilon is what is added to the mean square, ≥ 1e-30; default 1e-5.
	NormEpsilon float64 `yaml:"norm-epsilon,omitempty" json:"norm_epsilon,omitempty"`
	// Bias adds b (and c in block mlp); default false.
	Bias bool `yaml:"bias,omitempty" json:"bias"`
	// Loss is squared ((1/2N)Σ‖r‖²), cross-entropy (mean over samples, of the
	// softmax) or lp ((1/pN)ΣΣ|r|^p); default squared.
	Loss string `yaml:"loss,omitempty" json:"loss"`
	// Power is the p of loss lp, p > 1; default 4.
	Power float64 `yaml:"power,omitempty" json:"power,omitempty"`
	// Width is d, the dimension of a hidden state; default the dimension of the inputs.
	Width int `yaml:"width,omitempty" json:"width"`
	// Hidden is the hidden width of block mlp; default Width.
	Hidden int `yaml:"hidden,omitempty" json:"hidden,omitempty"`
	// Embed and Readout say what E and C are: auto (identity when sizes agree,
	// else orthonormal), identity, orthonormal (fixed, random) or trained
	// (starting from orthonormal); default auto.
	Embed   string `yaml:"embed,omitempty" json:"embed"`
	Readout string `yaml:"readout,omitempty" json:"readout"`
}

// Resolve returns s with every default filled in for samples with inputs and
// outputs entries: Alpha is not nil, Width is positive, Hidden is positive for
// block mlp and 0 otherwise, Power is above 1 for loss lp and 0 otherwise, NormKind
// and NormEpsilon are given with Normalise pre and empty otherwise, and Embed and Readout are identity, orthonormal or trained. Resolving a resolved Spec
// changes nothing.
//
// A field that is wrong, or that the block or loss has no use for, is refused with a
// *field.Error whose path is relative to the section.
func (s Spec) Resolve(inputs, outputs int) (Spec, error) {
	if inputs < 1 || outputs < 1 {
		return Spec{}, fmt.Errorf("resnet: Spec.Resolve: got %d inputs and %d outputs, want both positive", inputs, outputs)
	}
	s.Block = cmp.Or(s.Block, "inner")
	s.Activation = cmp.Or(s.Activation, "tanh")
	s.Residual = cmp.Or(s.Residual, "fixed")
	s.Loss = cmp.Or(s.Loss, "squared")
	alpha := 0.5
	if s.Alpha != nil {
		alpha = *s.Alpha
	}
	s.Alpha = &alpha
	s.Width = cmp.Or(s.Width, inputs)
	if s.Block == "mlp" {
		s.Hidden = cmp.Or(s.Hidden, s.Width)
	}
	if s.Loss == "lp" {
		s.Power = cmp.Or(s.Power, 4)
	}
	if err := s.check(outputs); err != nil {
		return Spec{}, err
	}
	if err := s.resolveNorm(); err != nil {
		return Spec{}, err
	}
	var err error
	if s.Embed, err = resolveFrame("embed", s.Embed, "width", s.Width, "inputs", inputs); err != nil {
		return Spec{}, err
	}
	if s.Readout, err = resolveFrame("readout", s.Readout, "width", s.Width, "outputs", outputs); err != nil {
		return Spec{}, err
	}
	return s, nil
}

// check refuses values out of range in a Spec whose defaults, but for Embed and
// Readout, are filled in.
func (s Spec) check(outputs int) error {
	if err := field.OneOf("block", s.Block, "inner", "outer", "mlp"); err != nil {
		return err
	}
	if _, err := activation.ByName(s.Activation); err != nil {
		return err
	}
	if !(*s.Alpha >= 0 && *s.Alpha <= 1) {
		return &field.Error{Path: "alpha", Got: *s.Alpha, Want: "a number in [0, 1]"}
	}
	if err := field.OneOf("residual", s.Residual, "fixed", "shared", "layered"); err != nil {
		return err
	}
	if err := field.OneOf("loss", s.Loss, "squared", "cross-entropy", "lp"); err != nil {
		return err
	}
	switch {
	case s.Loss == "cross-entropy" && outputs < 2:
		return &field.Error{Path: "loss", Got: s.Loss, Want: fmt.Sprintf("squared or lp, as the data have %d output (cross-entropy needs a class for each of at least 2; data of kinds csv and files have classes with classification: true)", outputs)}
	case s.Loss == "lp" && !(s.Power > 1 && s.Power <= math.MaxFloat64):
		return &field.Error{Path: "power", Got: s.Power, Want: "a finite number > 1"}
	case s.Loss != "lp" && s.Power != 0:
		return &field.Error{Path: "power", Got: s.Power, Want: "no power with loss " + s.Loss + " (use loss: lp)"}
	case s.Width < 1:
		return &field.Error{Path: "width", Got: s.Width, Want: "a whole number ≥ 1"}
	case s.Block == "mlp" && s.Hidden < 1:
		return &field.Error{Path: "hidden", Got: s.Hidden, Want: "a whole number ≥ 1"}
	case s.Block != "mlp" && s.Hidden != 0:
		return &field.Error{Path: "hidden", Got: s.Hidden, Want: "no hidden width with block " + s.Block + " (use block: mlp)"}
	}
	return nil
}

// resolveFrame resolves Embed or Readout, a map between spaces of the dimensions m and n,
// which the two names call so in an error.
func resolveFrame(path, kind, mName string, m int, nName string, n int) (string, error) {
	switch kind {
	case "", "auto":
		if m == n {
			return "identity", nil
		}
		return "orthonormal", nil
	case "identity":
		if m != n {
			return "", &field.Error{Path: path, Got: kind, Want: fmt.Sprintf("orthonormal or trained, as %s %d and %s %d differ", mName, m, nName, n)}
		}
	}
	return kind, field.OneOf(path, kind, "auto", "identity", "orthonormal", "trained")
}
