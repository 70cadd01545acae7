// Package analyze turns run folders into one Result: rates, exponents,
// variations. It reads runfolder alone and never the program that trained.
package analyze

import (
	"encoding/json"
	"math"

	"github.com/deeplimit/deeplimit/internal/read/network"
	"github.com/deeplimit/deeplimit/internal/read/surface"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/scaling"
)

// Result is what `deeplimit analyze --json` prints. Groups are in the order of the
// study, imported ones by data and group; runs by group, depth and seed; diverged ones are among them.
type Result struct {
	Study string `json:"study"`
	// Notes are what people have written about the study.
	runfolder.Notes
	Runs   []Run   `json:"runs"`
	Groups []Group `json:"groups"`
	// Overview has a row for each group; never nil of a study that was read.
	Overview *Overview `json:"overview"`
	// Fits are how quantities depend on the fields of Options.In, and Unfitted says which do not, and why. Both are
	// absent without such fields.
	Fits     []surface.Fit `json:"fits,omitempty"`
	Unfitted []string      `json:"unfitted,omitempty"`
	// Contrasts are those between the values of Options.Contrast, Levels the means at each, and ContrastNotes say how best
	// values were chosen. All are absent without such a field.
	Levels        []Level    `json:"levels,omitempty"`
	Contrasts     []Contrast `json:"contrasts,omitempty"`
	ContrastNotes []string   `json:"contrast_notes,omitempty"`
	// Families and Invariants are what the layers of each imported network say without scaling and without a second depth,
	// Trainings how that changes over the steps of a training, and FamilyNotes what could not be said; absent where nothing was imported.
	Families    []network.FamilyResult    `json:"families,omitzero"`
	Invariants  []network.InvariantResult `json:"invariants,omitzero"`
	Trainings   []network.Training        `json:"trainings,omitempty"`
	FamilyNotes []string                  `json:"family_notes,omitempty"`
	// Moments are what the runs say at the points of Options.At, in their order; absent without any.
	Moments []Moment `json:"at,omitempty"`
	// Coordinates are what training has changed, after 1, 2, 4 … iterations, with the exponents in depth; absent without
	// train.coordinates.
	Coordinates *Coordinates `json:"coordinates,omitempty"`
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
	Iterations int               `json:"iterations"` // of all levels of a cascade
	// LayerIterations is the sum of depth times steps; LayerEvaluations that of evaluations without a step, nil where not known.
	LayerIterations  int               `json:"layer_iterations"`
	LayerEvaluations *int              `json:"layer_evaluations"`
	Flops            *float64          `json:"flops"`            // of the matrix products of all steps, nil where not known
	Levels           []runfolder.Level `json:"levels,omitempty"` // of a cascade
	Stop             string            `json:"stop_reason"`
	Loss             float64           `json:"loss"`
	TestLoss         *float64          `json:"test_loss,omitempty"`
	Validation       *float64          `json:"validation_loss,omitempty"`
	Accuracy         *float64          `json:"accuracy,omitempty"`
	TestAcc          *float64          `json:"test_accuracy,omitempty"`
	ValidationAcc    *float64          `json:"validation_accuracy,omitempty"`
	Rate             *Rate             `json:"rate"`                  // null when no line can be fitted
	RateReason       string            `json:"rate_reason,omitempty"` // why there is none, or it is not linear
	// LocalRates are the rates on the windows of Options.Windows; null where there is none.
	LocalRates []*Rate `json:"local_rates,omitempty"`
	PathNumbers
	// Parts holds the same numbers for every path over the layers by name: A, or V and W, and
	// b and c of a network with biases.
	Parts map[string]PathNumbers `json:"parts"`
	// HiddenVariation is V_p of the paths of hidden states k ↦ h_k(x_i), k = 0..L, the
	// mean over the samples that the run kept; absent when it kept none.
	HiddenVariation map[string]float64 `json:"hidden_variation,omitempty"`
	Delta           []float64          `json:"delta,omitempty"` // trained residual scale, one or one a layer, when trained
	// MeanDelta is the mean over layers of |δ_k|, as a trained δ may change its sign; nil where none is trained.
	MeanDelta *float64 `json:"mean_delta,omitempty"`
	// DeltaMaxFrobenius is max_k |δ_k| ‖A_k‖_F of a trained δ, the size of the largest layer as it acts.
	DeltaMaxFrobenius float64   `json:"delta_max_frobenius"`
	LossTrace         []float64 `json:"loss_trace,omitempty"`
	// LossIterations are the iterations of LossTrace: 0, 1, … n unless the trace
	// is thinned or the run used mini-batches.
	LossIterations []int    `json:"loss_iterations,omitempty"`
	Notes          []string `json:"notes,omitempty"`
	// CopyOf names another run of this depth with the very same weights, "" when there is
	// none before this one. A copy counts in nothing that the group has.
	CopyOf string `json:"copy_of,omitempty"`
	// TrendLoss is the loss at this depth of the trend of the weights alone, as
	// `deeplimit transfer` found it; nil if it was not called.
	TrendLoss *float64 `json:"trend_loss,omitempty"`
	// At says where the run is at a point of training; nil at its end.
	At *Place `json:"place,omitempty"`

	changes []Coordinate // of the trace, for Result.Coordinates
	prolong string       // of a cascade
	method  string
}

// Diverged reports whether the run ended without a usable loss. Such runs enter
// no slope. The loss of imported weights is not known, and they did not diverge.
func (r *Run) Diverged() bool {
	if r.Stop == runfolder.Imported {
		return false
	}
	return r.Stop == runfolder.Diverged || math.IsNaN(r.Loss) || math.IsInf(r.Loss, 0)
}

// Rate is the fit J(t) ≈ C ρ^t; FitRate says over which iterations. It is a rate of
// convergence only where Linear holds.
type Rate struct {
	Rho    float64 `json:"rho"`
	StdErr float64 `json:"stderr"` // of ρ
	R2     float64 `json:"r2"`
	Linear bool    `json:"linear"` // whether R2 is LinearR2 or more
	First  int     `json:"first"`  // iterations the fit used, first..last
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
	// PVariationRoots are V_p^(1/p) where float64 cannot hold V_p, which is NaN then, and QuadraticVariationRoot
	// is the root of the quadratic variation likewise.
	PVariationRoots        map[string]float64 `json:"p_variation_roots,omitempty"`
	QuadraticVariationRoot *float64           `json:"quadratic_variation_root,omitempty"`
	// DisplacementVariation is V_1 of the rescaled displacement L^β (A(T) − A(0)).
	DisplacementVariation float64 `json:"displacement_variation"`
	// Hoelder and HoelderUniform are the exponents h in ‖Ā_{k+m} − Ā_k‖ ∝ m^h, in the
	// mean square over k and in the maximum (pvar.Regularity); NaN below depth 17.
	Hoelder        float64 `json:"hoelder"`
	HoelderUniform float64 `json:"hoelder_uniform"`
	// DisplacementPath holds the same numbers of the path of the displacement A(T) − A(0), but for its own displacement;
	// nil where the initial weights are not known.
	DisplacementPath *PathNumbers `json:"displacement_path,omitempty"`
}

// Group is a set of runs that differ in depth and seed alone.
type Group struct {
	Group      string            `json:"group"`
	Settings   map[string]string `json:"settings,omitempty"`
	Data       string            `json:"data"`
	Block      string            `json:"block"`
	Normalise  string            `json:"normalise,omitempty"` // pre where blocks see a normalised input
	Activation string            `json:"activation"`
	Alpha      float64           `json:"alpha"`
	Depths     []int             `json:"depths"`
	Seeds      []uint64          `json:"seeds"`
	Coupled    bool              `json:"coupled"`            // as runfolder.Meta.Coupled
	Residual   string            `json:"residual"`           // fixed, shared or layered
	Imported   bool              `json:"imported,omitempty"` // whether the weights were trained elsewhere
	Runs       int               `json:"runs"`               // finished ones, diverged ones among them, copies not
	// AlphaPlusBeta is α + β̂, β̂ = −slope of max_frobenius, or minus the slope of
	// delta_max_frobenius when δ is trained; nil without two depths. JSON has the number
	// alone, too, as alpha_plus_beta.
	AlphaPlusBeta *Estimate `json:"alpha_plus_beta_estimate"`
	// GroupPath is what the depths of the primary part have in common; its exponents
	// hold that of a trained δ, too.
	GroupPath
	// Parts holds the same for every path over the layers by name: A, or V and W, and
	// b and c of a network with biases.
	Parts map[string]GroupPath `json:"parts"`
	Rate  *RateRange           `json:"rate,omitempty"`
	// Transfer is what `deeplimit transfer` found, nil if it was not called.
	Transfer *Transfer `json:"transfer,omitempty"`
	// Next is what to run next; nil unless Options.Next asks for it.
	Next []Next `json:"next,omitzero"`
	// Diverged is the number of runs left out of the slopes and of Rate.
	Diverged int      `json:"diverged,omitempty"`
	Notes    []string `json:"notes,omitempty"` // what else was left out, and why
}

// GroupPath is what the weight paths of a group say about depth. What could not be
// computed is nil, and Missing says why.
type GroupPath struct {
	Exponents      map[string]Slope `json:"exponents"`        // by the keys of Quantities
	VariationSlope map[string]Slope `json:"variation_slopes"` // of V_p by p
	// LimitExponents are those of L → ∞, by the keys of Exponents, "variation_1", "variation_2" … and "index"; Exponents
	// and VariationSlope are slopes over the depths there are. Empty where depths or seeds are too few.
	LimitExponents map[string]scaling.LimitExponent `json:"limit_exponents"`
	VariationIndex *Index                           `json:"variation_index,omitempty"`
	Regime         *Regime                          `json:"regime"`
	Mixture        *Mixture                         `json:"mixture"`
	Limit          *Limit                           `json:"limit,omitempty"`
	// Displacement says the same of the displacement A(T) − A(0), but for the distances of Limit, which hold it;
	// nil where a run's initial weights are not known, or have not moved.
	Displacement *GroupPath `json:"displacement,omitempty"`
	// Missing says why there is no exponent, by its key, or no v_<p>, variation_index
	// or limit.
	Missing map[string]string `json:"missing,omitempty"`
}

// Regime is the kind of limit that the paths have (scaling.Infer), and what stands behind it.
type Regime struct {
	Verdict     scaling.LimitKind             `json:"verdict"`     // null in JSON where no kind stands out
	Probability map[scaling.LimitKind]float64 `json:"probability"` // empty where depths or seeds are too few
	// Unexplained reports that no sum of the parts that are known fits the paths.
	Unexplained bool   `json:"unexplained,omitempty"`
	Why         string `json:"why"`
	// Evidence holds slopes over the window of depths; it is empty where they cannot be had.
	Evidence scaling.Evidence `json:"evidence"`
}

// MarshalJSON writes a verdict that cannot be told as null, and likewise an accumulation that is not
// finite (that of a path which exactly alternates).
func (r Regime) MarshalJSON() ([]byte, error) {
	type fields Regime
	type evidence struct {
		scaling.Evidence
		Accumulation       *float64 `json:"accumulation"`
		AccumulationSpread *float64 `json:"accumulation_spread"`
	}
	var verdict *scaling.LimitKind
	if r.Verdict != "" {
		verdict = &r.Verdict
	}
	e := r.Evidence
	return json.Marshal(struct {
		fields
		Verdict  *scaling.LimitKind `json:"verdict"`
		Evidence evidence           `json:"evidence"`
	}{fields(r), verdict, evidence{e, finite(e.Accumulation), finite(e.AccumulationSpread)}})
}

// Mixture says what the paths are made of beside a smooth trend.
type Mixture struct {
	// NoiseShare is a over the root mean square of the trend, for layer noise a·L^(−½)·N(0,1) an entry of
	// L^β A; Hurst is the exponent of a rough part. Null where there is no such part.
	NoiseShare *Share `json:"noise_share"`
	Hurst      *Share `json:"hurst"`
	// DetectionLimit bounds the noise share, with 95 %: where no noise is seen, what would have been.
	DetectionLimit *float64 `json:"detection_limit"`
}

// Share is a number of a part with its 95 % interval.
type Share struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// Estimate returns it as one.
func (s Share) Estimate() Estimate {
	return Estimate{Value: s.Value, Low: s.Low, High: s.High, Method: scaling.ByModel}
}

// Limit says how far the rescaled paths of consecutive depths are apart.
type Limit struct {
	Distances []LimitDistance `json:"distances"` // by depth, then seed
	// Integral and Displacement are the slopes in the smaller depth, minus the rate at
	// which the distances fall. They are null unless the initial weights are shared by
	// all depths (Group.Coupled): otherwise a distance holds that of two draws, too.
	Integral     *Slope `json:"integral"`
	Displacement *Slope `json:"displacement"`
	// Deepest are the L² distances to the deepest run of the seed, by depth and then seed,
	// and ToDeepest their slope over the depths up to an eighth of the deepest, beyond which
	// the deepest run's own error counts. Empty and null likewise.
	Deepest   []DeepestDistance `json:"deepest,omitempty"`
	ToDeepest *Slope            `json:"to_deepest,omitempty"`
}

// DeepestDistance is how far the path of a depth is from that of the deepest run of its
// seed, (∫_0^1 ‖(Ā − Ā′)(s)‖_F² ds)^½ for both as step functions of s = k/L.
type DeepestDistance struct {
	Depth int     `json:"depth"`
	Seed  uint64  `json:"seed"`
	L2    float64 `json:"l2"`
}

// LimitDistance is the distance between the paths of one seed at two depths.
type LimitDistance struct {
	Depth    int     `json:"depth"`
	Next     int     `json:"next"`
	Seed     uint64  `json:"seed"`
	Integral float64 `json:"integral"` // sup_s ‖∫_0^s (Ā − Ā′)(u) du‖_F
	// Displacement is the L² distance of the rescaled displacements L^β (A(T) − A(0)),
	// null where the initial weights are not known.
	Displacement *float64 `json:"displacement"`
}

// RateRange is the spread of the fits J(t) ≈ C ρ^t over the runs of a group.
type RateRange struct {
	MinR2  float64  `json:"min_r2"`  // of the runs that have a fit
	MinRho *float64 `json:"min_rho"` // of those that fall linearly; null without one
	MaxRho *float64 `json:"max_rho"`
	Linear int      `json:"linear"` // runs that fall linearly
	Fitted int      `json:"fitted"` // runs that have a fit
	Runs   int      `json:"runs"`   // runs that did not diverge
}

// Slope is the exponent of a power law in depth, y ∝ L^slope, with its 95 % interval and the
// runs that it rests on.
type Slope = scaling.Slope

// Index is a variation index, likewise.
type Index = scaling.Index

// Estimate is what sentences, tables and figures show of either.
type Estimate = scaling.Estimate

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
	// Fields of the outer struct, of nullable and of nullablePath lie less deep than those of
	// fields.PathNumbers and so take their names.
	return json.Marshal(struct {
		fields
		nullable
		nullablePath
		Loss      *float64            `json:"loss"`
		Parts     map[string]nullable `json:"parts"`
		LossTrace []*float64          `json:"loss_trace,omitempty"`
		Scaled    *float64            `json:"delta_max_frobenius,omitempty"`
	}{fields(r), r.PathNumbers.nullable(), r.PathNumbers.nullablePath(), finite(r.Loss), parts, trace, r.scaled()})
}

// scaled returns DeltaMaxFrobenius, nil where δ is not trained.
func (r *Run) scaled() *float64 {
	if r.MeanDelta == nil {
		return nil
	}
	return finite(r.DeltaMaxFrobenius)
}

// MarshalJSON adds α + β̂ as a number and the sentences of the group.
func (g Group) MarshalJSON() ([]byte, error) {
	type fields Group
	var sum *float64
	if g.AlphaPlusBeta != nil {
		sum = &g.AlphaPlusBeta.Value
	}
	words := []string{}
	for _, s := range g.Sentences() {
		words = append(words, s.Text)
	}
	return json.Marshal(struct {
		Sum   *float64 `json:"alpha_plus_beta"`
		Words []string `json:"words"`
		fields
	}{sum, words, fields(g)})
}

// finite returns a pointer to v, nil if v is NaN or infinite.
func finite(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}
