package analyze

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/deeplimit/deeplimit/scaling"
)

// TunePlane is the answer for two fields that are tuned at a time.
type TunePlane struct {
	Data     string            `json:"data"`
	Method   string            `json:"method"`
	Alpha    *float64          `json:"alpha"`
	Settings map[string]string `json:"settings,omitempty"`
	Over     [2]string         `json:"over"`
	Measure  string            `json:"measure"`

	Best    []TunePlaneBest   `json:"best"` // by depth
	Regret  []TunePlaneRegret `json:"regret"`
	Verdict string            `json:"verdict"`

	Steps     float64        `json:"steps"`
	GridSteps float64        `json:"grid_steps"`
	Runs      []TunePlaneRun `json:"runs"` // by depth, values, seed
	Notes     []string       `json:"notes,omitempty"`
}

// TunePlaneBest is the best pair tried at one depth. Arrays have a number for each field.
type TunePlaneBest struct {
	Depth  int         `json:"depth"`
	Values [2]float64  `json:"values"` // as training uses them
	Fields [2]float64  `json:"fields"` // as the study file takes them
	Low    [2]*float64 `json:"low"`    // the 95 % interval of each, whatever the other one is (scaling.FitPlane)
	High   [2]*float64 `json:"high"`
	Lowest float64     `json:"lowest"`
	Seeds  int         `json:"seeds"`
	// Valley says what alone counts near the best: product or ratio of the two; "" where both count.
	Valley string `json:"valley"`
	// ValleyLow and ValleyHigh are the values of the first field along it whose measure is at most a tenth above the least.
	ValleyLow  *float64 `json:"valley_low,omitempty"`
	ValleyHigh *float64 `json:"valley_high,omitempty"`
}

// TunePlaneRegret is what is lost by a pair that is moved from another depth by a rule.
type TunePlaneRegret struct {
	TuneRegret
	Exponents [2]float64 `json:"exponents"`
	Pair      [2]float64 `json:"pair"` // tried there, nearest to the moved one
}

// TunePlaneRun is one training.
type TunePlaneRun struct {
	TuneRun
	Fields [2]float64 `json:"fields"`
	Values [2]float64 `json:"values"`
}

// Fit finds the best pair of every depth. Precision is the factor between neighbouring values.
func (p *TunePlane) Fit(precision float64) {
	slices.SortStableFunc(p.Runs, func(a, b TunePlaneRun) int {
		return cmp.Or(cmp.Compare(a.Depth, b.Depth), cmp.Compare(a.Values[0], b.Values[0]), cmp.Compare(a.Values[1], b.Values[1]), cmp.Compare(a.Seed, b.Seed))
	})
	trials := map[int][]scaling.PlaneTrial{}
	for i := range p.Runs {
		r := &p.Runs[i]
		t := scaling.PlaneTrial{Depth: r.Depth, Seed: r.Seed, Settings: r.Values, Measure: math.Inf(1)}
		if r.Measure != nil {
			t.Measure = *r.Measure
		}
		trials[r.Depth] = append(trials[r.Depth], t)
	}
	p.Best, p.Notes = []TunePlaneBest{}, nil
	for _, depth := range depthsOf(trials) {
		fitted, err := scaling.FitPlane(trials[depth], precision)
		if err != nil {
			p.Notes = append(p.Notes, err.Error())
			continue
		}
		b := TunePlaneBest{
			Depth: depth, Values: fitted.Tried, Fields: fitted.Tried, Lowest: fitted.Measure, Seeds: fitted.Seeds, Valley: fitted.Valley(),
		}
		for f := range b.Low {
			b.Low[f], b.High[f] = finite(fitted.Low[f]), finite(fitted.High[f])
		}
		if i := slices.IndexFunc(p.Runs, func(r TunePlaneRun) bool { return r.Depth == depth && r.Values == b.Values }); i >= 0 {
			b.Fields = p.Runs[i].Fields
		}
		along := map[string]scaling.Range{scaling.ValleyProduct: fitted.Product, scaling.ValleyRatio: fitted.Ratio}
		if v, ok := along[b.Valley]; ok {
			b.ValleyLow, b.ValleyHigh = &v.Low, &v.High
			p.Notes = append(p.Notes, fmt.Sprintf("depth %d: near the best only the %s of %s and %s counts: along it the measure stays within a tenth for %s from %.3g to %.3g",
				depth, b.Valley, p.Over[0], p.Over[1], p.Over[0], v.Low, v.High))
		}
		for f, r := range fitted.Near {
			if r.High/r.Low >= hardlyMatters {
				p.Notes = append(p.Notes, fmt.Sprintf("depth %d: %s hardly counts: the measure stays within a tenth from %.3g to %.3g", depth, p.Over[f], r.Low, r.High))
			}
		}
		p.Best = append(p.Best, b)
	}
}

// hardlyMatters is the factor between values within a tenth of the least measure from which a field hardly counts.
const hardlyMatters = 25

func (p *TunePlane) bestAt(depth int) *TunePlaneBest {
	i := slices.IndexFunc(p.Best, func(b TunePlaneBest) bool { return b.Depth == depth })
	if i < 0 {
		return nil
	}
	return &p.Best[i]
}

// A TunePlanePoint is the geometric mean over seeds of the measure at a pair, +Inf where one diverged.
type TunePlanePoint struct {
	Values  [2]float64
	Measure float64
}

// Points returns the pairs tried at a depth, by value.
func (p *TunePlane) Points(depth int) []TunePlanePoint {
	var out []TunePlanePoint
	for from, to := 0, 0; from < len(p.Runs); from = to {
		sum := 0.0
		for to = from; to < len(p.Runs) && p.Runs[to].Depth == p.Runs[from].Depth && p.Runs[to].Values == p.Runs[from].Values; to++ {
			sum += p.Runs[to].LogMeasure()
		}
		if p.Runs[from].Depth == depth {
			out = append(out, TunePlanePoint{p.Runs[from].Values, math.Exp(sum / float64(to-from))})
		}
	}
	return out
}

// Chosen returns the best pair of a depth, and those that its seeds choose for one another.
func (p *TunePlane) Chosen(depth int) [][2]float64 {
	best := p.bestAt(depth)
	if best == nil {
		return nil
	}
	pairs := [][2]float64{best.Values}
	for _, seed := range p.seeds(depth) {
		if c := p.chosen(depth, seed); !slices.Contains(pairs, c) {
			pairs = append(pairs, c)
		}
	}
	return pairs
}

func (p *TunePlane) seeds(depth int) []uint64 {
	var out []uint64
	for i := range p.Runs {
		if r := &p.Runs[i]; r.Depth == depth && !slices.Contains(out, r.Seed) {
			out = append(out, r.Seed)
		}
	}
	slices.Sort(out)
	return out
}

// chosen returns the pair tried at a depth whose mean measure over the other seeds is least; with one seed, its own.
func (p *TunePlane) chosen(depth int, without uint64) [2]float64 {
	seeds := len(p.seeds(depth))
	sums, counts := map[[2]float64]float64{}, map[[2]float64]int{}
	var order [][2]float64
	for i := range p.Runs {
		r := &p.Runs[i]
		if r.Depth != depth || r.Seed == without && seeds > 1 {
			continue
		}
		if counts[r.Values] == 0 {
			order = append(order, r.Values)
		}
		counts[r.Values]++
		sums[r.Values] += r.LogMeasure()
	}
	best, least := [2]float64{math.NaN(), math.NaN()}, math.Inf(1)
	for _, v := range order {
		if counts[v] >= max(1, seeds-1) && sums[v] < least {
			best, least = v, sums[v]
		}
	}
	return best
}

// nearest returns the pair tried at a depth that is nearest to values, in their logarithms.
func (p *TunePlane) nearest(depth int, values [2]float64) [2]float64 {
	best, distance := values, math.Inf(1)
	for i := range p.Runs {
		r := &p.Runs[i]
		d := math.Hypot(math.Log(r.Values[0]/values[0]), math.Log(r.Values[1]/values[1]))
		if r.Depth == depth && d < distance {
			best, distance = r.Values, d
		}
	}
	return best
}

// of returns the run of a depth, seed and pair, nil for none.
func (p *TunePlane) of(depth int, seed uint64, values [2]float64) *TuneRun {
	for i := range p.Runs {
		if r := &p.Runs[i]; r.Depth == depth && r.Seed == seed && r.Values == values {
			return &r.TuneRun
		}
	}
	return nil
}

// AddRegret adds what is lost at depth to by the pairs that a rule makes of the best at depth from, each chosen for a seed by
// the others as those of TuneGroup.AddRegret.
func (p *TunePlane) AddRegret(rule string, exponents [2]float64, from, to int) {
	source, target := p.bestAt(from), p.bestAt(to)
	if source == nil || target == nil {
		return
	}
	move := func(values [2]float64) [2]float64 {
		for f := range values {
			values[f] *= math.Pow(float64(to)/float64(from), exponents[f])
		}
		return p.nearest(to, values)
	}
	r := TunePlaneRegret{TuneRegret: TuneRegret{Rule: rule, From: from, To: to, Exponent: exponents[0]}, Exponents: exponents, Pair: move(source.Values)}
	r.Tried = r.Pair[0]
	r.weigh(p.seeds(to), func(seed uint64) (moved, best *TuneRun) {
		return p.of(to, seed, move(p.chosen(from, seed))), p.of(to, seed, p.chosen(to, seed))
	})
	p.Regret = append(p.Regret, r)
}

// Judge sets the verdict from the regret of moving both by the law, or of rule constant, at the deepest.
func (p *TunePlane) Judge() {
	p.Verdict = CannotTell
	for _, rule := range []string{"constant", "law"} { // the law where there is one
		deepest := 0
		for i := range p.Regret {
			if r := &p.Regret[i]; r.Rule == rule && r.To > deepest {
				deepest, p.Verdict = r.To, r.Verdict
			}
		}
	}
}

// TakePlane makes the answer for field f of a plane: the section through the best pair of each depth, with the interval, regret and
// verdict of the plane. A depth that is lost has no best value. Without two depths that have a minimum over the field there is no
// exponent.
func (g *TuneGroup) TakePlane(p *TunePlane, f int, without, lost map[int]bool) {
	notes := g.Notes
	for i := range p.Runs {
		r := p.Runs[i].TuneRun
		if b := p.bestAt(r.Depth); b != nil && p.Runs[i].Values[1-f] == b.Values[1-f] {
			r.Field, r.Value = p.Runs[i].Fields[f], p.Runs[i].Values[f]
			g.Runs = append(g.Runs, r)
		}
	}
	g.Notes = nil
	g.Fit()
	g.Notes = append(notes, g.Notes...)
	g.Best = slices.DeleteFunc(g.Best, func(b TuneBest) bool { return lost[b.Depth] })
	minima := 0
	for _, b := range g.Best {
		if !without[b.Depth] {
			minima++
		}
	}
	if minima < 2 {
		g.NoExponent()
	}
	g.Budget = []TuneBudget{}
	for i := range g.Best {
		b := &g.Best[i]
		if plane := p.bestAt(b.Depth); plane != nil {
			b.Low, b.High = plane.Low[f], plane.High[f]
		}
	}
	for i := range p.Regret {
		r := p.Regret[i].TuneRegret
		r.Exponent, r.Tried = p.Regret[i].Exponents[f], p.Regret[i].Pair[f]
		g.Regret = append(g.Regret, r)
	}
	g.Verdict, g.Steps, g.GridSteps = p.Verdict, p.Steps, p.GridSteps
	g.apartNote()
}

// Holds is as that of TuneGroup.
func (p *TunePlane) Holds(data string, settings map[string]string) bool {
	g := TuneGroup{Data: p.Data, Settings: p.Settings, Over: p.Over[0], With: p.Over[1]}
	return g.Holds(data, settings)
}

// Label names the plane as TuneGroup.Label does a group.
func (p *TunePlane) Label() string { return trainingLabel(p.Data, p.Method, p.Alpha, p.Settings) }
