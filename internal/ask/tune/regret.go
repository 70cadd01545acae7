package tune

import (
	"context"
	"maps"
	"slices"
	"sync"
)

// fitMoved fits every group and returns the points to which rules move the best of one depth, where none close by was tried. A
// search that is told one that is better than its best goes on.
func (t *tuning) fitMoved() []point {
	fit, moved := t.fitBest, t.moved
	if t.pairs() {
		fit, moved = t.fitPlane, t.movedPairs
	}
	var wanted []point
	for i, g := range t.groups {
		fit(i)
		for _, p := range moved(i) {
			if t.near(p) || slices.Contains(wanted, p) {
				continue
			}
			if wanted = append(wanted, p); !t.pairs() {
				g.depths[p.depth].again()
			}
		}
	}
	slices.SortFunc(wanted, comparePoints)
	return wanted
}

// regrets tries what is left of moved values, fits every group and judges what they lose.
func (t *tuning) regrets(ctx context.Context) error {
	if err := t.train(ctx, t.fitMoved()); err != nil {
		return err
	}
	fit, judge := t.fit, t.judge
	if t.pairs() {
		fit, judge = t.fitPlane, t.judgePlane
	}
	var fits sync.WaitGroup
	for i := range t.groups {
		fits.Go(func() {
			fit(i)
			judge(i)
		})
	}
	fits.Wait()
	return nil
}

// moved returns the points to which rules move the best values at one depth of a group.
func (t *tuning) moved(i int) []point {
	var out []point
	g := t.groups[i]
	for _, exponent := range rules(&g.example, t.options.Over[0], g.result.Law) {
		for _, to := range t.base.Depths {
			for _, v := range g.result.Moved(exponent, t.options.From, to) {
				out = append(out, point{i, to, cell{g.lattices[0].nearest(v / t.ratio(i, to, 0))}})
			}
		}
	}
	return out
}

// judge says what moved values lose in a group.
func (t *tuning) judge(i int) {
	g := t.groups[i]
	addRegrets(t, rules(&g.example, t.options.Over[0], g.result.Law), g.result.AddRegret)
	g.result.Judge()
}

// movedPairs is moved for two fields.
func (t *tuning) movedPairs(i int) []point {
	var out []point
	g := t.groups[i]
	for _, exponents := range t.pairRules(g) {
		for _, to := range t.base.Depths {
			for _, values := range g.plane.Chosen(t.options.From) {
				if !t.lost(i, to) {
					out = append(out, point{i, to, t.cellOf(i, t.options.From, to, values, exponents)})
				}
			}
		}
	}
	return out
}

// judgePlane is judge for two fields.
func (t *tuning) judgePlane(i int) {
	g := t.groups[i]
	addRegrets(t, t.pairRules(g), g.plane.AddRegret)
	g.plane.Judge()
}

// addRegrets calls add with every rule, by name, and every depth but the one that values are moved from.
func addRegrets[E any](t *tuning, rules map[string]E, add func(rule string, exponents E, from, to int)) {
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		for _, to := range t.base.Depths {
			if to != t.options.From {
				add(rule, rules[rule], t.options.From, to)
			}
		}
	}
}

// near reports whether a value was tried within the precision of one at a depth.
func (t *tuning) near(p point) bool {
	for a := -1; a <= 1; a++ {
		for b := -1; b <= 1; b++ {
			if len(t.runs[point{p.group, p.depth, cell{p.at[0] + a, p.at[1] + b}}]) > 0 {
				return true
			}
		}
	}
	return false
}
