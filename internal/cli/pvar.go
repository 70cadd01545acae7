package cli

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/importer/tensorfile"
	"github.com/deeplimit/deeplimit/pvar"
)

// pvarFlags are the flags of `deeplimit pvar` as they are written.
type pvarFlags struct {
	p              []float64
	metric, tensor string
	json, more     bool
}

func newPVar() *cobra.Command {
	var f pvarFlags
	cmd := &cobra.Command{
		Use:   "pvar FILE",
		Short: "Print the exact p-variation of a path in a .npy, .csv or .safetensors file",
		Long: `pvar computes V_p = max over 0 = k_0 < … < k_m = n-1 of Σ_j |x_{k_j} - x_{k_{j+1}}|^p, exactly, with
a partition that attains it. value is the sum, norm its p-th root; the partition counts points
from 0.

The path runs along the first axis: (n) are numbers, (n,D) points of R^D, and (n,r,c) r×c
matrices. A .csv file has one point a row. .npz and .pt files are read, too.`,
		Example: `  deeplimit pvar path.npy --p 1,2,2.5
  deeplimit pvar runs/quickstart/runs/NAME/weights.safetensors --tensor A --metric spectral --json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, metric, err := f.read(args[0])
			if err != nil {
				return err
			}
			variations, err := pvar.ComputeIn(metric, path, f.p...)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if f.json {
				return printJSON(cmd.OutOrStdout(), variations)
			}
			if err := f.write(cmd.OutOrStdout(), path, variations); err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.Float64SliceVar(&f.p, "p", []float64{1, 2, 3}, "exponents, each at least 1")
	flags.StringVar(&f.metric, "metric", "frobenius", "frobenius (Euclidean), spectral, l1 or sup")
	flags.StringVar(&f.tensor, "tensor", "", "name of the tensor in a file of several (default A)")
	flags.BoolVar(&f.json, "json", false, "print JSON: a list of p, value, norm and partition")
	flags.BoolVar(&f.more, "more", false, "add the dyadic quadratic variation and the Hölder exponent")
	cmd.MarkFlagsMutuallyExclusive("json", "more")
	return cmd
}

// read returns the path in a file and the metric for its points.
func (f *pvarFlags) read(path string) (pvar.Points, pvar.Metric, error) {
	file, err := tensorfile.Open(path)
	if err != nil {
		return pvar.Points{}, pvar.Metric{}, err
	}
	defer file.Close()
	name, err := f.choose(file)
	if err != nil {
		return pvar.Points{}, pvar.Metric{}, fmt.Errorf("pvar: %s: %w", path, err)
	}
	info, err := file.Info(name)
	if err != nil {
		return pvar.Points{}, pvar.Metric{}, err
	}
	shape := info.Shape
	if len(shape) < 1 || len(shape) > 3 || slices.Contains(shape[1:], 0) {
		return pvar.Points{}, pvar.Metric{}, fmt.Errorf("pvar: %s: got shape %v, want (n), (n,D) or (n,r,c)", path, shape)
	}
	rows, cols := 1, 1
	if len(shape) > 1 {
		rows = shape[1]
	}
	if len(shape) > 2 {
		cols = shape[2]
	}
	metric, err := pvar.ParseMetric(f.metric, rows, cols)
	if err != nil {
		return pvar.Points{}, pvar.Metric{}, err
	}
	data, err := file.Read(name)
	return pvar.Points{Dim: rows * cols, Data: data}, metric, err
}

// choose returns the tensor that is asked for, the only one, or A.
func (f *pvarFlags) choose(file *tensorfile.File) (string, error) {
	names := file.Names()
	switch {
	case f.tensor != "":
		return f.tensor, nil
	case len(names) == 1:
		return names[0], nil
	case slices.Contains(names, "A"):
		return "A", nil
	}
	return "", fmt.Errorf("--tensor: got none, want one of %s", tensorfile.List(names))
}

// write prints the variations as a table.
func (f *pvarFlags) write(w io.Writer, path pvar.Points, variations []pvar.Variation) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%d points of dimension %d, metric %s; value is the sum V_p, norm its p-th root\n\n", path.Len(), path.Dim, f.metric)
	fmt.Fprintln(table, "P\tVALUE\tNORM\tSTEPS OF THE PARTITION")
	for _, v := range variations {
		fmt.Fprintf(table, "%g\t%.10g\t%.10g\t%d\n", v.P, v.Value, v.Norm(), max(len(v.Partition)-1, 0))
	}
	if f.more {
		if err := writeRegularity(table, path); err != nil {
			return err
		}
	}
	return table.Flush()
}

// writeRegularity prints the quadratic variation over every m-th point and, of a path
// that has one, the Hölder exponent. Both are Euclidean.
func writeRegularity(w io.Writer, path pvar.Points) error {
	strides, err := pvar.DyadicVariations(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\nSTRIDE\tQUADRATIC VARIATION (Euclidean)\n")
	for _, s := range strides {
		fmt.Fprintf(w, "%d\t%.10g\n", s.Stride, s.Value)
	}
	regularity, err := pvar.Hoelder(path)
	if err != nil {
		_, err = fmt.Fprintf(w, "\nno Hölder exponent: %v\n", err)
		return err
	}
	_, err = fmt.Fprintf(w, "\nHölder exponent (Euclidean): %.4f in the mean square, %.4f uniformly, over lags 1 to %d\n",
		regularity.Mean, regularity.Uniform, regularity.Lags[len(regularity.Lags)-1])
	return err
}
