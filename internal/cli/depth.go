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

	"github.com/deeplimit/deeplimit/field"
	"github.com/deeplimit/deeplimit/internal/ask/depth"
	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/execute/sweep"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/plan"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/show/report"
	"github.com/deeplimit/deeplimit/runfolder"
)

// depthOptions are the flags of `deeplimit depth`.
type depthOptions struct {
	out, measure string
	figure       string
	gain         float64
	set          []string
	jobs         int
	form         answer
}

func newDepth() *cobra.Command {
	var o depthOptions
	cmd := &cobra.Command{
		Use:   "depth STUDY.yaml",
		Short: "Say how deep a network need be: the loss as L → ∞, and where more depth stops paying",
		Long: `depth trains the study at each of its depths, or, where it has one depth and train.cascade, at each level of
the cascade, and compares the losses at the end.

  LIMIT  the loss at L = ∞, by Richardson's extrapolation in 1/L where its order is measured to be 1, else
         the deepest network's, with an interval over seeds and the error of the extrapolation
  KNEE   the least depth after which each doubling lowers the loss by less than --gain on average, with
         the least and the largest knee of the seeds

A loss in training below train.stop.loss counts as it. The runs of each depth are a study folder of their own below --out;
the same command goes on after an interrupt and computes nothing twice (docs/cascade.md). --figure DIR draws the loss against
depth and layer-iterations with the knee and its interval, as PNG, SVG and PDF, with its data as CSV.`,
		Example: `  deeplimit depth study.yaml
  deeplimit depth study.yaml --set 'depths=[1024]' --set train.cascade.from=16 --json
  deeplimit depth study.yaml --figure plots
  deeplimit depth study.yaml --measure test-loss --gain 0.05`,
		Args: arguments("STUDY.yaml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args[0], cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.out, "out", "", "folder of the study folders (default runs/<name of the study>-depth)")
	flags.StringVar(&o.measure, "measure", "loss", "what is compared: loss or test-loss")
	flags.Float64Var(&o.gain, "gain", 0.1, "share of the loss that a doubling of the depth must take off to pay")
	flags.StringVar(&o.figure, "figure", "", "write the figure into this folder, made when missing")
	flags.StringArrayVar(&o.set, "set", nil, "override a field, as in network.alpha=0.75; may be repeated")
	flags.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "cores to use; the results do not depend on it")
	o.form.add(cmd)
	return cmd
}

// run trains at every depth and prints what that says.
func (o *depthOptions) run(ctx context.Context, file string, stdout, stderr io.Writer) error {
	switch {
	case o.jobs < 1:
		return fmt.Errorf("depth: --jobs: got %d, want at least 1", o.jobs)
	case !(o.gain > 0 && o.gain < 1):
		return fmt.Errorf("depth: --gain: got %v, want a number in (0, 1)", o.gain)
	}
	if err := field.OneOf("--measure", o.measure, "loss", "test-loss"); err != nil {
		return fmt.Errorf("depth: %w", err)
	}
	if err := studyFile("depth", file); err != nil {
		return err
	}
	s, err := study.Load(file, o.set)
	if err != nil {
		return err
	}
	depths, least, err := depthsOf(s, file, o.set)
	if err != nil {
		return err
	}
	if o.measure != "loss" { // the loss in training alone ends it
		least = 0
	}
	if o.out == "" {
		o.out = filepath.Join("runs", s.Name+"-depth")
	}
	var runs []depth.Run
	for _, L := range depths {
		trained, err := o.at(ctx, s, file, L, stderr)
		if err != nil {
			return err
		}
		runs = append(runs, trained...)
	}
	found, err := depth.Of(runs, o.gain, least)
	if err != nil {
		return err
	}
	found.Study, found.Measure = s.Name, o.measure
	found.Sentence = depthSentence(found)
	if o.figure != "" {
		if err := drawDepth(o.figure, found); err != nil {
			return fmt.Errorf("depth: --figure: %w", err)
		}
	}
	if o.form.asked() {
		return o.form.print(stdout, found, "levels")
	}
	return writeDepth(stdout, found)
}

// depthsOf returns the depths of a study, or the levels of the cascade of its only one, and the loss that its runs stop at.
func depthsOf(s *study.Study, file string, set []string) (depths []int, least float64, err error) {
	one := s.Depths[len(s.Depths)-1]
	at, err := atDepth(s, file, set, one)
	if err != nil {
		return nil, 0, err
	}
	runs, err := at.Runs()
	if err != nil {
		return nil, 0, err
	}
	for i := range runs {
		if runs[i].Group != runs[0].Group {
			return nil, 0, fmt.Errorf("depth: %s: got more than one data set or point of a grid, want one (--set data=…, --set grid={})", file)
		}
	}
	depths = s.Depths
	if len(depths) == 1 {
		depths = runs[0].Train.Levels(one)
	}
	if len(depths) < 2 {
		return nil, 0, fmt.Errorf("depth: %s: depths: got %d alone, want two or more, or train.cascade, whose levels are taken", file, one)
	}
	return depths, runs[0].Train.Stop.Loss, nil
}

// atDepth returns the study of one depth.
func atDepth(s *study.Study, file string, set []string, depth int) (*study.Study, error) {
	return study.Parse(file, s.Text, append(append([]string(nil), set...), fmt.Sprintf("depths=[%d]", depth)))
}

// at trains the runs of one depth and returns them.
func (o *depthOptions) at(ctx context.Context, s *study.Study, file string, L int, stderr io.Writer) ([]depth.Run, error) {
	one, err := atDepth(s, file, o.set, L)
	if err != nil {
		return nil, err
	}
	p, err := plan.New(one)
	if err != nil {
		return nil, err
	}
	out := filepath.Join(o.out, fmt.Sprintf("L%04d", L))
	progress := newProgress(stderr, p, nil)
	counts, err := sweep.Run(ctx, p, sweep.Options{
		Out: out, Workers: o.jobs, Checkpoint: time.Minute, Version: thisBuild().String(), Observe: watching(ctx, progress.observe),
	})
	progress.close()
	if ctx.Err() != nil {
		fmt.Fprintf(stderr, "interrupted: the same command goes on with the runs in %s\n", o.out)
		return nil, errInterrupted
	}
	if err := errors.Join(append(counts.Failed, err)...); err != nil {
		return nil, err
	}
	var runs []depth.Run
	for i := range p.Runs {
		run, err := runfolder.Open(runfolder.RunDir(out, p.Runs[i].ID))
		if err != nil {
			return nil, err
		}
		if !run.Done() {
			return nil, fmt.Errorf("depth: run %s: got no result, want one; the same command goes on", p.Runs[i].ID)
		}
		if run.Summary.Stop == runfolder.Diverged {
			return nil, fmt.Errorf("depth: run %s: it diverged, want a smaller train.step.value", p.Runs[i].ID)
		}
		value := run.Summary.Loss
		if o.measure == "test-loss" {
			if run.Summary.TestLoss == nil {
				return nil, fmt.Errorf("depth: --measure: got test-loss of a study without a test set, want data.test, or --measure loss")
			}
			value = *run.Summary.TestLoss
		}
		runs = append(runs, depth.Run{Depth: L, Seed: p.Runs[i].Seed, Value: value, LayerIterations: run.LayerIterations(), Seconds: run.Summary.Seconds})
	}
	return runs, nil
}

// depthSentence says what was found.
func depthSentence(r *depth.Result) string {
	text := fmt.Sprintf("The %s goes to %.3g as L → ∞", r.Measure, r.Limit.Value)
	if r.Limit.Low != nil {
		text = fmt.Sprintf("The %s goes to %.3g [%.3g, %.3g] as L → ∞", r.Measure, r.Limit.Value, *r.Limit.Low, *r.Limit.High)
	}
	if r.Knee.High == nil {
		return fmt.Sprintf("%s; more depth may pay beyond %d layers, the deepest that were trained.", text, r.Levels[len(r.Levels)-1].Depth)
	}
	return fmt.Sprintf("%s; more than %d layers [%d, %d] do not pay: each doubling takes less than %.3g %% off.", text, r.Knee.Depth, r.Knee.Low, *r.Knee.High, 100*r.Gain)
}

// drawDepth writes the figure into a folder.
func drawDepth(folder string, r *depth.Result) error {
	a := report.DeepAnswer{
		Study: r.Study, Measure: r.Measure, Sentence: r.Sentence, Limit: r.Limit.Value, LimitLow: r.Limit.Low, LimitHigh: r.Limit.High,
		Knee: r.Knee.Depth, KneeLow: r.Knee.Low, KneeHigh: r.Knee.High,
	}
	for _, l := range r.Levels {
		a.Levels = append(a.Levels, report.DeepLevel{Depth: l.Depth, Loss: l.Loss, Low: l.Low, High: l.High, LayerIterations: l.LayerIterations})
	}
	if err := disk.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	_, err := report.DepthFigure(a, report.Paper).WriteFiles(folder, report.Formats)
	return err
}

// writeDepth prints the depths, the limit and the knee.
func writeDepth(w io.Writer, r *depth.Result) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DEPTH\tLOSS\t95 % INTERVAL\tLAYER-ITERATIONS\tSECONDS")
	for _, l := range r.Levels {
		fmt.Fprintf(table, "%d\t%.4g\t%s\t%.0f\t%.2f\n", l.Depth, l.Loss, ends(l.Low, l.High, ""), l.LayerIterations, l.Seconds)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s\n", r.Sentence)
	for _, note := range r.Notes {
		fmt.Fprintln(w, plain.Text("note: "+note))
	}
	return nil
}
