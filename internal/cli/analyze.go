package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/read/surface"
	"github.com/deeplimit/deeplimit/internal/show/report"
)

func newAnalyze() *cobra.Command {
	o := analyzeOptions{read: analyze.Options{Workers: runtime.GOMAXPROCS(0)}}
	cmd := &cobra.Command{
		Use:   "analyze DIR",
		Short: "Print rates, exponents and variations of a study or run folder",
		Long: `analyze reads the folder of a study, or of one run, and prints a table with a row for
each group of runs that differ in depth and seed alone: what tells it from the others, its
runs, losses and accuracies, the kind of limit and the exponents. --sort orders it, best
first, and --columns chooses from it. Then, for each group if they are few and for those
that --group names, it prints for each run the linear rate, norms and p-variations, and the
exponents in depth with 95 % intervals and the runs that they rest on, and the same in
sentences.

With --next it says what these depths and seeds leave open: a kind of limit that is not
settled, or an interval wider than ± 0.05, and for each the cheapest greater depths and
more seeds that are expected to tell, with the command that runs them (its --dry-run has
the cost).

With --in it prints instead how every quantity depends on those fields, among runs that are equal in all else but the
seed: the exponent in each field at fixed others, or the coefficients of a --model.

With --best FIELD it prints the best value of that field, such as train.step.value, at every depth and setting; with --in the
fits are of the runs at the best value of each place.

With --contrast it prints how loss, accuracy, rate and exponents in depth differ between the values of a field, such as
train.method, depth, or group for all settings together. Runs are paired that share their seed; p values are those of
Student's t, and adjusted by Holm's method for all contrasts of a quantity. With --best each value of the field is
taken at the best value of another: for a number of the test set chosen on the validation set, where the data have one.

With --at it prints instead what the runs say at points along training: where the loss first falls to
a level (--at loss=0.1,0.01), after iterations, epochs, or layer-iterations (steps times layers). Numbers are those
that the trace has there, or interpolated between two rows; runs that never get there are listed. The trace has
norms and V_p of the weights and of the displacement at the iterations that train.record asks for.`,
		Example: `  deeplimit analyze runs/my-study
  deeplimit analyze runs/my-study --sort test_accuracy --columns network.alpha,train.step.value,test_accuracy
  deeplimit analyze runs/my-study --group alpha=1
  deeplimit analyze runs/my-study --next
  deeplimit analyze runs/my-study --at loss=0.1,0.01
  deeplimit analyze runs/my-study --in network.width
  deeplimit analyze runs/my-study --best train.step.value
  deeplimit analyze runs/my-study --contrast train.method
  deeplimit analyze runs/my-study --contrast depth --of test_accuracy --best train.step.value
  deeplimit analyze runs/my-study --in depth,network.hidden --of loss --model 'a/L + b/sqrt(L*M)' --json`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.parse(); err != nil {
				return err
			}
			dir, err := folder(cmd, args[0], studyOrRun)
			if err != nil {
				return err
			}
			observe, stop := watchReading(cmd.ErrOrStderr(), "runs")
			o.read.Observe = observe
			result, err := analyze.Study(cmd.Context(), dir, o.read)
			stop()
			if err != nil {
				return err
			}
			return o.print(cmd, result)
		},
	}
	viewFlags(cmd, &o.view)
	o.form.add(cmd)
	cmd.Flags().BoolVar(&o.read.Next, "next", false, "say which further depths and seeds would tell what is left open")
	cmd.Flags().StringArrayVar(&o.at, "at", nil, "print the numbers at points along training: loss=0.1,0.01, iterations=…, epochs=… or layer-iterations=…")
	cmd.Flags().BoolVar(&o.read.Trace, "trace", false, "add the loss at every recorded iteration (with --json)")
	cmd.Flags().StringVar(&o.read.Of, "of", "", "with --in, --contrast or --best: this quantity alone, such as loss or max_frobenius")
	cmd.Flags().StringVar(&o.figures, "figure", "", "with --in: write figures of the values against the fits into this folder")
	cmd.Flags().StringVar(&o.read.Contrast, "contrast", "", "compare the values of this field, paired within seeds")
	cmd.Flags().StringVar(&o.read.Against, "against", "", "with --contrast: compare with this value alone, in the place of every two")
	cmd.Flags().StringVar(&o.read.Best, "best", "", "take the best value of this field, such as train.step.value, with --contrast or --in; alone, print it")
	o.model.define(cmd)
	cmd.Flags().IntVar(&o.read.Windows, "windows", 0, "add the linear rate on each of that many windows of the trace (with --json)")
	return cmd
}

// analyzeOptions are the flags of analyze.
type analyzeOptions struct {
	read    analyze.Options
	model   modelFlags
	at      []string
	view    analyze.View
	figures string
	form    answer
}

// bestAlone says whether the table is that of the best values, with no contrast and no fit of them.
func (o *analyzeOptions) bestAlone() bool {
	return o.read.Best != "" && o.read.Contrast == "" && len(o.model.in) == 0
}

// parse refuses flags that do not go together, and reads those that are text.
func (o *analyzeOptions) parse() error {
	if err := o.check(); err != nil {
		return err
	}
	for _, text := range o.at {
		points, err := analyze.ParsePoints(text)
		if err != nil {
			return fmt.Errorf("analyze: --%w", err)
		}
		o.read.At = append(o.read.At, points...)
	}
	fitted, err := o.model.model(o.model.in)
	if err != nil {
		return fmt.Errorf("analyze: --%w", err)
	}
	o.read.In, o.read.Model = o.model.in, fitted
	return nil
}

func (o *analyzeOptions) check() error {
	contrast, fits, points := o.read.Contrast != "", len(o.model.in) > 0, len(o.at) > 0
	switch {
	case o.read.Trace && !o.form.json:
		return errors.New("analyze: --trace: got it without --json, want --json beside it, as tables have no traces")
	case o.read.Windows != 0 && !o.form.json:
		return errors.New("analyze: --windows: got it without --json, want --json beside it, as tables have one rate for each run")
	case o.read.Against != "" && !contrast:
		return errors.New("analyze: got --against without --contrast, want the field whose values are compared, as in --contrast depth")
	case o.bestAlone() && (o.read.Next || points):
		return errors.New("analyze: --best: got it beside --next or --at, want --contrast or --in beside it, or --best alone")
	case contrast && (fits || o.read.Next) && !o.form.json:
		return errors.New("analyze: --contrast: got it beside --in or --next, want one of them, or --json for all")
	case !fits && (o.model.text != "" || o.read.Of != "" && !contrast && !o.bestAlone() || o.figures != ""):
		return errors.New("analyze: got --model, --of or --figure without --in, want the fields that the fit is over, as in --in depth,network.hidden")
	case o.read.Next && fits && !o.form.json:
		return errors.New("analyze: --next: got it beside --in, want one of them, or --json for both")
	case points && (fits || o.read.Next):
		return errors.New("analyze: --at: got it beside --in or --next, which are about the end of training, want one of them")
	}
	return checkView(&o.view, o.form.asked(), o.bestAlone() || contrast || fits || points)
}

// table returns where the rows of the table that the flags choose stand in the result.
func (o *analyzeOptions) table() []string {
	switch {
	case o.read.Contrast != "":
		return []string{"contrasts"}
	case o.bestAlone():
		return []string{"levels"}
	case len(o.read.In) > 0:
		return []string{"fits"}
	case len(o.read.At) > 0:
		return []string{"at", "runs"}
	}
	return []string{"overview", "rows"}
}

// print draws the figures that are asked for, and prints JSON or the one table that the flags choose.
func (o *analyzeOptions) print(cmd *cobra.Command, result *analyze.Result) (err error) {
	out := cmd.OutOrStdout()
	if o.figures != "" {
		if err := drawFits(cmd.ErrOrStderr(), result.Fits, o.figures); err != nil {
			return fmt.Errorf("analyze: --figure: %w", err)
		}
	}
	switch {
	case o.form.asked():
		if result.Overview, err = result.Overview.Sorted(o.view.Sort); err != nil {
			return err
		}
		return o.form.print(out, result, o.table()...)
	case o.read.Contrast != "":
		return writeContrasts(cmd, result)
	}
	writeContrastNotes(cmd, result)
	switch {
	case o.bestAlone():
		return writeLevels(out, result.Levels)
	case len(o.read.In) > 0:
		writeUnfitted(cmd.ErrOrStderr(), result.Unfitted)
		return writeFits(out, result.Fits)
	case len(o.read.At) > 0:
		return result.WriteMoments(out)
	}
	o.view.Width = widthOf(out)
	if err := result.WriteTable(out, o.view); err != nil || result.Coordinates == nil {
		return err
	}
	fmt.Fprintln(out)
	return writeCoordinates(out, result.Coordinates, false)
}

// writeUnfitted says which quantities have no fit, and why.
func writeUnfitted(out io.Writer, unfitted []string) {
	for i, why := range unfitted {
		if i == mostNotes {
			fmt.Fprintf(out, "note: analyze: no fit of %d more quantities (--json has them)\n", len(unfitted)-mostNotes)
			return
		}
		fmt.Fprintf(out, "note: analyze: no fit of %s\n", plain.Text(why))
	}
}

// drawFits writes the figures of fits into a folder and prints the paths.
func drawFits(out io.Writer, fits []surface.Fit, folder string) error {
	if err := disk.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, f := range report.Surfaces(fits) {
		paths, err := f.WriteFiles(folder, report.Formats)
		if err != nil {
			return err
		}
		for _, path := range paths {
			fmt.Fprintln(out, path)
		}
	}
	return nil
}

func newReport() *cobra.Command {
	var options report.Options
	cmd := &cobra.Command{
		Use:   "report DIR",
		Short: "Write figures (PNG, SVG, PDF, CSV) and one HTML page into DIR/report",
		Args:  arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := folder(cmd, args[0], studyOrRun)
			if err != nil {
				return err
			}
			study, err := readStudy(cmd.Context(), cmd.ErrOrStderr(), dir, runtime.GOMAXPROCS(0))
			if err != nil {
				return err
			}
			return writeReport(cmd, dir, study, options)
		},
	}
	figureFlags(cmd, &options)
	overviewFlags(cmd, &options.View)
	return cmd
}

// writeReport writes the page of a study, and that of imported networks: alone it is the page of the folder.
func writeReport(cmd *cobra.Command, dir string, study *analyze.Folder, options report.Options) error {
	var pages []string
	var failures []error
	families, alone := study.Result.Networks()
	if families == nil || !alone {
		observe, stop := watchWork(cmd.ErrOrStderr(), "drawing", "figures")
		options.Observe = observe
		page, err := report.Write(cmd.Context(), dir, study, options)
		stop()
		pages, failures = append(pages, page), append(failures, err)
	}
	if families != nil {
		name := "families.html"
		if alone {
			name = "index.html"
		}
		page, err := report.WriteNetwork(cmd.Context(), dir, name, families, options)
		pages, failures = append(pages, page), append(failures, err)
	}
	for _, page := range pages {
		if page != "" {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), page)
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// readStudy reads the folder of a study for figures, and tells on a terminal how far it is.
func readStudy(ctx context.Context, stderr io.Writer, dir string, workers int) (*analyze.Folder, error) {
	observe, stop := watchReading(stderr, "runs")
	defer stop()
	return analyze.Read(ctx, dir, analyze.Options{Workers: workers, Observe: observe})
}
