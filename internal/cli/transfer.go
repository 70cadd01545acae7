package cli

import (
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/ask/transfer"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/surface"
	"github.com/deeplimit/deeplimit/runfolder"
)

// mostNotes is how many runs that were left out are named.
const mostNotes = 20

func newTransfer() *cobra.Command {
	var form answer
	options := transfer.Options{}
	cmd := &cobra.Command{
		Use:   "transfer DIR",
		Short: "Estimate the limit of the trained paths and evaluate it at other depths",
		Long: `transfer estimates, for every group and seed of a study, the limit of the rescaled
weight path as depth grows, from the two deepest runs, or from the deepest alone where
that gives the lower loss at the greatest depth asked for. It rebuilds the network from
it at other depths and evaluates its loss there, without training: from the trend
alone, and with initial weights drawn at that depth. It also evaluates the trend of
every trained run at its own depth.

Runs that are not finished, diverged, are damaged or have fewer than 8 layers are left out, with a
note; one run of a seed is enough.

With --train it also trains the network of every depth as the study trained its runs, in the
study's dtype, once from the rebuilt trend and once from scratch, and counts the iterations of both.
Losses are evaluated in float64.

With --reference it compares outputs with those of the network at that depth, and fits the orders of the errors in depth:
that of the trend alone, and those of networks with the displacement on --draws initial weights, as the root mean square
over draws (strong error; with initial.coupled alone, where all depths share their draws), of the mean outputs and of the
mean of their squares (weak errors). Draw r has the initial weights of the run of seed + r 2^32. The loss of the trend is
extrapolated to L = ∞ from the deepest rebuilt networks, and its order is that of the distance to this limit.

The limit path goes to transfer/limit.safetensors in the folder of the deepest run and
the losses to transfer.json in every run folder, where analyze and report read them.`,
		Example: `  deeplimit transfer runs/my-study --depth 1024 --depth 4096
  deeplimit transfer runs/my-study --depth 64,128,256,512,1024,2048 --reference 16384 --draws 500`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if options.Workers < 1 {
				return fmt.Errorf("transfer: --jobs: got %d, want at least 1", options.Workers)
			}
			dir, err := folder(cmd, args[0], studyOrRun)
			if err != nil {
				return err
			}
			left := 0
			options.Note = func(o transfer.Omitted) {
				if left++; left <= mostNotes {
					fmt.Fprintf(cmd.ErrOrStderr(), "note: transfer: left out %s\n", plain.Text(o.String()))
				}
			}
			observe, stop := watchWork(cmd.ErrOrStderr(), "transfer", "seeds")
			defer stop()
			options.Observe = observe
			results, err := transfer.Study(cmd.Context(), dir, options)
			stop()
			if more := left - mostNotes; more > 0 {
				fmt.Fprintf(cmd.ErrOrStderr(), "note: transfer: left out %d more runs\n", more)
			}
			if err != nil {
				return err
			}
			for i, r := range results {
				if i > 0 && results[i-1].Group == r.Group {
					continue
				}
				for _, note := range r.Notes {
					fmt.Fprintf(cmd.ErrOrStderr(), "note: transfer: %s: %s\n", plain.Text(strings.TrimSpace(r.Data+" "+surface.Text(r.Settings))), plain.Text(note))
				}
			}
			if form.asked() {
				return form.print(cmd.OutOrStdout(), results, "targets")
			}
			if err := writeTransfers(cmd.OutOrStdout(), results); err != nil {
				return err
			}
			return writeOrders(cmd.OutOrStdout(), results)
		},
	}
	flags := cmd.Flags()
	flags.IntSliceVar(&options.Depths, "depth", nil, "depth to rebuild at; may be repeated (default 2, 4 and 8 times the deepest; with --reference an eighth of it and four halvings)")
	flags.IntVar(&options.Reference, "reference", 0, "compare outputs with those of the network at this depth (default no comparison)")
	flags.IntVar(&options.Draws, "draws", 0, "draws of the initial weights for strong and weak errors, with --reference (default 1)")
	flags.BoolVar(&options.Deepest, "deepest", false, "take the path of the deepest run as the limit, without extrapolation in 1/L")
	flags.BoolVar(&options.Train, "train", false, "train from each rebuilt network and from scratch, and count the iterations")
	flags.StringVar(&options.Base, "base", "", "folder that relative names of data files start from (default: as recorded)")
	flags.IntVar(&options.Workers, "jobs", runtime.GOMAXPROCS(0), "cores to use; the results do not depend on it")
	form.add(cmd)
	return cmd
}

// writeTransfers prints one line for each rebuilt network, after one for the run
// that the limit was estimated from.
func writeTransfers(w io.Writer, results []transfer.Result) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	header := "RUN\tLIMIT FROM\tDEPTH\tTREND ALONE\tINITIAL REDRAWN"
	if slices.ContainsFunc(results, func(r transfer.Result) bool {
		return slices.ContainsFunc(r.Targets, func(t runfolder.TransferTarget) bool { return t.Errors != nil })
	}) {
		header += "\tERROR OF TREND\tSTRONG\tWEAK\tWEAK OF SQUARES"
	}
	if trained(results) {
		header += "\tTRAINED FROM IT\tFROM SCRATCH"
	}
	fmt.Fprintln(table, header)
	for _, r := range results {
		var sources []string
		for _, depth := range r.Sources {
			sources = append(sources, strconv.Itoa(depth))
		}
		fmt.Fprintf(table, "%s\t%s\ttrained\t%.4g\t%.4g\n", r.Run, strings.Join(sources, ", "), r.TrendLoss, r.Loss)
		for _, t := range r.Targets {
			redrawn := "–"
			if t.Redrawn != nil {
				redrawn = fmt.Sprintf("%.4g", *t.Redrawn)
			}
			fmt.Fprintf(table, "\t\t%d\t%.4g\t%s", t.Depth, t.Trend, redrawn)
			if e := t.Errors; e != nil {
				fmt.Fprintf(table, "\t%.4g\t%s\t%s\t%s", e.Trend, errorText(e.Strong), errorText(e.Weak), errorText(e.WeakSquare))
			}
			if t.Training != nil {
				scratch := "–"
				if t.Training.Scratch != nil {
					scratch = t.Training.Scratch.String()
				}
				fmt.Fprintf(table, "\t%s\t%s", t.Training.Rebuilt, scratch)
			}
			fmt.Fprintln(table)
		}
	}
	return table.Flush()
}

// errorText writes an error, "–" for none.
func errorText(v *float64) string {
	if v == nil {
		return "–"
	}
	return fmt.Sprintf("%.4g", *v)
}

// writeOrders prints the orders of each group, and what its losses go to.
func writeOrders(w io.Writer, results []transfer.Result) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	headed := false
	for i, r := range results {
		if i > 0 && results[i-1].Group == r.Group || len(r.Orders) == 0 {
			continue
		}
		if !headed {
			fmt.Fprintln(table, "\nORDER OF\tDATA\tSETTINGS\tEXPONENT\tMETHOD\tDEPTHS\tAGAINST\tWARNING")
			headed = true
		}
		for _, o := range r.Orders {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%d to %d\t%s\t%s\n", o.Of, plain.Text(r.Data), plain.Text(surface.Text(r.Settings)),
				interval("", o.Exponent, o.Low, o.High), o.Method, o.Depths[0], o.Depths[len(o.Depths)-1], o.Against, o.Warning)
		}
	}
	return table.Flush()
}

// trained says whether networks were trained from what was rebuilt.
func trained(results []transfer.Result) bool {
	return slices.ContainsFunc(results, func(r transfer.Result) bool {
		return slices.ContainsFunc(r.Targets, func(t runfolder.TransferTarget) bool { return t.Training != nil })
	})
}
