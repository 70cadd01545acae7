package report

import (
	"slices"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// collect returns the groups of a study with all that figures and page show of them. Runs
// that the result does not hold are added.
func collect(study *analyze.Folder) []group {
	all := *study.Result
	all.Runs = slices.Concat(all.Runs, study.Others)
	groups := newGroups(&all)
	for i := range groups {
		g := &groups[i]
		for j := range g.runs {
			if d := study.Details[g.runs[j].ID]; d != nil {
				g.runs[j].take(d)
				for _, note := range d.Missing {
					g.unread(note)
				}
			}
		}
		set := study.Paths[g.Group.Group]
		for _, s := range set.Samples {
			g.paths = append(g.paths, newPathCurve(s))
		}
		for _, note := range set.Missing {
			g.unread(note)
		}
	}
	for i := range study.Tunes {
		t, drawn := &study.Tunes[i], false
		for j := range groups {
			g := &groups[j]
			if !t.Holds(g.Data, g.Settings) {
				continue
			}
			g.searched = study.Searched
			switch {
			case drawn:
			case g.tune == nil:
				g.tune, drawn = t, true
			case t.With != "":
				g.second, drawn = t, true
			}
		}
	}
	if c := study.Result.Coordinates; c != nil {
		for _, q := range c.Quantities {
			if j := slices.IndexFunc(groups, func(g group) bool { return g.Group.Group == q.Group }); j >= 0 {
				groups[j].changes = append(groups[j].changes, q)
			}
		}
	}
	for i := range study.Planes {
		p := &study.Planes[i]
		if j := slices.IndexFunc(groups, func(g group) bool { return p.Holds(g.Data, g.Settings) }); j >= 0 {
			groups[j].plane = p
		}
	}
	return groups
}

// take fills in what the folder of the run holds.
func (r *run) take(d *analyze.Detail) {
	r.meta, r.proof, r.state, r.reason = d.Meta, d.Proof, d.State, d.Reason
	r.iteration, r.loss = d.Loss.Iterations, d.Loss.Values
	r.seconds, r.accuracy, r.variation = d.Seconds, seriesOf(d.Accuracy), seriesOf(d.Variation)
}
