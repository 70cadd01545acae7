package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/ask/probe"
	"github.com/deeplimit/deeplimit/internal/plan/study"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/show/report"
	"github.com/deeplimit/deeplimit/runfolder"
)

// probeOptions are the flags of `deeplimit probe`.
type probeOptions struct {
	out      string
	set      []string
	draws    int
	maxRuns  int
	jobs     int
	form     answer
	noReport bool
}

func newProbe() *cobra.Command {
	var o probeOptions
	cmd := &cobra.Command{
		Use:   "probe STUDY.yaml",
		Short: "Look at untrained networks: how draws of the initial weights change lengths",
		Long: `probe draws the initial weights of every depth and grid point of a study, once for
each seed, takes the samples to the end of the network and their adjoints p_k = ∂J/∂h_k
back, and prints how lengths change: ‖h_L‖²/‖h_0‖², ‖h_L − h_0‖²/‖h_0‖² and the same of
p_0 against p_L, means over the draws with 95 % intervals, exact expectations where they
are known, and exponents in depth. Nothing is trained. Draw s is the network that the run
of seed s starts from.

The draws go to ensembles/*.parquet in the study folder, one page with methods, tables
and figures to report/start.html and the figures to report/figures. Ensembles that are there with the same seeds are not drawn again.`,
		Example: `  deeplimit probe study.yaml --draws 1000
  deeplimit probe experiments/start.yaml --set 'depths=[10, 100]' --json`,
		Args: arguments("STUDY.yaml"),
		RunE: func(cmd *cobra.Command, args []string) error { return o.run(cmd, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.out, "out", "", "study folder (default runs/<name of the study>)")
	flags.StringArrayVar(&o.set, "set", nil, "override a field, as in network.alpha=0.75; may be repeated")
	maxRunsFlag(flags, &o.maxRuns)
	flags.IntVar(&o.draws, "draws", 0, "number of draws, the same as --set seeds=N (default: the seeds of the study)")
	flags.IntVar(&o.jobs, "jobs", runtime.GOMAXPROCS(0), "cores to use; the results do not depend on it")
	o.form.add(cmd)
	flags.BoolVar(&o.noReport, "no-report", false, "write no page and no figures")
	return cmd
}

func (o *probeOptions) run(cmd *cobra.Command, file string) error {
	switch {
	case o.jobs < 1:
		return fmt.Errorf("probe: --jobs: got %d, want at least 1", o.jobs)
	case cmd.Flags().Changed("draws") && o.draws < 2:
		return fmt.Errorf("probe: --draws: got %d, want at least 2", o.draws)
	}
	if o.draws > 0 {
		o.set = append(o.set, fmt.Sprintf("seeds=%d", o.draws))
	}
	if err := studyFile("probe", file); err != nil {
		return err
	}
	s, err := study.LoadWithin(file, o.set, o.maxRuns)
	if err != nil {
		return err
	}
	if o.out == "" {
		o.out = outOf(s)
	}
	stderr := cmd.ErrOrStderr()
	err = probe.Study(cmd.Context(), s, probe.Options{
		Out: o.out, Workers: o.jobs, Version: thisBuild().String(),
		Observe: func(e runfolder.Ensemble, skipped bool) {
			verb := "drawn"
			if skipped {
				verb = "done before"
			}
			fmt.Fprintf(stderr, "%s %s: %d draws\n", verb, e.ID, len(e.Draws))
		},
	})
	if err != nil {
		return err
	}
	result, err := analyze.Starts(o.out)
	if err != nil {
		return err
	}
	if !o.noReport {
		page, err := report.WriteStarts(cmd.Context(), o.out, result, report.Options{})
		if err != nil {
			return err
		}
		fmt.Fprintln(stderr, "report:", page)
	}
	if o.form.asked() {
		return o.form.print(cmd.OutOrStdout(), result, "groups", "starts")
	}
	return result.WriteTable(cmd.OutOrStdout())
}
