package analyze

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/runfolder"
)

// readPoints reads what a finished run says at the points of Options.At from the rows of its trace.
func (o *outcome) readPoints(rows []runfolder.Row, options Options) {
	for _, p := range options.At {
		run, why := atPoint(&o.run, o.meta(), rows, p, options)
		o.at = append(o.at, reached{run, why})
	}
}

// reached is a run at a point, or why it never gets there.
type reached struct {
	run *Run
	why string
}

// moments returns what the runs say at the points, whose groups are in the order of those at the end.
func (p *pass) moments(groups []Group) []Moment {
	var moments []Moment
	for i, point := range p.options.At {
		moment := Moment{At: point.String(), Point: point, Runs: []Run{}, Groups: []Group{}, Never: []Unreached{}}
		for _, end := range groups {
			at := slices.IndexFunc(p.groups, func(g *gathering) bool {
				return g.group != nil && g.group.Group == end.Group && g.group.Data == end.Data && g.group.Alpha == end.Alpha
			})
			runs, meta := p.groups[at].reach(i, &moment)
			if len(runs) == 0 {
				continue
			}
			moment.Runs = append(moment.Runs, runs...)
			moment.Groups = append(moment.Groups, momentGroup(*meta, runs))
		}
		moments = append(moments, moment)
	}
	return moments
}

// reach returns the runs of a group at the point of that index, and lists the others in moment.
func (g *gathering) reach(i int, moment *Moment) (runs []Run, meta *runfolder.Meta) {
	for _, o := range g.members {
		if o.err != nil {
			continue
		}
		if at := o.at[i]; at.run != nil {
			run := *at.run
			run.CopyOf = o.run.CopyOf
			runs, meta = append(runs, run), o.meta()
			continue
		}
		moment.Never = append(moment.Never, Unreached{o.run.ID, o.run.Group, o.at[i].why})
	}
	slices.SortStableFunc(runs, compareRuns)
	return runs, meta
}

// unrecorded is why a number is not known at a point.
const unrecorded = "no run has recorded it at this point, or next to it (train.record)"

// momentGroup is newGroup for runs at a point of training: what they did not record has a reason instead of notes, and
// no path was kept that a limit could be told from.
func momentGroup(meta runfolder.Meta, runs []Run) Group {
	g := newGroup(meta, runs)
	const unknown = "the value is not known"
	g.Notes = slices.DeleteFunc(g.Notes, func(note string) bool { return strings.Contains(note, unknown) })
	settle := func(path *GroupPath) {
		for key, why := range path.Missing {
			if strings.Contains(why, "not known") {
				path.Missing[key] = unrecorded
			}
		}
		path.unsettled("the weights at this point of training are not kept: a study whose runs end there (train.stop.loss, train.stop.iterations) has them")
	}
	for part, path := range g.Parts {
		settle(&path)
		if path.Displacement != nil {
			settle(path.Displacement)
		}
		g.Parts[part] = path
	}
	primary := g.Parts[g.part()]
	g.Regime, g.Mixture = primary.Regime, primary.Mixture
	own := g.Missing
	g.Missing = maps.Clone(primary.Missing)
	if why, none := own["rate"]; none {
		g.Missing["rate"] = why
	}
	for _, key := range []string{"delta", "delta_max_frobenius"} {
		if _, none := own[key]; none {
			g.Missing[key] = unrecorded
		}
	}
	return g
}

// WriteMoments writes what the runs say at each point as plain text: how many get there, and the tables of WriteTable.
func (r *Result) WriteMoments(w io.Writer) error {
	for i, moment := range r.Moments {
		if i > 0 {
			fmt.Fprintln(w)
		}
		all := len(moment.Runs) + len(moment.Never)
		fmt.Fprintf(w, "at %s: %d of %s get there\n", moment.At, len(moment.Runs), plain.Count(all, "run"))
		lines := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		const most = 8
		for j, never := range moment.Never {
			if j == most {
				fmt.Fprintf(lines, "  and %d more\n", len(moment.Never)-most)
				break
			}
			fmt.Fprintf(lines, "  never: %s\t%s\n", plain.Text(never.ID), plain.Text(never.Why))
		}
		if err := lines.Flush(); err != nil {
			return err
		}
		if between := moment.interpolated(); between > 0 {
			fmt.Fprintf(w, "  in %s the point lies between two iterations, and numbers are interpolated (--json says which)\n", plain.Count(between, "run"))
		}
		if len(moment.Runs) > 0 {
			there := &Result{Study: r.Study, Runs: moment.Runs, Groups: moment.Groups, Overview: overview(moment.Groups, moment.Runs, nil)}
			if err := there.WriteTable(w, View{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// interpolated counts the runs some of whose numbers are interpolated.
func (m *Moment) interpolated() (count int) {
	for i := range m.Runs {
		if len(m.Runs[i].At.Interpolated) > 0 {
			count++
		}
	}
	return count
}
