// Package analyze turns run folders into one Result: rates, exponents,
// variations. It reads weightpath alone and never the program that trained.
package analyze

import (
	"encoding/json"
	"math"

	"github.com/deeplimit/deeplimit/weightpath"
)

// Result is what `deeplimit analyze --json` prints. Runs are sorted by data,
// group, depth and seed; diverged ones are among them.
type Result struct {
	Study  string  `json:"study"`
	Runs   []Run   `json:"runs"`
	Groups []Group `json:"groups"`
	// Unfinished lists the runs without a result, by ID; nothing is known of them here.
	Unfinished []string `json:"unfinished,omitempty"`
	// Damaged lists the runs that could not be read, or not be believed.
	Damaged []Damage `json:"damaged,omitempty"`
}

// Damage is one run left out, and why.
type Damage struct {
	ID    string `json:"id"` // name of the run folder
	Error string `json:"error"`
}

// Run holds the numbers of one run. Numbers that are not finite or not known are
// NaN here and null in JSON, and Notes say why.
type Run struct {
	ID         string            `json:"id"`
	Group      string            `json:"group"`
	Settings   map[string]string `json:"settings,omitempty"`
	Data       string            `json:"data"`
	Alpha      float64           `json:"alpha"`
	Depth      int               `json:"depth"`
	Seed       uint64            `json:"seed"`
	Iterations int               `json:"iterations"`
	Stop       string            `json:"stop_reason"`
	Loss       float64           `json:"loss"`
	TestLoss   *float64          `json:"test_loss,omitempty"`
	Accuracy   *float64          `json:"accuracy,omitempty"`
	TestAcc    *float64          `json:"test_accuracy,omitempty"`
	Rate       *Rate             `json:"rate"` // null when no line can be fitted:
	RateReason string            `json:"rate_reason,omitempty"`
	PathNumbers
	// Parts holds the same numbers for every weight group (A, or V and W) by name.
	Parts     map[string]PathNumbers `json:"parts"`
	Delta     []float64              `json:"delta,omitempty"` // trained residual scale, when trained
	LossTrace []float64              `json:"loss_trace,omitempty"`
	// LossIterations are the iterations of LossTrace: 0, 1, … n unless the trace
	// is thinned or the run used mini-batches.
	LossIterations []int    `json:"loss_iterations,omitempty"`
	Notes          []string `json:"notes,omitempty"`
}

// Diverged reports whether the run ended without a usable loss. Such runs enter
// no slope. The loss of imported weights is not known, and they did not diverge.
func (r *Run) Diverged() bool {
	if r.Stop == weightpath.Imported {
		return false
	}
	return r.Stop == weightpath.Diverged || math.IsNaN(r.Loss) || math.IsInf(r.Loss, 0)
}

// Rate is the fit J(t) ≈ C ρ^t; FitRate says over which iterations.
type Rate struct {
	Rho    float64 `json:"rho"`
	StdErr float64 `json:"stderr"` // of ρ
	R2     float64 `json:"r2"`
	First  int     `json:"first"` // iterations the fit used, first..last
	Last   int     `json:"last"`
}

// PathNumbers are the norms and variations of one weight path. Norms are of A as
// trained; quadratic variation and p-variation are of the rescaled path L^β A,
// sums without the root.
type PathNumbers struct {
	MaxFrobenius       float64            `json:"max_frobenius"`       // max_k ‖A_k‖_F
	Displacement       float64            `json:"displacement"`        // max_k ‖A_k(T) − A_k(0)‖_F
	MaxIncrement       float64            `json:"max_increment"`       // max_k ‖A_{k+1} − A_k‖_F
	RootSumSquares     float64            `json:"root_sum_squares"`    // (Σ_k ‖A_k‖_F²)^½
	QuadraticVariation float64            `json:"quadratic_variation"` // Σ_k ‖Ā_{k+1} − Ā_k‖_F²
	PVariation         map[string]float64 `json:"p_variation"`         // V_p by p: "1", "1.5", …
	// DisplacementVariation is V_1 of the rescaled displacement L^β (A(T) − A(0)).
	DisplacementVariation float64 `json:"displacement_variation"`
}

// Group is a set of runs that differ in depth and seed alone.
type Group struct {
	Group          string            `json:"group"`
	Settings       map[string]string `json:"settings,omitempty"`
	Data           string            `json:"data"`
	Block          string            `json:"block"`
	Activation     string            `json:"activation"`
	Alpha          float64           `json:"alpha"`
	Depths         []int             `json:"depths"`
	Seeds          []uint64          `json:"seeds"`
	AlphaPlusBeta  *float64          `json:"alpha_plus_beta"` // α + β̂, β̂ = −slope of max_frobenius; null without two depths
	Exponents      map[string]Slope  `json:"exponents"`       // max_frobenius, displacement, max_increment, root_sum_squares, delta, displacement_variation
	VariationSlope map[string]Slope  `json:"variation_slopes"`
	Rate           *RateRange        `json:"rate,omitempty"`
	// Diverged is the number of runs left out of the slopes and of Rate.
	Diverged int      `json:"diverged,omitempty"`
	Notes    []string `json:"notes,omitempty"` // what else was left out, and why
}

// RateRange is the spread of the linear rate over the runs of a group.
type RateRange struct {
	MinR2  float64 `json:"min_r2"`
	MinRho float64 `json:"min_rho"`
	MaxRho float64 `json:"max_rho"`
}

// Slope is the exponent of a power law in depth, y ∝ L^slope, with its 95 % interval.
type Slope struct {
	Slope     float64 `json:"slope"`
	Low       float64 `json:"low"`
	High      float64 `json:"high"`
	Intercept float64 `json:"intercept"` // log y at log L = 0
	R2        float64 `json:"r2"`
	Method    string  `json:"method"` // where the interval comes from: scaling.BySeeds, ByRegression or NoInterval
	Warning   string  `json:"warning,omitempty"`
}

// MarshalJSON writes numbers that are not finite as null.
func (r Run) MarshalJSON() ([]byte, error) {
	type fields Run
	parts := make(map[string]nullable, len(r.Parts))
	for name, numbers := range r.Parts {
		parts[name] = numbers.nullable()
	}
	trace := make([]*float64, len(r.LossTrace))
	for i, v := range r.LossTrace {
		trace[i] = finite(v)
	}
	// Fields of the outer struct and of nullable lie less deep than those of
	// fields.PathNumbers and so take their names.
	return json.Marshal(struct {
		fields
		nullable
		Loss      *float64            `json:"loss"`
		Parts     map[string]nullable `json:"parts"`
		LossTrace []*float64          `json:"loss_trace,omitempty"`
	}{fields(r), r.PathNumbers.nullable(), finite(r.Loss), parts, trace})
}

// nullable is PathNumbers as JSON has it.
type nullable struct {
	MaxFrobenius          *float64            `json:"max_frobenius"`
	Displacement          *float64            `json:"displacement"`
	MaxIncrement          *float64            `json:"max_increment"`
	RootSumSquares        *float64            `json:"root_sum_squares"`
	QuadraticVariation    *float64            `json:"quadratic_variation"`
	PVariation            map[string]*float64 `json:"p_variation"`
	DisplacementVariation *float64            `json:"displacement_variation"`
}

func (n PathNumbers) nullable() nullable {
	variation := make(map[string]*float64, len(n.PVariation))
	for p, v := range n.PVariation {
		variation[p] = finite(v)
	}
	return nullable{
		finite(n.MaxFrobenius), finite(n.Displacement), finite(n.MaxIncrement), finite(n.RootSumSquares),
		finite(n.QuadraticVariation), variation, finite(n.DisplacementVariation),
	}
}

// finite returns a pointer to v, nil if v is NaN or infinite.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
