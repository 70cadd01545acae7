package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/ask/tune"
	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// tuneOptions are the flags of `deeplimit tune`.
type tuneOptions struct {
	tune.Options
	over       []string
	store      string
	set        []string
	maxRuns    int
	jobs       int
	checkpoint time.Duration
	form       answer
}

func newTune() *cobra.Command {
	var o tuneOptions
	cmd := &cobra.Command{
		Use:   "tune STUDY.yaml",
		Short: "Find the best step size, or another number, at every depth, and how it moves with depth",
		Long: `tune finds, for every data set, method, α and other point of the study's grid, the value of
a field at which training ends with the least loss, at each depth of the study, over all
its seeds. It brackets the minimum over the logarithm of the value, widens the bracket while
the least loss lies at an end, and closes in until values a factor --precision apart have been
tried about the best. Then it prints

  BEST       the value with its 95 % interval over seeds, and the range within a tenth of
             the least loss, at each depth. For train.step.value it is η₀, the step size as it
             is at that depth, whatever the study's rule makes of it
  EXPONENT   in depth, of the shift that puts the whole curves of the loss on one another, each
             with a height of its own; beside it that of the law (docs/step-size.md)
  REGRET     what is lost at a depth by the value that is best at --from, moved by a rule: constant,
             law, complete-p, depth-mup. It transfers if the interval at the deepest ends at 0.1
             or below, does not if it begins above, and else it cannot be told

--over names any field of the study file that holds a number with decimals. What the grid
says of it is where the search begins. --over A,B tunes two fields at a time and finds the pair
at which the loss is least: an interval of each value whatever the other is, the exponent of
each, what is lost when the law moves both, and whether only the product or the ratio of the two
counts. Stops at a loss are left out, as all runs that reach it would be equal, and a run ends as
diverged at 10 times its first loss unless the study sets train.stop.divergence.

The runs are ordinary runs in the folder --out, for status and analyze too; the same command goes
on after an interrupt and computes nothing twice. The answer is kept in tune.json there.`,
		Example: `  deeplimit tune study.yaml
  deeplimit tune study.yaml --set 'grid.network.alpha=[0.5, 1]' --set seeds=5 --json
  deeplimit tune study.yaml --over train.step.value,train.weight-decay --set train.method=adamw --precision 1.3
  deeplimit tune study.yaml --over initial.amplitude --measure test-loss --precision 1.3`,
		Args: arguments("STUDY.yaml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Out, "out", "", "study folder of the runs (default runs/<name of the study>-tune)")
	flags.StringArrayVar(&o.over, "over", []string{"train.step.value"}, "field of the study file that is tuned; two, as A,B, are tuned at a time")
	flags.StringVar(&o.Measure, "measure", "", "what is to be least: loss, best-loss, validation-loss, test-loss, or loss@N after N iterations (default validation-loss where data.validation holds samples out, else loss)")
	flags.Float64Var(&o.Precision, "precision", 1.1, "factor between neighbouring values about the best")
	flags.IntVar(&o.From, "from", 0, "depth whose best value is moved to the others (default the shallowest)")
	flags.StringArrayVar(&o.set, "set", nil, "override a field, as in network.alpha=0.75; may be repeated")
	maxRunsFlag(flags, &o.maxRuns)
	flags.StringVar(&o.store, "store", "", "keep run folders here, by hash, for several studies to share")
	flags.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "cores to use; the results do not depend on it")
	flags.DurationVar(&o.checkpoint, "checkpoint", time.Minute, "time between the checkpoints of a run")
	o.form.add(cmd)
	return cmd
}

// run tunes and prints.
func (o *tuneOptions) run(ctx context.Context, file string, stdout, stderr io.Writer) error {
	if o.jobs < 1 {
		return fmt.Errorf("tune: --jobs: got %d, want at least 1", o.jobs)
	}
	o.Over = nil
	for _, over := range o.over {
		o.Over = append(o.Over, strings.Split(over, ",")...)
	}
	if len(o.Over) > 2 {
		return fmt.Errorf("tune: --over: got %q, want one field, or two that are tuned at a time", o.over)
	}
	if err := studyFile("tune", file); err != nil {
		return err
	}
	s, err := study.LoadWithin(file, o.set, o.maxRuns)
	if err != nil {
		return err
	}
	if o.Out == "" {
		o.Out = filepath.Join("runs", s.Name+"-tune")
	}
	o.Execute = func(ctx context.Context, p *plan.Plan, fresh func(*study.Run) bool) error {
		return o.train(ctx, p, fresh, stderr)
	}
	o.Tell = func(line string) { fmt.Fprintln(stderr, line) }
	load := func(set ...string) (*study.Study, error) { // the values tried, crossed with the grid, are more runs than are trained
		return study.ParseWithin(file, s.Text, append(append([]string(nil), o.set...), set...), math.MaxInt)
	}
	found, err := tune.Study(ctx, load, o.Options)
	if found == nil || ctx.Err() != nil {
		return err
	}
	if o.form.asked() {
		return errors.Join(err, o.form.print(stdout, found, "groups", "best"))
	}
	return errors.Join(err, writeTune(stdout, found))
}

// train executes a round of runs.
func (o *tuneOptions) train(ctx context.Context, p *plan.Plan, fresh func(*study.Run) bool, stderr io.Writer) error {
	progress := newProgress(stderr, p, fresh)
	saves, stop := saveSignals()
	defer stop()
	observe := progress.observe
	if progress.table == nil { // hundreds of short runs: a line for each says little
		observe = func(e sweep.Event) {
			if e.Kind == sweep.Failed || e.Kind == sweep.Warned || e.Kind == sweep.Waiting || e.Kind == sweep.Lost {
				progress.observe(e)
			}
		}
	}
	counts, err := sweep.Run(ctx, p, sweep.Options{
		Out: o.Out, Store: o.store, Workers: o.jobs, Checkpoint: o.checkpoint, Version: thisBuild().String(),
		Only: fresh, Saves: saves, Observe: watching(ctx, observe),
	})
	progress.close()
	if ctx.Err() != nil {
		fmt.Fprintf(stderr, "interrupted: the same command goes on with the runs in %s\n", o.Out)
		return errInterrupted
	}
	return errors.Join(append(counts.Failed, err)...)
}

// writeTune prints the answer, one table for each group.
func writeTune(w io.Writer, found *analyze.Tune) error {
	for i := range found.Groups {
		g := &found.Groups[i]
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s: least %s over %s\n\n", plain.Text(g.Label()), g.Measure, g.Over)
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		of := ""
		if g.Flank == nil {
			writeBest(table, g)
		} else {
			writeFlank(table, g)
			of = ", of the " + g.Flank.Side + " flank: there is no minimum"
		}
		fmt.Fprintf(w, "\nEXPONENT  %s%s%s\n", exponent(g.Exponent), lawText(g), of)
		if g.Left != nil && g.Right != nil {
			fmt.Fprintf(w, "          left of the best %s, right of it %s\n", g.Left, g.Right)
		}
		for _, part := range g.Windows {
			fmt.Fprintf(w, "          from depth %d to %d %s\n", part.From, part.To, part.Exponent)
		}
		if g.Deeper != nil && len(g.Windows) > 2 {
			fmt.Fprintf(w, "          without the shallowest depth %s\n", g.Deeper)
		}
		if g.With == "" { // of two fields once, below
			writeRegret(w, g.Regret, g.Verdict)
		}
		if g.GridSteps > 0 && g.With == "" {
			fmt.Fprintf(w, "\n%d runs, %.0f iterations: %.0f %% of the %.0f of a grid as fine over the same range.\n", len(g.Runs), g.Steps, 100*g.Steps/g.GridSteps, g.GridSteps)
		}
		if len(g.Notes) > 0 {
			fmt.Fprintln(w, plain.Lines("note: "+strings.Join(g.Notes, "\nnote: ")))
		}
	}
	for i := range found.Planes {
		writePlane(w, &found.Planes[i])
	}
	return nil
}

// writePlane prints what both fields of a group have in common.
func writePlane(w io.Writer, p *analyze.TunePlane) {
	fmt.Fprintf(w, "\n%s: both, %s and %s\n", plain.Text(p.Label()), p.Over[0], p.Over[1])
	var both []analyze.TuneRegret
	for i := range p.Regret {
		both = append(both, p.Regret[i].TuneRegret)
	}
	writeRegret(w, both, p.Verdict)
	if p.GridSteps > 0 {
		fmt.Fprintf(w, "\n%d runs, %.0f iterations: %.1f %% of the %.0f of a grid as fine over the same rectangle.\n", len(p.Runs), p.Steps, 100*p.Steps/p.GridSteps, p.GridSteps)
	}
	for _, note := range p.Notes {
		fmt.Fprintln(w, plain.Text("note: "+note))
	}
}

// writeRegret prints what moved values lose.
func writeRegret(w io.Writer, regrets []analyze.TuneRegret, verdict string) {
	if len(regrets) == 0 {
		return
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nREGRET OF\tFROM\tTO\tJ/J(BEST) − 1\t95 % INTERVAL\t")
	for _, r := range regrets {
		value := "–"
		switch {
		case r.Diverged > 0:
			value = "diverges"
		case r.Value != nil:
			value = fmt.Sprintf("%.3g", *r.Value)
		}
		fmt.Fprintf(table, "%s\t%d\t%d\t%s\t%s\t%s\n", r.Rule, r.From, r.To, value, ends(r.Low, r.High, ""), r.Verdict)
	}
	table.Flush()
	fmt.Fprintf(w, "\nVERDICT   %s\n", verdict)
}

// writeBest prints the best value of each depth, and its score on the test set where there is one.
func writeBest(table *tabwriter.Writer, g *analyze.TuneGroup) {
	head := "DEPTH\tBEST\t95 % INTERVAL\tWITHIN A TENTH\tLEAST\tSEEDS"
	scored := slices.ContainsFunc(g.Best, func(b analyze.TuneBest) bool { return b.TestLoss != nil })
	classes := slices.ContainsFunc(g.Best, func(b analyze.TuneBest) bool { return b.TestAccuracy != nil })
	if scored {
		head += "\tTEST LOSS"
	}
	if classes {
		head += "\tTEST ACCURACY"
	}
	fmt.Fprintln(table, head)
	for _, b := range g.Best {
		fmt.Fprintf(table, "%d\t%.3g\t%s\t%.3g – %.3g\t%.3g\t%d", b.Depth, b.Value, ends(b.Low, b.High, b.End), b.NearLow, b.NearHigh, b.Lowest, b.Seeds)
		if scored {
			fmt.Fprint(table, "\t", score(b.TestLoss))
		}
		if classes {
			fmt.Fprint(table, "\t", score(b.TestAccuracy))
		}
		fmt.Fprintln(table)
	}
	table.Flush()
}

// writeFlank prints where the measure begins to rise at each depth, where it has no minimum.
func writeFlank(table *tabwriter.Writer, g *analyze.TuneGroup) {
	head := "A TENTH MORE FROM"
	if g.Flank.Side == analyze.LeftFlank {
		head = "A TENTH MORE BELOW"
	}
	fmt.Fprintln(table, "DEPTH\t"+head+"\t95 % INTERVAL")
	for _, e := range g.Flank.Edges {
		fmt.Fprintf(table, "%d\t%.3g\t%s\n", e.Depth, e.Value, ends(e.Low, e.High, ""))
	}
	table.Flush()
}

// score writes a score with its interval.
func score(s *analyze.TuneScore) string {
	if s == nil {
		return "–"
	}
	return fmt.Sprintf("%.3g %s", s.Value, ends(s.Low, s.High, ""))
}

// ends writes an interval, "–" where there is none.
func ends(low, high *float64, end string) string {
	text := func(v *float64) string {
		if v == nil {
			return "–"
		}
		return fmt.Sprintf("%.3g", *v)
	}
	if low == nil && high == nil {
		return "–"
	}
	if end != "" {
		return fmt.Sprintf("[%s, %s], at the %s end", text(low), text(high), end)
	}
	return fmt.Sprintf("[%s, %s]", text(low), text(high))
}

// lawText writes the exponent of the law behind the measured one.
func lawText(g *analyze.TuneGroup) string {
	if g.Law == nil {
		return ""
	}
	return fmt.Sprintf("  law %.4g", *g.Law)
}
