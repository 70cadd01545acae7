package cli

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/read/proof"
	"github.com/deeplimit/deeplimit/runfolder"
)

func newCertify() *cobra.Command {
	var asJSON bool
	var at []int64
	cmd := &cobra.Command{
		Use:   "certify RUN",
		Short: "Print what is proved about a run: hypotheses, bounds, convergence",
		Long: `certify reads the folder of one run and prints each assumption of the theory with
the number that decides it, every bound at the iterates that were measured with its
slack, and the certificate of convergence: from which iteration on it is certain that
gradient descent reaches a global optimum. A bound that does not apply says why.

Without --at the table shows the first iterate, that of the certificate and the last,
JSON all of them. train.certify.cadence in the study file says which are measured.

A statement that is found broken is a fault of deeplimit: exit code 2.`,
		Example: `  deeplimit certify runs/my-study/runs/separated-L0064-s1-3f2a9c01
  deeplimit certify RUN --at 0 --at 16 --json`,
		Args: arguments("RUN"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := folder(cmd, args[0], runAlone)
			if err != nil {
				return err
			}
			report, err := readProof(dir, at, asJSON)
			if err != nil {
				return err
			}
			if asJSON {
				err = printJSON(cmd.OutOrStdout(), report)
			} else {
				err = report.WriteTable(cmd.OutOrStdout())
			}
			if err == nil && report.Verdict == proof.Violated {
				err = fmt.Errorf("certify: %s: %s", args[0], report.Violations[0])
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().Int64SliceVar(&at, "at", nil, "show this iteration; may be repeated")
	return cmd
}

// readProof evaluates a run folder at the iterations given, or else at all of them, or
// at the chosen few of a table.
func readProof(folder string, at []int64, all bool) (*proof.Report, error) {
	run, err := runfolder.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		if runs, _ := runfolder.List(folder); len(runs) > 0 {
			return nil, fmt.Errorf("certify: %s: got the folder of a study, want that of one run, such as %s", folder, runs[0])
		}
	}
	if err != nil {
		return nil, err
	}
	report, err := proof.Read(run, at...)
	if err != nil || all || len(at) > 0 || report.Reason != "" {
		return report, err
	}
	report.Keep(report.Chosen()...)
	return report, nil
}
