package cli

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/ask/coordinate"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
)

func newCoordinateCheck() *cobra.Command {
	var all bool
	var form answer
	var set []string
	var maxRuns int
	var figures string
	options := coordinate.Options{}
	cmd := &cobra.Command{
		Use:   "coordinate-check STUDY.yaml",
		Short: "Check which changes of the first steps are the same at every depth",
		Long: `coordinate-check trains every run of a study for --iterations steps and looks at the network after
1, 2, 4 … of them: how far its last hidden state has moved, the part of each block, the spectral norm and
stable rank of the updates and how they are aligned with their inputs, and how far blocks and network are from
their linearisations at the start. For each it fits the exponent in depth with its 95 % interval over seeds:

  flat        the interval lies within ±0.1: the same at every depth
  not flat    it lies outside; the table says what to change
  –           neither, or no interval: more seeds or depths

The table shows the last iteration, with --all every one. Nothing is written, but with --figure DIR
the figures. docs/tune.md has the formulas.`,
		Example: `  deeplimit coordinate-check study.yaml
  deeplimit coordinate-check study.yaml --set 'depths=[8, 32, 128]' --set seeds=3 --iterations 8 --json`,
		Args: arguments("STUDY.yaml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if options.Workers < 1 {
				return fmt.Errorf("coordinate-check: --jobs: got %d, want at least 1", options.Workers)
			}
			p, err := planOf("coordinate-check", args[0], set, maxRuns)
			if err != nil {
				return err
			}
			observe, stop := watchWork(cmd.ErrOrStderr(), "coordinate-check", "runs")
			defer stop()
			options.Observe = observe
			found, err := coordinate.Check(cmd.Context(), p, options)
			stop()
			if err != nil {
				return err
			}
			if figures != "" {
				if err := report.WriteCoordinates(figures, found); err != nil {
					return err
				}
			}
			if form.asked() {
				return form.print(cmd.OutOrStdout(), found, "quantities", "values")
			}
			return writeCoordinates(cmd.OutOrStdout(), found, all)
		},
	}
	flags := cmd.Flags()
	maxRunsFlag(flags, &maxRuns)
	flags.StringArrayVar(&set, "set", nil, "override a field, as in network.alpha=0.75; may be repeated")
	flags.IntVar(&options.Iterations, "iterations", 16, "the last iteration that is looked at")
	flags.IntVar(&options.Workers, "jobs", runtime.GOMAXPROCS(0), "cores to use; the results do not depend on it")
	flags.StringVar(&figures, "figure", "", "write the figures into this folder, made when missing")
	flags.BoolVar(&all, "all", false, "show every iteration")
	form.add(cmd)
	return cmd
}

// writeCoordinates prints one table for each group.
func writeCoordinates(w io.Writer, found *analyze.Coordinates, all bool) error {
	last := map[string]int{}
	for i := range found.Quantities {
		q := &found.Quantities[i]
		last[q.Group] = max(last[q.Group], q.Iteration)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	group := ""
	for i := range found.Quantities {
		q := &found.Quantities[i]
		if !all && q.Iteration != last[q.Group] {
			continue
		}
		if q.Group != group {
			if group != "" {
				fmt.Fprintln(table)
			}
			group = q.Group
			fmt.Fprintf(table, "%s\n\nITERATION\tQUANTITY\tEXPONENT IN DEPTH\tFLAT\tKNOB\n", plain.Text(q.Label()))
		}
		flat := "–"
		if q.Flat != nil {
			flat = map[bool]string{true: "flat", false: "not flat"}[*q.Flat]
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\n", q.Iteration, q.Symbol(), exponent(q.Exponent), flat, q.Knob)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(found.Diverged) > 0 {
		fmt.Fprintf(w, "diverged: %s\n", strings.Join(found.Diverged, ", "))
	}
	if len(found.Notes) > 0 {
		fmt.Fprintln(w, strings.Join(found.Notes, "\n"))
	}
	return nil
}
