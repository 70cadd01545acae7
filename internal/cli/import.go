package cli

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/read/importer"
	"github.com/deeplimit/deeplimit/internal/read/network"
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
	hasAlpha, hasBeta           bool
	form                        answer
	all, noInvariants, align    bool
	heads                       string
	roles, table                string
	hasAxis                     bool
}

func newImport() *cobra.Command {
	cmd, _ := importCommand()
	return cmd
}

// importCommand returns the command and its flags, which `deeplimit record` has, too.
func importCommand() (*cobra.Command, *importFlags) {
	f := &importFlags{}
	cmd := &cobra.Command{
		Use:   "import FILE… [--out DIR]",
		Short: "List the families of layers in checkpoints (safetensors, .npz, .pt), or measure them for analyze and report",
		Long: `import lists, without --out, the families of layers that it sees in a checkpoint: the pattern
of their names, how many layers, their shape, what they do (by the names in the list of roles;
--roles puts one of your own before it), on which side of the input they stand and why. With --all
it measures every family, and what the symmetries of a block leave unchanged (up^T up, q^T k …),
for deeplimit analyze DIR: norms, cosines along depth, order, noise, a verdict for each. Each
layer numbers its hidden units for itself; --align puts them in the order that matches the layers
best (up, gate and down together, q and k, v and o), and measures what chance gives so, too.

With a pattern import takes the weights of each layer from a checkpoint that another program saved
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
		Example: `  deeplimit import model.safetensors
  deeplimit import model.safetensors --all --out runs/model
  deeplimit import model.safetensors --out runs/model --pattern 'blocks.{k}.fc.weight'
  deeplimit import gpt2.safetensors --out runs/gpt2 --preset gpt2-mlp --alpha 0
  deeplimit import checkpoints/ --out runs/depths --preset layers --initial 'start/{name}.npz'
  deeplimit import 64/1.pt 64/2.pt --out runs/seeds --preset layers --names '{depth}/{seed}.pt'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if f.table != "" && len(args) == 0 {
				return nil
			}
			return arguments("FILE…")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			options, err := f.optionsOf(cmd)
			if err != nil {
				return err
			}
			return f.run(cmd, args, options)
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
	flags.StringVar(&f.steps, "steps", importer.LastStep, "which steps of a training to take: last, all (each a setting, never a seed), series (one run with all of them along time), or the number of one")
	f.form.add(cmd)
	flags.BoolVar(&f.all, "all", false, "measure every family of layers, in the place of a pattern")
	flags.StringVar(&f.heads, "heads", "", "heads of the attention, as 12, or 32:8 with those of keys and values (default: as config.json beside FILE states)")
	flags.BoolVar(&f.noInvariants, "no-invariants", false, "measure norms, increments and order of the families alone, without singular values and invariants, in a fraction of the time")
	flags.BoolVar(&f.align, "align", false, "match the hidden units of the layers, up to 4096, before their order is judged: minutes for 12 layers of 3072 units")
	flags.StringVar(&f.table, "table", "", "CSV file with the columns file, depth, seed, step, in the place of FILEs and their names")
	flags.StringVar(&f.roles, "roles", "", "file of roles by the names of tensors, before those that are built in")
	return cmd, f
}

// optionsOf returns the options that the flags of a parsed command give.
func (f *importFlags) optionsOf(cmd *cobra.Command) (importer.Options, error) {
	f.hasAxis = cmd.Flags().Changed("layers-axis")
	f.hasAlpha, f.hasBeta = cmd.Flags().Changed("alpha"), cmd.Flags().Changed("beta")
	return f.options()
}

// run lists, measures or imports.
func (f *importFlags) run(cmd *cobra.Command, args []string, o importer.Options) error {
	patterns := o.Layout.Weight != ""
	switch {
	case f.all && patterns:
		return errors.New("import: --all: got it beside a pattern or a preset, want one of them")
	case f.all && f.out == "":
		return errors.New("import: --all: got no --out, want the folder to write; without --all and --out the families are listed")
	case patterns && f.out == "":
		return errors.New("import: --out: got none, want the folder to write")
	case !f.all && !patterns && f.out == "":
		list, err := importer.List(cmd.Context(), args, o)
		if err != nil {
			return err
		}
		return writeListing(cmd.OutOrStdout(), list, f.form)
	}
	var runs []importer.Run
	var err error
	if f.all {
		observe, stop := watchReading(cmd.ErrOrStderr(), "million numbers")
		o.Observe = observe
		runs, _, err = importer.ImportAll(cmd.Context(), args, o)
		stop()
	} else {
		runs, err = importer.Import(cmd.Context(), args, o)
	}
	if err != nil {
		return err
	}
	measured, err := network.Read(f.out)
	if err != nil {
		return err
	}
	result := &network.Result{Families: []network.FamilyResult{}, Invariants: []network.InvariantResult{}}
	if measured != nil {
		if result, err = measured.Result(); err != nil {
			return err
		}
	}
	if f.form.asked() {
		return f.form.print(cmd.OutOrStdout(), struct {
			Runs []importer.Run `json:"runs"`
			*network.Result
		}{runs, result}, f.rows())
	}
	if !f.all {
		return writeImports(cmd.OutOrStdout(), runs, o)
	}
	return writeMeasured(cmd.OutOrStdout(), runs, result, o.Out)
}

// rows names the list that is printed as a table.
func (f *importFlags) rows() string {
	if f.all {
		return "families"
	}
	return "runs"
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
		Out: f.out, Name: f.name, Alpha: f.alpha, AlphaAssumed: !f.hasAlpha && !f.hasBeta, Initial: f.initial, Names: f.names, Table: f.table, Steps: f.steps, Version: thisBuild().String(),
		NoInvariants: f.noInvariants, Align: f.align,
	}
	var err error
	if o.Heads, err = importer.ParseHeads(f.heads); err != nil {
		return o, fmt.Errorf("import: --%w", err)
	}
	if f.roles != "" {
		if o.Roles, err = importer.ReadRoles(f.roles); err != nil {
			return o, err
		}
	}
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
