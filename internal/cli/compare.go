package cli

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/ask/compare"
	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/formula"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/surface"
	"github.com/deeplimit/deeplimit/internal/show/report"
)

// modelFlags are those of a fit in fields of runs.
type modelFlags struct {
	in      []string
	text    string
	squares bool
}

func (m *modelFlags) define(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&m.in, "in", nil, "fields that exponents are in, such as network.width, or depth,network.hidden")
	flags.StringVar(&m.text, "model", "", "fit this in the place of a power law, such as 'a/L + b/sqrt(L*M)': L depth, M network.hidden (or network.width), d network.width, N data.samples, other fields by name; all else are coefficients")
	flags.BoolVar(&m.squares, "squares", false, "add the squares of the model's terms: y² = (a/L)² + b²/(L*M)")
}

// model returns the model to fit over fields, nil for none. Its errors begin with the name of the flag that is wrong.
func (m *modelFlags) model(in []string) (*surface.Model, error) {
	if m.text == "" {
		if m.squares {
			return nil, errors.New("squares: got it without --model, want a model whose terms are squared")
		}
		return nil, nil
	}
	f, err := formula.Parse(m.text, in, m.squares)
	if err != nil {
		return nil, err
	}
	text := m.text
	if m.squares {
		text += " (squares added)"
	}
	return &surface.Model{Text: text, Squares: m.squares, Formula: f}, nil
}

func newCompare() *cobra.Command {
	var o compare.Options
	var model modelFlags
	var form answer
	var figures string
	cmd := &cobra.Command{
		Use:   "compare DIR",
		Short: "Measure distances between trained networks",
		Long: `compare measures how far the networks of a study are apart, and the exponents of the distances in
what varies. It writes nothing unless --figure says where.

--of outputs and states rebuilds the networks from their folders and evaluates them on the same inputs; weights and
displacement compare L^beta A, and L^beta (A(T) - A(0)), as functions of s = k/L. A distance is the mean over samples and
integral over s of squares, and its root (--norm l2), the largest value (sup), or the largest integral from 0 to s
(integral), in which layer noise vanishes.

Pairs are all two runs that differ in the depth alone, or as --between says: in the seed, in the group, or in anything (all).
With --to each run has one partner instead:

  deepest, widest             the run of the same seed that is
  mean                        the mean over seeds of the same group and depth
  deepest-mean, widest-mean   the mean over seeds of those that are
  a folder                    a run, or the mean over the runs of a study that differ in seed alone

Exponents between depths come from the distances of neighbouring depths, or to the reference from runs an eighth as deep
or wide at most. Intervals, at 95 %, leave out one seed at a time.`,
		Example: `  deeplimit compare runs/my-study --of outputs --to deepest
  deeplimit compare runs/my-study --of displacement --between seeds --json
  deeplimit compare runs/my-study --of outputs --to runs/reference --in depth,network.hidden --model 'a/L + b/sqrt(L*M)' --squares`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := folder(cmd, args[0], studyOrRun)
			if err != nil {
				return err
			}
			if o.Workers < 1 {
				return fmt.Errorf("compare: --jobs: got %d, want at least 1", o.Workers)
			}
			if o.In = model.in; model.text != "" && len(model.in) == 0 {
				return fmt.Errorf("compare: --model: got it without --in, want the fields that it is over, as in --in depth,network.hidden")
			}
			if o.Model, err = model.model(model.in); err != nil {
				return fmt.Errorf("compare: --%w", err)
			}
			observe, stop := watchReading(cmd.ErrOrStderr(), "runs")
			o.Observe = observe
			result, err := compare.Study(cmd.Context(), dir, o)
			stop()
			if err != nil {
				return err
			}
			for i, note := range result.Notes {
				if i == mostNotes {
					fmt.Fprintf(cmd.ErrOrStderr(), "note: compare: %d more notes, with --json\n", len(result.Notes)-i)
					break
				}
				fmt.Fprintf(cmd.ErrOrStderr(), "note: compare: %s\n", plain.Text(note))
			}
			if figures != "" {
				if err := drawDistances(cmd.ErrOrStderr(), result, figures); err != nil {
					return fmt.Errorf("compare: --figure: %w", err)
				}
			}
			if form.asked() {
				return form.print(cmd.OutOrStdout(), result, "pairs")
			}
			return writeComparison(cmd.OutOrStdout(), result)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Of, "of", "outputs", "what to compare: outputs, states, weights or displacement")
	flags.StringVar(&o.Between, "between", "", "what the two runs of a pair differ in: depths, seeds, groups or all (default what suits --to, else depths)")
	flags.StringVar(&o.To, "to", "", "reference of every run: deepest, widest, mean, deepest-mean, widest-mean, or the folder of a run or of a study")
	flags.StringVar(&o.Norm, "norm", "l2", "norm over s = k/L and samples: l2, sup or integral")
	flags.StringSliceVar(&o.Parts, "part", nil, "weights to compare: A, V, W, b or c (default A, or V and W together)")
	flags.BoolVar(&o.Permute, "permute", false, "take the least distance over the orders of the hidden units of every layer (block mlp)")
	flags.StringVar(&o.Inputs, "inputs", "train", "inputs to evaluate on: train, test or a .npy file of shape (N,inputs)")
	flags.StringVar(&o.Base, "base", "", "folder that relative names of data files start from (default: as recorded)")
	flags.StringVar(&figures, "figure", "", "write figures into this folder: a heat map of all pairs, and the distances against their fits")
	flags.IntVar(&o.Workers, "jobs", runtime.GOMAXPROCS(0), "cores to use; the results do not depend on it")
	form.add(cmd)
	onlyFlag(cmd, &o.Only)
	model.define(cmd)
	for name, values := range map[string][]string{
		"of": {"outputs", "states", "weights", "displacement"}, "between": {"depths", "seeds", "groups", "all"}, "norm": {"l2", "sup", "integral"},
		"to": {"deepest", "widest", "mean", "deepest-mean", "widest-mean"},
	} {
		cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveDefault))
	}
	return cmd
}

// drawDistances writes the figures of a comparison: of all pairs a heat map, and the distances against their fits.
func drawDistances(notes io.Writer, result *compare.Result, folder string) error {
	fits := result.Powers
	if len(result.Fits) > 0 {
		fits = result.Fits
	}
	if len(fits) > 0 {
		if err := drawFits(notes, fits, folder); err != nil {
			return err
		}
	}
	if result.To != "" {
		if len(fits) == 0 {
			fmt.Fprintln(notes, "note: compare: --figure: got distances to a reference that nothing was fitted to, want more depths or groups for a figure of a fit")
		}
		return nil
	}
	index, labels := map[string]int{}, []string{}
	for i, run := range result.Runs {
		index[run.ID] = i
		labels = append(labels, run.Label)
	}
	var cells []report.DistanceCell
	for _, p := range result.Pairs {
		cells = append(cells, report.DistanceCell{A: index[p.A], B: index[p.B], Distance: p.Distance})
	}
	f, err := report.Distances(result.Of, labels, cells)
	if err != nil {
		return err
	}
	if err := disk.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	paths, err := f.WriteFiles(folder, report.Formats)
	for _, path := range paths {
		fmt.Fprintln(notes, path)
	}
	return err
}

// mostPairs is how many pairs the table has.
const mostPairs = 40

// writeComparison prints the distances, the exponents and the fits.
func writeComparison(w io.Writer, result *compare.Result) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "A\tB\tDISTANCE OF %s\n", strings.ToUpper(result.Of))
	for i, p := range result.Pairs {
		if i == mostPairs {
			fmt.Fprintf(table, "%d more, with --json\t\t\n", len(result.Pairs)-i)
			break
		}
		fmt.Fprintf(table, "%s\t%s\t%.4g\n", p.A, p.B, p.Distance)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	var fits []surface.Fit
	for _, e := range result.Exponents {
		fits = append(fits, surface.Fit{Quantity: "distance", In: e.In, Exponent: &e.Exponent, Low: e.Low, High: e.High, At: e.At, R2: e.R2, Points: e.Points, Warning: e.Warning})
	}
	return writeFits(w, append(fits, result.Fits...))
}

// writeFits prints fits as a table.
func writeFits(w io.Writer, fits []surface.Fit) error {
	if len(fits) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nQUANTITY\tIN\tAT\tEXPONENT OR COEFFICIENTS\tLIMIT\tR²\tPOINTS\tWARNING")
	for _, f := range fits {
		name := f.Quantity
		if f.Part != "" {
			name = f.Part + " " + name
		}
		value := ""
		if f.Exponent != nil {
			value = interval("", *f.Exponent, f.Low, f.High)
		} else {
			for _, key := range slices.Sorted(maps.Keys(f.Coefficients)) {
				c := f.Coefficients[key]
				value += interval(key+" = ", c.Value, &c.Low, &c.High) + "  "
			}
		}
		limit := ""
		if f.Limit != nil {
			limit = f.Limit.Estimate().String()
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%.4f\t%d\t%s\n", name, f.In, surface.Text(f.At), strings.TrimSpace(value), limit, f.R2, f.Points, f.Warning)
	}
	return table.Flush()
}

// interval writes a number with its ends.
func interval(name string, value float64, low, high *float64) string {
	if low == nil || high == nil || math.IsNaN(*low) || math.IsNaN(*high) {
		return fmt.Sprintf("%s%.4g [no interval]", name, value)
	}
	return fmt.Sprintf("%s%.4g [%.4g, %.4g]", name, value, *low, *high)
}
