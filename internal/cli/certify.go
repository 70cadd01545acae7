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
	var form answer
	var at []int64
	var kernel kernelFlags
	cmd := &cobra.Command{
		Use:   "certify RUN|STUDY",
		Short: "Print what is proved about a run: hypotheses, bounds, convergence",
		Long: `certify reads the folder of one run and prints each assumption of the theory with
the number that decides it, every bound at the iterates that were measured with its
slack, and the certificate of convergence: from which iteration on it is certain that
gradient descent reaches a global optimum. A bound that does not apply says why.

Without --at the table shows the first iterate, that of the certificate and the last,
JSON all of them. train.certify.cadence in the study file says which are measured.

--kernel proves two more statements about the last iterate, from the tangent kernel of
the network, which it rebuilds with its samples. They need squared loss and a smooth
activation, and hold for every block, bias and trained group, and any method:

  zero     an exact zero-loss network lies within a stated distance of this one
  descent  gradient descent from here with any step up to a stated one converges to a
           zero-loss network, at least at a stated rate, within a stated distance

--polish makes Newton steps first and says how far away an exact zero-loss network is,
at any loss of the iterate; it stores the weights in kernel/polished.safetensors in
the folder of the run. Everything is evaluated in float64, also for runs of float32.

Of the folder of a study, --kernel proves them for every finished run that has not yet what
is asked for, stores them in kernel.json of the run, and prints them along depth, with
exponents: whether the region of the certificate shrinks with depth. The report and
figure certificates show the same.

A statement that is found broken is a fault of deeplimit: exit code 2.`,
		Example: `  deeplimit certify runs/my-study/runs/separated-L0064-s1-3f2a9c01
  deeplimit certify RUN --at 0 --at 16 --json
  deeplimit certify RUN --kernel --polish
  deeplimit certify runs/my-study --kernel`,
		Args: arguments("RUN|STUDY"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := kernel.check(cmd); err != nil {
				return err
			}
			dir, err := folder(cmd, args[0], runAlone)
			if err != nil {
				return err
			}
			if runs, _ := runfolder.List(dir); kernel.wanted && len(runs) > 0 {
				return kernel.study(cmd, dir, at, form)
			}
			report, err := readProof(dir, at, form.asked())
			if err != nil {
				return err
			}
			if kernel.wanted {
				if report.Kernel, err = kernel.prove(cmd, dir); err != nil {
					return err
				}
			}
			if form.asked() {
				err = form.print(cmd.OutOrStdout(), report, "iterates", "bounds")
			} else {
				err = report.WriteTable(cmd.OutOrStdout())
				if err == nil && report.Kernel != nil {
					err = report.WriteKernel(cmd.OutOrStdout())
				}
			}
			if err == nil && report.Verdict == proof.Violated {
				err = fmt.Errorf("certify: %s: %s", args[0], report.Violations[0])
			}
			return err
		},
	}
	form.add(cmd)
	cmd.Flags().Int64SliceVar(&at, "at", nil, "show this iteration; may be repeated")
	kernel.add(cmd)
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
