// Package proof evaluates what can be proved about a finished run, from its folder
// alone: the hypotheses of the theory, every bound of package certify at the iterates
// that were measured, the way from iteration 0 to the end, and the certificate of
// convergence with its promises.
//
// Nothing is left out silently: a bound that does not apply, or whose numbers were not
// measured, is there with the reason.
package proof

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/certify"
	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/runfolder"
)

// What a Report says in the end.
const (
	Certified    = "certified"     // to converge to a global optimum from the certificate's iteration on
	NotCertified = "not certified" // Refusals or Reason say why
	Violated     = "violated"      // a bound or promise is broken: a fault of deeplimit
	// There is a certificate, but the run itself took larger steps than it speaks of.
	CertifiedSmaller = "certified for smaller steps"
)

// A Report is what `deeplimit certify --json` prints.
type Report struct {
	Run     string `json:"run"`
	Depth   int    `json:"depth"`
	Verdict string `json:"verdict"`
	// Reason says why nothing was measured; empty where something was.
	Reason  string          `json:"reason,omitempty"`
	Cadence string          `json:"cadence,omitempty"`
	Problem certify.Problem `json:"problem"`
	// Hypotheses are the assumptions of the theory, c and S being those of iteration 0.
	Hypotheses []certify.Hypothesis `json:"hypotheses"`
	Iterates   []Iterate            `json:"iterates"`
	// Way holds the bounds of the displacement and the 2-variation over the whole run.
	Way         []certify.Bound       `json:"way"`
	Certificate *certify.Certificate  `json:"certificate"`
	Refusals    []runfolder.Refusal   `json:"refusals"`
	Promises    []Promise             `json:"promises"`
	Curvatures  []runfolder.Curvature `json:"curvatures,omitempty"`
	Violations  []string              `json:"violations"`
	Notes       []string              `json:"notes,omitempty"`
	// Kernel is what certify --kernel proves; nil where it was not asked for.
	Kernel *certify.Kernel `json:"kernel,omitempty"`
	// StepSize is the last step size of a run of gd with a Kernel, 0 of others: what the rate of its loss is to be compared by.
	StepSize float64 `json:"-"`
}

// An Iterate is one that was measured, with every bound at it. Where nothing was
// measured there is one of iteration 0 that says what would not apply.
type Iterate struct {
	Iteration int64           `json:"iteration"`
	Loss      *float64        `json:"loss"`
	StepSize  *float64        `json:"step_size,omitempty"` // of the step that leaves it, where known
	Bounds    []certify.Bound `json:"bounds"`
	// CertifiedStepSize is the η of step rule certified here; null with the reason.
	CertifiedStepSize *float64 `json:"certified_step_size"`
	Reason            string   `json:"reason,omitempty"`
}

// A Promise of the certificate, held against every recorded iterate after it.
type Promise struct {
	Name          string        `json:"name"`
	Checked       int           `json:"checked"`
	Holds         int           `json:"holds"`
	Undecided     int           `json:"undecided"`
	NotApplicable int           `json:"not_applicable"`
	Violated      int           `json:"violated"`
	Last          certify.Bound `json:"last"` // at the last iterate checked
	// Reason is that of the first iterate for which the promise did not apply or was
	// not decided.
	Reason string `json:"reason,omitempty"`
}

// ErrUnfinished is wrapped by Read for a run without a result.
var ErrUnfinished = errors.New("the run is not finished")

// Read evaluates everything for a run folder. at, unless empty, restricts the
// iterates to those; one that was not measured is an error.
func Read(run *runfolder.Run, at ...int64) (*Report, error) {
	if !run.Done() {
		return nil, fmt.Errorf("proof: run %s: %w; run its study again to finish it", run.Meta.ID, ErrUnfinished)
	}
	record, err := run.Certification()
	if err != nil {
		return nil, err
	}
	weights, err := run.Weights()
	if err != nil {
		return nil, err
	}
	return Of(run, record, weights, at...)
}

// Of is Read for a finished run whose files are read: record is what Certification returned.
func Of(run *runfolder.Run, record *runfolder.Certification, weights runfolder.Weights, at ...int64) (*Report, error) {
	r := &Report{Run: run.Meta.ID, Depth: run.Meta.Depth, Verdict: NotCertified, Violations: []string{}, Refusals: []runfolder.Refusal{}, Promises: []Promise{}}
	if err := r.kernel(run, record); err != nil {
		return nil, err
	}
	if record == nil || len(record.Measurements) == 0 {
		if len(at) > 0 {
			return nil, fmt.Errorf("proof: run %s: got iteration %d, want none, as nothing was measured", r.Run, at[0])
		}
		r.unmeasured(run, weights, record)
		return r, nil
	}
	r.Cadence, r.Problem, r.Curvatures, r.Notes = record.Cadence, record.Problem, record.Curvatures, record.Notes
	r.Refusals = append(r.Refusals, record.Refusals...)
	if err := r.iterates(record, at); err != nil {
		return nil, err
	}
	if err := r.way(record, weights, run.Meta.Part()); err != nil {
		return nil, err
	}
	if err := r.promises(record); err != nil {
		return nil, err
	}
	r.judge(record)
	return r, nil
}

// iterates evaluates the bounds at the chosen measurements, and the hypotheses at the first of all.
func (r *Report) iterates(record *runfolder.Certification, at []int64) error {
	curvature := map[int64]float64{}
	for _, c := range record.Curvatures {
		if c.Hessian != nil {
			curvature[c.Iteration] = c.Hessian.Norm()
		}
	}
	var measured []int64
	for i, m := range record.Measurements {
		measured = append(measured, m.Iteration)
		if i > 0 && len(at) > 0 && !slices.Contains(at, m.Iteration) {
			continue
		}
		if norm, ok := curvature[m.Iteration]; ok {
			m.HessianNorm = &norm
		}
		it, err := certify.New(record.Problem, m)
		if err != nil {
			return fmt.Errorf("proof: run %s: %w", r.Run, err)
		}
		if i == 0 {
			r.Hypotheses = it.Hypotheses()
			if len(at) > 0 && !slices.Contains(at, m.Iteration) {
				continue
			}
		}
		view := Iterate{Iteration: m.Iteration, Loss: &m.Loss, StepSize: m.StepSize, Bounds: it.Bounds()}
		if step, err := it.CertifiedStepSize(); err != nil {
			view.Reason = err.Error()
		} else {
			view.CertifiedStepSize = &step
		}
		r.Iterates = append(r.Iterates, view)
	}
	for _, t := range at {
		if !slices.Contains(measured, t) {
			return fmt.Errorf("proof: run %s: got iteration %d, want one that was measured: %v", r.Run, t, measured)
		}
	}
	return nil
}

// way holds what the weights moved against the record's history.
func (r *Report) way(record *runfolder.Certification, weights runfolder.Weights, part string) error {
	moved, err := displaced(weights, part, 1-record.Problem.Alpha)
	if err != nil {
		r.Notes = append(r.Notes, fmt.Sprintf("displacement and path variation were not compared: %v", err))
		return nil
	}
	if r.Way, err = record.History.Bounds(record.Problem, moved); err != nil {
		r.Notes = append(r.Notes, fmt.Sprintf("displacement and path variation were not compared: %v", err))
	}
	return nil
}

// displaced measures how far all weights moved in any layer, and the variations of
// the path of one part, rescaled by L^beta where certify.Displaced says so.
func displaced(weights runfolder.Weights, part string, beta float64) (certify.Displaced, error) {
	var d certify.Displaced
	var norms []float64
	for _, name := range []string{"A", "V", "W", "b", "c"} {
		if _, ok := weights.Tensors[name]; !ok {
			continue
		}
		trained, err := weights.Path(name)
		if err != nil {
			return d, err
		}
		initial, err := weights.Path(name + "_initial")
		if err != nil {
			return d, err
		}
		moved, err := trained.Sub(initial)
		if err != nil {
			return d, err
		}
		if norms == nil {
			norms = make([]float64, moved.Depth)
		}
		for k, norm := range moved.Norms() {
			norms[k] = math.Hypot(norms[k], norm)
		}
		if name != part {
			continue
		}
		for _, step := range moved.Increments() {
			d.Variation += step
		}
		scale := math.Pow(float64(trained.Depth), beta)
		for _, side := range []struct {
			path runfolder.Path
			to   *float64
		}{{initial, &d.Initial}, {trained, &d.Final}} {
			path := side.path.Rescaled(scale)
			variations, err := pvar.Compute(pvar.Points{Dim: path.Rows * path.Cols, Data: path.Data}, 2)
			if err != nil {
				return d, err
			}
			*side.to = variations[0].Norm
		}
	}
	if norms == nil {
		return d, errors.New("the folder holds no weights of layers")
	}
	d.Displacement = slices.Max(norms)
	return d, nil
}

// promises holds every later iterate against the certificate again.
func (r *Report) promises(record *runfolder.Certification) error {
	if len(record.Certificates) == 0 {
		return nil
	}
	r.Certificate = &record.Certificates[0]
	for _, later := range record.Later {
		bounds, err := r.Certificate.Check(later)
		if violation := (*certify.Violation)(nil); errors.As(err, &violation) {
			if len(r.Violations) == 0 {
				r.Violations = append(r.Violations, err.Error())
			}
		} else if err != nil {
			return fmt.Errorf("proof: run %s: %w", r.Run, err)
		}
		for i, b := range bounds {
			if i == len(r.Promises) {
				r.Promises = append(r.Promises, Promise{Name: b.Name})
			}
			p := &r.Promises[i]
			p.Checked++
			p.Last = b
			switch b.Verdict {
			case certify.Holds:
				p.Holds++
			case certify.Undecided:
				p.Undecided++
			case certify.NotApplicable:
				p.NotApplicable++
			case certify.Violated:
				p.Violated++
			}
			if p.Reason == "" {
				p.Reason = b.Reason
			}
		}
	}
	return nil
}

// judge sets the verdict: a violation counts whatever the rest says.
func (r *Report) judge(record *runfolder.Certification) {
	for _, it := range r.Iterates {
		for _, b := range it.Bounds {
			r.broken(fmt.Sprintf("iteration %d", it.Iteration), b)
		}
	}
	for _, b := range r.Way {
		r.broken("the whole run", b)
	}
	if record.Violation != "" && !slices.Contains(r.Violations, record.Violation) {
		r.Violations = append(r.Violations, record.Violation)
	}
	switch {
	case len(r.Violations) > 0:
		r.Verdict = Violated
	case r.exceeded():
		r.Verdict = CertifiedSmaller
	case r.Certificate != nil:
		r.Verdict = Certified
	}
}

// exceeded says whether the run took a step larger than its certificate's.
func (r *Report) exceeded() bool {
	return slices.ContainsFunc(r.Promises, func(p Promise) bool { return p.NotApplicable > 0 })
}

func (r *Report) broken(where string, b certify.Bound) {
	if b.Verdict == certify.Violated {
		r.Violations = append(r.Violations, fmt.Sprintf("%s: %s: got %g, bound %g: %s", where, b.Name, b.Measured, b.Value, b.Formula))
	}
}
