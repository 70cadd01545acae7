package cli

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/plain"
)

// newDataShow reads a file as a study would.
func newDataShow() *cobra.Command {
	var spec dataset.Spec
	var header, index string
	var form answer
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show what a table (.csv, .parquet) or arrays (.npy, .npz) would be read as",
		Long: `show reads a table as data of kind csv or parquet, or arrays as data of kind files, with the keys of a study
as flags, and prints what it saw: names and ranges of inputs and targets, classes and how many samples
each has, header, index and delimiter, and the first samples before they are standardised.`,
		Example: `  deeplimit data show table.csv --columns price
  deeplimit data show table.csv --columns species --classification
  deeplimit data show table.parquet --test-path held-out.parquet
  deeplimit data show X.npy --targets y.npy --classification --flatten`,
		Args: arguments("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch strings.ToLower(filepath.Ext(args[0])) {
			case ".npy", ".npz":
				spec.Kind, spec.Inputs = "files", args[0]
			case ".parquet", ".pq":
				spec.Kind, spec.Path = "parquet", args[0]
			default:
				spec.Kind, spec.Path = "csv", args[0]
			}
			if header != "" {
				value, err := strconv.ParseBool(header)
				if err != nil {
					return fmt.Errorf("data show: --header: got %q, want true or false", header)
				}
				spec.Header = &value
			}
			spec.Index = dataset.Index(index)
			shown, err := dataset.Show(spec, "")
			if err != nil {
				return err
			}
			if form.json {
				return form.print(cmd.OutOrStdout(), shown)
			}
			return writeShown(cmd.OutOrStdout(), shown)
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&spec.Columns, "columns", nil, "names of the target columns of a table (default: the last)")
	flags.StringSliceVar(&spec.Categories, "categories", nil, "names of input columns that hold words, an input of 0 and 1 for each word")
	flags.StringVar(&spec.Missing, "missing", "", "drop leaves out rows with missing values, mean fills in the mean of the column (default: an error)")
	flags.StringVar(&spec.Targets, "targets", "", "file of the targets, beside an array of inputs")
	flags.StringVar(&spec.TestPath, "test-path", "", "table of held-out samples with the same columns")
	flags.StringVar(&spec.TestInputs, "test-inputs", "", "file of the inputs of held-out samples")
	flags.StringVar(&spec.TestTargets, "test-targets", "", "file of their targets")
	flags.BoolVar(&spec.Classification, "classification", false, "the target is a class")
	flags.BoolVar(&spec.Flatten, "flatten", false, "flatten arrays of more than two axes, such as images")
	flags.StringVar(&header, "header", "", "true or false: whether the first row holds names (default: found)")
	flags.StringVar(&index, "index", "", "true, false or the name of a column that names the rows (default: found)")
	flags.StringVar(&spec.Delimiter, "delimiter", "", "one of , ; tab blank (default: found)")
	flags.StringVar(&spec.Decimal, "decimal", "", "decimal mark, . or , (default: found)")
	form.addJSON(cmd)
	return cmd
}

// mostColumns bounds the columns that are listed.
const mostColumns = 30

// writeShown prints a line for each column, the classes and how the files were read.
func writeShown(w io.Writer, s *dataset.Shown) error {
	held := ""
	if s.TestSamples > 0 {
		held = fmt.Sprintf(", test samples %d", s.TestSamples)
	}
	fmt.Fprintf(w, "samples %d%s, inputs %d, targets %d\n", s.Samples, held, len(s.Inputs), len(s.Targets))
	if s.Read != "" {
		fmt.Fprintf(w, "read as %s\n", s.Read)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "COLUMN\tUSED AS\tSMALLEST\tLARGEST\tFIRST SAMPLES")
	line := func(j int, name, used string) {
		first := make([]string, len(s.Rows))
		for i, row := range s.Rows {
			first[i] = strconv.FormatFloat(row[j], 'g', 6, 64)
		}
		fmt.Fprintf(table, "%s\t%s\t%.6g\t%.6g\t%s\n", plain.Text(name), used, s.Ranges[j][0], s.Ranges[j][1], strings.Join(first, ", "))
	}
	for j, name := range s.Inputs {
		if j == mostColumns {
			fmt.Fprintf(table, "… %d more inputs\n", len(s.Inputs)-mostColumns)
			break
		}
		line(j, name, "input")
	}
	for k, name := range s.Targets[:min(len(s.Targets), mostColumns)] {
		used := "target"
		if s.Classes != nil {
			used = "number of the class"
		}
		line(len(s.Inputs)+k, name, used)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for i, c := range s.Classes {
		if i == mostColumns {
			_, err := fmt.Fprintf(w, "… %d more classes\n", len(s.Classes)-mostColumns)
			return err
		}
		if _, err := fmt.Fprintf(w, "class %d: %s, %d samples\n", i, plain.Text(c.Class), c.Samples); err != nil {
			return err
		}
	}
	return nil
}
