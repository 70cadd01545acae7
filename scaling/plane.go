package scaling

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// A PlaneTrial is what training gave with values of two settings.
type PlaneTrial struct {
	Depth    int
	Seed     uint64
	Settings [2]float64 // positive
	Measure  float64    // as that of a Trial
}

// A Plane is the best pair of settings at one depth: where the mean over seeds of log Measure is least of all tried.
type Plane struct {
	Depth   int
	Tried   [2]float64
	Measure float64 // geometric mean over seeds there
	Seeds   int
	// Low and High are the 95 % interval of each setting, whatever the other one is. Low is NaN and High +Inf where the interval
	// holds all that was tried on that side; both are NaN with one seed.
	Low, High [2]float64
	// Near are the values of each setting, the other one as in Tried, whose mean measure is at most a tenth above the least.
	Near [2]Range
	// Product and Ratio are those of the first setting where the other one changes with it so that the product, or the
	// ratio, of the two stays that of Tried.
	Product, Ratio Range
}

// A Range is what lies from Low to High.
type Range struct{ Low, High float64 }

func (r Range) width() float64 { return math.Log(r.High / r.Low) }

// The valleys that a Plane may have.
const (
	ValleyProduct = "product"
	ValleyRatio   = "ratio"
)

// Valley names the one of the two numbers, product and ratio of the settings, that alone counts near the best: along the line on
// which it stays, the measure is within a tenth over a factor 5 or more, and over three times as much, in logarithms, as along
// either axis. It is "" where there is none.
func (p *Plane) Valley() string {
	across := 3 * max(p.Near[0].width(), p.Near[1].width())
	for _, v := range []struct {
		name string
		of   Range
	}{{ValleyProduct, p.Product}, {ValleyRatio, p.Ratio}} {
		if w := v.of.width(); w >= math.Log(5) && w >= across {
			return v.name
		}
	}
	return ""
}

// FitPlane returns the best pair of settings among trials of one depth, whose settings are powers of factor times those of the
// first trial, but for rounding.
//
// It takes the pairs that every seed has. One at which any seed diverged counts as worse than all others. A pair is
// rejected if its mean over seeds is above that of any pair in the rectangle between it and the best, by a paired t test,
// one-sided at 97.5 %. The interval of a setting holds its values of all pairs that are not rejected, and reaches to the
// next value tried on the line from the best through the outermost one, where that is an axis or a diagonal, else in the row of
// either. It is an error if every pair diverged for some seed.
func FitPlane(trials []PlaneTrial, factor float64) (Plane, error) {
	g, err := newPlaneGrid(trials, factor)
	if err != nil {
		return Plane{}, fmt.Errorf("scaling: plane: %w", err)
	}
	best := g.cells[g.best]
	p := Plane{Depth: trials[0].Depth, Tried: best.settings, Measure: math.Exp(best.mean), Seeds: len(best.y)}
	for f := range 2 {
		p.Low[f], p.High[f] = math.NaN(), math.NaN()
		if len(best.y) > 1 {
			p.Low[f], p.High[f] = g.interval(f)
		}
		d := point2{}
		d[f] = 1
		p.Near[f] = g.near(d, f)
	}
	p.Product, p.Ratio = g.near(point2{1, -1}, 0), g.near(point2{1, 1}, 0)
	return p, nil
}

// A point2 is a pair of powers of the factor.
type point2 [2]int

// A planeCell is what was tried at a pair of settings.
type planeCell struct {
	settings [2]float64
	y        []float64 // log Measure of every seed
	mean     float64   // +Inf where a seed diverged
	rejected bool
}

type planeGrid struct {
	cells map[point2]*planeCell
	order []point2
	best  point2
}

func newPlaneGrid(trials []PlaneTrial, factor float64) (*planeGrid, error) {
	if len(trials) == 0 {
		return nil, errors.New("got no trials")
	}
	if !(factor > 1) {
		return nil, fmt.Errorf("factor: got %v, want one above 1", factor)
	}
	seeds := map[uint64]bool{}
	bySeed := map[point2]map[uint64]float64{}
	g := &planeGrid{cells: map[point2]*planeCell{}}
	for _, t := range trials {
		if t.Depth != trials[0].Depth {
			return nil, fmt.Errorf("got depths %d and %d, want one", trials[0].Depth, t.Depth)
		}
		var at point2
		for f, v := range t.Settings {
			if !(v > 0) || math.IsInf(v, 1) || t.Measure < 0 {
				return nil, fmt.Errorf("depth %d, seed %d: got measure %v at settings %v, want positive numbers", t.Depth, t.Seed, t.Measure, t.Settings)
			}
			at[f] = int(math.Round(math.Log(v/trials[0].Settings[f]) / math.Log(factor)))
		}
		if bySeed[at] == nil {
			bySeed[at] = map[uint64]float64{}
			g.cells[at] = &planeCell{settings: t.Settings}
		}
		if _, ok := bySeed[at][t.Seed]; ok {
			return nil, fmt.Errorf("depth %d, seed %d: got two trials of settings %v, want one", t.Depth, t.Seed, t.Settings)
		}
		bySeed[at][t.Seed] = t.Measure
		seeds[t.Seed] = true
	}
	g.fill(bySeed, slices.Sorted(maps.Keys(seeds)))
	if g.order == nil || math.IsInf(g.cells[g.best].mean, 1) {
		return nil, fmt.Errorf("depth %d: got no pair of settings at which every seed went, want one or more", trials[0].Depth)
	}
	for c, cell := range g.cells {
		cell.rejected = g.rejects(c)
	}
	return g, nil
}

// fill drops cells that some seed lacks, computes the means of the others, and finds the best.
func (g *planeGrid) fill(bySeed map[point2]map[uint64]float64, seeds []uint64) {
	for c, cell := range g.cells {
		if len(bySeed[c]) < len(seeds) {
			delete(g.cells, c)
			continue
		}
		for _, seed := range seeds {
			v := bySeed[c][seed]
			if math.IsNaN(v) || math.IsInf(v, 0) {
				v = math.Inf(1)
			} else {
				v = LogMeasure(v)
			}
			cell.y = append(cell.y, v)
		}
		if cell.mean = stat.Mean(cell.y, nil); math.IsNaN(cell.mean) {
			cell.mean = math.Inf(1)
		}
	}
	g.order = slices.SortedFunc(maps.Keys(g.cells), func(a, b point2) int { return slices.Compare(a[:], b[:]) })
	for i, c := range g.order {
		if i == 0 || g.cells[c].mean < g.cells[g.best].mean {
			g.best = c
		}
	}
}

// rejects reports whether a cell is above any in the rectangle between it and the best.
func (g *planeGrid) rejects(c point2) bool {
	within := func(o point2) bool {
		for f := range o {
			if o[f] < min(c[f], g.best[f]) || o[f] > max(c[f], g.best[f]) {
				return false
			}
		}
		return o != c
	}
	for o, cell := range g.cells {
		if within(o) && !math.IsInf(cell.mean, 1) && Above(g.cells[c].y, cell.y) {
			return true
		}
	}
	return false
}

// interval returns the ends for setting f.
func (g *planeGrid) interval(f int) (low, high float64) {
	low, high = math.NaN(), math.Inf(1)
	if c, ok := g.end(f, -1); ok {
		low = g.cells[c].settings[f]
	}
	if c, ok := g.end(f, 1); ok {
		high = g.cells[c].settings[f]
	}
	return low, high
}

// end returns the cell that ends the interval of setting f on a side, false where it is open. Of several cells that are
// not rejected and as far out, one that is open decides, else the one that ends farthest.
func (g *planeGrid) end(f, sign int) (end point2, ok bool) {
	outer := g.best[f]
	for _, c := range g.order {
		if !g.cells[c].rejected && sign*c[f] > sign*outer {
			outer = c[f]
		}
	}
	for _, e := range g.order {
		if g.cells[e].rejected || e[f] != outer {
			continue
		}
		next, closed := g.beyond(e, f, sign)
		if !closed {
			return end, false
		}
		if !ok || sign*next[f] > sign*end[f] {
			end, ok = next, true
		}
	}
	return end, ok
}

// beyond returns the next cell outside of e on a side: on the line from the best through e where that is an axis or a
// diagonal, which are searched to their flanks; else in the row of e or of the best.
func (g *planeGrid) beyond(e point2, f, sign int) (next point2, ok bool) {
	to := point2{e[0] - g.best[0], e[1] - g.best[1]}
	line := to == (point2{}) || to[0] == 0 || to[1] == 0 || to[0] == to[1] || to[0] == -to[1]
	for _, c := range g.order {
		d := point2{c[0] - g.best[0], c[1] - g.best[1]}
		on := d[0]*to[1] == d[1]*to[0]
		if !line || to[f] == 0 {
			on = c[1-f] == e[1-f] || d[1-f] == 0
		}
		if sign*(c[f]-e[f]) > 0 && on && (!ok || sign*c[f] < sign*next[f]) {
			next, ok = c, true
		}
	}
	return next, ok
}

// near returns between which values of setting f the mean is at most a tenth above the least, along a direction from the best.
func (g *planeGrid) near(d point2, f int) Range {
	best := g.cells[g.best]
	ends := [2]float64{}
	for side, sign := range []int{-1, 1} {
		at, mean := math.Log(best.settings[f]), best.mean
		for _, c := range g.ray(point2{sign * d[0], sign * d[1]}) {
			x, y := math.Log(c.settings[f]), c.mean
			if !(y <= best.mean+nearly) {
				if !math.IsInf(y, 1) {
					at += (x - at) * (best.mean + nearly - mean) / (y - mean)
				}
				break
			}
			at, mean = x, y
		}
		ends[side] = math.Exp(at)
	}
	return Range{min(ends[0], ends[1]), max(ends[0], ends[1])}
}

// ray returns the cells from the best along d, the nearest first.
func (g *planeGrid) ray(d point2) []*planeCell {
	length := func(c point2) int { return (c[0]-g.best[0])*d[0] + (c[1]-g.best[1])*d[1] }
	var on []point2
	for _, c := range g.order {
		if (c[0]-g.best[0])*d[1] == (c[1]-g.best[1])*d[0] && length(c) > 0 {
			on = append(on, c)
		}
	}
	slices.SortFunc(on, func(a, b point2) int { return length(a) - length(b) })
	out := make([]*planeCell, len(on))
	for i, c := range on {
		out[i] = g.cells[c]
	}
	return out
}
