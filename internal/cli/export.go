package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

func newExport() *cobra.Command {
	var options analyze.ExportOptions
	cmd := &cobra.Command{
		Use:   "export DIR",
		Short: "Write the analysis as Parquet or CSV tables",
		Long: `export analyses the folder of a study, or of one run, and writes three tables that pandas,
polars and DuckDB open: runs (one row a run), iterations (one row a run and recorded
iteration) and exponents (one row a group and quantity).`,
		Example: `  deeplimit export runs/quickstart
  deeplimit export runs/quickstart --format csv --out tables`,
		Args: arguments("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir, err := folder(cmd, args[0], studyOrRun)
			if err != nil {
				return err
			}
			files, err := analyze.Export(cmd.Context(), dir, options)
			if err != nil {
				return err
			}
			for _, file := range files {
				fmt.Fprintln(cmd.OutOrStdout(), file)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&options.Format, "format", analyze.Parquet, "parquet or csv")
	cmd.Flags().StringVar(&options.Out, "out", "", "folder of the tables (default DIR/tables)")
	return cmd
}
