package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/analyze"
	"github.com/deeplimit/deeplimit/report"
	"github.com/deeplimit/deeplimit/slurm"
	"github.com/deeplimit/deeplimit/study"
	"github.com/deeplimit/deeplimit/sweep"
)

// runOptions are the flags of `deeplimit run`.
type runOptions struct {
	out        string
	set        []string
	dry        bool
	json       bool
	noReport   bool
	jobs       int
	checkpoint time.Duration
	figures    report.Options
	engine     engineFlags
}

func newRun() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run STUDY.yaml",
		Short: "Train every run of a study, analyse it and write the report",
		Long: `run trains every run of the study (data × depth × seed × grid), then prints the
analysis and writes figures and an HTML page. Runs that are done are not trained
again; an interrupted one goes on from its checkpoint. The folder of another study
is never touched.`,
		Example: `  deeplimit run study.yaml
  deeplimit run study.yaml --out runs/wide --set network.alpha=0.75 --set 'depths=[16, 64]'
  deeplimit run study.yaml --dry-run
  deeplimit run study.yaml --engine slurm --partition batch --time 2:00:00 --cpus 4`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := study.Load(args[0], o.set)
			if err != nil {
				return err
			}
			if o.jobs < 1 {
				return fmt.Errorf("run: --jobs: got %d, want at least 1", o.jobs)
			}
			if o.checkpoint < 0 {
				return fmt.Errorf("run: --checkpoint: got %s, want a time such as 30s, or 0 for on interrupt only", o.checkpoint)
			}
			if err := o.figures.Check(); err != nil {
				return fmt.Errorf("run: %w", err)
			}
			if o.out == "" {
				o.out = filepath.Join("runs", s.Name)
			}
			plan, err := sweep.NewPlan(s)
			if err != nil {
				return err
			}
			engine, err := o.engine.resolve(s.Engine, cmd.Flags())
			if err != nil {
				return err
			}
			if o.dry {
				return o.list(cmd.OutOrStdout(), plan)
			}
			if engine.Kind == slurm.Slurm {
				err := o.submit(cmd.Context(), plan, engine, cmd.OutOrStdout(), cmd.ErrOrStderr())
				if err == errQueued {
					return nil
				}
				if err != nil {
					return err
				}
			}
			return o.run(cmd.Context(), plan, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.out, "out", "", "study folder (default runs/<name of the study>)")
	flags.StringArrayVar(&o.set, "set", nil, "override a field, as in network.alpha=0.75; may be repeated")
	flags.BoolVar(&o.dry, "dry-run", false, "list the runs with their hashes and cost; train nothing")
	flags.BoolVar(&o.json, "json", false, "print JSON")
	flags.BoolVar(&o.noReport, "no-report", false, "write no figures and no page")
	flags.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "cores to use; the results do not depend on it")
	figureFlags(cmd, &o.figures)
	o.engine.add(flags)
	flags.DurationVar(&o.checkpoint, "checkpoint", time.Minute, "time between the checkpoints of a run")
	return cmd
}

// run trains, analyses and reports. Its error is errDiverged or errInterrupted when
// that is all there is to say.
func (o *runOptions) run(ctx context.Context, plan *sweep.Plan, stdout, stderr io.Writer) error {
	progress := newProgress(stderr, plan)
	counts, err := plan.Run(ctx, sweep.Options{
		Out: o.out, Workers: o.jobs, Checkpoint: o.checkpoint, Version: thisBuild().String(), Observe: progress.observe,
	})
	progress.close()
	if ctx.Err() != nil {
		fmt.Fprintf(stderr, "interrupted: %d runs done; the same command goes on from the checkpoints\n", counts.Done)
		return errInterrupted
	}
	if err != nil {
		return err
	}
	result, err := analyze.Study(ctx, o.out, analyze.Options{Workers: o.jobs})
	if err != nil {
		return errors.Join(append(counts.Failed, err)...)
	}
	if !o.noReport {
		page, err := report.Write(ctx, o.out, result, o.figures)
		if err != nil {
			return errors.Join(append(counts.Failed, err)...)
		}
		fmt.Fprintln(stderr, "report:", page)
	}
	if o.json {
		err = printJSON(stdout, result)
	} else {
		err = result.WriteTable(stdout)
	}
	if err = errors.Join(append(counts.Failed, err)...); err != nil {
		return err
	}
	if counts.Diverged > 0 {
		fmt.Fprintf(stderr, "%d of %d runs diverged; their traces are kept\n", counts.Diverged, counts.Done)
		return errDiverged
	}
	return nil
}

// planned is a run as --dry-run prints it.
type planned struct {
	ID         string  `json:"id"`
	Hash       string  `json:"hash"`
	Data       string  `json:"data"`
	Depth      int     `json:"depth"`
	Seed       uint64  `json:"seed"`
	Iterations int     `json:"iterations"` // at most
	StepFlops  float64 `json:"step_flops"` // floating-point operations of a step
	Bytes      float64 `json:"bytes"`      // estimate of the memory of the run
}

// list prints the runs of a study without training or writing anything.
func (o *runOptions) list(w io.Writer, plan *sweep.Plan) error {
	rows := make([]planned, len(plan.Runs))
	for i := range rows {
		r := &plan.Runs[i]
		rows[i] = planned{r.ID, r.Hash, r.Data.Name, r.Depth, r.Seed, r.Steps(), plan.Flops(r), plan.Bytes(r, o.jobs)}
	}
	if o.json {
		return printJSON(w, rows)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RUN\tHASH\tITERATIONS\tMFLOP/STEP\tMEMORY")
	for _, p := range rows {
		fmt.Fprintf(table, "%s\t%.12s\t≤ %d\t%.3g\t%.3g MB\n", p.ID, p.Hash, p.Iterations, p.StepFlops/1e6, p.Bytes/1e6)
	}
	return table.Flush()
}
