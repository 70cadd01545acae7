package cli

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/machine"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

// What becomes of a run when a study starts in a folder that holds runs.
const (
	runKept     = "kept"     // it has its result
	runAgain    = "again"    // it has one, and starts over
	runResumed  = "resumed"  // it goes on from its checkpoint, or is tried again
	runWaiting  = "waiting"  // of the study as it was last started, and not begun
	runExtended = "extended" // it goes on from a run that differs in when it stops alone
	runNew      = "new"      // not of that study
	runOrphaned = "orphaned" // in the folder, and no run of the study any more
)

// A growth is a study beside what its folder holds.
type growth struct {
	dir      string
	change   map[string]string      // of each run of the plan that is wanted, by ID
	found    map[string]*survey.Run // what the folder holds of it
	runs     map[string][]*study.Run
	sources  map[string]*plan.Source // of the extended runs
	anew     map[string]string       // of others that only their end tells from a finished run: why they are not
	orphaned []survey.Run
}

// growth compares the plan with the folder of its runs. It is nil for a folder that no such
// study was started in, and for one that cannot be read, which the start of the study tells.
func (o *runOptions) growth(p *plan.Plan) (*growth, error) {
	wanted, err := chosen(p, o.share.only)
	if err != nil {
		return nil, fmt.Errorf("run: --only: %w", err)
	}
	manifest, err := runfolder.ReadManifest(o.out)
	if err != nil || manifest.Study != p.Study.Name {
		return nil, nil
	}
	there, others, err := survey.ReadNamed(o.out)
	if err != nil {
		return nil, nil
	}
	earlier, err := survey.LookOthers(others)
	if err != nil {
		return nil, nil
	}
	g := &growth{dir: o.out, change: map[string]string{}, found: map[string]*survey.Run{}, runs: map[string][]*study.Run{}}
	byID := map[string]*survey.Run{}
	for _, list := range [][]survey.Run{there, earlier} {
		for i := range list {
			byID[list[i].ID] = &list[i]
		}
	}
	mine := map[string]bool{}
	var all, begun []*study.Run
	for i := range p.Runs {
		run := &p.Runs[i]
		mine[run.ID] = true
		if !wanted[run.ID] {
			continue
		}
		found := byID[run.ID]
		if found == nil && o.share.store != "" {
			found = survey.LookStored(runfolder.StoredDir(o.share.store, run.Hash))
		}
		g.change[run.ID], g.found[run.ID] = o.changeOf(found), found
		all = append(all, run)
		if change := g.change[run.ID]; change == runNew || change == runWaiting {
			begun = append(begun, run)
		}
	}
	g.extend(o.out, begun)
	for _, run := range all {
		change := g.change[run.ID]
		g.runs[change] = append(g.runs[change], run)
	}
	g.orphaned = orphansOf(slices.Concat(there, earlier), mine)
	return g, nil
}

// extend tells apart, among runs that nobody has begun, those that go on from a finished one.
func (g *growth) extend(dir string, runs []*study.Run) {
	sources := plan.NewSources(dir, runs, machine.Arithmetic())
	g.sources, g.anew = map[string]*plan.Source{}, map[string]string{}
	for _, run := range runs {
		source, why := sources.Of(run)
		switch {
		case source != nil:
			g.change[run.ID], g.sources[run.ID] = runExtended, source
		case why != "":
			g.anew[run.ID] = why
		}
	}
}

// orphansOf returns the runs of a folder that are none of a study's, whose runs are mine; imported runs, and those that nobody
// has begun, are no orphans. It takes the runs over.
func orphansOf(runs []survey.Run, mine map[string]bool) []survey.Run {
	return slices.DeleteFunc(runs, func(r survey.Run) bool {
		return mine[r.ID] || r.Extra && r.Stop == runfolder.Imported || r.State == survey.Pending
	})
}

// changeOf says what becomes of a run of which the folder holds found, nil for nothing.
func (o *runOptions) changeOf(found *survey.Run) string {
	switch {
	case found == nil:
		return runNew
	case found.State == survey.Pending:
		return runWaiting
	case o.share.rerun == sweep.RerunAll, o.share.rerun == sweep.RerunDiverged && found.State == survey.Diverged:
		return runAgain
	case found.State == survey.Done, found.State == survey.Diverged:
		return runKept
	case found.State == survey.Failed && o.share.rerun != "":
		return runAgain
	}
	return runResumed
}

// toTrain returns the runs that the start trains, those not begun or from their checkpoints.
func (g *growth) toTrain() []*study.Run {
	var runs []*study.Run
	for _, change := range []string{runAgain, runResumed, runExtended, runWaiting, runNew} {
		runs = append(runs, g.runs[change]...)
	}
	return runs
}

// empty reports whether the folder holds nothing to compare with.
func (g *growth) empty() bool {
	return g == nil || len(g.orphaned) == 0 && len(g.runs[runKept])+len(g.runs[runAgain])+len(g.runs[runResumed])+len(g.runs[runExtended]) == 0
}

// write prints what stays, what is to come and what is orphaned, with what each took or may
// take: seconds by ID, where they are known.
func (g *growth) write(w io.Writer, p *plan.Plan, seconds map[string]float64) error {
	if g.empty() {
		return nil
	}
	text := fmt.Sprintf("%s holds runs of this study; now:\n", plain.Text(g.dir))
	for _, line := range []struct{ mark, change, about string }{
		{" ", runKept, ""},
		{"~", runAgain, ", which start over"},
		{"~", runResumed, ", which go on where they were"},
		{"~", runExtended, g.from()},
		{"+", runWaiting, ", not begun before"},
		{"+", runNew, ""},
	} {
		runs := g.runs[line.change]
		if len(runs) == 0 {
			continue
		}
		about := line.about
		if line.change == runKept {
			about = tookOf(g.foundOf(runs))
		} else {
			about += mayTake(runs, seconds, line.change == runExtended)
		}
		if line.change == runNew {
			about += telling(labelsOf(runs), append(labelsOf(g.runs[runKept]), labelsOf(g.runs[runResumed])...))
		}
		text += fmt.Sprintf("%s %-8s %s%s\n", line.mark, line.change, plain.Count(len(runs), "run"), about)
	}
	if len(g.orphaned) > 0 {
		all := make([]*study.Run, len(p.Runs))
		for i := range p.Runs {
			all[i] = &p.Runs[i]
		}
		text += fmt.Sprintf("- %-8s %s%s%s; deeplimit prune %s removes them%s\n", runOrphaned, plain.Count(len(g.orphaned), "run"), tookOf(g.orphaned),
			telling(orphanLabels(g.orphaned), labelsOf(all)), plain.ShellWord(g.dir), g.whenToPrune())
	}
	text += g.startAnew()
	if changed := g.reasons(); changed != "" {
		text += "  " + changed + "\n"
	}
	_, err := io.WriteString(w, text)
	return err
}

func (g *growth) foundOf(runs []*study.Run) []survey.Run {
	var list []survey.Run
	for _, run := range runs {
		list = append(list, *g.found[run.ID])
	}
	return list
}

// costs returns seconds of training at most for runs without a result, at the speed of those
// that are kept or gone on from: their seconds for each operation. None where none of these took any.
func (g *growth) costs(p *plan.Plan) map[string]float64 {
	took, operations := 0.0, 0.0
	for _, run := range g.runs[runKept] {
		found := g.found[run.ID]
		took += found.Seconds
		operations += p.Flops(run) * float64(found.Iteration)
	}
	for _, run := range g.runs[runExtended] {
		source := g.sources[run.ID]
		took += source.Run.Summary.Seconds
		operations += p.Flops(run) * float64(source.Iteration)
	}
	seconds := map[string]float64{}
	if speed := operations / took; speed > 0 && !math.IsInf(speed, 0) {
		for _, run := range g.toTrain() {
			seconds[run.ID] = g.share(run) * float64(run.Steps()) * p.Flops(run) / speed
			if limit := run.Train.Stop.Seconds; limit > 0 {
				seconds[run.ID] = min(seconds[run.ID], limit)
			}
		}
	}
	return seconds
}

// share returns the part of the steps of a run that are left to make.
func (g *growth) share(run *study.Run) float64 {
	source := g.sources[run.ID]
	switch {
	case g.change[run.ID] == runKept:
		return 0
	case source == nil:
		return 1
	}
	const end = 1e-3 // its last look and its files
	return max(end, 1-float64(source.Iteration)/float64(max(1, run.Steps())))
}

// from says where the extended runs go on.
func (g *growth) from() string {
	low, high := math.MaxInt, 0
	for _, source := range g.sources {
		low, high = min(low, source.Iteration), max(high, source.Iteration)
	}
	if low == high {
		return fmt.Sprintf(", which go on from iteration %d of earlier ones", low)
	}
	return fmt.Sprintf(", which go on from iterations %d to %d of earlier ones", low, high)
}

// whenToPrune says that orphaned runs are still of use.
func (g *growth) whenToPrune() string {
	for i := range g.orphaned {
		for _, source := range g.sources {
			if source.Run.Dir == g.orphaned[i].Dir {
				return ", once the extended ones are done"
			}
		}
	}
	return ""
}

// startAnew says why runs start anew that only their end tells from earlier ones.
func (g *growth) startAnew() string {
	count := map[string]int{}
	for _, why := range g.anew {
		count[why]++
	}
	text := ""
	for _, why := range slices.Sorted(maps.Keys(count)) {
		text += fmt.Sprintf("  %s not extended, for %s\n", plain.Count(count[why], "run"), plain.Text(why))
	}
	return text
}

// tookOf says what runs took.
func tookOf(runs []survey.Run) string {
	seconds, layers := 0.0, 0.0
	for i := range runs {
		seconds += runs[i].Seconds
		layers += float64(runs[i].LayerIterations)
	}
	if seconds == 0 && layers == 0 {
		return ""
	}
	return fmt.Sprintf(", took %s (%.3g layer-iterations)", readable(seconds), layers)
}

// mayTake says what runs take at most, beside what was taken before where they are extended.
func mayTake(runs []*study.Run, seconds map[string]float64, extended bool) string {
	total := 0.0
	for _, run := range runs {
		one, ok := seconds[run.ID]
		if !ok {
			return ""
		}
		total += one
	}
	if extended {
		return fmt.Sprintf(", at most about %s more", readable(total))
	}
	return ", at most about " + readable(total)
}
