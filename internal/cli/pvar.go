package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/floats"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/table"
	"github.com/deeplimit/deeplimit/pvar"
	"github.com/deeplimit/deeplimit/tensorfile"
)

// pvarFlags are the flags of `deeplimit pvar` as they are written.
type pvarFlags struct {
	p              []float64
	metric, tensor string
	more           bool
	form           answer
	header, index  string // of a table, as below
	delimiter      string
	decimal        string
}

func newPVar() *cobra.Command {
	var f pvarFlags
	cmd := &cobra.Command{
		Use:   "pvar FILE",
		Short: "Print the exact p-variation of a path in a .npy, .csv, .parquet or .safetensors file",
		Long: `pvar computes V_p = max over 0 = k_0 < … < k_m = n-1 of Σ_j |x_{k_j} - x_{k_{j+1}}|^p, exactly, with
a partition that attains it. value is the sum, norm its p-th root; the partition counts points
from 0. A sum that float64 cannot hold is a power of ten in the table and null in JSON, beside its norm.

The path runs along the first axis: (n) are numbers, (n,D) points of R^D, and (n,r,c) r×c
matrices. .npz and .pt files are read, too. --tensor displacement is what training has added to the weights of a run
folder, A − A_initial; A_displacement, V_displacement and so on are those of a part.

A table (.csv, .tsv, .txt, .dat, gzipped or not; .parquet, .pq) has one point a row. Delimiter, decimal mark, names in the first
row and row numbers in the first column are found, and what was found is printed; a table that can be
read in two ways is refused, with the flags that decide.`,
		Example: `  deeplimit pvar path.npy --p 1,2,2.5
  deeplimit pvar runs/quickstart/runs/NAME/weights.safetensors --tensor A --metric spectral --json
  deeplimit pvar runs/quickstart/runs/NAME/weights.safetensors --tensor displacement`,
		Args: arguments("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, metric, reading, err := f.read(args[0])
			if err != nil {
				return err
			}
			observe, stop := watchWork(cmd.ErrOrStderr(), "p-variation", "paths")
			defer stop()
			if observe != nil {
				observe(0, 1)
			}
			variations, err := pvar.ComputeIn(metric, path, f.p...)
			stop()
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if reading != nil {
				to := cmd.OutOrStdout()
				if f.form.asked() {
					to = cmd.ErrOrStderr()
				}
				fmt.Fprintf(to, "read as a table: %s\n", reading)
			}
			if f.form.asked() {
				return f.form.print(cmd.OutOrStdout(), variations)
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
	flags.StringVar(&f.tensor, "tensor", "", "name of the tensor in a file of several (default A); displacement is A − A_initial")
	f.form.add(cmd)
	flags.BoolVar(&f.more, "more", false, "add the dyadic quadratic variation and the Hölder exponent")
	flags.StringVar(&f.header, "header", "", "true or false: whether the first row of a table holds names (default as found)")
	flags.StringVar(&f.index, "index", "", "column of a table that names rows: true (the first), false or its name (default as found)")
	flags.StringVar(&f.delimiter, "delimiter", "", `of a table: ",", ";", tab, blank or none (default as found)`)
	flags.StringVar(&f.decimal, "decimal", "", `decimal mark of a table: "." or "," (default as found)`)
	cmd.MarkFlagsMutuallyExclusive("json", "csv", "more")
	return cmd
}

// read returns the path in a file, the metric for its points and, for a table, how it was read.
func (f *pvarFlags) read(path string) (pvar.Points, pvar.Metric, *table.Reading, error) {
	shape, data, reading, err := f.numbers(path)
	if err != nil {
		return pvar.Points{}, pvar.Metric{}, nil, err
	}
	rows, cols := 1, 1
	if len(shape) > 1 {
		rows = shape[1]
	}
	if len(shape) > 2 {
		cols = shape[2]
	}
	metric, err := pvar.ParseMetric(f.metric, rows, cols)
	return pvar.Points{Dim: rows * cols, Data: data}, metric, reading, err
}

// numbers returns the array or the table in a file.
func (f *pvarFlags) numbers(path string) (shape []int, data []float64, reading *table.Reading, err error) {
	if table.Named(path) {
		t, err := f.table(path)
		if err != nil {
			return nil, nil, nil, fmt.Errorf("pvar: %s: %w", path, err)
		}
		return []int{t.Rows, len(t.Columns)}, t.Numbers, &t.Reading, nil
	}
	for flag, value := range map[string]string{"header": f.header, "index": f.index, "delimiter": f.delimiter, "decimal": f.decimal} {
		if value != "" {
			return nil, nil, nil, fmt.Errorf("pvar: --%s: got %q for %s, want it for a table alone (.csv, .tsv, .txt, .dat, .parquet)", flag, value, path)
		}
	}
	file, err := tensorfile.Open(path)
	if err != nil {
		return nil, nil, nil, err
	}
	defer file.Close()
	name, err := f.choose(file)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("pvar: %s: %w", path, err)
	}
	if part, ok := strings.CutSuffix(name, displacementSuffix); ok && !slices.Contains(file.Names(), name) {
		shape, data, err = displacement(file, path, part)
	} else {
		shape, data, err = pathIn(file, path, name)
	}
	return shape, data, nil, err
}

// displacementSuffix ends the name of the difference of a tensor of a run folder and its value before training.
const displacementSuffix = "_displacement"

// displacement returns what training has added to a tensor of the weights in a run folder.
func displacement(file *tensorfile.File, path, part string) (shape []int, data []float64, err error) {
	before := part + "_initial"
	for _, name := range []string{part, before} {
		if !slices.Contains(file.Names(), name) {
			return nil, nil, fmt.Errorf("pvar: %s: --tensor: got %q, which needs %q and %q, want one of %s", path, part+displacementSuffix, part, before, tensorfile.List(file.Names()))
		}
	}
	shape, data, err = pathIn(file, path, part)
	if err != nil {
		return nil, nil, err
	}
	from, initial, err := pathIn(file, path, before)
	if err != nil {
		return nil, nil, err
	}
	if !slices.Equal(shape, from) {
		return nil, nil, fmt.Errorf("pvar: %s: got shapes %v of %q and %v of %q, want the same", path, shape, part, from, before)
	}
	floats.Sub(data, initial)
	return shape, data, nil
}

// pathIn returns a tensor whose first axis a path runs along.
func pathIn(file *tensorfile.File, path, name string) (shape []int, data []float64, err error) {
	info, err := file.Info(name)
	if err != nil {
		return nil, nil, err
	}
	shape = info.Shape
	if len(shape) < 1 || len(shape) > 3 || slices.Contains(shape[1:], 0) {
		return nil, nil, fmt.Errorf("pvar: %s: got shape %v, want (n), (n,D) or (n,r,c)", path, shape)
	}
	data, err = file.Read(name)
	return shape, data, err
}

// table reads a table of points.
func (f *pvarFlags) table(path string) (*table.Table, error) {
	options := table.Options{
		Index: f.index, Delimiter: f.delimiter, Decimal: f.decimal,
		Key: func(key, value string) string { return fmt.Sprintf("--%s=%s", key, plain.ShellWord(value)) },
	}
	switch {
	case f.tensor != "":
		return nil, fmt.Errorf("--tensor: got %q, want none for a table", f.tensor)
	case f.header != "":
		header, err := strconv.ParseBool(f.header)
		if err != nil {
			return nil, fmt.Errorf("--header: got %q, want true or false", f.header)
		}
		options.Header = &header
	}
	file, err := table.Open(path, options)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	t, err := file.Read()
	if err == nil && t.Counts && len(t.Columns) > 1 {
		return nil, file.AskIndex()
	}
	return t, err
}

// choose returns the tensor that is asked for, the only one, or A.
func (f *pvarFlags) choose(file *tensorfile.File) (string, error) {
	names := file.Names()
	switch {
	case f.tensor == "displacement" && !slices.Contains(names, f.tensor):
		return displaced(names)
	case f.tensor != "":
		return f.tensor, nil
	case len(names) == 1:
		return names[0], nil
	case slices.Contains(names, "A"):
		return "A", nil
	}
	return "", fmt.Errorf("--tensor: got none, want one of %s", tensorfile.List(names))
}

// displaced returns the name of the displacement of A, or of the only tensor whose value before training is there.
func displaced(names []string) (string, error) {
	var found []string
	for _, name := range names {
		if part, ok := strings.CutSuffix(name, "_initial"); ok && slices.Contains(names, part) {
			found = append(found, part+displacementSuffix)
		}
	}
	switch {
	case len(found) == 0:
		return "", fmt.Errorf(`--tensor: got displacement, want a file with the weights before training, such as "A" and "A_initial", it has %s`, tensorfile.List(names))
	case slices.Contains(found, "A"+displacementSuffix):
		return "A" + displacementSuffix, nil
	case len(found) > 1:
		return "", fmt.Errorf("--tensor: got displacement, want one of %s", tensorfile.List(found))
	}
	return found[0], nil
}

// write prints the variations as a table.
func (f *pvarFlags) write(w io.Writer, path pvar.Points, variations []pvar.Variation) error {
	out := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(out, "%d points of dimension %d, metric %s; value is the sum V_p, norm its p-th root\n\n", path.Len(), path.Dim, f.metric)
	fmt.Fprintln(out, "P\tVALUE\tNORM\tSTEPS OF THE PARTITION")
	for _, v := range variations {
		fmt.Fprintf(out, "%g\t%s\t%.10g\t%d\n", v.P, sum(v.Value, v.P*math.Log10(v.Norm)), v.Norm, max(len(v.Partition)-1, 0))
	}
	if f.more {
		if err := writeRegularity(out, path); err != nil {
			return err
		}
	}
	return out.Flush()
}

// sum writes a sum, as a power of ten with this exponent where float64 cannot hold it.
func sum(value, exponent float64) string {
	if math.IsNaN(value) {
		return fmt.Sprintf("10^%.4f", exponent)
	}
	return fmt.Sprintf("%.10g", value)
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
		fmt.Fprintf(w, "%d\t%s\n", s.Stride, sum(s.Value, 2*math.Log10(s.Root)))
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
