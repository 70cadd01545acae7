package cli

import (
	"fmt"
	"io"
	"runtime"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/curvature"
	"github.com/deeplimit/deeplimit/internal/ask/edge"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

func newEdge() *cobra.Command {
	var form answer
	var set []string
	var maxRuns int
	options := edge.Options{}
	cmd := &cobra.Command{
		Use:   "edge STUDY.yaml",
		Short: "Find the step size up to which descent is stable at every depth",
		Long: `edge finds, for every run of a study, the step size η up to which gradient descent is
stable, in train.stop.iterations steps from the initial weights of the run. Beyond some η
descent is chaotic: step sizes at which the loss exceeds its first value lie among others, in
intervals down to 10⁻⁴ of η. Two numbers are printed therefore:

  STABLE    at every step size tried up to it, the loss never regains more than a tenth
            of what it has lost: a margin that keeps clear of such intervals
  UNSTABLE  the smallest step size tried at which the loss exceeds its first value

Between the two a descent may be either; far from chaos they are close together. The
scan tries step sizes 1 % apart (--scan), from half of STABLE at the most, and a quarter,
an eighth and a sixteenth of it. An interval in which the loss regains more than a tenth
is met for certain where it is wider than 1 % of η, and one of a tenth of that width with
a chance of a tenth.

Beside them stands 2/λ_max of the Hessian at the initial weights, where descent on a
quadratic turns unstable, and for each group the exponents in depth of STABLE and of
2/λ_max with 95 % intervals.

Nothing is written. Methods other than gd are refused.`,
		Example: `  deeplimit edge study.yaml
  deeplimit edge study.yaml --set 'depths=[16, 64, 256]' --set train.stop.iterations=200 --precision 0.01`,
		Args: arguments("STUDY.yaml"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if options.Workers < 1 {
				return fmt.Errorf("edge: --jobs: got %d, want at least 1", options.Workers)
			}
			plan, err := planOf("edge", args[0], set, maxRuns)
			if err != nil {
				return err
			}
			observe, stop := watchWork(cmd.ErrOrStderr(), "edge", "runs")
			defer stop()
			options.Observe = observe
			found, err := edge.Find(cmd.Context(), plan, options)
			stop()
			if err != nil {
				return err
			}
			if form.asked() {
				return form.print(cmd.OutOrStdout(), found, "runs")
			}
			return writeEdges(cmd.OutOrStdout(), found)
		},
	}
	flags := cmd.Flags()
	maxRunsFlag(flags, &maxRuns)
	flags.StringArrayVar(&set, "set", nil, "override a field, as in network.alpha=0.75; may be repeated")
	flags.Float64Var(&options.Scan, "scan", 0.01, "relative distance between the step sizes tried, at most 0.01")
	flags.Float64Var(&options.Precision, "precision", 1e-4, "relative width of the gap above STABLE in the end, at most 0.01")
	flags.IntVar(&options.Workers, "jobs", runtime.GOMAXPROCS(0), "cores to use; the results do not depend on it")
	form.add(cmd)
	return cmd
}

// writeEdges prints one line for each run, then the exponents of each group.
func writeEdges(w io.Writer, found *analyze.Edge) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "RUN\tSTABLE\tUNSTABLE\t2/λ_MAX")
	for _, r := range found.Runs {
		unstable, bound := "–", "–"
		if r.Unstable != nil {
			unstable = fmt.Sprintf("%.4g", *r.Unstable)
		}
		if r.Bound != nil {
			bound = curvature.Text(*r.Bound, *r.Bound*r.SharpnessResidual/r.Sharpness, 4)
		}
		fmt.Fprintf(table, "%s\t%.4g\t%s\t%s\n", r.ID, r.Stable, unstable, bound)
	}
	fmt.Fprintln(table, "\nGROUP\tEXPONENT OF THE EDGE\tOF 2/λ_MAX\t2α − 1")
	for _, g := range found.Groups {
		fmt.Fprintf(table, "%s, α = %g\t%s\t%s\t%.4g\n", plain.Text(g.Data), g.Alpha, exponent(g.Measured), exponent(g.Bound), 2*g.Alpha-1)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, `
STABLE: at all step sizes tried up to it, %[1]g %% apart, the loss regains at most a tenth of what it has lost.
UNSTABLE: the smallest tried at which the loss exceeds its first value. In between are both kinds.
An interval of η where it regains more is met for certain if it is wider than %[1]g %%, with a chance of ½ if half as wide.
`, 100*found.Scan); err != nil {
		return err
	}
	for _, g := range found.Groups {
		if len(g.Notes) > 0 {
			if _, err := fmt.Fprintln(w, strings.Join(g.Notes, "\n")); err != nil {
				return err
			}
		}
	}
	return nil
}

// exponent writes a slope with its interval, "–" where there is none.
func exponent(s *analyze.Slope) string {
	if s == nil {
		return "–"
	}
	return s.String()
}
