package cli

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/deeplimit/deeplimit/internal/machine"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/survey"
	"github.com/deeplimit/deeplimit/runfolder"
)

// planned is a run as --dry-run prints it.
type planned struct {
	ID         string  `json:"id"`
	Hash       string  `json:"hash"`
	Data       string  `json:"data"`
	About      string  `json:"data_about,omitempty"` // how files were read, samples of each class
	Depth      int     `json:"depth"`
	Seed       uint64  `json:"seed"`
	Iterations int     `json:"iterations"` // at most
	StepFlops  float64 `json:"step_flops"` // floating-point operations of a step
	Bytes      float64 `json:"bytes"`      // estimate of the memory of the run
	// Seconds is an estimate of the time up to the last iteration, null where no run of the
	// study fits into the memory of this machine, so that none was timed.
	Seconds *float64 `json:"seconds"`

	Step *runfolder.StepLaw `json:"step_size"`

	// Change says what becomes of the run in a folder that holds runs, where there is one: kept, again, resumed, extended, waiting
	// or new. An extended run goes on from the iteration From.Iteration of the run From.ID; Anew says why another one that
	// differs from a finished run in when it stops alone does not. Took is what a finished run took.
	Change          string   `json:"plan_change,omitempty"`
	From            *from    `json:"extended_from,omitempty"`
	Anew            string   `json:"not_extended,omitempty"`
	Took            *float64 `json:"took_seconds,omitempty"`
	LayerIterations int      `json:"layer_iterations,omitempty"`
}

// from is where an extended run goes on.
type from struct {
	ID        string `json:"id"`
	Iteration int    `json:"iteration"`
}

// list prints the runs of a study without training or writing anything.
func (o *runOptions) list(ctx context.Context, w io.Writer, plan *plan.Plan, grown *growth) error {
	wanted, err := chosen(plan, o.share.only)
	if err != nil {
		return fmt.Errorf("run: --only: %w", err)
	}
	left := func(r *study.Run) float64 {
		switch {
		case !wanted[r.ID]:
			return 0
		case grown == nil:
			return 1
		}
		return grown.share(r)
	}
	estimate, err := plan.Estimate(ctx, o.jobs, left)
	if err != nil {
		return err
	}
	rows := o.rows(plan, wanted, grown, estimate.Seconds)
	if o.form.asked() {
		return o.form.print(w, rows)
	}
	if err := writeRows(w, rows, !grown.empty()); err != nil {
		return err
	}
	if err := grown.write(w, plan, estimate.Seconds); err != nil {
		return err
	}
	if err := writeCascades(w, plan, wanted); err != nil {
		return err
	}
	if err := writeSteps(w, plan, wanted); err != nil {
		return err
	}
	writeAbout(w, rows)
	if estimate.Large > 0 {
		if _, err := fmt.Fprintf(w, "%d of %d runs do not fit into the memory that this process may take here, %.3g MB\n", estimate.Large, len(rows), float64(machine.Memory())/1e6); err != nil {
			return err
		}
	}
	if estimate.Runs == 0 {
		return nil
	}
	count := fmt.Sprintf("%d runs", len(rows))
	if !grown.empty() {
		count = fmt.Sprintf("%d of %d runs to train", len(grown.toTrain()), len(rows))
	}
	_, err = fmt.Fprintf(w, "%s, at most %s on %d cores, by what %d of them take here for each thing that a run does, for all iterations: a run whose loss ends it is shorter; checkpoints, analysis and report not counted\n",
		count, readable(estimate.Total), o.jobs, estimate.Runs)
	return err
}

// rows returns the wanted runs as they are printed.
func (o *runOptions) rows(plan *plan.Plan, wanted map[string]bool, grown *growth, seconds map[string]float64) []planned {
	var rows []planned
	for i := range plan.Runs {
		r := &plan.Runs[i]
		if !wanted[r.ID] {
			continue
		}
		p := planned{
			ID: r.ID, Hash: r.Hash, Data: r.Data.Name, About: plan.Set(r).About(), Depth: r.Depth, Seed: r.Seed,
			Iterations: r.Steps(), StepFlops: plan.Flops(r), Bytes: plan.Bytes(r, o.jobs), Step: r.Step(),
		}
		if seconds, ok := seconds[r.ID]; ok {
			p.Seconds = &seconds
		}
		if grown != nil {
			p.Change, p.Anew = grown.change[r.ID], grown.anew[r.ID]
			if source := grown.sources[r.ID]; source != nil {
				p.From = &from{source.Run.Meta.ID, source.Iteration}
			}
			if p.Change == runKept {
				p.took(grown.found[r.ID])
			}
		}
		rows = append(rows, p)
	}
	return rows
}

// took puts in what a finished run took.
func (p *planned) took(r *survey.Run) {
	p.Took, p.LayerIterations = &r.Seconds, r.LayerIterations
}

// writeRows prints the table of runs, with what becomes of each where the folder holds some.
func writeRows(w io.Writer, rows []planned, changes bool) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	column := func(text string) string {
		if changes {
			return "\t" + text
		}
		return ""
	}
	fmt.Fprintln(table, "RUN\tHASH\tITERATIONS\tMFLOP/STEP\tMEMORY\tTIME"+column("CHANGE"))
	for _, p := range rows {
		time := "not known"
		switch {
		case p.Took != nil:
			time = "took " + readable(*p.Took)
		case p.Seconds != nil:
			time = "≤ " + readable(*p.Seconds)
		}
		fmt.Fprintf(table, "%s\t%.12s\t≤ %d\t%.3g\t%.3g MB\t%s%s\n", p.ID, p.Hash, p.Iterations, p.StepFlops/1e6, p.Bytes/1e6, time, column(p.Change))
	}
	return table.Flush()
}

// writeAbout says how files of data were read, and how many samples each class has. Seeds draw
// other samples, so the first run with a line of its own stands for them.
func writeAbout(w io.Writer, rows []planned) {
	const most = 8
	seen := map[string]bool{}
	for _, p := range rows {
		line := p.Data + ": " + p.About
		if p.About == "" || seen[line] {
			continue
		}
		if seen[line] = true; len(seen) > most {
			continue
		}
		fmt.Fprintf(w, "data of %s: %s\n", plain.Text(p.ID), p.About)
	}
	if more := len(seen) - most; more > 0 {
		fmt.Fprintf(w, "and %d other samples of data in other runs (--json has all)\n", more)
	}
}
