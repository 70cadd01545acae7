package tune

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A measure is what is to be least.
type measure struct {
	name      string
	iteration int // of loss@N
}

const measures = "one of loss, best-loss, validation-loss, test-loss, or loss@N for the loss after N iterations"

// validationLoss is the measure of a study that holds samples out to choose settings by.
const validationLoss = "validation-loss"

// newMeasure returns the measure of that name, loss for "".
func newMeasure(name string) (measure, error) {
	switch name {
	case "":
		return measure{name: "loss"}, nil
	case "loss", "best-loss", validationLoss, "test-loss":
		return measure{name: name}, nil
	}
	text, ok := strings.CutPrefix(name, "loss@")
	if n, err := strconv.Atoi(text); ok && err == nil && n > 0 {
		return measure{name, n}, nil
	}
	return measure{}, &field.Error{Path: "measure", Got: name, Want: measures}
}

// check refuses a run that will not have the measure.
func (m measure) check(run *study.Run) error {
	if stop := run.Steps(); m.iteration > stop {
		return &field.Error{Path: "measure", Got: m.name, Want: fmt.Sprintf("at most loss@%d, as train.stop.iterations says", stop)}
	}
	return nil
}

// checkSets refuses a plan whose samples do not have the measure.
func (m measure) checkSets(p *plan.Plan) error {
	for i := range p.Runs {
		set := p.Set(&p.Runs[i])
		if m.name == "test-loss" && set.Test == nil || m.name == validationLoss && set.Validation == nil {
			return &field.Error{Path: "measure", Got: m.name, Want: "loss or best-loss for data " + p.Runs[i].Data.Name + ", of which no samples are held out for it (data.test and data.validation hold some out)"}
		}
	}
	return nil
}

// ofTraining reports whether the measure begins, before training, at the loss of the training samples.
func (m measure) ofTraining() bool { return m.name != "test-loss" && m.name != validationLoss }

// of returns the measure of a finished run, nil where it has none.
func (m measure) of(s *runfolder.Summary, r *analyze.TuneRun) *float64 {
	switch {
	case m.name == "test-loss":
		return finite(s.TestLoss)
	case m.name == validationLoss:
		return finite(s.ValidationLoss)
	case m.iteration > 0:
		at := math.NaN()
		for _, l := range r.Losses {
			if l.Iteration <= m.iteration {
				at = l.Loss
			}
		}
		return finite(&at)
	case m.name == "best-loss":
		lowest := s.Loss
		for _, l := range r.Losses {
			if l.Loss < lowest {
				lowest = l.Loss
			}
		}
		return finite(&lowest)
	}
	return finite(&s.Loss)
}

// score returns what a finished run has on the test set: after N iterations for loss@N, else at the end. There is none
// where no samples are held out as a test set, or the measure is their loss and so had a part in the choice.
func (m measure) score(s *runfolder.Summary, rows []runfolder.Row) (loss, accuracy *float64) {
	if s.TestLoss == nil || m.name == "test-loss" {
		return nil, nil
	}
	for i := range rows {
		if r := &rows[i]; (m.iteration == 0 || r.Iteration <= int64(m.iteration)) && r.TestLoss != nil {
			loss, accuracy = r.TestLoss, r.TestAccuracy
		}
	}
	if m.iteration == 0 { // of the weights as stored, in float64
		loss = s.TestLoss
	}
	return loss, accuracy
}

func finite(v *float64) *float64 {
	if v == nil || math.IsNaN(*v) || math.IsInf(*v, 0) {
		return nil
	}
	return v
}
