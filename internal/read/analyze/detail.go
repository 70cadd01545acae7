package analyze

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/read/proof"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A Folder is a Result with what figures and pages show of the runs beside their numbers.
type Folder struct {
	Result *Result
	// Others are the runs of a study that Result does not hold, as they are unfinished or
	// damaged, with what run.json and the last checkpoint say.
	Others  []Run
	Pending int                // runs of the study that nobody has begun
	Notes   []string           // on folders that are damaged or do not tell which run they hold
	Details map[string]*Detail // by the ID of a run of Result or Others
	Paths   map[string]PathSet // by Group.Group
	// Tunes are the best steps of a study that varies its step, one for each of its other points, and Searched says
	// that they are those that deeplimit tune stored; Planes those of two fields.
	Tunes    []TuneGroup
	Planes   []TunePlane
	Searched bool
	Unread   error // names every file that could not be read or is damaged, once
}

// A Detail is what figures and pages show of one run.
type Detail struct {
	Meta      *runfolder.Meta  // Config and Environment are left to one run of each group
	State     survey.State     // "" for the folder of one run
	Reason    string           // of a failure or an interruption
	Loss      Curve            // of an unfinished run, up to its last checkpoint
	Seconds   []float64        // of the wall clock since the start, beside Loss
	Accuracy  map[string]Curve // shares of correct classes along training, by their column in the trace
	Variation map[string]Curve // V_p along training, by its column in the trace
	Proof     *proof.Report    // nil for an unfinished run
	Missing   []string         // what could not be read, and why

	survey   survey.Run
	failures []error
}

// A Curve is a quantity of a run over iterations.
type Curve struct {
	Iterations, Values []float64
	Losses             []float64 // beside the values of VariationCurves, NaN where not known
}

// A PathSet holds the sampled paths of one seed of a group, by depth.
type PathSet struct {
	Samples []*PathSample
	Missing []string // which could not be shown, and why
}

// newDetail tells how a run stands, and reads the checkpoint of an unfinished one.
func newDetail(m *runfolder.Member, now time.Time) *Detail {
	d := &Detail{}
	progress := runfolder.ReadProgress
	if m.Run != nil && !m.Run.Done() {
		saved, err := d.checkpoint(m)
		progress = func(string) (runfolder.Progress, error) { return saved, err }
	}
	d.survey = survey.Look(m, now, progress)
	d.State, d.Reason = d.survey.State, d.survey.Reason
	if d.survey.Err != nil {
		d.failures = append(d.failures, d.survey.Err)
	}
	return d
}

// checkpoint takes the trace from the last checkpoint, and returns how far that is.
func (d *Detail) checkpoint(m *runfolder.Member) (runfolder.Progress, error) {
	saved, err := runfolder.ReadCheckpoint(m.Dir)
	if err != nil {
		if !errors.Is(err, runfolder.ErrNoCheckpoint) {
			d.unread(m.ID, "", err)
		}
		return runfolder.Progress{}, err
	}
	if disk.Failed(saved.Damaged) { // the newest could not be read, and this is the one before
		d.unread(m.ID, "", saved.Damaged)
	}
	d.trace(saved.Rows)
	p := runfolder.Progress{Iteration: saved.Iteration, Loss: math.NaN()}
	if n := len(saved.Rows); n > 0 && saved.Rows[n-1].Loss != nil {
		p.Loss = *saved.Rows[n-1].Loss
	}
	return p, nil
}

// unread notes what could not be read of the run called id.
func (d *Detail) unread(id, what string, err error) {
	d.Missing = append(d.Missing, fmt.Sprintf("Run %s: %s%v", id, what, err))
	if runfolder.Unreadable(err) {
		d.failures = append(d.failures, err)
	}
}

// trace takes the curves of a trace.
func (d *Detail) trace(rows []runfolder.Row) {
	d.Loss, d.Variation, d.Accuracy = newCurve(runfolder.Losses(rows)), VariationCurves(rows), map[string]Curve{}
	for i := range rows {
		if rows[i].Loss != nil {
			d.Seconds = append(d.Seconds, rows[i].Seconds)
		}
	}
	for _, name := range []string{"accuracy", "validation_accuracy", "test_accuracy"} {
		c := newCurve(runfolder.Series(rows, func(r *runfolder.Row) *float64 { return r.Column(name) }))
		if len(c.Values) > 0 {
			d.Accuracy[name] = c
		}
	}
}

func newCurve(iterations []int, values []float64) Curve {
	c := Curve{Values: values}
	for _, t := range iterations {
		c.Iterations = append(c.Iterations, float64(t))
	}
	return c
}

// VariationCurves returns V_1, V_2 and V_3 of either source over iterations by their columns, of those that rows have.
func VariationCurves(rows []runfolder.Row) map[string]Curve {
	out := map[string]Curve{}
	for _, source := range runfolder.Sources {
		for _, p := range []string{"v_1", "v_2", "v_3"} {
			name := source.Key(p)
			var c Curve
			for i := range rows {
				v := rows[i].Column(name)
				if v == nil {
					continue
				}
				loss := math.NaN()
				if rows[i].Loss != nil {
					loss = *rows[i].Loss
				}
				c.Iterations, c.Values, c.Losses = append(c.Iterations, float64(rows[i].Iteration)), append(c.Values, *v), append(c.Losses, loss)
			}
			if len(c.Values) > 0 {
				out[name] = c
			}
		}
	}
	return out
}

// readDetail reads what a finished run left for certificates, and for the figure of weights
// if it is shown there.
func (o *outcome) readDetail(weights runfolder.Weights, states *runfolder.Tensor) {
	record, err := o.Run.Certification()
	if err == nil {
		o.detail.Proof, err = proof.Of(o.Run, record, weights)
	}
	if err != nil {
		o.detail.unread(o.run.ID, "no certificates: ", err)
	}
	if !o.shown {
		return
	}
	norms, err := o.Run.Norms()
	if err == nil {
		o.sample, err = newPathSample(o.meta(), weights, norms, states, o.divided)
	}
	if o.missing = err; runfolder.Unreadable(err) {
		o.detail.failures = append(o.detail.failures, err)
	}
}

// folder returns what the pass kept beside the result.
func (p *pass) folder(result *Result) *Folder {
	r := &Folder{Result: result, Details: map[string]*Detail{}, Paths: map[string]PathSet{}}
	for _, d := range result.Damaged {
		r.Notes = append(r.Notes, fmt.Sprintf("Folder %s: %s", d.ID, d.Error))
	}
	var failures []error
	for _, o := range p.outcomes {
		id := o.ID
		switch {
		case o.err == nil && !o.unfinished:
			id = o.run.ID
		case p.listing == nil:
		case o.Run == nil && o.unfinished:
			r.Notes = append(r.Notes, fmt.Sprintf("Folder %s: %v", o.ID, o.Err))
		case o.Run != nil:
			r.Others = append(r.Others, o.other())
		}
		if o.Run != nil {
			o.detail.Meta = o.meta()
			r.Details[id] = o.detail
		}
		if runfolder.Unreadable(o.err) {
			failures = append(failures, o.err)
			if o.Run != nil {
				o.detail.Missing = append(o.detail.Missing, fmt.Sprintf("Run %s: %v", o.ID, o.err))
			}
		}
		failures = append(failures, o.detail.failures...)
	}
	for _, s := range p.survey() {
		if s.State == survey.Pending {
			r.Pending++
		}
	}
	for _, g := range p.groups {
		if g.group != nil {
			r.Paths[g.group.Group] = g.pathSet()
		}
	}
	if p.listing != nil {
		if err := r.tunes(p.dir); err != nil {
			failures = append(failures, err)
		}
	}
	r.Unread = joined(failures)
	return r
}

// joined joins errors, of which several may say the same of one file.
func joined(failures []error) error {
	seen := map[string]bool{}
	return errors.Join(slices.DeleteFunc(failures, func(err error) bool {
		again := seen[err.Error()]
		seen[err.Error()] = true
		return again
	})...)
}

// other returns a run without numbers of its weights.
func (o *outcome) other() Run {
	m := o.meta()
	r := Run{
		ID: o.ID, Group: m.Group, Settings: m.Settings, Data: m.Data, Alpha: m.Alpha,
		Depth: m.Depth, Seed: m.Seed, Loss: math.NaN(),
	}
	if s := o.Run.Summary; s != nil {
		r.Stop, r.Iterations, r.Loss = s.Stop, s.Iterations, s.Loss
	} else if n := len(o.detail.Loss.Values); n > 0 {
		r.Iterations, r.Loss = int(o.detail.Loss.Iterations[n-1]), o.detail.Loss.Values[n-1]
	}
	return r
}

// survey returns how the runs of the study stand, nil for the folder of one run.
func (p *pass) survey() []survey.Run {
	if p.listing == nil {
		return nil
	}
	looked := map[string]survey.Run{}
	for _, o := range p.outcomes {
		looked[o.ID] = o.detail.survey
	}
	return survey.InOrder(p.dir, p.listing, looked)
}
