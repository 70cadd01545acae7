package cli

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/field"
)

func newData() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data",
		Short: "List the data sets, fetch one, or show what a file is read as",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return fmt.Errorf("data: got %q, want list, fetch or show%s", args[0], field.Mean(args[0], []string{"list", "fetch", "show"}))
		},
	}
	cmd.AddCommand(newDataList(), newDataFetch(), newDataShow())
	return cmd
}

func newDataList() *cobra.Command {
	var form answer
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the data sets, where they are and where a missing one comes from",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			entries := dataset.List()
			if form.asked() {
				return form.print(cmd.OutOrStdout(), entries)
			}
			return writeEntries(cmd.OutOrStdout(), entries)
		},
	}
	form.add(cmd)
	return cmd
}

func newDataFetch() *cobra.Command {
	var dir string
	cmd := &cobra.Command{
		Use:   "fetch NAME",
		Short: "Fetch a data set that is not here (mnist, fashion-mnist) and check its files",
		Args:  arguments("NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return dataset.Fetch(cmd.Context(), args[0], dir, cmd.ErrOrStderr())
		},
	}
	cmd.Flags().StringVar(&dir, "dir", "", "folder to put the files in (default: where run looks for them)")
	return cmd
}

// writeEntries prints one line for each kind of data; what is missing says how to get it.
func writeEntries(w io.Writer, entries []dataset.Entry) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tSAMPLES\tTEST\tINPUTS\tOUTPUTS\tHERE\tWHERE\tWHAT")
	size := func(n int) string {
		if n == 0 {
			return "-"
		}
		return fmt.Sprint(n)
	}
	for _, e := range entries {
		here := "yes"
		if !e.Present {
			here = "no"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Name, size(e.Samples), size(e.Test), size(e.Inputs), size(e.Outputs), here, e.Where, e.About)
	}
	return table.Flush()
}
