// Package runfolder reads and writes what a run leaves behind: a folder with the weights as a
// path over the layer index, the trace of the descent, and the configuration.
//
// To read a run, Open its folder. The Run then has its Meta and Summary, and reads what is
// asked for: Weights, Trace, Norms, States, Certification. Weights.Path returns the weights as
// a Path, r×c matrices of layers k = 1..L in one row-major slice, and Path.Rescaled with
// L^β the path Ā that converges as depth grows. List returns the runs of a study folder.
//
// Numbers are float64 in memory whatever the run was computed in. Losses are means over
// samples, norms Frobenius. NaN stands for numbers that are not known, such as the loss of
// imported weights.
//
// A folder that does not hold a run is an error that wraps fs.ErrNotExist. A file that is not
// what was written is a *DamagedError with its path: result.json has checksums of the other
// files, and size limits are checked before a file is read. Open reads two small JSON files; the
// other methods read one file each, once a call.
//
// A folder holds
//
//	run.json              Meta: resolved configuration, seed, hash, versions, times; a run
//	                      that ends within a second has none before its end
//	trace.parquet         one Row per recorded iteration; StepLaw in its metadata
//	weights.safetensors   Weights: every parameter group, trained and initial
//	states.safetensors    hidden states of a few samples at the end of the run
//	norms.safetensors     Norms: those of every layer at some iterations
//	end.safetensors       what a run that ends later goes on from, beside weights, trace,
//	                      norms and measurements: absent where the state was not kept
//	checkpoint/           last complete Checkpoints while the run is unfinished
//	certificates.json, certificates.parquet, promises.parquet
//	                      Certification: the measurements for package certify, if any were made
//	lease.1, lease.2 …    Lease: who works on the run, while it is unfinished
//	live.jsonl            the trace while it grows, for status and the live page
//	failure.json          Failure: why the last attempt ended without a result
//	result.json           Summary; written last and atomically: its presence means "done"
//	transfer.json         Transfer, if `deeplimit transfer` was called
//	transfer/             the limit path it estimated
//	kernel.json           what `deeplimit certify STUDY --kernel` proved of the last iterate
//	kernel/               the weights that --polish leads to
//
// and the folder of a study holds, beside runs/, the Ensembles of `deeplimit probe`.
//
// Analysis and figures work from these files alone, for weights trained here or elsewhere.
//
// Dimensions: L layers, d width, m hidden width of block mlp.
package runfolder

import (
	"encoding/json"
	"time"
)

// Meta says what was run. It is written to run.json before the first checkpoint, and again,
// with End and Stop, after the last iteration.
type Meta struct {
	ID    string `json:"id"`    // folder name, such as "separated-L0064-s1-3f2a9c01"
	Hash  string `json:"hash"`  // content hash of the resolved configuration, hex
	Group string `json:"group"` // the same hash with depth and seed left out: runs of one group are compared over depth
	Study string `json:"study"`

	Data       string `json:"data"`                 // label of the data set
	DataAbout  string `json:"data_about,omitempty"` // how files of the user were read, and samples of each class
	Depth      int    `json:"depth"`
	Width      int    `json:"width"`
	Hidden     int    `json:"hidden,omitempty"`
	Samples    int    `json:"samples"`
	Batch      int    `json:"batch,omitempty"` // samples of a mini-batch; 0 where a step takes all
	Inputs     int    `json:"inputs"`
	Outputs    int    `json:"outputs"`
	Seed       uint64 `json:"seed"`
	DType      string `json:"dtype"` // float64 or float32
	Block      string `json:"block"`
	Activation string `json:"activation"`
	Residual   string `json:"residual"`
	Normalise  string `json:"normalise,omitempty"` // pre where blocks see a normalised input, which Config describes
	Bias       bool   `json:"bias"`
	Loss       string `json:"loss"`
	Method     string `json:"method"`
	// Altered says that method gd makes steps that are not gradient descent's, as with weight decay: nothing is certified of them.
	Altered bool    `json:"altered,omitempty"`
	Penalty string  `json:"penalty,omitempty"` // what is minimised beside the loss, in words; "" for nothing
	Alpha   float64 `json:"alpha"`
	// AlphaAssumed says that nobody stated Alpha, of weights from elsewhere.
	AlphaAssumed bool `json:"alpha_assumed,omitempty"`
	// Coupled says that runs of one group and seed start, at every depth, from the
	// same function or noise path of the layer index, so that their weights can be
	// compared across depths layer by layer.
	Coupled bool `json:"coupled,omitempty"`
	// Drawn says what of the run is random; nil for weights from elsewhere.
	Drawn *Drawn `json:"drawn,omitempty"`
	// Base is the folder that relative file names in Config start from, empty for a run
	// that reads no files.
	Base string `json:"base,omitempty"`

	// Step says which step sizes the run was given; nil for weights from elsewhere.
	Step *StepLaw `json:"step_size,omitempty"`

	// Settings holds the fields that a grid varies, as path → value, to label groups.
	Settings map[string]string `json:"settings,omitempty"`
	// Config is the resolved configuration as the plan wrote it. Readers show it and do not
	// interpret it.
	Config json.RawMessage `json:"config"`

	Version     string            `json:"version"`     // of the program
	Environment map[string]string `json:"environment"` // host, go, cpu features …
	Start       time.Time         `json:"start"`
	End         time.Time         `json:"end,omitzero"`
	Stop        string            `json:"stop_reason,omitempty"`
}

// Drawn says what of a run is random. Weights and order of batches are drawn from the seed of the run.
type Drawn struct {
	Data    *uint64 `json:"data_seed"` // that samples, or their split, are drawn from; null where all of a stored set are used
	Weights bool    `json:"weights"`   // whether initial weights are drawn
	Batches bool    `json:"batches"`   // whether mini-batches are
}

// Beta returns β = 1 − α, the exponent that rescales the path: Ā = L^β A.
func (m *Meta) Beta() float64 { return 1 - m.Alpha }

// Part returns the name of the tensor whose path represents the run in tables: "A" for
// blocks inner and outer, "V" for mlp.
func (m *Meta) Part() string {
	if m.Block == "mlp" {
		return "V"
	}
	return "A"
}

// A Row is one recorded iteration. Pointers are columns that some runs do not have (null in
// Parquet). All norms are those of the primary part (Meta.Part) unless stated otherwise.
type Row struct {
	Iteration    int64    `parquet:"iteration"`
	Loss         *float64 `parquet:"loss,optional"`          // J over all training samples; null between epochs of a mini-batch run
	BatchLoss    *float64 `parquet:"batch_loss,optional"`    // J over the mini-batch
	Penalty      *float64 `parquet:"penalty,optional"`       // R(θ), which is minimised beside J and has no part in it
	GradientNorm *float64 `parquet:"gradient_norm,optional"` // ‖∇J‖ over all trained parameters (of the mini-batch, if one is used)
	StepSize     *float64 `parquet:"step_size,optional"`     // η of the step that leaves this iterate; null on the last row
	PLRatio      *float64 `parquet:"pl_ratio,optional"`      // ‖∇J‖²/(2J)
	MaxFrobenius float64  `parquet:"max_frobenius"`          // max_k ‖A_k‖_F
	RootSquares  float64  `parquet:"root_sum_squares"`       // (Σ_k ‖A_k‖_F²)^½
	Displacement float64  `parquet:"displacement"`           // max_k ‖A_k − A_k(0)‖_F
	Accuracy     *float64 `parquet:"accuracy,optional"`      // share of training samples whose largest output is their class
	TestLoss     *float64 `parquet:"test_loss,optional"`
	TestAccuracy *float64 `parquet:"test_accuracy,optional"`
	Variation1   *float64 `parquet:"v_1,optional"` // V_p of the rescaled path L^β A, for p = 1, 1.5, 2, 2.5, 3
	Variation15  *float64 `parquet:"v_1.5,optional"`
	Variation2   *float64 `parquet:"v_2,optional"`
	Variation25  *float64 `parquet:"v_2.5,optional"`
	Variation3   *float64 `parquet:"v_3,optional"`

	// Further statistics of the path, in the rows that train.record asks for, and all of them for the
	// displacement A − A(0): SetPath fills them. Increments are of A, variations of L^β A.
	MaxIncrement       *float64 `parquet:"max_increment,optional"`       // max_k ‖A_{k+1} − A_k‖_F
	QuadraticVariation *float64 `parquet:"quadratic_variation,optional"` // Σ_k ‖Ā_{k+1} − Ā_k‖_F²

	DisplacementRootSquares *float64 `parquet:"displacement_root_sum_squares,optional"`
	DisplacementIncrement   *float64 `parquet:"displacement_max_increment,optional"`
	DisplacementQuadratic   *float64 `parquet:"displacement_quadratic_variation,optional"`
	DisplacementVariation1  *float64 `parquet:"displacement_v_1,optional"`
	DisplacementVariation15 *float64 `parquet:"displacement_v_1.5,optional"`
	DisplacementVariation2  *float64 `parquet:"displacement_v_2,optional"`
	DisplacementVariation25 *float64 `parquet:"displacement_v_2.5,optional"`
	DisplacementVariation3  *float64 `parquet:"displacement_v_3,optional"`

	Seconds float64 `parquet:"seconds"` // wall clock since the start of training: the one column that is not reproducible

	// The loss on the validation set, and the share of correct classes, where there is one.
	ValidationLoss     *float64 `parquet:"validation_loss,optional"`
	ValidationAccuracy *float64 `parquet:"validation_accuracy,optional"`

	// What training has changed in the network so far, at records of a run with train.coordinates; docs/tune.md has the
	// formulas. Those of updates are of the primary part, and with _w of W.
	LastState          *float64 `parquet:"last_state,optional"`
	BlockChange        *float64 `parquet:"block_change,optional"`
	UpdateNorm         *float64 `parquet:"update_norm,optional"`
	UpdateRank         *float64 `parquet:"update_rank,optional"`
	Alignment          *float64 `parquet:"alignment,optional"`
	UpdateNormW        *float64 `parquet:"update_norm_w,optional"`
	UpdateRankW        *float64 `parquet:"update_rank_w,optional"`
	AlignmentW         *float64 `parquet:"alignment_w,optional"`
	BlockLinearisation *float64 `parquet:"block_linearisation,optional"`
	Tangent            *float64 `parquet:"tangent,optional"`

	// Level is the depth of the network that the row is about, in a cascade over depth; null in a run at one depth. Where a
	// level ends there is no row of its last network: that of the iteration is the deeper one, before its first step.
	Level *float64 `parquet:"level,optional"`

	// At records of a run that trains δ: the mean of |δ_k| over the layers, and max_k |δ_k| ‖A_k‖_F.
	Delta             *float64 `parquet:"delta,optional"`
	DeltaMaxFrobenius *float64 `parquet:"delta_max_frobenius,optional"`
}

// A Level is one depth of a cascade.
type Level struct {
	Depth      int `json:"depth"`
	First      int `json:"first"`      // iteration of its first iterate
	Iterations int `json:"iterations"` // steps
	// Begun and Loss are J of its first iterate and of the last, null where they are not known or not finite.
	Begun *float64 `json:"begun"`
	Loss  *float64 `json:"loss"`
	// Why it ended: a reason of stop_reason, or Discretisation.
	Why     string  `json:"why"`
	Seconds float64 `json:"seconds"`
}

// Discretisation is why a level of a cascade ended whose loss more training could not lower by as much as a step in depth
// changes it.
const Discretisation = "discretisation"

// LayerIterations returns the sum of depth times steps of a finished run.
func (r *Run) LayerIterations() int {
	if r.Summary.LayerIterations == 0 { // of a run from elsewhere
		return r.Meta.Depth * r.Summary.Iterations
	}
	return r.Summary.LayerIterations
}

// A Tensor is an array in row-major order. Data are float64 in memory; DType ("F64" or "F32")
// is the type in the file.
type Tensor struct {
	DType string
	Shape []int
	Data  []float64
}

// Weights is the content of weights.safetensors. Names: A (L,d,d) or V (L,d,m)
// and W (L,m,d); b, c (L,·); delta (L); E (d,inputs) and C (outputs,d) when they
// are not the identity; and each trained one at iteration 0, with the suffix "_initial".
// Metadata: alpha, beta, activation, block.
type Weights struct {
	Tensors  map[string]Tensor
	Metadata map[string]string
}

// A Path is a sequence of matrices over the layer index k = 1..L.
type Path struct {
	Depth, Rows, Cols int
	Data              []float64 // (L, rows, cols)
}

// Diverged is the stop reason of a run whose loss grew beyond bounds or was not finite. Its
// files stay, and every fit over depth leaves it out.
const Diverged = "diverged"

// Floor is the stop reason of a run whose search found no step that lowers the loss in
// its precision.
const Floor = "floor"

// Imported is the stop reason of a run whose weights were trained elsewhere: its trace
// is empty and its loss NaN, as it is not known.
const Imported = "imported"

// Summary is result.json: how the run ended, and checksums of its other files.
type Summary struct {
	Iterations int    `json:"iterations"`
	Stop       string `json:"stop_reason"`
	// Loss and TestLoss are those of the weights as stored, evaluated in float64 whatever
	// the run was trained in; of a diverged run they are those that its descent saw. A loss
	// that is not finite is null in the file and NaN when read back.
	Loss     float64  `json:"loss"`
	TestLoss *float64 `json:"test_loss,omitempty"` // nil without a test set
	// ValidationLoss is likewise; nil without a validation set.
	ValidationLoss *float64 `json:"validation_loss,omitempty"`
	Seconds        float64  `json:"seconds"` // training time
	// LayerIterations is the sum of depth times steps over the levels of a cascade; without one it is depth times
	// Iterations (Run.LayerIterations). LayerEvaluations is the same of evaluations of the loss that no step came from,
	// nil where it is not known.
	LayerIterations  int  `json:"layer_iterations,omitempty"`
	LayerEvaluations *int `json:"layer_evaluations,omitempty"`
	// Flops is the floating-point operations of the matrix products of all steps, those of evaluations left out; nil where
	// it is not known.
	Flops *float64 `json:"flops,omitempty"`
	// Levels are those of a cascade over depth, ascending; none for a run at one depth.
	Levels []Level `json:"levels,omitempty"`
	// Violation is the promise of a certificate that the run broke, a fault of deeplimit:
	// its numbers are kept as evidence and are not to be trusted.
	Violation string            `json:"violation,omitempty"`
	SHA256    map[string]string `json:"sha256"` // file name → checksum
	Checksum  string            `json:"-"`      // of result.json itself, as it was read
}
