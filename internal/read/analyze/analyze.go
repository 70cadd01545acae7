package analyze

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/read/surface"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Options of Study. The zero value is the default.
type Options struct {
	// Trace keeps the loss trace of every run in the result.
	Trace bool
	// Windows is the number of windows of a trace to fit a rate on (LocalRates); default none.
	Windows int
	// Exponents are the p of V_p, each at least 1; default 1, 1.5, 2, 2.5, 3.
	Exponents []float64
	// PathMemory bounds the bytes of weight paths and displacements that are kept at a time to
	// compare depths; default 2 GiB. The regime and the limit of a group are found from as
	// many seeds as fit, all depths of each; a note says which are left out.
	PathMemory int64
	// Next adds what to run next (Group.Next).
	Next bool
	// Workers is the number of runs analysed at a time; default GOMAXPROCS. The
	// result does not depend on it.
	Workers int
	// In are fields of runs in which Result.Fits are, such as network.width; none by default. Model is what to fit
	// in the place of a power law, and Of the one quantity to fit; empty for all.
	In    []string
	Model *surface.Model
	Of    string
	// Contrast is a field between whose values Result.Contrasts are, such as train.method, depth, or group for all settings
	// together; none by default. Against is the one value that all others are compared with; empty for every two.
	Contrast, Against string
	// Best is a field of which contrasts and fits take the best value, such as train.step.value; empty for none. Without
	// either, Result.Levels has the best value at every depth and setting.
	Best string
	// At are points along training to give the numbers of, beside those at the end; none by default.
	At []Point
	// Observe is called before the first run is read, with 0, and after each, from several
	// goroutines; nil for nobody.
	Observe func(done, total int)
}

// resolve fills in defaults; what is wrong is a *field.Error.
func (o Options) resolve() (Options, error) {
	if o.PathMemory == 0 {
		o.PathMemory = 2 << 30
	}
	if o.Windows < 0 {
		return o, &field.Error{Path: "windows", Got: o.Windows, Want: "at least 0"}
	}
	if o.Exponents == nil {
		o.Exponents = []float64{1, 1.5, 2, 2.5, 3}
	}
	for _, p := range o.Exponents {
		if !(p >= 1) || math.IsInf(p, 0) {
			return o, &field.Error{Path: "exponents", Got: p, Want: "finite numbers, at least 1"}
		}
	}
	o.Workers = cmp.Or(max(o.Workers, 0), runtime.GOMAXPROCS(0))
	return o, nil
}

// Study analyses the runs of a study folder (runs/*), or the one run of a run
// folder. Every file is opened once and checked against its checksum.
//
// Unfinished runs are listed. Damaged runs are listed too, the others are
// analysed, and the error names every damaged file: the result is complete for
// the rest whenever it is not nil. Exponents below 1 are a *field.Error.
func Study(ctx context.Context, dir string, options Options) (*Result, error) {
	p, err := newPass(ctx, dir, options, false)
	if err != nil {
		return nil, err
	}
	return p.result()
}

// Read is Study that keeps what figures show beside the numbers, from the same reading of
// the files.
func Read(ctx context.Context, dir string, options Options) (*Folder, error) {
	p, err := newPass(ctx, dir, options, true)
	if err != nil {
		return nil, err
	}
	result, err := p.result()
	if result == nil {
		return nil, err
	}
	return p.folder(result), err
}

// measure returns the numbers of a finished run.
func measure(folder *runfolder.Run, rows []runfolder.Row, weights runfolder.Weights, states *runfolder.Tensor, options Options) (Run, error) {
	meta := &folder.Meta
	run := Run{
		ID: meta.ID, Group: meta.Group, Settings: meta.Settings, Data: meta.Data, Alpha: meta.Alpha,
		Depth: meta.Depth, Seed: meta.Seed,
		Iterations: folder.Summary.Iterations, Stop: folder.Summary.Stop, Loss: folder.Summary.Loss,
		LayerIterations: folder.LayerIterations(), LayerEvaluations: folder.Summary.LayerEvaluations, Flops: folder.Summary.Flops, Levels: folder.Summary.Levels,
		TestLoss: folder.Summary.TestLoss, Validation: folder.Summary.ValidationLoss,
		Accuracy:      lastOf(rows, func(r *runfolder.Row) *float64 { return r.Accuracy }),
		TestAcc:       lastOf(rows, func(r *runfolder.Row) *float64 { return r.TestAccuracy }),
		ValidationAcc: lastOf(rows, func(r *runfolder.Row) *float64 { return r.ValidationAccuracy }),
		Parts:         map[string]PathNumbers{},
	}
	iterations, losses := runfolder.Losses(rows)
	if options.Trace {
		run.LossIterations, run.LossTrace = iterations, losses
	}
	run.changes, run.method = changesOf(rows, parts(meta, weights.Tensors)), meta.Method
	switch {
	case run.Diverged():
		run.RateReason = "the run diverged"
	case run.Stop == runfolder.Imported && len(losses) == 0:
		run.RateReason = "imported weights come without losses"
	case len(run.Levels) > 0:
		run.RateReason = notOneNetwork
	default:
		run.Rate, run.RateReason = FitRate(iterations, losses)
	}
	if options.Windows > 0 && len(run.Levels) == 0 {
		run.LocalRates = LocalRates(iterations, losses, options.Windows)
	}
	for _, part := range parts(meta, weights.Tensors) {
		numbers, notes, err := pathNumbers(weights, part, meta.Beta(), options.Exponents)
		if err != nil {
			return Run{}, err
		}
		run.Parts[part] = numbers
		run.Notes = append(run.Notes, notes...)
	}
	run.PathNumbers = run.Parts[meta.Part()]
	var err error
	if run.HiddenVariation, err = hiddenVariation(states, options.Exponents); err != nil {
		run.Notes = append(run.Notes, fmt.Sprintf("hidden states: %v", err))
	}
	if trained(meta) {
		delta, ok := weights.Tensors["delta"]
		if !ok {
			return Run{}, fmt.Errorf(`weights: residual is %q and there is no tensor "delta"`, meta.Residual)
		}
		run.Delta, run.MeanDelta = delta.Data, new(meanOf(delta.Data))
		primary, err := weights.Path(meta.Part())
		if err != nil {
			return Run{}, err
		}
		if run.DeltaMaxFrobenius, err = scaledMaximum(delta.Data, primary.Norms()); err != nil {
			return Run{}, err
		}
	}
	return run, nil
}

// trained reports whether the residual scale δ is trained.
func trained(meta *runfolder.Meta) bool { return meta.Residual != "" && meta.Residual != "fixed" }

// meanOf returns the mean of |δ_k|.
func meanOf(delta []float64) float64 {
	sum := 0.0
	for _, d := range delta {
		sum += math.Abs(d)
	}
	return sum / float64(len(delta))
}

// scaledMaximum returns max_k |δ_k| ‖A_k‖ of one δ, or one for each layer.
func scaledMaximum(delta, norms []float64) (float64, error) {
	if len(delta) != 1 && len(delta) != len(norms) {
		return 0, fmt.Errorf("weights: delta: got %d numbers, want 1 or one for each of %d layers", len(delta), len(norms))
	}
	largest := 0.0
	for k, norm := range norms {
		largest = max(largest, math.Abs(delta[k%len(delta)])*norm)
	}
	return largest, nil
}

// parts returns the names of the parameter groups with a path over the layers: the
// weights, and those biases that there are. Imported weights may have one of two.
func parts[V any](meta *runfolder.Meta, there map[string]V) []string {
	names := []string{meta.Part()}
	if meta.Block == "mlp" {
		names = append(names, "W")
	}
	for _, bias := range []string{"b", "c"} {
		if _, ok := there[bias]; ok {
			names = append(names, bias)
		}
	}
	return names
}

// lastOf returns the last recorded value, nil if there is none or it is not finite.
func lastOf(rows []runfolder.Row, value func(*runfolder.Row) *float64) *float64 {
	for i := range slices.Backward(rows) {
		if v := value(&rows[i]); v != nil {
			return finite(*v)
		}
	}
	return nil
}
