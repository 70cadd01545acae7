package cli

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/importer"
)

// importFlags are the flags of `deeplimit import` as they are written.
type importFlags struct {
	out, name, preset           string
	pattern, inner              string
	bias, innerBias, convention string
	activation, layers, initial string
	alpha, beta                 float64
	json, hasAlpha, hasBeta     bool
}

func newImport() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import FILE… --out DIR",
		Short: "Turn checkpoints (safetensors, .npz, .pt) into run folders for analyze and report",
		Long: `import takes the weights of each layer from a checkpoint that another program saved
(safetensors, .npz of NumPy, .pt of torch.save) and writes them as a path over the layer
index: a run folder for one FILE; a study folder, which gives exponents, for several FILEs or
a folder of them. The depth is the number of layers found.

A pattern is a tensor's name with {k} for the index of the layer and * for anything. The
convention says how the network uses the stored matrix: Ax for A·x (torch.nn.Linear), xA for
x·A (x @ A, GPT-2's Conv1D). Folders hold A of A·x.

The analysis rescales weights by L^beta, beta = 1 - alpha, for h_k = h_{k-1} + L^-alpha f_k:
a network without such a factor has alpha 0.

Presets:
` + presetList(),
		Example: `  deeplimit import model.safetensors --out runs/model --pattern 'blocks.{k}.fc.weight'
  deeplimit import gpt2.safetensors --out runs/gpt2 --preset gpt2-mlp --alpha 0
  deeplimit import checkpoints/ --out runs/depths --preset layers --initial 'start/{name}.npz'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.hasAlpha, f.hasBeta = cmd.Flags().Changed("alpha"), cmd.Flags().Changed("beta")
			options, err := f.options()
			if err != nil {
				return err
			}
			runs, err := importer.Import(cmd.Context(), args, options)
			if err != nil {
				return err
			}
			if f.json {
				return printJSON(cmd.OutOrStdout(), runs)
			}
			return writeImports(cmd.OutOrStdout(), runs, options)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.out, "out", "", "folder to write")
	flags.StringVar(&f.name, "name", "", "label in tables (default: the name of the file, or of the folder for several)")
	flags.StringVar(&f.preset, "preset", "", "where a known kind of network keeps its weights; the flags below override it")
	flags.StringVar(&f.pattern, "pattern", "", "name of the weights, as in 'layers.{k}.weight'")
	flags.StringVar(&f.inner, "inner-pattern", "", "name of W in blocks V·act(W·h), with V by --pattern")
	flags.StringVar(&f.bias, "bias-pattern", "", "name of the bias that goes with --pattern")
	flags.StringVar(&f.innerBias, "inner-bias-pattern", "", "name of the bias that goes with --inner-pattern")
	flags.StringVar(&f.convention, "convention", "", "Ax or xA (default Ax)")
	flags.StringVar(&f.activation, "activation", "", "name of the activation, for the record")
	flags.StringVar(&f.layers, "layers", "", "FIRST:LAST, the layers to take by their index in the file, as 1:30, or 1:-2 without the last (default: all)")
	flags.Float64Var(&f.alpha, "alpha", 0.5, "exponent of the residual scale L^-alpha")
	flags.Float64Var(&f.beta, "beta", 0.5, "exponent of the rescaled path L^beta·A, 1 - alpha")
	flags.StringVar(&f.initial, "initial", "", "file of the initial weights; {depth} and {name} stand for those of FILE")
	flags.BoolVar(&f.json, "json", false, "print JSON")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err)
	}
	return cmd
}

// presetList returns a line for each preset.
func presetList() string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, p := range importer.Presets() {
		fmt.Fprintf(table, "  %s\t%s\t%s, %s\n", p.Name, p.Layout.Weight, p.About, p.Layout.Convention)
	}
	table.Flush() // to memory, so without error
	return strings.TrimRight(text.String(), "\n")
}

// options checks the flags and fills in the preset.
func (f *importFlags) options() (importer.Options, error) {
	o := importer.Options{Out: f.out, Name: f.name, Alpha: f.alpha, Initial: f.initial, Version: thisBuild().String()}
	o.Layout.Convention = importer.ColumnVectors
	var err error
	if f.preset != "" {
		if o.Layout, err = importer.PresetLayout(f.preset); err != nil {
			return o, fmt.Errorf("import: --%w", err)
		}
	}
	if o.Layers, err = importer.ParseRange(f.layers); err != nil {
		return o, fmt.Errorf("import: --%w", err)
	}
	for _, set := range []struct {
		flag string
		to   *string
	}{
		{f.pattern, &o.Layout.Weight},
		{f.inner, &o.Layout.Inner},
		{f.bias, &o.Layout.Bias},
		{f.innerBias, &o.Layout.InnerBias},
		{f.activation, &o.Layout.Activation},
		{f.convention, (*string)(&o.Layout.Convention)},
	} {
		if set.flag != "" {
			*set.to = set.flag
		}
	}
	if f.bias != "" || f.innerBias != "" {
		o.Layout.OptionalBias = false
	}
	switch {
	case f.hasBeta && f.hasAlpha && !(math.Abs(f.alpha+f.beta-1) <= 1e-9): // decimal numbers need not add up to 1
		return o, fmt.Errorf("import: --beta: got %g beside --alpha %g, want 1 - alpha, or one of the two", f.beta, f.alpha)
	case f.hasBeta && !f.hasAlpha:
		o.Alpha = 1 - f.beta
	}
	return o, nil
}

// writeImports prints a line for each run, and how its weights are to be read.
func writeImports(w io.Writer, runs []importer.Run, o importer.Options) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "DEPTH\tSEED\tPARTS\tFILE\tRUN")
	for _, r := range runs {
		var parts []string
		for _, name := range []string{"A", "V", "W", "b", "c"} {
			if shape, ok := r.Shapes[name]; ok {
				size := fmt.Sprint(shape[0])
				if len(shape) == 2 {
					size += fmt.Sprint("×", shape[1])
				}
				parts = append(parts, name+" "+size)
			}
		}
		note := ""
		if r.Old {
			note = " (was there)"
		}
		fmt.Fprintf(table, "%d\t%d\t%s\t%s\t%s%s\n", r.Depth, r.Seed, strings.Join(parts, ", "), r.Source, r.Dir, note)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	convention := "A·x, as they were stored"
	if o.Layout.Convention == importer.RowVectors {
		convention = "A·x, transposed, as they were stored for x·A"
	}
	_, err := fmt.Fprintf(w, "weights for %s; alpha %g, beta %g; next: deeplimit analyze %s\n", convention, o.Alpha, 1-o.Alpha, o.Out)
	return err
}
