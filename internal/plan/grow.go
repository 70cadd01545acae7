package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
	"github.com/deeplimit/deeplimit/runfolder"
)

// A Source is a finished run that another one goes on from.
type Source struct {
	Run       *runfolder.Run
	Iteration int // that it ended at
}

// Sources are the finished runs of a study folder that runs which differ from them in when they stop
// alone may go on from.
type Sources struct {
	arithmetic string
	kin        map[string][]kept // by study.Run.Kin
}

// A kept run is a finished one with its configuration.
type kept struct {
	run *study.Run
	of  *runfolder.Run
}

// NewSources looks in the study folder dir for finished runs that one of runs may go on from, computed by
// a program with that arithmetic. A run that cannot be read, or whose configuration now means something
// else, is none.
func NewSources(dir string, runs []*study.Run, arithmetic string) *Sources {
	s := &Sources{arithmetic: arithmetic, kin: map[string][]kept{}}
	wanted := map[string]bool{}
	for _, run := range runs {
		wanted[place(run.ID)] = true
	}
	if len(wanted) == 0 {
		return s
	}
	members, err := runfolder.Finished(dir, func(id string) bool { return wanted[place(id)] })
	if err != nil {
		return s // the start of the study tells
	}
	for _, of := range members {
		if run, err := study.Recorded(&of.Meta); err == nil {
			s.kin[run.Kin()] = append(s.kin[run.Kin()], kept{&run, of})
		}
	}
	return s
}

// place returns the depth and the seed in the name of a run, which runs of one kin have in common.
func place(id string) string {
	from, hash := strings.LastIndex(id, "-L"), strings.LastIndexByte(id, '-')
	if from < 0 || hash <= from {
		return id
	}
	return id[from:hash]
}

// Of returns the run that run goes on from: of those that it would pass through the last iterate of, the one
// that ended last. Where there is none, it is nil; why says what stands against it where a run differs in
// when it stops alone and ended after a step, and is "" where there is no such run.
func (s *Sources) Of(run *study.Run) (source *Source, why string) {
	candidates := slices.Clone(s.kin[run.Kin()])
	slices.SortStableFunc(candidates, func(a, b kept) int { return b.of.Summary.Iterations - a.of.Summary.Iterations })
	for _, c := range candidates {
		if c.of.Meta.Hash == run.Hash || c.of.Summary.Iterations == 0 || sameStop(c.run, run) {
			continue
		}
		reason := s.against(run, c)
		if reason == "" {
			return &Source{c.of, c.of.Summary.Iterations}, ""
		}
		if why == "" {
			why = reason
		}
	}
	return nil, why
}

// sameStop reports whether two runs stop by the same rules.
func sameStop(a, b *study.Run) bool {
	return a.Train.Stop.Loss == b.Train.Stop.Loss && *a.Train.Stop.Iterations == *b.Train.Stop.Iterations
}

// against says why a run of the same kin does not go on from a finished one, "" where it does.
func (s *Sources) against(run *study.Run, from kept) string {
	mine, theirs := run.Train, from.run.Train
	ended := from.of.Summary.Iterations
	switch {
	case mine.Cascade != nil:
		return "train.cascade, whose levels go by when a run stops"
	case *mine.Stop.Iterations != *theirs.Stop.Iterations && mine.Step.Schedule.Falls():
		return fmt.Sprintf("train.step.schedule %s, which goes by train.stop.iterations", mine.Step.Schedule)
	case mine.Step.Every != theirs.Step.Every:
		return timesDiffer("every", theirs.Step.Every, mine.Step.Every)
	case mine.Step.Warmup != theirs.Step.Warmup:
		return timesDiffer("warmup", theirs.Step.Warmup, mine.Step.Warmup)
	case mine.Step.Cooldown != theirs.Step.Cooldown:
		return timesDiffer("cooldown", theirs.Step.Cooldown, mine.Step.Cooldown)
	case *mine.Stop.Iterations < ended:
		return fmt.Sprintf("train.stop.iterations %d, before iteration %d where the earlier run ended", *mine.Stop.Iterations, ended)
	case from.of.Summary.Violation != "":
		return "a broken promise of the earlier run's certificate"
	case from.of.Meta.Arithmetic() != s.arithmetic:
		return fmt.Sprintf("the earlier run's program, whose arithmetic was %s and is %s now", from.of.Meta.Arithmetic(), s.arithmetic)
	case !from.of.KeepsEnd() && mine.Stateful():
		return fmt.Sprintf("train.method %s, whose state the earlier run did not keep; with train.keep-state: true the next one does", mine.Method)
	case !from.of.KeepsEnd():
		return "the earlier run, which a version of the program made that kept nothing to go on from"
	}
	return lossAgainst(run, from)
}

func timesDiffer(key string, before, now int) string {
	return fmt.Sprintf("train.step.%s, which is %d and was %d; where it is left out it goes by train.stop.iterations", key, now, before)
}

// lossAgainst says why train.stop.loss may have ended run before the finished one ended.
func lossAgainst(run *study.Run, from kept) string {
	mine, theirs := run.Train.Stop.Loss, from.run.Train.Stop.Loss
	if mine == 0 || theirs > 0 && mine <= theirs {
		return "" // it would not have ended where the other one went on
	}
	rows, err := from.of.Trace()
	if err != nil {
		return fmt.Sprintf("the earlier run's trace: %v", err)
	}
	per, known := 1, 0 // J is looked at once an epoch
	if batch := run.Train.Batch; batch > 0 {
		batch = min(batch, from.of.Meta.Samples)
		per = (from.of.Meta.Samples + batch - 1) / batch
	}
	ended := from.of.Summary.Iterations
	for _, row := range rows {
		if row.Iteration >= int64(ended) || row.Iteration%int64(per) != 0 || row.Loss == nil {
			continue
		}
		if !(*row.Loss > mine) {
			return fmt.Sprintf("train.stop.loss %g, which the earlier run reached at iteration %d and went on", mine, row.Iteration)
		}
		known++
	}
	if known < (ended+per-1)/per {
		return fmt.Sprintf("train.stop.loss %g, which the earlier run may have reached where its trace leaves iterations out", mine)
	}
	return ""
}

// GoOn returns the checkpoint that a run goes on from at the end of another one: train.GoOn.
func (p *Plan) GoOn(run *study.Run, from *Source) (*runfolder.Checkpoint, error) {
	c, err := train.GoOn(p.Problem(run).Network, from.Run)
	if err == nil && c == nil {
		err = fmt.Errorf("plan: %s: got no state to go on from", from.Run.Dir)
	}
	return c, err
}
