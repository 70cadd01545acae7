package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/engine"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
	"github.com/deeplimit/deeplimit/runfolder"
)

// runOptions are the flags of `deeplimit run`.
type runOptions struct {
	out        string
	set        []string
	dry        bool
	form       answer
	noReport   bool
	jobs       int
	maxRuns    int
	checkpoint time.Duration
	figures    report.Options
	engine     engineFlags
	share      shareOptions
	join       bool
}

func newRun() *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run STUDY.yaml | run DIR --join",
		Short: "Train every run of a study, analyse it and write the report",
		Long: `run trains every run of the study (data × depth × seed × grid), then prints the
analysis and writes figures and an HTML page. Runs that are done are not trained
again; an interrupted or failed one goes on from its checkpoint. The folder of
another study is never touched. A study file called - is standard input.

Several processes, on machines that see the same folder, may run the same study at
once: they share its runs, take over those of a process that died, and each goes on
to the analysis when all runs are done. SIGUSR1 writes checkpoints of the runs at
work; SIGINT and SIGTERM do and end the program.

With --join it takes the folder of a study that was started, on any machine that sees
it, works on the runs that nobody is at, and ends, without an analysis, when nothing is
left to begin: what is left is at work elsewhere, or has failed, which the next start
tries again. SIGUSR1, too, ends it then. Its exit code is 0 unless a run failed here (2)
or a signal ended it (130).`,
		Example: `  deeplimit run study.yaml
  deeplimit run study.yaml --out runs/wide --set network.alpha=0.75 --set 'depths=[16, 64]'
  deeplimit run study.yaml --dry-run
  deeplimit run study.yaml --only 'depth >= 256 and data == "digits"'
  deeplimit run study.yaml --rerun failed
  deeplimit run runs/depth --join
  deeplimit run study.yaml --engine slurm --partition batch --time 2:00:00 --cpus 4`,
		Args: arguments("STUDY.yaml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.join {
				if err := errors.Join(checkJoin(cmd.Flags()), o.check()); err != nil {
					return err
				}
				return o.joinStudy(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
			}
			if info, err := os.Stat(args[0]); err == nil && info.IsDir() {
				return fmt.Errorf("run: %s: got a folder, want a study file, or --join to take part in the study that was started there", args[0])
			}
			s, err := study.LoadWithin(args[0], o.set, o.maxRuns)
			if err != nil {
				return err
			}
			if err := o.check(); err != nil {
				return err
			}
			if err := o.figures.Check(); err != nil {
				return fmt.Errorf("run: %w", err)
			}
			if o.out == "" {
				o.out = outOf(s)
			}
			plan, err := plan.New(s)
			if err != nil {
				return err
			}
			place, err := o.engine.resolve(s.Engine, cmd.Flags())
			if err != nil {
				return err
			}
			grown, err := o.growth(plan)
			if err != nil {
				return err
			}
			if o.dry {
				return o.list(cmd.Context(), cmd.OutOrStdout(), plan, grown)
			}
			if !grown.empty() {
				if err := grown.write(cmd.ErrOrStderr(), plan, grown.costs(plan)); err != nil {
					return err
				}
			}
			if place.Kind == engine.Slurm {
				err := o.submit(cmd.Context(), plan, place, cmd.OutOrStdout(), cmd.ErrOrStderr())
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
	maxRunsFlag(flags, &o.maxRuns)
	flags.BoolVar(&o.dry, "dry-run", false, "list the runs with their hashes, cost and step sizes; train nothing")
	o.form.add(cmd)
	flags.BoolVar(&o.noReport, "no-report", false, "write no figures and no page")
	flags.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "cores to use; the results do not depend on it")
	figureFlags(cmd, &o.figures)
	flags.BoolVar(&o.join, "join", false, "take part in the study that was started in the folder DIR, until nothing is left to begin")
	o.engine.add(flags)
	o.share.add(cmd)
	flags.DurationVar(&o.checkpoint, "checkpoint", time.Minute, "time between the checkpoints of a run")
	return cmd
}

// check refuses values of flags that mean nothing.
func (o *runOptions) check() error {
	if o.jobs < 1 {
		return fmt.Errorf("run: --jobs: got %d, want at least 1", o.jobs)
	}
	if o.checkpoint < 0 {
		return fmt.Errorf("run: --checkpoint: got %s, want a time such as 30s, or 0 for on interrupt only", o.checkpoint)
	}
	return o.share.check()
}

// maxRunsFlag registers the flag that lets a study have more runs.
func maxRunsFlag(flags *pflag.FlagSet, most *int) {
	flags.IntVar(most, "max-runs", study.MaxRuns, "refuse a study of more runs")
}

// run trains, analyses and reports. Its error is errDiverged or errInterrupted when
// that is all there is to say.
func (o *runOptions) run(ctx context.Context, plan *plan.Plan, stdout, stderr io.Writer) error {
	sayRead(stderr, plan)
	options := sweep.Options{
		Out: o.out, Workers: o.jobs, Checkpoint: o.checkpoint, Version: thisBuild().String(),
	}
	if err := o.share.fill(plan, &options); err != nil {
		return err
	}
	progress := newProgress(stderr, plan, options.Only)
	options.Observe = watching(ctx, progress.observe)
	saves, stop := saveSignals()
	defer stop()
	options.Saves = saves
	counts, err := sweep.Run(ctx, plan, options)
	progress.close()
	if ctx.Err() != nil {
		fmt.Fprintf(stderr, "interrupted: %d runs done; the same command goes on from the checkpoints\n", counts.Done)
		return errInterrupted
	}
	if err != nil {
		return err
	}
	if o.share.failFast && len(counts.Failed) > 0 {
		return fmt.Errorf("%w\nstopped at the first failure; the same command goes on", errors.Join(counts.Failed...))
	}
	if counts.Left > 0 {
		fmt.Fprintf(stderr, "%d runs are at work elsewhere\n", counts.Left)
	}
	read, err := o.read(ctx, stderr)
	if err != nil {
		return errors.Join(append(counts.Failed, err)...)
	}
	result := read.Result
	if err := removed(plan, &options, counts.Done, result); err != nil {
		return errors.Join(append(counts.Failed, err)...)
	}
	if !o.noReport {
		figures := o.figures
		observe, stop := watchWork(stderr, "drawing", "figures")
		figures.Observe = observe
		page, err := report.Write(ctx, o.out, read, figures)
		stop()
		if err != nil {
			counts.Failed = append(counts.Failed, err)
		}
		if page != "" {
			fmt.Fprintln(stderr, "report:", page)
		}
	}
	if o.form.asked() {
		err = o.form.print(stdout, result, "overview", "rows")
	} else {
		err = result.WriteTable(stdout, analyze.View{Width: widthOf(stdout)})
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

// read reads the study that was run: for the analysis, and for figures unless none are wanted.
func (o *runOptions) read(ctx context.Context, stderr io.Writer) (*analyze.Folder, error) {
	if !o.noReport {
		return readStudy(ctx, stderr, o.out, o.jobs)
	}
	result, err := analyze.Study(ctx, o.out, analyze.Options{Workers: o.jobs})
	return &analyze.Folder{Result: result}, err
}

// sayRead says how files of data were read.
func sayRead(w io.Writer, plan *plan.Plan) {
	seen := map[string]bool{}
	for i := range plan.Runs {
		run := &plan.Runs[i]
		if line := plan.Set(run).Read; line != "" && !seen[line] {
			seen[line] = true
			fmt.Fprintf(w, "data %s: %s\n", plain.Text(run.Data.Name), line)
		}
	}
}

// removed names the runs that were done and whose folders somebody has removed since: an
// analysis of the others would pass for that of the study.
func removed(plan *plan.Plan, options *sweep.Options, done int, result *analyze.Result) error {
	found := map[string]bool{}
	for i := range result.Runs {
		found[result.Runs[i].ID] = true
	}
	for _, damage := range result.Damaged {
		found[damage.ID] = true
	}
	present := 0
	var gone []error
	for i := range plan.Runs {
		run := &plan.Runs[i]
		switch dir := runfolder.RunDir(options.Out, run.ID); {
		case !options.Only(run):
		case found[run.ID]:
			present++
		default:
			if _, err := disk.Stat(dir); errors.Is(err, fs.ErrNotExist) {
				gone = append(gone, fmt.Errorf("run: %s was removed since its run was done; the same command computes it again", dir))
			}
		}
	}
	if present >= done {
		return nil
	}
	return errors.Join(gone...)
}

// readable returns a time in seconds with about two figures and a unit that suits it.
func readable(seconds float64) string {
	unit := "s"
	switch {
	case seconds < 1e-3:
		seconds, unit = seconds*1e6, "µs"
	case seconds < 1:
		seconds, unit = seconds*1e3, "ms"
	case seconds < 100:
	case seconds < 6000:
		seconds, unit = seconds/60, "min"
	case seconds < 48*3600:
		seconds, unit = seconds/3600, "h"
	default:
		seconds, unit = seconds/86400, "days"
	}
	if seconds < 9.95 {
		return fmt.Sprintf("%.1f %s", seconds, unit)
	}
	return fmt.Sprintf("%.0f %s", seconds, unit)
}
