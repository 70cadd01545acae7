package runfolder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
)

// Transfer is transfer.json: losses, without training, of networks rebuilt from the
// weights of this run and of shallower ones of its seed. Losses are over the run's
// training samples; one that is not finite is null in the file, NaN when read back.
type Transfer struct {
	// Weights is the SHA-256 of the weights.safetensors that it was computed from.
	Weights string `json:"weights"`
	// TrendLoss is the loss at the run's own depth of the trend of its weights alone,
	// layer noise taken out.
	TrendLoss float64 `json:"trend_loss"`
	// Sources are the depths that the limit path was estimated from, ascending: the
	// run's own, and the one before it when the limit is an extrapolation in 1/L. Empty
	// for a run that is not the deepest of its seed.
	Sources []int `json:"sources,omitempty"`
	// Targets are the rebuilt networks, by ascending depth.
	Targets []TransferTarget `json:"targets,omitempty"`
	// LossLimit is what the loss of the trend goes to as depth grows.
	LossLimit *LossLimit `json:"loss_limit,omitempty"`
	// Orders are those of the group's errors in depth, the same for every seed.
	Orders []TransferOrder `json:"orders,omitempty"`
	// Limit is the SHA-256 of transfer/limit.safetensors, "" when there is none.
	Limit string `json:"limit,omitempty"`
}

// A TransferTarget is what the limit path gives at another depth.
type TransferTarget struct {
	Depth int `json:"depth"`
	// Trend is the loss of the limit of the trend, without layer noise.
	Trend float64 `json:"trend"`
	// Redrawn is the loss of initial weights drawn at that depth plus the limit of the
	// displacement; nil when they cannot be drawn there, as those that come from files.
	Redrawn *float64 `json:"redrawn,omitempty"`
	// Errors are of the outputs; nil when no reference was asked for.
	Errors *TransferErrors `json:"errors,omitempty"`
	// Training compares training from the rebuilt network with training from scratch; nil
	// when that was not asked for.
	Training *TransferTraining `json:"training,omitempty"`
}

// TransferErrors are distances of outputs from those of the network at a reference depth, as
// ((1/N) Σ_i ‖ŷ(x_i) − ŷ′(x_i)‖²)^½ over the N training samples. Trend is that of the trends; the others are of
// networks with initial weights drawn at both depths and the limit of the displacement.
type TransferErrors struct {
	Reference int      `json:"reference"` // depth
	Trend     float64  `json:"trend"`
	Draws     int      `json:"draws"`
	Strong    *float64 `json:"strong"` // root mean square over draws; null where depths do not share their draws
	// Weak is the distance of the mean outputs, and WeakSquare that of the mean of (1/N) Σ_i ‖ŷ(x_i)‖², both without what
	// the chance of the draws adds; null where that is all there is.
	Weak       *float64 `json:"weak"`
	WeakSquare *float64 `json:"weak_square"`
}

// A TransferOrder is the exponent with which an error changes with depth.
type TransferOrder struct {
	// Of is trend_loss, |J(L) − J∞|, or an error of outputs: trend, strong, weak or weak_square.
	Of       string   `json:"of"`
	Exponent float64  `json:"exponent"`
	Low      *float64 `json:"low"`
	High     *float64 `json:"high"`
	Method   string   `json:"method"` // seeds, regression or none; draws: leaving out blocks of draws
	Depths   []int    `json:"depths"`
	Against  string   `json:"against"` // what the errors are from
	Warning  string   `json:"warning,omitempty"`
}

// A LossLimit is the loss of rebuilt trends as depth grows: the polynomial in 1/L through those of Depths, at 0.
type LossLimit struct {
	Value  float64 `json:"value"`
	Error  float64 `json:"error"` // distance to the polynomial through one depth fewer
	Depths []int   `json:"depths"`
}

// TransferTraining is how two descents at one depth ended, both by the rules of the run.
type TransferTraining struct {
	Rebuilt Descent  `json:"rebuilt"`           // from the limit of the trend
	Scratch *Descent `json:"scratch,omitempty"` // from initial weights drawn at that depth; nil as for Redrawn
}

// A Descent is how one ended.
type Descent struct {
	Iterations int      `json:"iterations"`
	Stop       string   `json:"stop_reason"` // as Summary.Stop
	First      *float64 `json:"first"`       // loss at iteration 0; null when not finite
	Loss       *float64 `json:"loss"`        // in the end, likewise
}

// String returns "12 iterations (loss)": how many there were, and why no more.
func (d Descent) String() string { return fmt.Sprintf("%d iterations (%s)", d.Iterations, d.Stop) }

// MarshalJSON writes losses that are not finite as null.
func (t Transfer) MarshalJSON() ([]byte, error) {
	type fields Transfer
	return json.Marshal(struct {
		fields
		TrendLoss *float64 `json:"trend_loss"`
	}{fields(t), orNull(t.TrendLoss)})
}

// UnmarshalJSON reads a null loss as NaN.
func (t *Transfer) UnmarshalJSON(data []byte) error {
	type fields Transfer
	file := struct {
		*fields
		TrendLoss *float64 `json:"trend_loss"`
	}{fields: (*fields)(t)}
	if err := json.Unmarshal(data, &file); err != nil {
		return err
	}
	t.TrendLoss = orNaN(file.TrendLoss)
	return nil
}

// MarshalJSON writes losses that are not finite as null; a missing Redrawn is left out.
func (t TransferTarget) MarshalJSON() ([]byte, error) {
	file := map[string]any{"depth": t.Depth, "trend": orNull(t.Trend)}
	if t.Redrawn != nil {
		file["redrawn"] = orNull(*t.Redrawn)
	}
	if t.Errors != nil {
		file["errors"] = t.Errors
	}
	if t.Training != nil {
		file["training"] = t.Training
	}
	return json.Marshal(file)
}

// UnmarshalJSON reads a null loss as NaN.
func (t *TransferTarget) UnmarshalJSON(data []byte) error {
	var file struct {
		Depth    int               `json:"depth"`
		Trend    *float64          `json:"trend"`
		Redrawn  json.RawMessage   `json:"redrawn"`
		Errors   *TransferErrors   `json:"errors"`
		Training *TransferTraining `json:"training"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return err
	}
	*t = TransferTarget{Depth: file.Depth, Trend: orNaN(file.Trend), Errors: file.Errors, Training: file.Training}
	if file.Redrawn != nil {
		var redrawn *float64
		if err := json.Unmarshal(file.Redrawn, &redrawn); err != nil {
			return err
		}
		loss := orNaN(redrawn)
		t.Redrawn = &loss
	}
	return nil
}

func orNull(v float64) *float64 {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return nil
	}
	return &v
}

func orNaN(v *float64) float64 {
	if v == nil {
		return math.NaN()
	}
	return *v
}

// WriteTransfer writes transfer.json of a finished run, in the place of an earlier
// one, and before it the limit path, when there is one. It fills in Weights and Limit.
func (r *Run) WriteTransfer(t Transfer, limit *Weights) error {
	if !r.Done() {
		return fmt.Errorf("runfolder: writing %s: the run is not finished", filepath.Join(r.Dir, transferFile))
	}
	t.Weights, t.Limit = r.Summary.SHA256[weightsFile], ""
	if limit != nil {
		folder := filepath.Join(r.Dir, transferFolder)
		if err := makeSubfolder(folder); err != nil {
			return err
		}
		var err error
		if t.Limit, err = replaceFile(folder, limitFile, func(w io.Writer) error { return encodeWeights(w, *limit) }); err != nil {
			return err
		}
		if err := syncFolder(folder); err != nil {
			return err
		}
	}
	text, err := encodeWithChecksum(t)
	if err != nil {
		return fmt.Errorf("runfolder: writing %s: %w", filepath.Join(r.Dir, transferFile), err)
	}
	if err := keepFile(r.Dir, transferFile, text); err != nil {
		return err
	}
	return syncFolder(r.Dir)
}

// Transfer reads transfer.json; an error that wraps fs.ErrNotExist when there is
// none. One that was computed from other weights than the run has is an error.
func (r *Run) Transfer() (Transfer, error) {
	path := filepath.Join(r.Dir, transferFile)
	data, err := readFile(path)
	if err != nil {
		return Transfer{}, err
	}
	var t Transfer
	if err := decodeWithChecksum(data, &t); err != nil {
		return Transfer{}, &DamagedError{path, err}
	}
	if !r.Done() || t.Weights != r.Summary.SHA256[weightsFile] {
		return Transfer{}, fmt.Errorf("runfolder: %s: computed from other weights than the run's; call deeplimit transfer again", path)
	}
	return t, nil
}

// LimitFile returns the path of transfer/limit.safetensors.
func (r *Run) LimitFile() string { return filepath.Join(r.Dir, transferFolder, limitFile) }

// Limit reads the limit path that t names.
func (r *Run) Limit(t Transfer) (Weights, error) {
	path := r.LimitFile()
	if t.Limit == "" {
		return Weights{}, fmt.Errorf("runfolder: %s: %w", path, errors.Join(errors.New("this run has no limit path"), fs.ErrNotExist))
	}
	weights, digest, err := readWeights(path)
	if err != nil {
		return Weights{}, err
	}
	return weights, checkDigest(path, digest, t.Limit)
}
