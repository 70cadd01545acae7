package cli

import (
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/runfolder"
)

func newMerge() *cobra.Command {
	return &cobra.Command{
		Use:   "merge OUT IN...",
		Short: "Bring the runs of one study, computed in several places, into one folder",
		Long: `merge copies the finished runs of the study folders IN into the study folder OUT, which
is made when it is missing. Every file is held to its checksum. A run that several
folders have must have the same weights and the same trace in each; two that differ
are an error that names both. Runs without a result are left out, and their
checkpoints stay where they are. Merging again changes nothing, and deeplimit run with
--out OUT computes what is missing, from its start.`,
		Example: `  deeplimit merge runs/all laptop/wide cluster/wide
  deeplimit report runs/all`,
		Args: arguments("OUT", "IN…"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ins := slices.Clone(args[1:])
			for i, in := range ins {
				var err error
				if ins[i], err = folder(cmd, in, studyAlone); err != nil {
					return err
				}
			}
			merged, err := runfolder.Merge(args[0], ins)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s: %d runs copied, %d there already, %d without a result left out\n", args[0], merged.Copied, merged.Present, merged.Unfinished)
			return err
		},
	}
}
