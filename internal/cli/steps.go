package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/train"
)

// writeSteps prints which step size each group of runs gets at each depth, and which
// parameters it moves.
func writeSteps(w io.Writer, plan *plan.Plan, wanted map[string]bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nSTEP SIZE\tGROUP\tTRAINED\tη₀ BY DEPTH")
	type group struct {
		first  *study.Run
		depths []string
		seen   map[int]bool
	}
	groups := map[string]*group{}
	var order []*group
	for i := range plan.Runs {
		r := &plan.Runs[i]
		if !wanted[r.ID] {
			continue
		}
		g := groups[r.Group]
		if g == nil {
			g = &group{first: r, seen: map[int]bool{}}
			groups[r.Group] = g
			order = append(order, g)
		}
		if g.seen[r.Depth] {
			continue
		}
		g.seen[r.Depth] = true
		if step := r.Step(); step.First != nil {
			text := fmt.Sprintf("%d: %.4g", r.Depth, *step.First)
			var more []string
			for _, detail := range step.Details() {
				more = append(more, fmt.Sprintf("%s %.3g", detail.Name, detail.Value))
			}
			if len(more) > 0 {
				text += " (" + strings.Join(more, ", ") + ")"
			}
			g.depths = append(g.depths, text)
		}
	}
	for _, g := range order {
		name := []string{g.first.Data.Name}
		for _, path := range slices.Sorted(maps.Keys(g.first.Settings)) {
			name = append(name, path+"="+g.first.Settings[path])
		}
		trained := g.first.Network.Trained()
		fmt.Fprintf(table, "%v\t%s\t%s\t%s\n", g.first.Step(), plain.Text(strings.Join(name, " ")), strings.Join(trained, ", "), strings.Join(g.depths, "  "))
	}
	fmt.Fprintln(table)
	if err := table.Flush(); err != nil {
		return err
	}
	return writeState(w, plan, wanted)
}

// writeState prints what each method keeps from step to step, where it keeps anything.
func writeState(w io.Writer, plan *plan.Plan, wanted map[string]bool) error {
	largest := map[string]int{} // numbers kept by method
	for i := range plan.Runs {
		if r := &plan.Runs[i]; wanted[r.ID] {
			kept := train.StateEntries(plan.Problem(r).Network, r.Train.Method)
			largest[r.Train.Method] = max(largest[r.Train.Method], kept*r.EntryBytes())
		}
	}
	for _, method := range slices.Sorted(maps.Keys(largest)) {
		if largest[method] == 0 {
			continue
		}
		if _, err := fmt.Fprintf(w, "method %s keeps %s for each parameter, at most %.3g MB of a run's memory\n", method, train.State(method), float64(largest[method])/1e6); err != nil {
			return err
		}
	}
	return nil
}
