package certify

import (
	"fmt"
	"math"

	"github.com/deeplimit/deeplimit/activation"
	"github.com/deeplimit/deeplimit/field"
)

// A Problem holds what does not change along a run: network, loss, method, and the facts
// about the data that the hypotheses need. The strings are those of a study file.
type Problem struct {
	Block      string  `json:"block"`               // inner, outer or mlp
	Activation string  `json:"activation"`          // one of activation.Names
	Loss       string  `json:"loss"`                // squared, cross-entropy or lp
	Method     string  `json:"method"`              // one of methods
	Residual   string  `json:"residual"`            // fixed, shared or layered
	Embed      string  `json:"embed"`               // identity, orthonormal or trained
	Readout    string  `json:"readout"`             // identity, orthonormal or trained
	Normalise  string  `json:"normalise,omitempty"` // pre where blocks see a normalised input, else empty
	Bias       bool    `json:"bias"`                // whether b (and c in block mlp) is there and trained
	Depth      int     `json:"depth"`               // L
	Width      int     `json:"width"`               // d
	Hidden     int     `json:"hidden,omitempty"`    // m, hidden width of block mlp
	Samples    int     `json:"samples"`             // N
	Outputs    int     `json:"outputs"`
	Alpha      float64 `json:"alpha"` // residual-scale exponent; β = 1 − α

	// MinInputNorm and MaxInputNorm are the extremes of ‖x_i‖ over the samples,
	// MaxInnerProduct is max |⟨x_i, x_j⟩| over i ≠ j (0 for one sample).
	MinInputNorm    float64 `json:"min_input_norm"`
	MaxInputNorm    float64 `json:"max_input_norm"`
	MaxInnerProduct float64 `json:"max_inner_product"`

	// UnitRoundoff is u of the arithmetic that trained and measured: 2⁻⁵³ for
	// float64, 2⁻²⁴ for float32 (the coarser one if they differ). Norms, singular
	// values and the sums below are taken in float64 in any case.
	UnitRoundoff float64 `json:"unit_roundoff"`
}

// A Measurement holds the numbers of one iterate θ, θ_k = (A_k, b_k) for blocks
// inner and outer and (V_k, c_k, W_k, b_k) for mlp. Slices are over the layers
// k = 1..L at index k−1 unless said otherwise. Loss, gradients and hidden states
// are those of the full training set. Norms of vectors are Euclidean, of matrices
// spectral (‖·‖₂) or Frobenius (‖·‖_F) as stated.
type Measurement struct {
	Iteration int64 `json:"iteration" parquet:"iteration"`

	Loss         float64 `json:"loss" parquet:"loss"`                   // J = (1/2N) Σ‖r_i‖²
	GradientNorm float64 `json:"gradient_norm" parquet:"gradient_norm"` // ‖∇J‖ over all trained parameters

	Delta        []float64 `json:"delta" parquet:"delta,list"`                           // δ_k, one value if the same for all layers
	Weights      []float64 `json:"weights" parquet:"weights,list"`                       // ‖A_k‖₂ (‖V_k‖₂ in mlp)
	InnerWeights []float64 `json:"inner_weights,omitempty" parquet:"inner_weights,list"` // ‖W_k‖₂, mlp only
	Biases       []float64 `json:"biases,omitempty" parquet:"biases,list"`               // ‖b_k‖, with Bias only
	OuterBiases  []float64 `json:"outer_biases,omitempty" parquet:"outer_biases,list"`   // ‖c_k‖, with Bias in mlp only
	Gradients    []float64 `json:"gradients" parquet:"gradients,list"`                   // ‖∂J/∂θ_k‖_F, all parameters of layer k together
	Hidden       []float64 `json:"hidden" parquet:"hidden,list"`                         // max_i ‖h_k(x_i)‖, k = 0..L (L+1 values)
	// Features is σ_min of the matrix whose columns are the inputs of the outermost
	// linear map of layer k, one per sample: h_{k−1} (inner), σ(h_{k−1}) (outer) or
	// σ(W_k h_{k−1} + b_k) (mlp), a one appended to each column with Bias. It is 0
	// when there are more samples than rows. Optional, together with Slopes; the PL
	// bound and the certificate of convergence need both.
	Features []float64 `json:"features,omitempty" parquet:"features,list"`
	// FeatureNorms is the largest norm of a column of that matrix, max_i ‖u_k(x_i)‖, for blocks
	// outer and mlp; in inner it follows from Hidden. Optional: without it, M₁‖h_{k−1}‖ and
	// similar bounds are used.
	FeatureNorms []float64 `json:"feature_norms,omitempty" parquet:"feature_norms,list"`
	// Slopes is min |σ′(z_k)| over entries and samples, z_k = A_k h_{k−1} + b_k; inner only.
	Slopes []float64 `json:"slopes,omitempty" parquet:"slopes,list"`

	// Increments over layers, L−1 values, index k−1 for the pair (k, k+1):
	// ‖A_{k+1} − A_k‖₂, ‖b_{k+1} − b_k‖ (with Bias) and ‖∂J/∂θ_{k+1} − ∂J/∂θ_k‖_F.
	// Blocks inner and outer; optional as a whole.
	WeightIncrements   []float64 `json:"weight_increments,omitempty" parquet:"weight_increments,list"`
	BiasIncrements     []float64 `json:"bias_increments,omitempty" parquet:"bias_increments,list"`
	GradientIncrements []float64 `json:"gradient_increments,omitempty" parquet:"gradient_increments,list"`

	// StepSize is the η of the step that leaves this iterate and NextLoss the loss
	// after it; both or none.
	StepSize *float64 `json:"step_size,omitempty" parquet:"step_size,optional"`
	NextLoss *float64 `json:"next_loss,omitempty" parquet:"next_loss,optional"`
	// HessianNorm is max |λ(∇²J)|; optional.
	HessianNorm *float64 `json:"hessian_norm,omitempty" parquet:"hessian_norm,optional"`
}

// methods are the values of Problem.Method; "altered gd" is gd with weight decay, clipping or a
// step size for each part.
var methods = []string{"gd", "altered gd", "sgd", "momentum", "nesterov", "adam", "adamw", "sign", "lion", "muon", "levenberg-marquardt"}

// validate returns a *field.Error for the first setting of p that is unknown or out of range.
func (p *Problem) validate() error {
	for _, c := range []struct {
		path, got string
		want      []string
	}{
		{"block", p.Block, []string{"inner", "outer", "mlp"}},
		{"loss", p.Loss, []string{"squared", "cross-entropy", "lp"}},
		{"method", p.Method, methods},
		{"residual", p.Residual, []string{"fixed", "shared", "layered"}},
		{"normalise", p.Normalise, []string{"", "pre"}},
		{"embed", p.Embed, []string{"identity", "orthonormal", "trained"}},
		{"readout", p.Readout, []string{"identity", "orthonormal", "trained"}},
	} {
		if err := field.OneOf(c.path, c.got, c.want...); err != nil {
			return err
		}
	}
	if _, err := activation.ByName(p.Activation); err != nil {
		return err
	}
	counts := []struct {
		path string
		got  int
	}{{"depth", p.Depth}, {"width", p.Width}, {"samples", p.Samples}, {"outputs", p.Outputs}}
	if p.Block == "mlp" {
		counts = append(counts, counts[0])
		counts[4].path, counts[4].got = "hidden", p.Hidden
	}
	for _, c := range counts {
		if c.got < 1 {
			return &field.Error{Path: c.path, Got: c.got, Want: "at least 1"}
		}
	}
	if !(p.UnitRoundoff >= 0x1p-53 && p.UnitRoundoff <= 0x1p-10) {
		return &field.Error{Path: "unit_roundoff", Got: p.UnitRoundoff, Want: "2⁻⁵³ (float64) up to 2⁻¹⁰; 2⁻²⁴ for float32"}
	}
	if !(p.Alpha >= 0 && p.Alpha <= 1) {
		return &field.Error{Path: "alpha", Got: p.Alpha, Want: "a number in [0,1]"}
	}
	return numbers("data facts", []float64{p.MinInputNorm, p.MaxInputNorm, p.MaxInnerProduct})
}

// validate checks that every slice of m has the length that p asks for and that
// every number is finite and not negative.
func (m *Measurement) validate(p *Problem) error {
	L, inner, mlp := p.Depth, p.Block == "inner", p.Block == "mlp"
	optional := func(n int, present bool) int {
		if !present {
			return 0
		}
		return n
	}
	deltas := L
	if len(m.Delta) == 1 {
		deltas = 1
	}
	features := optional(L, len(m.Features)+len(m.Slopes) > 0)
	increments := optional(L-1, len(m.GradientIncrements) > 0 && !mlp)
	for _, s := range []struct {
		where  string
		values []float64
		want   int
	}{
		{"delta", m.Delta, deltas},
		{"weights", m.Weights, L},
		{"inner_weights", m.InnerWeights, optional(L, mlp)},
		{"biases", m.Biases, optional(L, p.Bias)},
		{"outer_biases", m.OuterBiases, optional(L, p.Bias && mlp)},
		{"gradients", m.Gradients, L},
		{"hidden", m.Hidden, L + 1},
		{"features", m.Features, features},
		{"feature_norms", m.FeatureNorms, optional(L, len(m.FeatureNorms) > 0 && !inner)},
		{"slopes", m.Slopes, optional(features, inner)},
		{"weight_increments", m.WeightIncrements, increments},
		{"bias_increments", m.BiasIncrements, optional(increments, p.Bias)},
		{"gradient_increments", m.GradientIncrements, increments},
	} {
		if len(s.values) != s.want {
			return fmt.Errorf("%s: got %d values, want %d for block %s, depth %d, bias %t",
				s.where, len(s.values), s.want, p.Block, L, p.Bias)
		}
		values := s.values
		if s.where == "delta" { // a trained δ may be negative; only its size matters
			values = make([]float64, len(s.values))
			for i, v := range s.values {
				values[i] = math.Abs(v)
			}
		}
		if err := numbers(s.where, values); err != nil {
			return err
		}
	}
	if (m.StepSize == nil) != (m.NextLoss == nil) {
		return fmt.Errorf("step_size and next_loss: got one of them, want both or none")
	}
	scalars := []float64{m.Loss, m.GradientNorm}
	for _, x := range []*float64{m.StepSize, m.NextLoss, m.HessianNorm} {
		if x != nil {
			scalars = append(scalars, *x)
		}
	}
	return numbers("loss, gradient_norm, step_size, next_loss or hessian_norm", scalars)
}

// numbers returns an error `where: got X, want Y` unless all values are finite and at least 0.
func numbers(where string, values []float64) error {
	for i, v := range values {
		if !(v >= 0) || math.IsInf(v, 1) {
			return fmt.Errorf("%s: got %v at index %d, want finite numbers that are at least 0", where, v, i)
		}
	}
	return nil
}
