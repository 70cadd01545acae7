package tune

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

// train has the runs of points computed and reads what they gave. A point whose value the
// study does not take has none.
func (t *tuning) train(ctx context.Context, wanted []point) error {
	var fresh []study.Run
	for _, p := range wanted {
		if _, ok := t.runs[p]; ok {
			continue
		}
		g := t.groups[p.group]
		of, err := t.plan(t.texts(p)...)
		if err != nil {
			return err
		}
		t.runs[p] = nil
		for _, run := range runsOf(of) {
			if run.Depth == p.depth && keyOf(&run, t.options.Over) == g.key {
				t.runs[p] = append(t.runs[p], run)
				if !t.known[run.Hash] {
					t.known[run.Hash] = true
					t.order = append(t.order, run)
					fresh = append(fresh, run)
				}
			}
		}
	}
	var missing []study.Run
	for _, run := range fresh {
		if ok, err := t.read(run); err != nil {
			return err
		} else if !ok {
			missing = append(missing, run)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	if err := t.execute(ctx, missing); err != nil {
		return err
	}
	for _, run := range missing {
		if ok, err := t.read(run); err != nil {
			return err
		} else if !ok {
			return fmt.Errorf("tune: run %s: got no result, want one: was its folder removed?", run.ID)
		}
	}
	return nil
}

func runsOf(p *plan.Plan) []study.Run {
	if p == nil {
		return nil
	}
	return p.Runs
}

// texts returns the values of the fields at a point as the study file takes them.
func (t *tuning) texts(p point) []string {
	var out []string
	for f := range t.options.Over {
		out = append(out, t.groups[p.group].lattices[f].text(p.at[f]))
	}
	return out
}

// plan returns the plan of the study with a value for each field, nil where a field does not take it.
func (t *tuning) plan(texts ...string) (*plan.Plan, error) {
	text := strings.Join(texts, " ")
	if p, ok := t.plans[text]; ok {
		return p, nil
	}
	s, err := t.load(t.with(text)...)
	var p *plan.Plan
	if err == nil {
		p, err = plan.New(s, t.loaded...)
	}
	if e, ok := errors.AsType[*study.Error](err); ok && t.tunes(e.Path) && len(t.plans) > 0 {
		p, err = nil, nil
	}
	if err != nil {
		return nil, err
	}
	if p != nil {
		if err := t.measure.checkSets(p); err != nil {
			return nil, err
		}
	}
	if t.plans[text] = p; p != nil {
		t.loaded = []*plan.Plan{p} // it has all samples that plans before it had, but where a field of the data is tuned
	}
	return p, nil
}

// with returns the overrides that put values into the study: as a grid those of one field, as a zip those of two, each
// text with a space between them, so that the study of all runs has the pairs that were tried and no others.
func (t *tuning) with(texts ...string) []string {
	section := "grid."
	if t.pairs() {
		section = "zip."
	}
	out := slices.Clone(t.set)
	for f, over := range t.options.Over {
		var values []string
		for _, text := range texts {
			values = append(values, strings.Fields(text)[f])
		}
		out = append(out, section+over+"=["+strings.Join(values, ", ")+"]")
	}
	return out
}

// execute trains the missing runs, as a part of the study of all runs asked for so far.
func (t *tuning) execute(ctx context.Context, missing []study.Run) error {
	var texts []string
	var plans []*plan.Plan
	for _, text := range slices.Sorted(maps.Keys(t.plans)) {
		if p := t.plans[text]; p != nil {
			texts, plans = append(texts, text), append(plans, p)
		}
	}
	s, err := t.load(t.with(texts...)...)
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for _, run := range missing {
		wanted[run.Hash] = true
	}
	if t.options.Tell != nil {
		t.options.Tell(fmt.Sprintf("tune: %d runs to train, %d done", len(missing), len(t.order)-len(missing)))
	}
	return t.options.Execute(ctx, plan.Join(s, plans, t.order), func(run *study.Run) bool { return wanted[run.Hash] })
}

// read takes the result of a run from its folder, and says whether there is one.
func (t *tuning) read(run study.Run) (bool, error) {
	folder, err := runfolder.Open(runfolder.RunDir(t.options.Out, run.ID))
	if runfolder.Unreadable(err) {
		return false, err
	}
	if err != nil || !folder.Done() || folder.Meta.Hash != run.Hash {
		return false, nil // missing, unfinished or damaged: to be computed
	}
	rows, err := folder.Trace()
	if err != nil {
		return false, err
	}
	at := func(f int) (number, value float64) {
		number = numberAt(&run, t.options.Over[f])
		return number, used(run.Step(), t.options.Over[f], number)
	}
	r := analyze.TuneRun{ID: run.ID, Depth: run.Depth, Seed: run.Seed, Iterations: folder.Summary.Iterations}
	r.Field, r.Value = at(0)
	if t.pairs() {
		number, value := at(1)
		t.second[run.Hash] = [2]float64{number, value}
	}
	iterations, losses := runfolder.Losses(rows)
	for i, loss := range losses {
		r.Losses = append(r.Losses, analyze.TuneLoss{Iteration: iterations[i], Loss: loss})
	}
	if folder.Summary.Stop != runfolder.Diverged {
		r.Measure = t.measure.of(folder.Summary, &r)
		r.TestLoss, r.TestAccuracy = t.measure.score(folder.Summary, rows)
	}
	t.trained[run.Hash] = r
	return true, nil
}

// collect makes the answer of a group from all its runs, but for what is fitted.
func (t *tuning) collect(i int) *analyze.TuneGroup {
	g := t.groups[i]
	g.result = t.newResult(g, 0)
	for _, hash := range t.hashes(i) {
		r := t.trained[hash]
		g.result.Runs = append(g.result.Runs, r)
		g.result.Steps += float64(r.Iterations)
	}
	return &g.result
}

// fitBest finds the best values of a group.
func (t *tuning) fitBest(i int) {
	t.collect(i).FitBest()
	t.keepMinima(i)
}

// keepMinima takes out the best of depths without a minimum.
func (t *tuning) keepMinima(i int) {
	r := &t.groups[i].result
	r.Best = slices.DeleteFunc(r.Best, func(b analyze.TuneBest) bool { return t.end(i, b.Depth) != "" })
}

// fit makes the answer of a group.
func (t *tuning) fit(i int) {
	r := t.collect(i)
	r.Fit()
	t.keepMinima(i)
	if len(r.Best) < 2 && r.Flank == nil { // curves without a minimum are not compared
		r.NoExponent()
	}
	for _, depth := range t.base.Depths {
		r.GridSteps += t.gridSteps(i, depth)
	}
}

// newResult returns the answer of a group for a field, without what its runs say.
func (t *tuning) newResult(g *group, f int) analyze.TuneGroup {
	e := &g.example
	settings := maps.Clone(e.Settings)
	for _, over := range t.options.Over {
		delete(settings, over)
	}
	out := analyze.TuneGroup{
		Data: e.Data.Name, Method: e.Train.Method, Alpha: e.Network.Alpha, Settings: settings,
		Over: t.options.Over[f], Measure: t.measure.name, Law: law(e, t.options.Over[f]), Regret: []analyze.TuneRegret{},
	}
	if t.tunes("network.alpha") {
		out.Alpha = nil
	}
	if t.pairs() {
		out.With = t.options.Over[1-f]
	}
	return out
}

// points returns the points of a group that were tried, in order.
func (t *tuning) points(i int) []point {
	var out []point
	for p := range t.runs {
		if p.group == i {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, comparePoints)
	return out
}

// hashes returns those of the runs of a group that have a result, once each and in the order of their points.
func (t *tuning) hashes(i int) []string {
	var out []string
	seen := map[string]bool{}
	for _, p := range t.points(i) {
		for _, run := range t.runs[p] {
			if _, ok := t.trained[run.Hash]; ok && !seen[run.Hash] {
				seen[run.Hash] = true
				out = append(out, run.Hash)
			}
		}
	}
	return out
}

// gridSteps returns the iterations at a depth of a grid of the field with the precision between neighbours, from
// the smallest to the largest value that the searches of the group have tried at any depth: those of the nearest value tried
// for each, as what diverges ends early.
func (t *tuning) gridSteps(i, depth int) float64 {
	low, high := math.MaxInt, math.MinInt
	for _, s := range t.groups[i].depths {
		low, high = min(low, slices.Min(s.powers())), max(high, slices.Max(s.powers()))
	}
	powers := t.groups[i].depths[depth].powers()
	total := 0.0
	for k := low; k <= high; k++ {
		nearest := slices.MinFunc(powers, func(a, b int) int { return abs(a-k) - abs(b-k) })
		for _, run := range t.runs[point{i, depth, cell{nearest}}] {
			total += float64(t.trained[run.Hash].Iterations)
		}
	}
	return total
}

func abs(k int) int { return max(k, -k) }

// answer collects the groups. Groups and depths without a minimum are an error that wraps ErrNoMinimum.
func (t *tuning) answer() (*analyze.Tune, error) {
	out := &analyze.Tune{Study: t.base.Name, Precision: t.options.Precision, Groups: []analyze.TuneGroup{}}
	var faults []error
	for i, g := range t.groups {
		if g.result.Flank != nil {
			faults = append(faults, t.withoutMinimum(g))
		} else {
			faults = append(faults, t.depthsWithout(i)...)
		}
		out.Groups = append(out.Groups, g.result)
	}
	return out, errors.Join(faults...)
}

// depthsWithout notes which depths of a group have no minimum, and why.
func (t *tuning) depthsWithout(i int) (faults []error) {
	g := t.groups[i]
	for _, depth := range t.base.Depths {
		reason := t.end(i, depth)
		if reason == "" {
			continue
		}
		g.result.Notes = append(g.result.Notes, fmt.Sprintf("depth %d: %s", depth, reason))
		faults = append(faults, fmt.Errorf("tune: %s, depth %d: %w of %s over %s: %s; %s", describe(g), depth, ErrNoMinimum, t.measure.name, t.options.Over[0], reason, t.advice(g.depths[depth])))
	}
	return faults
}

// withoutMinimum notes that a group has a flank alone.
func (t *tuning) withoutMinimum(g *group) error {
	flank := g.result.Flank
	to := "down to the smallest"
	if flank.Side == analyze.LeftFlank {
		to = "up to the largest"
	}
	reason := fmt.Sprintf("at every depth it stays within a tenth of its least %s value tried", to)
	g.result.Notes = append(g.result.Notes, fmt.Sprintf("no minimum: %s; exponents are those of the edges of the %s flank, where it is a tenth higher", reason, flank.Side))
	return fmt.Errorf("tune: %s: %w of %s over %s: %s; want any value %s; the exponent is that of the %s flank",
		describe(g), ErrNoMinimum, t.measure.name, t.options.Over[0], reason, g.result.FlankText(), flank.Side)
}

// end says in words why there is no minimum at a depth, "" where there is.
func (t *tuning) end(i, depth int) string {
	return t.groups[i].depths[depth].end(func(k int) float64 { return t.usedAt(i, depth, k) })
}

// usedAt returns what training makes at a depth of the setting at a power.
func (t *tuning) usedAt(i, depth, k int) float64 {
	return t.groups[i].lattices[0].at(k) * t.ratio(i, depth, 0)
}

// describe names a group in messages.
func describe(g *group) string {
	e := &g.example
	return fmt.Sprintf("%s, %s, α = %g", e.Data.Name, e.Train.Method, *e.Network.Alpha)
}

// advice says what to change where there is no minimum.
func (t *tuning) advice(s *search) string {
	switch {
	case math.IsInf(s.value[s.best()], 1):
		return "want a value at which training goes: look at data and initial weights (deeplimit run with one small value says how it ends)"
	case s.flat():
		return "want a field that changes the measure: more iterations (train.stop.iterations), or another --over or --measure"
	}
	return "want a bowl: more iterations (train.stop.iterations), or another --measure or --over"
}
