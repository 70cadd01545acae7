package analyze

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/field"
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
	// PathMemory bounds the bytes of weight paths that are in memory at a time to compare
	// depths; default 1 GiB. The regime and the limit of a group are found from as many
	// seeds as fit, all depths of each; a note says which are left out.
	PathMemory int64
	// Workers is the number of runs analysed at a time; default GOMAXPROCS. The
	// result does not depend on it.
	Workers int
}

// Study analyses the runs of a study folder (runs/*), or the one run of a run
// folder. Every file is checked against its checksum.
//
// Unfinished runs are listed. Damaged runs are listed too, the others are
// analysed, and the error names every damaged file: the result is complete for
// the rest whenever it is not nil. Exponents below 1 are a *field.Error.
func Study(ctx context.Context, dir string, options Options) (*Result, error) {
	if options.PathMemory == 0 {
		options.PathMemory = 1 << 30
	}
	if options.Windows < 0 {
		return nil, &field.Error{Path: "windows", Got: options.Windows, Want: "at least 0"}
	}
	if options.Exponents == nil {
		options.Exponents = []float64{1, 1.5, 2, 2.5, 3}
	}
	for _, p := range options.Exponents {
		if !(p >= 1) || math.IsInf(p, 0) {
			return nil, &field.Error{Path: "exponents", Got: p, Want: "finite numbers, at least 1"}
		}
	}
	name, dirs, err := find(dir)
	if err != nil {
		return nil, err
	}
	outcomes := make([]outcome, len(dirs))
	workers, working := errgroup.WithContext(ctx)
	workers.SetLimit(cmp.Or(max(options.Workers, 0), runtime.GOMAXPROCS(0)))
	for i, dir := range dirs {
		workers.Go(func() error {
			if err := working.Err(); err != nil {
				return err
			}
			outcomes[i] = analyseRun(dir, options)
			return nil
		})
	}
	if err := workers.Wait(); err != nil {
		return nil, fmt.Errorf("analyze: %s: %w", dir, err)
	}
	result, err := collect(name, dirs, outcomes)
	for i := range result.Groups {
		if failure := result.Groups[i].compareDepths(ctx, dirs, outcomes, options.PathMemory); failure != nil {
			return nil, fmt.Errorf("analyze: %s: %w", dir, failure)
		}
	}
	return result, err
}

// find returns the name of the study in dir and its run folders.
func find(dir string) (name string, dirs []string, err error) {
	name, err = runfolder.StudyName(dir)
	if err == nil {
		dirs, err = runfolder.List(dir)
		return name, dirs, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return "", nil, err
	}
	if _, err := disk.Stat(filepath.Join(dir, "run.json")); err != nil {
		return "", nil, fmt.Errorf("analyze: %s: got a folder with neither study.yaml nor run.json, want that of a study or of a run: %w", dir, err)
	}
	return "", []string{dir}, nil
}

// outcome is what became of one run folder: err, or unfinished, or run with meta.
type outcome struct {
	run        Run
	meta       runfolder.Meta
	transfer   *runfolder.Transfer
	weights    [sha256.Size]byte // checksum of the weights as numbers
	unfinished bool
	err        error
}

// analyseRun reads one run folder and measures it.
func analyseRun(dir string, options Options) outcome {
	folder, err := runfolder.Open(dir)
	var damaged *runfolder.DamagedError
	if errors.Is(err, fs.ErrNotExist) && !errors.As(err, &damaged) {
		// Made, and not yet filled, by a run that has just begun.
		return outcome{unfinished: true}
	}
	if err != nil {
		return outcome{err: err}
	}
	if !folder.Done() {
		return outcome{meta: folder.Meta, unfinished: true}
	}
	rows, err := folder.Trace()
	if err != nil {
		return outcome{err: err}
	}
	weights, err := folder.Weights()
	if err != nil {
		return outcome{err: err}
	}
	run, err := measure(folder, rows, weights, options)
	if err != nil {
		return outcome{err: fmt.Errorf("analyze: %s: %w", dir, err)}
	}
	o := outcome{run: run, meta: folder.Meta, weights: fingerprint(weights)}
	o.meta.Config, o.meta.Environment = nil, nil // most of what ten thousand outcomes would hold
	transfer, err := folder.Transfer()
	var system *fs.PathError
	switch {
	case err == nil:
		o.transfer, o.run.TrendLoss = &transfer, finite(transfer.TrendLoss)
	case errors.Is(err, fs.ErrNotExist):
	case errors.As(err, &system):
		return outcome{err: err}
	default:
		o.run.Notes = append(o.run.Notes, err.Error())
	}
	return o
}

// measure returns the numbers of a finished run.
func measure(folder *runfolder.Run, rows []runfolder.Row, weights runfolder.Weights, options Options) (Run, error) {
	meta := &folder.Meta
	run := Run{
		ID: meta.ID, Group: meta.Group, Settings: meta.Settings, Data: meta.Data, Alpha: meta.Alpha,
		Depth: meta.Depth, Seed: meta.Seed,
		Iterations: folder.Summary.Iterations, Stop: folder.Summary.Stop, Loss: folder.Summary.Loss,
		TestLoss: folder.Summary.TestLoss,
		Accuracy: lastOf(rows, func(r *runfolder.Row) *float64 { return r.Accuracy }),
		TestAcc:  lastOf(rows, func(r *runfolder.Row) *float64 { return r.TestAccuracy }),
		Parts:    map[string]PathNumbers{},
	}
	iterations, losses := runfolder.Losses(rows)
	if options.Trace {
		run.LossIterations, run.LossTrace = iterations, losses
	}
	switch {
	case run.Diverged():
		run.RateReason = "the run diverged"
	case run.Stop == runfolder.Imported:
		run.RateReason = "imported weights come without losses"
	default:
		run.Rate, run.RateReason = FitRate(iterations, losses)
	}
	if options.Windows > 0 {
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
	states, err := folder.States()
	if err != nil {
		return Run{}, err
	}
	if run.HiddenVariation, err = hiddenVariation(states, options.Exponents); err != nil {
		run.Notes = append(run.Notes, fmt.Sprintf("hidden states: %v", err))
	}
	if meta.Residual != "" && meta.Residual != "fixed" {
		delta, ok := weights.Tensors["delta"]
		if !ok {
			return Run{}, fmt.Errorf(`weights: residual is %q and there is no tensor "delta"`, meta.Residual)
		}
		run.Delta = delta.Data
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

// collect puts the outcomes of all runs into one result.
func collect(name string, dirs []string, outcomes []outcome) (*Result, error) {
	result := &Result{Study: name, Runs: []Run{}, Groups: []Group{}}
	markCopies(outcomes)
	metas := map[string]runfolder.Meta{}
	var failures []error
	for i, o := range outcomes {
		id := filepath.Base(filepath.Clean(dirs[i]))
		switch {
		case o.err != nil:
			result.Damaged = append(result.Damaged, Damage{id, o.err.Error()})
			failures = append(failures, o.err)
		case o.unfinished:
			result.Unfinished = append(result.Unfinished, id)
		default:
			result.Runs = append(result.Runs, o.run)
			metas[o.run.Group] = o.meta
		}
		if result.Study == "" {
			result.Study = o.meta.Study
		}
	}
	slices.SortStableFunc(result.Runs, func(a, b Run) int {
		return cmp.Or(
			cmp.Compare(a.Data, b.Data), cmp.Compare(a.Alpha, b.Alpha), cmp.Compare(a.Group, b.Group),
			cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Seed, b.Seed), cmp.Compare(a.ID, b.ID),
		)
	})
	// Runs of a group are neighbours now.
	for from, to := 0, 0; from < len(result.Runs); from = to {
		for to = from + 1; to < len(result.Runs) && result.Runs[to].Group == result.Runs[from].Group; {
			to++
		}
		result.Groups = append(result.Groups, newGroup(metas[result.Runs[from].Group], result.Runs[from:to]))
	}
	return result, errors.Join(failures...)
}
