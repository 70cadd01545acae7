package cli

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/importer"
)

// importFlags are the flags of `deeplimit import` as they are written.
type importFlags struct {
	out, name, preset           string
	pattern, inner              string
	bias, innerBias, convention string
	activation, layers, initial string
	names, steps                string
	layersAxis                  int
	alpha, beta                 float64
	json, hasAlpha, hasBeta     bool
	hasAxis                     bool
}

func newImport() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import FILE… --out DIR",
		Short: "Turn checkpoints (safetensors, .npz, .pt) into run folders for analyze and report",
		Long: `import takes the weights of each layer from a checkpoint that another program saved
(safetensors, .npz of NumPy, .pt of torch.save) and writes them as a path over the layer
index: a run folder for one FILE; a study folder, which gives exponents, for several FILEs or
a folder of them. The depth is the number of layers found. Of a network in shards give any
shard, their index or the folder: the shards must all be there.

A pattern is a tensor's name with {k} for the index of the layer and * for anything; without
{k} it is one tensor for all layers, along the axis that the shapes give or --layers-axis.
The convention says how the network uses the stored matrix: Ax for A·x (torch.nn.Linear), xA
for x·A (x @ A, GPT-2's Conv1D). It is found from biases, neighbours and names. Folders hold
A of A·x. What was taken and why is printed; where two readings fit, import asks for the
flag that decides.

Several checkpoints of one depth are seeds when their names say so (seed3, s3); step1000,
epoch=9, checkpoint-500 are steps of one training, of which the last is taken (--steps).
--names says how names are read where they do not tell. Identical weights count once.

The analysis rescales weights by L^beta, beta = 1 - alpha, for h_k = h_{k-1} + L^-alpha f_k:
a network without such a factor has alpha 0.

Presets:
` + presetList(),
		Example: `  deeplimit import model.safetensors --out runs/model --pattern 'blocks.{k}.fc.weight'
  deeplimit import gpt2.safetensors --out runs/gpt2 --preset gpt2-mlp --alpha 0
  deeplimit import checkpoints/ --out runs/depths --preset layers --initial 'start/{name}.npz'
  deeplimit import 64/1.pt 64/2.pt --out runs/seeds --preset layers --names '{depth}/{seed}.pt'`,
		Args: arguments("FILE…"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.hasAxis = cmd.Flags().Changed("layers-axis")
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
	flags.StringVar(&f.convention, "convention", "", "Ax or xA (default: found from biases, neighbours and names)")
	flags.IntVar(&f.layersAxis, "layers-axis", 0, "axis of the layers in a tensor that holds all of them, from 0 (default: found from the shapes)")
	flags.StringVar(&f.activation, "activation", "", "name of the activation, for the record")
	flags.StringVar(&f.layers, "layers", "", "FIRST:LAST, the layers to take by their index in the file, as 1:30, or 1:-2 without the last (default: all)")
	flags.Float64Var(&f.alpha, "alpha", 0.5, "exponent of the residual scale L^-alpha")
	flags.Float64Var(&f.beta, "beta", 0.5, "exponent of the rescaled path L^beta·A, 1 - alpha")
	flags.StringVar(&f.initial, "initial", "", "file of the initial weights; {depth} and {name} stand for those of FILE")
	flags.StringVar(&f.names, "names", "", "how the names of FILEs are read, as in 'L{depth}/seed{seed}-{step}.pt'; other marks are settings, * is anything")
	flags.StringVar(&f.steps, "steps", importer.LastStep, "which steps of a training to take: last, all (each a setting, never a seed), or the number of one")
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
		fmt.Fprintf(table, "  %s\t%s\t%s\n", p.Name, p.Layout.Weight, p.About)
	}
	table.Flush() // to memory, so without error
	return strings.TrimRight(text.String(), "\n")
}

// options checks the flags and fills in the preset.
func (f *importFlags) options() (importer.Options, error) {
	o := importer.Options{
		Out: f.out, Name: f.name, Alpha: f.alpha, Initial: f.initial, Names: f.names, Steps: f.steps, Version: thisBuild().String(),
	}
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
	if f.hasAxis {
		o.Layout.LayersAxis = &f.layersAxis
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

// writeImports prints what was taken from the checkpoints, a line for each run, and what
// was left out.
func writeImports(w io.Writer, runs []importer.Run, o importer.Options) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	writeTaken(table, runs)
	withSteps := slices.ContainsFunc(runs, func(r importer.Run) bool { return r.Step != "" })
	step := ""
	if withSteps {
		step = "\tSTEP"
	}
	fmt.Fprintf(table, "\nDEPTH\tSEED%s\tPARTS\tFILE\tRUN\n", step)
	for _, r := range runs {
		var parts []string
		for _, name := range []string{"A", "V", "W", "b", "c"} {
			if shape, ok := r.Shapes[name]; ok {
				parts = append(parts, name+" "+sizeText(shape))
			}
		}
		note := ""
		if r.Old {
			note = " (was there)"
		}
		if withSteps {
			step = "\t" + cmp.Or(r.Step, "–")
		}
		fmt.Fprintf(table, "%d\t%d%s\t%s\t%s\t%s%s\n", r.Depth, r.Seed, step, strings.Join(parts, ", "), plain.Text(r.Source), plain.Text(r.Dir), note)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, r := range runs {
		for _, left := range r.LeftOut {
			if _, err := fmt.Fprintf(w, "left out: %s: %s\n", plain.Text(left.Path), left.Why); err != nil {
				return err
			}
		}
		for _, note := range r.Notes {
			if _, err := fmt.Fprintf(w, "note: %s: %s\n", plain.Text(r.Source), note); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintf(w, "weights for %s; alpha %g, beta %g; next: deeplimit analyze %s\n", storedText(runs), o.Alpha, 1-o.Alpha, plain.Text(o.Out))
	return err
}

// writeTaken prints which tensors became which part, once for checkpoints that were read
// alike.
func writeTaken(w io.Writer, runs []importer.Run) {
	fmt.Fprintln(w, "PART\tTENSOR\tSTORED\tLAYERS\tREAD AS\tBECAUSE")
	var written []importer.Taken
	for _, r := range runs {
		for _, t := range r.Taken {
			if slices.ContainsFunc(written, t.Equal) {
				continue
			}
			written = append(written, t)
			layers := t.Indices
			if t.Axis != nil {
				layers = fmt.Sprintf("%d along axis %d", t.Layers, *t.Axis)
			}
			if len(runs) > 1 && t.Axis == nil {
				layers = "all"
				if strings.HasPrefix(t.Indices, "no number") {
					layers = "all, the first without a number"
				}
			}
			fmt.Fprintf(w, "%s\t%s\t%s %s\t%s\t%s\t%s\n", t.Part, plain.Text(t.Tensor), sizeText(t.Shape), plain.Text(t.DType), layers,
				readAs(t.Convention), cmp.Or(t.Why, "–"))
		}
	}
}

// readAs says how matrices were read.
func readAs(c importer.Convention) string {
	switch c {
	case importer.ColumnVectors:
		return "A·x, as stored"
	case importer.RowVectors:
		return "x·A, transposed"
	}
	return "bias"
}

// storedText says how the matrices of all runs were stored.
func storedText(runs []importer.Run) string {
	met := map[importer.Convention]bool{}
	for _, r := range runs {
		met[r.Taken[0].Convention] = true
	}
	switch {
	case len(met) > 1:
		return "A·x, some transposed, as they were stored for x·A"
	case met[importer.RowVectors]:
		return "A·x, transposed, as they were stored for x·A"
	}
	return "A·x, as they were stored"
}

// sizeText writes a shape as 12×8×8.
func sizeText(shape []int) string {
	texts := make([]string, len(shape))
	for i, n := range shape {
		texts[i] = strconv.Itoa(n)
	}
	return strings.Join(texts, "×")
}
