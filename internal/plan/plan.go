// Package plan turns a study into what is to be computed: its runs, their samples, and for
// each run the one Problem that training and every question beside it start from. It says
// what a run costs before it is executed.
package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/plan/study"
)

// A Plan is a study whose input has been read and found good: every data set
// loaded, once however many runs use it, every network built and every initial
// weight that comes from a file read.
type Plan struct {
	Study *study.Study
	Runs  []study.Run
	sets  map[string]*dataset.Set // by key
}

// New reads all that the runs of s need, so that bad input is found before
// anything is written or trained. All faults are reported, not just the first. Samples that another plan has
// loaded are those of this one, too.
func New(s *study.Study, others ...*Plan) (*Plan, error) {
	runs, err := s.Runs()
	if err != nil {
		return nil, err
	}
	p := &Plan{Study: s, Runs: runs, sets: map[string]*dataset.Set{}}
	failed := map[string]bool{}
	var faults []error
	alike := map[string]*fault{} // of runs, by what they say but for measured numbers
	for i := range runs {
		run := &runs[i]
		id := key(run)
		if failed[id] {
			continue
		}
		for _, other := range others {
			if set := other.sets[id]; set != nil {
				p.sets[id] = set
			}
		}
		if p.sets[id] == nil {
			set, err := dataset.Load(run.Data, run.Base)
			if err != nil {
				failed[id] = true
				faults = append(faults, err)
				continue
			}
			p.sets[id] = set
		}
		problem, err := NewProblem(run, p.sets[id])
		if err == nil {
			err = problem.check()
		}
		if err != nil {
			said := numbers.ReplaceAllString(err.Error(), "#")
			if first := alike[said]; first != nil {
				first.others++
				continue
			}
			alike[said] = &fault{run: run.ID, err: err}
			faults = append(faults, alike[said])
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return p, nil
}

// A fault is what is wrong with a run, and with so many others: a word in the study file that
// all runs have is told once.
type fault struct {
	run    string
	others int
	err    error
}

// Error returns the run, how many others there are, and what is wrong.
func (f *fault) Error() string {
	switch f.others {
	case 0:
		return fmt.Sprintf("plan: run %s: %v", f.run, f.err)
	case 1:
		return fmt.Sprintf("plan: run %s and another one: %v", f.run, f.err)
	}
	return fmt.Sprintf("plan: run %s and %d others: %v", f.run, f.others, f.err)
}

// Unwrap returns what is wrong.
func (f *fault) Unwrap() error { return f.err }

// numbers matches what is measured, which differs from seed to seed in one message; depths and shapes tell faults apart.
var numbers = regexp.MustCompile(`-?[0-9]+[.][0-9]+(e[-+]?[0-9]+)?`)

// key names a data set: equal keys, equal samples.
func key(run *study.Run) string {
	text, err := json.Marshal(run.Data)
	if err != nil {
		panic(fmt.Sprintf("plan: data section of run %s: %v", run.ID, err)) // plain data always marshal
	}
	return run.Base + "\x00" + string(text)
}

// Set returns the samples of a run of the plan. They are the plan's own.
func (p *Plan) Set(run *study.Run) *dataset.Set { return p.sets[key(run)] }

// Problem returns the problem of a run of the plan.
func (p *Plan) Problem(run *study.Run) *Problem {
	problem, err := NewProblem(run, p.Set(run))
	if err != nil {
		panic(fmt.Sprintf("plan: run %s: %v", run.ID, err)) // New has built it
	}
	return problem
}
