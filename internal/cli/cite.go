package cli

import (
	"errors"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/read/cite"
)

func newCite() *cobra.Command {
	var bibtex bool
	var form answer
	cmd := &cobra.Command{
		Use:   "cite DIR",
		Short: "List the works that a study rests on, as text or BibTeX",
		Long: `cite reads the runs in the folder of a study and lists the works to cite: deeplimit
itself, the paper whose statements it tests, and those of the method, step rule, data
sets, initial weights, certificates and statistics that the runs used, each with what it
is for.`,
		Example: `  deeplimit cite runs/my-study
  deeplimit cite runs/my-study --bibtex > study.bib`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if bibtex && form.asked() {
				return errors.New("cite: got --bibtex beside --json or --csv, want one of them")
			}
			dir, err := folder(cmd, args[0], studyAlone)
			if err != nil {
				return err
			}
			list, err := cite.Study(dir, thisBuild().String())
			if err != nil {
				return err
			}
			switch {
			case form.asked():
				return form.print(cmd.OutOrStdout(), list)
			case bibtex:
				return cite.WriteBibTeX(cmd.OutOrStdout(), list)
			}
			return cite.WriteText(cmd.OutOrStdout(), list)
		},
	}
	cmd.Flags().BoolVar(&bibtex, "bibtex", false, "print BibTeX")
	form.add(cmd)
	return cmd
}
