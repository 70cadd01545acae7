package tune

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// checkPair refuses a study in which two fields cannot be tuned at a time.
func (t *tuning) checkPair(s *study.Study, runs []study.Run) error {
	if !t.pairs() {
		return nil
	}
	for _, axis := range s.Axes {
		for _, over := range t.options.Over {
			if slices.Contains(axis.Paths, over) {
				return &field.Error{Path: over, Got: "values in the grid", Want: "one value to begin from where two fields are tuned at a time"}
			}
		}
		if len(axis.Paths) > 1 {
			return &field.Error{Path: "zip", Got: axis.Paths, Want: "a grid: where two fields are tuned at a time, the pairs tried are the zip of the study"}
		}
	}
	follows := func(path string) bool { return path == stepValue || path == epsilon || path == decay }
	if t.tunes("network.alpha") && slices.ContainsFunc(t.options.Over, follows) && slices.ContainsFunc(runs, func(r study.Run) bool { return r.Train.Step.Rule == "depth" }) {
		return &field.Error{Path: "train.step.rule", Got: "depth", Want: "constant to tune network.alpha beside a number that this rule makes a function of it"}
	}
	return nil
}

// valuesAt returns what training makes at a depth of the settings of a cell.
func (t *tuning) valuesAt(i, depth int, c cell) [2]float64 {
	var values [2]float64
	for f, power := range c {
		values[f] = t.groups[i].lattices[f].at(power) * t.ratio(i, depth, f)
	}
	return values
}

// cellOf returns the cell whose values are nearest to those that exponents in depth make of values at another depth.
func (t *tuning) cellOf(i, from, to int, values, exponents [2]float64) cell {
	var c cell
	for f := range c {
		moved := values[f] * math.Pow(float64(to)/float64(from), exponents[f])
		c[f] = t.groups[i].lattices[f].nearest(moved / t.ratio(i, to, f))
	}
	return c
}

// crossPlanes is cross for two fields.
func (t *tuning) crossPlanes() []point {
	var wanted []point
	for i, g := range t.groups {
		exponents := t.pairRules(g)["law"]
		for _, from := range t.base.Depths {
			if t.lost(i, from) {
				continue
			}
			values := t.valuesAt(i, from, g.planes[from].best())
			for _, to := range t.base.Depths {
				p := point{i, to, t.cellOf(i, from, to, values, exponents)}
				if !t.lost(i, to) && g.planes[to].far(p.at) && !slices.Contains(wanted, p) {
					wanted = append(wanted, p)
				}
			}
		}
	}
	slices.SortFunc(wanted, comparePoints)
	return wanted
}

// lost reports whether a depth has no pair of values at which training goes.
func (t *tuning) lost(i, depth int) bool {
	s := t.groups[i].planes[depth]
	return len(s.value) == 0 || math.IsInf(s.value[s.best()], 1)
}

// pairRules returns the exponents in depth by which rules move both values. A field without a law is left where it is;
// a rule that has nothing for one of two fields with a law is none for both. Rule law has 0 for both where neither has one.
func (t *tuning) pairRules(g *group) map[string][2]float64 {
	var of [2]map[string]float64
	lawless := [2]bool{}
	for f, over := range t.options.Over {
		l := law(&g.example, over)
		of[f], lawless[f] = rules(&g.example, over, l), l == nil
	}
	out := map[string][2]float64{}
	for f := range of {
		for name, exponent := range of[f] {
			other, ok := of[1-f][name]
			if !ok && !lawless[1-f] {
				continue
			}
			pair := [2]float64{}
			pair[f], pair[1-f] = exponent, other
			out[name] = pair
		}
	}
	return out
}

// fitPlane makes the answer of a group from all its runs.
func (t *tuning) fitPlane(i int) {
	g := t.groups[i]
	like := t.newResult(g, 0)
	g.plane = analyze.TunePlane{
		Data: like.Data, Method: like.Method, Alpha: like.Alpha, Settings: like.Settings, Over: [2]string(t.options.Over), Measure: like.Measure,
		Regret: []analyze.TunePlaneRegret{},
	}
	for _, hash := range t.hashes(i) {
		r, second := t.trained[hash], t.second[hash]
		g.plane.Runs = append(g.plane.Runs, analyze.TunePlaneRun{
			TuneRun: r, Fields: [2]float64{r.Field, second[0]}, Values: [2]float64{r.Value, second[1]},
		})
		g.plane.Steps += float64(r.Iterations)
	}
	g.plane.Fit(t.options.Precision)
	for _, depth := range t.base.Depths {
		g.plane.GridSteps += t.planeGridSteps(i, depth)
	}
}

// mostGrid is up to how many pairs planeGridSteps looks at all; of a larger grid it takes every second (fourth, …) value of
// both fields for its neighbours.
const mostGrid = 100_000

// planeGridSteps is gridSteps for two fields: the iterations of a grid over the rectangle that all depths have tried.
func (t *tuning) planeGridSteps(i, depth int) float64 {
	low, high := cell{math.MaxInt, math.MaxInt}, cell{math.MinInt, math.MinInt}
	for _, s := range t.groups[i].planes {
		for c := range s.value {
			for f := range c {
				low[f], high[f] = min(low[f], c[f]), max(high[f], c[f])
			}
		}
	}
	cells := t.groups[i].planes[depth].cells()
	if len(cells) == 0 {
		return 0
	}
	cost := map[cell]float64{}
	for _, c := range cells {
		for _, run := range t.runs[point{i, depth, c}] {
			cost[c] += float64(t.trained[run.Hash].Iterations)
		}
	}
	total, step := 0.0, 1
	for ((high[0]-low[0])/step+1)*((high[1]-low[1])/step+1) > mostGrid {
		step *= 2
	}
	for a := low[0]; a <= high[0]; a += step {
		for b := low[1]; b <= high[1]; b += step {
			nearest := slices.MinFunc(cells, func(c, d cell) int {
				return max(abs(c[0]-a), abs(c[1]-b)) - max(abs(d[0]-a), abs(d[1]-b))
			})
			total += cost[nearest] * float64(step*step)
		}
	}
	return total
}

// planeAnswer collects the groups, one for each field, and their planes. Depths without a minimum are an error that wraps
// ErrNoMinimum.
func (t *tuning) planeAnswer() (*analyze.Tune, error) {
	out := &analyze.Tune{Study: t.base.Name, Precision: t.options.Precision, Groups: []analyze.TuneGroup{}}
	var faults []error
	for i, g := range t.groups {
		for f, over := range t.options.Over {
			result := t.newResult(g, f)
			without, lost := map[int]bool{}, map[int]bool{} // depths without a minimum, and those of which that is a fault
			for _, depth := range t.base.Depths {
				reason, fault := t.planeEnd(i, depth, f)
				if without[depth], lost[depth] = reason != "", fault; reason != "" {
					result.Notes = append(result.Notes, fmt.Sprintf("depth %d: %s", depth, reason))
				}
				if fault {
					faults = append(faults, fmt.Errorf("tune: %s, depth %d: %w of %s over %s: %s; %s", describe(g), depth, ErrNoMinimum, t.measure.name, over, reason, t.advice(g.planes[depth].line(axes[f]))))
				}
			}
			result.TakePlane(&g.plane, f, without, lost)
			out.Groups = append(out.Groups, result)
		}
		out.Planes = append(out.Planes, g.plane)
	}
	return out, errors.Join(faults...)
}

// planeEnd says in words why a field has no best value inside of what was tried at a depth, "" where it has one. It is no fault
// where the measure hardly changes from the best on: then the other field has its best all the same.
func (t *tuning) planeEnd(i, depth, f int) (reason string, fault bool) {
	s := t.groups[i].planes[depth]
	best, line := s.best(), s.line(axes[f])
	reason = line.end(func(k int) float64 { return t.valuesAt(i, depth, best.plus(k, axes[f]))[f] })
	switch {
	case math.IsInf(s.value[best], 1) || s.hopeless():
		return reason, true
	case reason == "" && s.gaveUp:
		return fmt.Sprintf("the search gave up after %d pairs", len(s.value)), true
	case reason == "":
		return "", false
	case line.flat():
		return reason, false
	}
	for _, side := range []int{-1, 1} {
		if line.isEnd(line.best(), side) && line.level(side) {
			return reason + "; it hardly changes beyond", false
		}
	}
	return reason, true
}
