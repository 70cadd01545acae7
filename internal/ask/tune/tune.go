// Package tune finds the best value of a setting, such as the step size, at every depth of a study: it
// brackets the minimum of a measure, closes in on it, and says how the best value moves with depth and
// what is lost by moving one value to other depths by a rule.
//
// Its runs are ordinary runs of the study folder, so an interrupted search goes on where it stopped:
// what it asks next depends on results alone, and results that are there are not computed again.
package tune

import (
	"cmp"
	"context"
	"errors"
	"fmt"
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
	Out       string   // study folder of the runs
	Over      []string // the field that is tuned, or two; default train.step.value
	Measure   string   // loss, best-loss, validation-loss (default where samples are held out for it), test-loss or loss@N
	Precision float64  // factor between neighbouring values about the best; default 1.1
	From      int      // depth whose best value is moved to others; default the shallowest
	// Execute trains the runs of a plan for which fresh holds, into Out, until all are done. An error ends the search.
	Execute func(ctx context.Context, p *plan.Plan, fresh func(*study.Run) bool) error
	// Tell, if not nil, is called with a line of progress before each round.
	Tell func(string)
}

// resolve fills in defaults and refuses what is wrong.
func (o *Options) resolve() (measure, error) {
	if len(o.Over) == 0 {
		o.Over = []string{stepValue}
	}
	if len(o.Over) > 2 || len(o.Over) == 2 && o.Over[0] == o.Over[1] {
		return measure{}, &field.Error{Path: "over", Got: o.Over, Want: "one field, or two different ones"}
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
	if err := t.search(ctx); err != nil {
		return nil, err
	}
	collect := t.answer
	if t.pairs() {
		collect = t.planeAnswer
	}
	answer, err := collect()
	return answer, errors.Join(runfolder.WriteAnswer(options.Out, runfolder.Tune, answer), err)
}

// search tries values until the searches of all depths have ended, then the best of each depth at all others, then what rules
// make of the best at one depth; where one of those turns out better than the best, the search there goes on about it.
func (t *tuning) search(ctx context.Context) error {
	for crossed, moved := 0, 0; ; {
		wanted := t.next()
		if len(wanted) == 0 && crossed < mostCrossings {
			wanted = t.cross()
			crossed++
		}
		if len(wanted) == 0 && moved < mostMoves {
			wanted = t.fitMoved()
			moved++
		}
		if len(wanted) == 0 {
			break
		}
		if err := t.try(ctx, wanted); err != nil {
			return err
		}
	}
	return t.regrets(ctx)
}

// mostMoves is how often moved values are tried that a search then goes on about.
const mostMoves = 3

// A group is runs that differ in depth, seed and the field alone.
type group struct {
	key      string
	example  study.Run  // one of its runs
	lattices [2]lattice // of each field
	depths   map[int]*search
	result   analyze.TuneGroup

	planes map[int]*plane // of two fields, in the place of depths
	plane  analyze.TunePlane
}

// A cell holds a power of the precision for each field; the second is 0 where one field is tuned.
type cell [2]int

// A point is values at a depth of a group, to be tried with every seed.
type point struct {
	group, depth int
	at           cell
}

// pairs reports whether two fields are tuned at a time.
func (t *tuning) pairs() bool { return len(t.options.Over) == 2 }

// tuning is one call of Study.
type tuning struct {
	options Options
	measure measure
	load    func(set ...string) (*study.Study, error)
	set     []string // overrides of the search
	base    *study.Study
	groups  []*group
	plans   map[string]*plan.Plan      // by the text of a setting; nil where the study refuses it
	loaded  []*plan.Plan               // the last one, for its samples
	runs    map[point][]study.Run      // of all points tried
	trained map[string]analyze.TuneRun // by run's hash
	second  map[string][2]float64      // of two fields: the second one's number, and what training makes of it, by run's hash
	order   []study.Run                // of all runs, as they were asked for
	known   map[string]bool            // hashes in order
}

func newTuning(load func(set ...string) (*study.Study, error), options Options, m measure) (*tuning, error) {
	t := &tuning{
		options: options, measure: m, load: load, plans: map[string]*plan.Plan{}, runs: map[point][]study.Run{},
		trained: map[string]analyze.TuneRun{}, second: map[string][2]float64{}, known: map[string]bool{},
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
		for _, over := range t.options.Over {
			if slices.Contains(axis.Paths, over) && len(axis.Paths) > 1 {
				return &field.Error{Path: "zip", Got: axis.Paths, Want: over + " varied by itself, as it is tuned"}
			}
		}
	}
	if err := t.checkPair(s, runs); err != nil {
		return err
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
	if stopped && !varied(loss) && !t.tunes(loss) { // all that reach it would be equal
		t.set = append(t.set, loss+"=1e-300") // a key that is written can be overridden and not taken out
	}
	if s.Train.Stop.Divergence == 0 && !varied(divergence) && !t.tunes(divergence) {
		t.set = append(t.set, fmt.Sprintf("%s=%d", divergence, earlyDivergence))
	}
	return nil
}

// tunes reports whether a field is tuned.
func (t *tuning) tunes(path string) bool { return slices.Contains(t.options.Over, path) }

// gather finds the groups of the study.
func (t *tuning) gather(s *study.Study, runs []study.Run) error {
	found := map[string]*group{}
	written := map[*group][2][]float64{} // the values that the study has
	for i := range runs {
		run := &runs[i]
		key := keyOf(run, t.options.Over)
		g := found[key]
		if g == nil {
			g = &group{key: key, example: *run, depths: map[int]*search{}, planes: map[int]*plane{}}
			for i, depth := range s.Depths {
				g.depths[depth], g.planes[depth] = newSearch(t.options.Precision, i), newPlane(t.options.Precision, i)
			}
			found[key] = g
			t.groups = append(t.groups, g)
		}
		values := written[g]
		for f, over := range t.options.Over {
			v, err := checkOver(run, over)
			if err != nil {
				return err
			}
			if run.Depth == s.Depths[0] && run.Seed == s.Seeds[0] {
				values[f] = append(values[f], v)
			}
		}
		written[g] = values
	}
	for _, g := range t.groups {
		for f := range t.options.Over {
			values := written[g][f]
			g.lattices[f] = newLattice(values[len(values)/2], t.options.Precision)
		}
	}
	return nil
}

// next returns the points that the searches ask for.
func (t *tuning) next() []point {
	var wanted []point
	for i, g := range t.groups {
		for _, depth := range t.base.Depths {
			if t.pairs() {
				for _, at := range g.planes[depth].next() {
					wanted = append(wanted, point{i, depth, at})
				}
				continue
			}
			for _, power := range g.depths[depth].next() {
				wanted = append(wanted, point{i, depth, cell{power}})
			}
		}
	}
	return wanted
}

// mostCrossings is how often the best values of all depths are tried at all others.
const mostCrossings = 1

// cross returns the points to which the law moves the best of every depth, where none close by was tried: of several
// wells as deep, the searches of two depths may have found different ones.
func (t *tuning) cross() []point {
	if t.pairs() {
		return t.crossPlanes()
	}
	var wanted []point
	for i, g := range t.groups {
		exponent := 0.0
		if x := law(&g.example, t.options.Over[0]); x != nil {
			exponent = *x
		}
		for _, from := range t.base.Depths {
			if t.end(i, from) != "" {
				continue
			}
			value := g.lattices[0].at(g.depths[from].best()) * t.ratio(i, from, 0)
			for _, to := range t.base.Depths {
				power := g.lattices[0].nearest(value * math.Pow(float64(to)/float64(from), exponent) / t.ratio(i, to, 0))
				p := point{i, to, cell{power}}
				if s := g.depths[to]; t.end(i, to) == "" && s.far(power) && !slices.Contains(wanted, p) {
					s.again()
					wanted = append(wanted, p)
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
		g, runs := t.groups[p.group], t.runs[p]
		s, both := g.depths[p.depth], g.planes[p.depth]
		switch {
		case len(runs) > 0:
		case t.pairs():
			both.refuse(p.at)
			continue
		default:
			s.refuse(p.at[0])
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
		if t.pairs() {
			both.tell(p.at, values)
		} else {
			s.tell(p.at[0], values)
		}
		if t.measure.ofTraining() {
			s.start, both.start = start, start
		}
	}
	return nil
}

func comparePoints(a, b point) int {
	return cmp.Or(cmp.Compare(a.group, b.group), cmp.Compare(a.depth, b.depth), slices.Compare(a.at[:], b.at[:]))
}

// ratio returns what training makes at a depth of field number f of 1, as the runs there have it.
func (t *tuning) ratio(i, depth, f int) float64 {
	for _, p := range t.points(i) {
		if runs := t.runs[p]; p.depth == depth && len(runs) > 0 {
			r, second := t.trained[runs[0].Hash], t.second[runs[0].Hash]
			if f == 1 {
				return second[1] / second[0]
			}
			return r.Value / r.Field
		}
	}
	return 1
}
