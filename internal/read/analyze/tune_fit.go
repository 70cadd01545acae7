package analyze

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/scaling"
)

// trials returns the runs with a measure of each, nil where it diverged.
func (g *TuneGroup) trials(measure func(*TuneRun) *float64) []scaling.Trial {
	var out []scaling.Trial
	for i := range g.Runs {
		r := &g.Runs[i]
		t := scaling.Trial{Depth: r.Depth, Seed: r.Seed, Setting: r.Value, Measure: math.Inf(1)}
		if m := measure(r); m != nil {
			t.Measure = *m
		}
		out = append(out, t)
	}
	return out
}

func depthsOf[V any](m map[int]V) []int { return slices.Sorted(maps.Keys(m)) }

// budgets are the parts of the longest training at whose end the best value is told, too.
var budgets = []int{16, 8, 4, 2}

// leastBudget is the fewest iterations of a budget.
const leastBudget = 4

// budget fits the best value at the ends of shorter trainings. Values lie close together only about the best of
// the whole training, which the intervals show.
func (g *TuneGroup) budget() {
	longest := 0
	for i := range g.Runs {
		longest = max(longest, g.Runs[i].Iterations)
	}
	for _, part := range budgets {
		iterations := longest / part
		if iterations < leastBudget {
			continue
		}
		bowls, _ := scaling.BowlsByDepth(g.trials(func(r *TuneRun) *float64 { return r.lossAt(iterations) }))
		for _, b := range bowls {
			if b.End != "" {
				continue
			}
			g.Budget = append(g.Budget, TuneBudget{
				Depth: b.Depth, Iterations: iterations, LayerIterations: float64(iterations) * float64(b.Depth),
				Value: b.Setting, Low: finite(b.Low), High: finite(b.High),
			})
		}
	}
	for _, b := range g.Best {
		if len(g.Budget) > 0 && b.End == "" && g.Measure == "loss" {
			g.Budget = append(g.Budget, TuneBudget{
				Depth: b.Depth, Iterations: longest, LayerIterations: float64(longest) * float64(b.Depth), Value: b.Value, Low: b.Low, High: b.High,
			})
		}
	}
}

// lossAt returns the loss at the last recorded iteration up to a number, nil where training diverged before.
func (r *TuneRun) lossAt(iteration int) *float64 {
	var at *float64
	for i := range r.Losses {
		if l := &r.Losses[i]; l.Iteration <= iteration && !math.IsNaN(l.Loss) && !math.IsInf(l.Loss, 0) {
			at = &l.Loss
		}
	}
	if len(r.Losses) == 0 || r.Measure == nil && r.Iterations <= iteration {
		return nil
	}
	return at
}

// AddRegret adds what is lost at depth to by the values that a rule makes of the best at depth from. The best at
// either depth is chosen, for each seed, by the other seeds: chosen by the same ones, the lowest of noisy values would
// always be missed.
func (g *TuneGroup) AddRegret(rule string, exponent float64, from, to int) {
	source, target := g.bestAt(from), g.bestAt(to)
	if source == nil || target == nil {
		return
	}
	factor := math.Pow(float64(to)/float64(from), exponent)
	r := TuneRegret{Rule: rule, From: from, To: to, Exponent: exponent, Tried: g.nearest(to, source.Tried*factor)}
	r.weigh(g.seeds(to), func(seed uint64) (moved, best *TuneRun) {
		return g.run(to, seed, g.nearest(to, g.chosen(from, seed)*factor)), g.run(to, seed, g.chosen(to, seed))
	})
	g.Regret = append(g.Regret, r)
}

// weigh counts and judges what the seeds lose by their moved run in place of their best one; one that lacks either is left out.
func (r *TuneRegret) weigh(seeds []uint64, of func(seed uint64) (moved, best *TuneRun)) {
	var losses []float64
	for _, seed := range seeds {
		switch moved, best := of(seed); {
		case moved == nil || best == nil || best.Measure == nil:
		case moved.Measure == nil:
			r.Diverged++
		default:
			losses = append(losses, moved.LogMeasure()-best.LogMeasure())
		}
	}
	r.judge(losses)
}

// LogMeasure returns log Measure as scaling.FitBowl takes it, +Inf where training diverged.
func (r *TuneRun) LogMeasure() float64 {
	if r.Measure == nil {
		return math.Inf(1)
	}
	return scaling.LogMeasure(*r.Measure)
}

// judge sets value, interval and verdict from log J(moved)/J(best) of every seed.
func (r *TuneRegret) judge(losses []float64) {
	r.Verdict = CannotTell
	if r.Diverged > 0 {
		r.Verdict = DoesNot
		return
	}
	if len(losses) == 0 {
		return
	}
	mean, half := scaling.MeanInterval(losses, 0.95)
	r.Value = finite(math.Expm1(mean))
	if len(losses) > 1 {
		r.Low, r.High = finite(math.Expm1(mean-half)), finite(math.Expm1(mean+half))
	}
	switch {
	case r.High != nil && *r.High <= mostRegret:
		r.Verdict = Transfers
	case r.Low != nil && *r.Low > mostRegret:
		r.Verdict = DoesNot
	}
}

// Moved returns the values that a rule makes at depth to of those that seeds choose at depth from, ascending; none where
// either depth has no best.
func (g *TuneGroup) Moved(exponent float64, from, to int) []float64 {
	source := g.bestAt(from)
	if source == nil || g.bestAt(to) == nil {
		return nil
	}
	factor := math.Pow(float64(to)/float64(from), exponent)
	values := []float64{source.Tried * factor}
	for _, seed := range g.seeds(from) {
		values = append(values, g.chosen(from, seed)*factor)
	}
	slices.Sort(values)
	return slices.Compact(values)
}

// chosen returns the value tried at a depth whose mean measure over the other seeds is least; with one seed, its own.
func (g *TuneGroup) chosen(depth int, without uint64) float64 {
	seeds := g.seeds(depth)
	sums, counts := map[float64]float64{}, map[float64]int{}
	for i := range g.Runs {
		r := &g.Runs[i]
		if r.Depth != depth || r.Seed == without && len(seeds) > 1 {
			continue
		}
		counts[r.Value]++
		sums[r.Value] += r.LogMeasure()
	}
	best, least := math.NaN(), math.Inf(1)
	for _, value := range slices.Sorted(maps.Keys(sums)) {
		if counts[value] >= max(1, len(seeds)-1) && sums[value] < least {
			best, least = value, sums[value]
		}
	}
	return best
}

// seeds returns the seeds of a depth.
func (g *TuneGroup) seeds(depth int) []uint64 {
	found := map[uint64]bool{}
	for i := range g.Runs {
		if r := &g.Runs[i]; r.Depth == depth {
			found[r.Seed] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

func (g *TuneGroup) bestAt(depth int) *TuneBest {
	i := slices.IndexFunc(g.Best, func(b TuneBest) bool { return b.Depth == depth })
	if i < 0 {
		return nil
	}
	return &g.Best[i]
}

// nearest returns the value tried at a depth that is nearest to value, in their logarithms.
func (g *TuneGroup) nearest(depth int, value float64) float64 {
	best, distance := math.NaN(), math.Inf(1)
	for i := range g.Runs {
		r := &g.Runs[i]
		if d := math.Abs(math.Log(r.Value / value)); r.Depth == depth && d < distance {
			best, distance = r.Value, d
		}
	}
	return best
}

// run returns that of a depth, seed and value, nil for none.
func (g *TuneGroup) run(depth int, seed uint64, value float64) *TuneRun {
	for i := range g.Runs {
		if r := &g.Runs[i]; r.Depth == depth && r.Seed == seed && r.Value == value {
			return r
		}
	}
	return nil
}

// Judge sets the verdict of the group from the regret of the law, or of rule constant, at the deepest.
func (g *TuneGroup) Judge() {
	g.Verdict = CannotTell
	rule := "constant"
	if g.Law != nil {
		rule = "law"
	}
	deepest := 0
	for _, r := range g.Regret {
		if r.Rule == rule && r.To > deepest {
			deepest, g.Verdict = r.To, r.Verdict
		}
	}
	g.apartNote()
}

// apartNote adds a note where the flanks of the curves move differently.
func (g *TuneGroup) apartNote() {
	if g.Apart {
		g.Notes = append(g.Notes, fmt.Sprintf("the flanks of the curves move differently: the left one with exponent %s, the right one with %s", g.Left, g.Right))
	}
}

// Label names the group: data, method, α and what else the study varies.
func (g *TuneGroup) Label() string { return trainingLabel(g.Data, g.Method, g.Alpha, g.Settings) }

// trainingLabel names runs by data, method, α where it is not nil, and what else the study varies.
func trainingLabel(data, method string, alpha *float64, settings map[string]string) string {
	label := data + ", " + method
	if alpha != nil {
		label += fmt.Sprintf(", α = %g", *alpha)
	}
	for _, path := range slices.Sorted(maps.Keys(settings)) {
		if path != "network.alpha" && path != "train.method" {
			label += ", " + path[strings.LastIndexByte(path, '.')+1:] + " " + settings[path]
		}
	}
	return label
}

// Depths returns those of the runs, ascending.
func (g *TuneGroup) Depths() []int {
	found := map[int]bool{}
	for i := range g.Runs {
		found[g.Runs[i].Depth] = true
	}
	return depthsOf(found)
}

// A TunePoint is the geometric mean over seeds of the measure at a value.
type TunePoint struct{ Value, Measure float64 }

// Curve returns the points of a depth at which no seed diverged, by value.
func (g *TuneGroup) Curve(depth int) []TunePoint {
	sums, counts := map[float64]float64{}, map[float64]float64{}
	for i := range g.Runs {
		r := &g.Runs[i]
		if r.Depth != depth {
			continue
		}
		counts[r.Value]++
		sums[r.Value] += r.LogMeasure()
	}
	var out []TunePoint
	for _, v := range slices.Sorted(maps.Keys(sums)) {
		if mean := sums[v] / counts[v]; !math.IsInf(mean, 1) {
			out = append(out, TunePoint{v, math.Exp(mean)})
		}
	}
	return out
}
