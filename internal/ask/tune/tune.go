// Package tune finds the best value of a setting, such as the step size, at every depth of a study: it
// brackets the minimum of a measure, closes in on it, and says how the best value moves with depth and
// what is lost by moving one value to other depths by a rule.
//
// Its runs are ordinary runs of the study folder, so an interrupted search goes on where it stopped:
// what it asks next depends on results alone, and results that are there are not computed again.
package tune

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
)

// Options of Study. The zero value but for Out and Execute is the default.
type Options struct {
	Out       string  // study folder of the runs
	Over      string  // the field that is tuned; default train.step.value
	Measure   string  // loss, best-loss, validation-loss (default where samples are held out for it), test-loss or loss@N
	Precision float64 // factor between neighbouring values about the best; default 1.1
	From      int     // depth whose best value is moved to others; default the shallowest
	// Execute trains the runs of a plan for which fresh holds, into Out, until all are done. An error ends the search.
	Execute func(ctx context.Context, p *plan.Plan, fresh func(*study.Run) bool) error
	// Tell, if not nil, is called with a line of progress before each round.
	Tell func(string)
}

// resolve fills in defaults and refuses what is wrong.
func (o *Options) resolve() (measure, error) {
	if o.Over == "" {
		o.Over = stepValue
	}
	if o.Precision == 0 {
		o.Precision = 1.1
	}
	if !(o.Precision >= 1.001 && o.Precision <= 2) {
		return measure{}, &field.Error{Path: "precision", Got: o.Precision, Want: "a factor in [1.001, 2]"}
	}
	return newMeasure(o.Measure)
}

// ErrNoMinimum is wrapped by the error about groups and depths of which no best value was found. The answer
// holds what was tried there all the same.
var ErrNoMinimum = errors.New("no minimum")

// Study tunes a study. The file is parsed once for each value, by load with that override and those of the
// study put behind its own. The answer is stored in the study folder.
func Study(ctx context.Context, load func(set ...string) (*study.Study, error), options Options) (*analyze.Tune, error) {
	m, err := options.resolve()
	if err != nil {
		return nil, err
	}
	t, err := newTuning(load, options, m)
	if err != nil {
		return nil, err
	}
	for crossed := 0; ; {
		wanted := t.next()
		if len(wanted) == 0 && crossed < mostCrossings {
			wanted = t.cross()
			crossed++
		}
		if len(wanted) == 0 {
			break
		}
		if err := t.try(ctx, wanted); err != nil {
			return nil, err
		}
	}
	if err := t.regrets(ctx); err != nil {
		return nil, err
	}
	answer, err := t.answer()
	return answer, errors.Join(runfolder.WriteAnswer(options.Out, runfolder.Tune, answer), err)
}

// A group is runs that differ in depth, seed and the field alone.
type group struct {
	key     string
	example study.Run // one of its runs
	lattice lattice
	depths  map[int]*search
	result  analyze.TuneGroup
}

// A point is a value at a depth of a group, to be tried with every seed.
type point struct {
	group, depth, power int
}

// tuning is one call of Study.
type tuning struct {
	options Options
	measure measure
	load    func(set ...string) (*study.Study, error)
	set     []string // overrides of the search
	base    *study.Study
	groups  []*group
	plans   map[string]*plan.Plan      // by the text of a setting; nil where the study refuses it
	runs    map[point][]study.Run      // of all points tried
	trained map[string]analyze.TuneRun // by run's hash
	order   []study.Run                // of all runs, as they were asked for
	known   map[string]bool            // hashes in order
}

func newTuning(load func(set ...string) (*study.Study, error), options Options, m measure) (*tuning, error) {
	t := &tuning{
		options: options, measure: m, load: load, plans: map[string]*plan.Plan{}, runs: map[point][]study.Run{},
		trained: map[string]analyze.TuneRun{}, known: map[string]bool{},
	}
	s, err := load()
	if err != nil {
		return nil, err
	}
	t.base = s
	runs, err := s.Runs()
	if err != nil {
		return nil, err
	}
	if options.Measure == "" && slices.ContainsFunc(runs, func(r study.Run) bool { return r.Data.Validation > 0 }) {
		t.measure = measure{name: validationLoss}
	}
	if err := t.overrides(s, runs); err != nil {
		return nil, err
	}
	if err := t.gather(s, runs); err != nil {
		return nil, err
	}
	if options.From == 0 {
		t.options.From = s.Depths[0]
	} else if !slices.Contains(s.Depths, options.From) {
		return nil, &field.Error{Path: "from", Got: options.From, Want: fmt.Sprintf("a depth of the study, one of %v", s.Depths)}
	}
	return t, nil
}

// earlyDivergence is the multiple of its first value at which a loss ends a run of the search, unless the
// study says another one.
const earlyDivergence = 10

// overrides collects what the search changes in the study.
func (t *tuning) overrides(s *study.Study, runs []study.Run) error {
	for _, axis := range s.Axes {
		if slices.Contains(axis.Paths, t.options.Over) && len(axis.Paths) > 1 {
			return &field.Error{Path: "zip", Got: axis.Paths, Want: t.options.Over + " varied by itself, as it is tuned"}
		}
	}
	stopped := false
	for i := range runs {
		stopped = stopped || runs[i].Train.Stop.Loss > 0
		if err := t.measure.check(&runs[i]); err != nil {
			return err
		}
	}
	varied := func(path string) bool {
		return slices.ContainsFunc(s.Axes, func(a study.Axis) bool { return slices.Contains(a.Paths, path) })
	}
	const loss, divergence = "train.stop.loss", "train.stop.divergence"
	if stopped && !varied(loss) && t.options.Over != loss { // all that reach it would be equal
		t.set = append(t.set, loss+"=1e-300") // a key that is written can be overridden and not taken out
	}
	if s.Train.Stop.Divergence == 0 && !varied(divergence) && t.options.Over != divergence {
		t.set = append(t.set, fmt.Sprintf("%s=%d", divergence, earlyDivergence))
	}
	return nil
}

// gather finds the groups of the study.
func (t *tuning) gather(s *study.Study, runs []study.Run) error {
	found := map[string]*group{}
	for i := range runs {
		run := &runs[i]
		v, err := checkOver(run, t.options.Over)
		if err != nil {
			return err
		}
		key := keyOf(run, t.options.Over)
		g := found[key]
		if g == nil {
			g = &group{key: key, example: *run, depths: map[int]*search{}}
			for i, depth := range s.Depths {
				g.depths[depth] = newSearch(t.options.Precision, i)
			}
			found[key] = g
			t.groups = append(t.groups, g)
		}
		if run.Depth == s.Depths[0] && run.Seed == s.Seeds[0] {
			g.result.Runs = append(g.result.Runs, analyze.TuneRun{Field: v}) // the values that the grid has
		}
	}
	for _, g := range t.groups {
		first := g.result.Runs[len(g.result.Runs)/2].Field
		g.result = analyze.TuneGroup{}
		g.lattice = newLattice(first, t.options.Precision)
	}
	return nil
}

// next returns the points that the searches ask for.
func (t *tuning) next() []point {
	var wanted []point
	for i, g := range t.groups {
		for _, depth := range t.base.Depths {
			for _, power := range g.depths[depth].next() {
				wanted = append(wanted, point{i, depth, power})
			}
		}
	}
	return wanted
}

// near reports whether a value was tried within the precision of one at a depth.
func (t *tuning) near(p point) bool {
	for _, power := range []int{p.power - 1, p.power, p.power + 1} {
		if len(t.runs[point{p.group, p.depth, power}]) > 0 {
			return true
		}
	}
	return false
}

// mostCrossings is how often the best values of all depths are tried at all others.
const mostCrossings = 1

// cross returns the points to which the law moves the best of every depth, where none close by was tried: of several
// wells as deep, the searches of two depths may have found different ones.
func (t *tuning) cross() []point {
	var wanted []point
	for i, g := range t.groups {
		exponent := 0.0
		if x := law(&g.example, t.options.Over); x != nil {
			exponent = *x
		}
		for _, from := range t.base.Depths {
			if t.end(i, from) != "" {
				continue
			}
			value := g.lattice.at(g.depths[from].best()) * t.ratio(i, from)
			for _, to := range t.base.Depths {
				power := g.lattice.nearest(value * math.Pow(float64(to)/float64(from), exponent) / t.ratio(i, to))
				if s := g.depths[to]; t.end(i, to) == "" && s.far(power) && !slices.Contains(wanted, point{i, to, power}) {
					s.again()
					wanted = append(wanted, point{i, to, power})
				}
			}
		}
	}
	return wanted
}

// try has points trained and tells the searches.
func (t *tuning) try(ctx context.Context, wanted []point) error {
	if err := t.train(ctx, wanted); err != nil {
		return err
	}
	for _, p := range wanted {
		s := t.groups[p.group].depths[p.depth]
		runs := t.runs[p]
		if len(runs) == 0 {
			s.refuse(p.power)
			continue
		}
		var values []float64
		start := 0.0
		for i := range runs {
			r := t.trained[runs[i].Hash]
			values = append(values, r.LogMeasure())
			if len(r.Losses) > 0 {
				start += math.Log(r.Losses[0].Loss) / float64(len(runs))
			} else {
				start = math.NaN()
			}
		}
		s.tell(p.power, values)
		if t.measure.ofTraining() {
			s.start = start
		}
	}
	return nil
}

// regrets fits every group and tries the values that rules make of the best at one depth.
func (t *tuning) regrets(ctx context.Context) error {
	for i := range t.groups {
		t.fit(i)
	}
	var wanted []point
	for i, g := range t.groups {
		for _, exponent := range rules(&g.example, t.options.Over, g.result.Law) {
			for _, to := range t.base.Depths {
				for _, v := range g.result.Moved(exponent, t.options.From, to) {
					p := point{i, to, g.lattice.nearest(v / t.ratio(i, to))}
					if !t.near(p) && !slices.Contains(wanted, p) {
						wanted = append(wanted, p)
					}
				}
			}
		}
	}
	slices.SortFunc(wanted, func(a, b point) int {
		return slices.Compare([]int{a.group, a.depth, a.power}, []int{b.group, b.depth, b.power})
	})
	if err := t.train(ctx, wanted); err != nil {
		return err
	}
	for i, g := range t.groups {
		t.fit(i)
		all := rules(&g.example, t.options.Over, g.result.Law)
		for _, rule := range slices.Sorted(maps.Keys(all)) {
			for _, to := range t.base.Depths {
				if to != t.options.From {
					g.result.AddRegret(rule, all[rule], t.options.From, to)
				}
			}
		}
		g.result.Judge()
	}
	return nil
}

// ratio returns what training makes of a field of 1 at a depth, as the runs there have it.
func (t *tuning) ratio(i, depth int) float64 {
	for _, p := range t.points(i) {
		if runs := t.runs[p]; p.depth == depth && len(runs) > 0 {
			r := t.trained[runs[0].Hash]
			return r.Value / r.Field
		}
	}
	return 1
}
