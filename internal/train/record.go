package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/resnet"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Record is the `record` section: the iterates at which the trace holds statistics of the path of the
// weights and of the displacement, with the loss over all samples, also between the epochs of mini-batches.
type Record struct {
	// Cadence is geometric (iterations 0 … 8, then four times as often as their number doubles, and the last), all
	// (every row of the trace), ends (the first and the last) or off; of mini-batches, geometric counts epochs. Where
	// the section is left out, and train.variation, it is geometric without the V_p of p > 1, as these alone take more
	// than a pass over the weights. Default geometric, or off beside every.
	Cadence string `yaml:"cadence,omitempty" json:"cadence,omitempty"`
	// Every is the number of iterations between further records; 0 for none. Resolved it is Spec.Variation.
	Every int `yaml:"every,omitempty" json:"-"`
	// Losses are levels of J. The first iterate at or below each is recorded, of those whose loss is known.
	Losses []float64 `yaml:"losses,omitempty" json:"losses,omitempty"`
}

// IsZero says whether the section is left out, as it then has no part in the hash of a run.
func (r Record) IsZero() bool { return r.Cadence == "" && r.Every == 0 && len(r.Losses) == 0 }

// Test is the `test` section: the iterates at which held-out samples are looked at.
type Test struct {
	// Cadence is record (those of train.record, and the last), all (every row of the trace) or ends (the
	// first and the last); default record, or ends beside every.
	Cadence string `yaml:"cadence,omitempty" json:"cadence,omitempty"`
	// Every is the number of iterations between further looks; 0 for none.
	Every int `yaml:"every,omitempty" json:"every,omitempty" zero:"no further ones"`
}

// resolveRecord resolves the sections record and test, and variation with them.
func (s *Spec) resolveRecord() error {
	r := &s.Record
	if s.Variation < 0 {
		return &field.Error{Path: "variation", Got: s.Variation, Want: "a whole number ≥ 1"}
	}
	if r.Every < 0 {
		return &field.Error{Path: "record.every", Got: r.Every, Want: "a whole number ≥ 1"}
	}
	if r.Every > 0 && s.Variation > 0 && r.Every != s.Variation {
		return &field.Error{Path: "record.every", Got: r.Every, Want: fmt.Sprintf("train.variation (%d) left out, which says the same", s.Variation)}
	}
	s.Variation, r.Every = max(s.Variation, r.Every), 0
	if r.Cadence != "" {
		if err := field.OneOf("record.cadence", r.Cadence, "geometric", "all", "ends", "off"); err != nil {
			return err
		}
	}
	for i, level := range r.Losses {
		if !(level > 0) || math.IsInf(level, 1) {
			return &field.Error{Path: fmt.Sprintf("record.losses.%d", i), Got: level, Want: positive.words}
		}
	}
	if len(r.Losses) > 0 {
		levels := slices.Clone(r.Losses)
		slices.Sort(levels)
		slices.Reverse(levels)
		r.Losses = slices.Compact(levels)
		if r.Cadence == "" && s.Variation == 0 {
			r.Cadence = "geometric"
		}
	}
	if s.Coordinates && !s.records() {
		return &field.Error{Path: "coordinates", Got: true, Want: "records to put them in: record.cadence other than off, or record.every"}
	}
	t := &s.Test
	if t.Every < 0 {
		return &field.Error{Path: "test.every", Got: t.Every, Want: "a whole number ≥ 0"}
	}
	switch {
	case t.Cadence == "" && t.Every > 0:
		t.Cadence = "ends"
	case t.Cadence == "" || t.Cadence == "record":
		t.Cadence = "" // the default has no part in the hash of a run
	default:
		return field.OneOf("test.cadence", t.Cadence, "record", "all", "ends")
	}
	return nil
}

// recordCadence returns geometric, all, ends, off, or "" for no records but those of Spec.Variation and Record.Losses.
func (s Spec) recordCadence() string {
	switch {
	case s.Record.Cadence != "":
		return s.Record.Cadence
	case s.Variation > 0:
		return ""
	}
	return "geometric"
}

// records says whether the trace may hold statistics of paths.
func (s Spec) records() bool {
	return s.recordCadence() != "off" || s.Variation > 0 || len(s.Record.Losses) > 0
}

// recordedPowers are the p > 1 of the V_p that a record holds.
func (s Spec) recordedPowers() []float64 {
	if s.Record.IsZero() && s.Variation == 0 {
		return nil
	}
	return []float64{1.5, 2, 2.5, 3}
}

// geometric says whether n is up to 8, or one of four numbers that are evenly spread on a log scale for
// each doubling.
func geometric(n int) bool {
	if n < 8 {
		return true
	}
	j := math.Round(4 * math.Log2(float64(n)))
	return float64(n) == math.Round(math.Exp2(j/4))
}

// recordTime says whether the number of the iteration asks for a record, or the end of the run does.
func (d *Descent[T]) recordTime(last bool) bool {
	cadence := d.Spec.recordCadence()
	if last && d.Spec.records() {
		return true
	}
	switch {
	case d.Spec.Variation > 0 && multiple(d.t, d.Spec.Variation):
		return true
	case cadence == "all":
		return d.numbered()
	case cadence == "ends":
		return d.t == 0
	case cadence == "geometric":
		return d.t%d.perEpoch() == 0 && geometric(d.t/d.perEpoch())
	}
	return false
}

// testTime says whether held-out samples are looked at here, where there is a record or none.
func (d *Descent[T]) testTime(record, last bool) bool {
	t := d.Spec.Test
	if last || t.Every > 0 && multiple(d.t, t.Every) {
		return true
	}
	switch t.Cadence {
	case "all":
		return d.numbered() || record
	case "ends":
		return d.t == 0
	}
	return record
}

// crosses says whether this loss is the first at or below a level of train.record.losses.
func (d *Descent[T]) crosses(loss *float64) bool {
	before, levels := d.levels, d.Spec.Record.Losses
	for loss != nil && d.levels < len(levels) && *loss <= levels[d.levels] {
		d.levels++
	}
	return d.levels > before
}

// setPaths fills in the statistics of the paths of A and A − A(0) (V for block mlp). Those of a path with an
// entry that is not finite, as a diverged run has, stay empty.
func (d *Descent[T]) setPaths(row *runfolder.Row) {
	part := d.Network.Parts()[0]
	weights, initial := resnet.View(d.Network.Layout, d.Theta, part), resnet.View(d.Network.Layout, d.Initial, part)
	factor := math.Pow(float64(d.Network.Depth), 1-*d.Network.Alpha)
	path := runfolder.Path{Depth: d.Network.Depth, Rows: 1, Cols: len(weights) / d.Network.Depth, Data: make([]float64, len(weights))}
	for _, source := range runfolder.Sources {
		for i, w := range weights {
			path.Data[i] = float64(w)
			if source == runfolder.FromDisplacement {
				path.Data[i] -= float64(initial[i])
			}
		}
		row.SetPath(source, path, factor, d.Spec.recordedPowers()...)
	}
	d.setDelta(row, weights)
}

// setDelta fills in the size of a trained δ, and of the layers of A, or V, as they act.
func (d *Descent[T]) setDelta(row *runfolder.Row, weights []T) {
	delta := resnet.View(d.Network.Layout, d.Theta, "delta")
	if d.Network.Residual == "fixed" {
		return
	}
	mean, largest := 0.0, 0.0
	size := len(weights) / d.Network.Depth
	for k := range d.Network.Depth {
		scale := math.Abs(float64(delta[k%len(delta)]))
		mean += scale / float64(d.Network.Depth)
		squares := 0.0
		for _, w := range weights[k*size : (k+1)*size] {
			squares += float64(w) * float64(w)
		}
		largest = max(largest, scale*math.Sqrt(squares))
	}
	if !math.IsInf(mean, 0) && !math.IsNaN(mean) && !math.IsInf(largest, 0) {
		row.Delta, row.DeltaMaxFrobenius = &mean, &largest
	}
}

// times says what is to be done at this iterate: a record, a look at held-out samples, a row in the trace.
func (d *Descent[T]) times(row runfolder.Row, last bool) (record, tested, traced bool) {
	crossed := d.crosses(row.Loss)
	record = d.recordTime(last) || crossed
	held := d.Test != nil || d.Validation != nil
	tested = held && d.testTime(record, last)
	return record, tested, last || record || tested || d.numbered()
}

// complete adds the norms of the weights to a row, and at times held-out samples and
// the statistics of paths: all that depends on the weights before the step.
func (d *Descent[T]) complete(row *runfolder.Row, record, tested bool) error {
	norms := d.Full.Norms(d.Theta, d.Initial)
	row.MaxFrobenius, row.RootSquares, row.Displacement = norms.MaxFrobenius, norms.RootSquares, norms.Displacement
	if tested {
		row.TestLoss, row.TestAccuracy = d.heldOut(d.Test)
		row.ValidationLoss, row.ValidationAccuracy = d.heldOut(d.Validation)
	}
	if !record {
		return nil
	}
	if row.Loss == nil {
		d.evaluated(1)
		d.setLoss(row, d.Full.Loss(d.Theta))
		d.crosses(row.Loss)
	}
	d.setPaths(row)
	if d.Changes != nil {
		return d.Changes(row, d.Initial, d.Theta)
	}
	return nil
}
