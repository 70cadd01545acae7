package importer

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/tensorheader"
	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/runfolder"
)

// What a recorder of another program may say of a step, in the metadata of its safetensors file.
// The keys are the columns of the trace, with secondsKey, the time since the training began.
const secondsKey = "seconds"

// toldColumns are the columns that a recorder may tell.
func toldColumns(row *runfolder.Row) map[string]**float64 {
	return map[string]**float64{
		"loss": &row.Loss, "batch_loss": &row.BatchLoss, "test_loss": &row.TestLoss, "accuracy": &row.Accuracy, "test_accuracy": &row.TestAccuracy,
		"gradient_norm": &row.GradientNorm, "step_size": &row.StepSize,
	}
}

// recordable orders the checkpoints of a training for Options.Steps SeriesSteps: the last is the run, the first
// its initial weights, unless they are given.
func recordable(series []*plan, o *Options) (*plan, error) {
	first, last := series[0], series[len(series)-1]
	if last.step == "" {
		return nil, fmt.Errorf("importer: %s: got a name without a step, want one, as --steps series needs; --names says how names are read", plain.Text(last.path))
	}
	if o.Initial == "" {
		if first.time != 0 {
			return nil, fmt.Errorf("importer: %s: got %s as the first step, want step 0 among the checkpoints, or the initial weights by --initial", plain.Text(first.path), first.step)
		}
		last.initial = &first.checkpoint
	}
	for _, p := range series {
		if p.time != math.Trunc(p.time) || p.time >= 1<<53 {
			return nil, fmt.Errorf("importer: %s: got step %s, want whole numbers, as --steps series needs", plain.Text(p.path), p.step)
		}
		if !slices.EqualFunc(p.taken, last.taken, func(a, b Taken) bool { return a.Convention == b.Convention && a.Part == b.Part }) {
			return nil, fmt.Errorf("importer: %s and %s are read in different ways, want --convention, which holds for both", plain.Text(p.path), plain.Text(last.path))
		}
	}
	last.series = series
	return last, nil
}

// A record is what the checkpoints of one training say along time.
type record struct {
	rows  []runfolder.Row
	norms runfolder.Norms
}

// readSeries measures the weights of every step of a series.
func (p *plan) readSeries(meta *runfolder.Meta, o *Options, initial runfolder.Weights) (*record, error) {
	r := &record{norms: runfolder.Norms{Parts: map[string]runfolder.LayerNorms{}}}
	start, err := p.newStart(meta, o, initial)
	if err != nil {
		return nil, err
	}
	for _, step := range p.series {
		row, norms, err := start.measure(step)
		if err != nil {
			return nil, err
		}
		for part, n := range norms {
			all := r.norms.Parts[part]
			r.norms.Parts[part] = runfolder.LayerNorms{Frobenius: append(all.Frobenius, n.Frobenius...), Displacement: append(all.Displacement, n.Displacement...)}
		}
		r.rows, r.norms.Iterations = append(r.rows, row), append(r.norms.Iterations, row.Iteration)
	}
	return r, nil
}

// finishSeries measures the series and writes the norms of layers beside the run.
func (p *plan) finishSeries(dir string, meta *runfolder.Meta, o *Options, weights runfolder.Weights, summary *runfolder.Summary) ([]runfolder.Row, error) {
	r, err := p.readSeries(meta, o, weights)
	if err != nil {
		return nil, err
	}
	summary.Iterations = int(p.time)
	last := r.rows[len(r.rows)-1]
	if last.Loss != nil {
		summary.Loss = *last.Loss
	}
	summary.TestLoss, summary.Seconds = last.TestLoss, last.Seconds
	summary.SHA256, err = runfolder.WriteNorms(dir, &r.norms)
	return r.rows, err
}

// single rounds norms to float32, as files of norms hold them.
func single(norms []float64) []float64 {
	for i, x := range norms {
		norms[i] = float64(float32(x))
	}
	return norms
}

// measure fills in what a row says of the path of the primary part.
func measure(row *runfolder.Row, path, moved runfolder.Path, factor float64) error {
	row.MaxFrobenius, row.RootSquares, row.Displacement = path.MaxFrobenius(), path.RootSumSquares(), moved.MaxFrobenius()
	scaled := path.Rescaled(factor)
	variations, err := pvar.Compute(pvar.Points{Dim: scaled.Rows * scaled.Cols, Data: scaled.Data}, 1, 1.5, 2, 2.5, 3)
	if err != nil {
		return err
	}
	for i, to := range []**float64{&row.Variation1, &row.Variation15, &row.Variation2, &row.Variation25, &row.Variation3} {
		if v := variations[i].Value; !math.IsNaN(v) {
			*to = &v
		}
	}
	return nil
}

// told fills in what the metadata of a safetensors file say; others have none. What is not finite is not known.
func (p *plan) told(row *runfolder.Row) (err error) {
	file, err := os.Open(p.files[0])
	if err != nil {
		return fmt.Errorf("importer: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	status, err := file.Stat()
	if err != nil {
		return fmt.Errorf("importer: %w", err)
	}
	_, _, metadata, failed := tensorheader.Read(file, status.Size())
	if failed != nil {
		return nil // a file of another format
	}
	for key, to := range toldColumns(row) {
		if x, ok, err := p.number(metadata, key); err != nil {
			return err
		} else if ok {
			*to = &x
		}
	}
	if x, ok, err := p.number(metadata, secondsKey); err != nil {
		return err
	} else if ok {
		row.Seconds = x
	}
	return nil
}

// number returns a finite number of the metadata.
func (p *plan) number(metadata map[string]string, key string) (float64, bool, error) {
	text, ok := metadata[key]
	if !ok {
		return 0, false, nil
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0, false, fmt.Errorf("importer: %s: metadata: %s: got %q, want a number", plain.Text(p.path), key, text)
	}
	return x, !math.IsNaN(x) && !math.IsInf(x, 0), nil
}
