package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/disk"
	"github.com/deeplimit/deeplimit/internal/show/report"
)

// mapName is the figure that is not of a group of runs but over parameters of the study.
const mapName = "map"

// figureOptions are the arguments of `deeplimit figure`.
type figureOptions struct {
	report.Options // but Names holds no mapName
	dir            string
	out            string
	all, drawMap   bool
	over           report.MapOptions
}

func newFigure() *cobra.Command {
	var o figureOptions
	cmd := &cobra.Command{
		Use:   "figure NAME… DIR",
		Short: "Draw one figure of a study, with its data as CSV",
		Long: `figure draws figures of the folder of a study, or of one run, and writes their files
and the data of each as CSV. It prints the paths. NAME is one or several of

` + figureList() + `
  all        every figure that the study has data for, but map
  map        a quantity over two parameters of the study, with --x and --y

A map takes the mean over seeds in every cell; with --best, at the value of that
parameter with the best mean among those at which no run diverged: on the validation set for a
number of the test set, where the data have one. A note says in how many cells it lies at the end of what was tried.`,
		Example: `  deeplimit figure loss runs/my-study
  deeplimit figure norms variation runs/my-study --style slides --format svg
  deeplimit figure map runs/my-study --x network.alpha --y initial.hurst --best train.step.value`,
		Args: arguments("NAME…", "DIR"),
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 { // a name or the folder may follow: the shell knows folders
				return slices.DeleteFunc(figureCompletions(), func(c cobra.Completion) bool {
					name, _, _ := strings.Cut(c, "\t")
					return slices.Contains(args, name)
				}), cobra.ShellCompDirectiveDefault
			}
			return figureCompletions(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			err := o.parse(args)
			if err != nil {
				return err
			}
			if o.dir, err = folder(cmd, o.dir, studyOrRun); err != nil {
				return err
			}
			return o.run(cmd)
		},
	}
	figureFlags(cmd, &o.Options)
	flags := cmd.Flags()
	flags.StringVar(&o.out, "out", "", "folder of the files (default DIR/report/figures)")
	flags.StringVar((*string)(&o.Of), "of", "", "figures of paths: weights (default), or displacement, what training has added to them")
	flags.StringVar(&o.over.X, "x", "", "map: parameter along the x axis, such as network.alpha, depth or data")
	flags.StringVar(&o.over.Y, "y", "", "map: parameter along the y axis")
	flags.StringVar(&o.over.Value, "value", "", "map: quantity, one of "+strings.Join(report.MapValues(), ", ")+" (default test_accuracy)")
	flags.StringVar(&o.over.Best, "best", "", "map: parameter whose best value counts, such as train.step.value")
	flags.StringToStringVar(&o.over.Where, "where", nil, "map: take only runs with these values, as in depth=64")
	cmd.RegisterFlagCompletionFunc("value", cobra.FixedCompletions(report.MapValues(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// figureFlags adds the flags that say how figures look.
func figureFlags(cmd *cobra.Command, o *report.Options) {
	flags := cmd.Flags()
	flags.StringVar((*string)(&o.Style), "style", string(report.Paper), "sizes of text and lines of figures: paper or slides")
	flags.IntVar(&o.Columns, "width", 0, "columns of a page that every figure takes, 1 or 2 (default what suits each)")
	flags.StringSliceVar(&o.Formats, "format", nil, "formats of the figures' files, of "+strings.Join(report.Formats, ", ")+" (default all, svg alone in the report of more groups than it shows unfolded); their data are always written as CSV")
	cmd.RegisterFlagCompletionFunc("style", cobra.FixedCompletions([]cobra.Completion{string(report.Paper), string(report.Slides)}, cobra.ShellCompDirectiveNoFileComp))
	cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(report.Formats, cobra.ShellCompDirectiveNoFileComp))
}

// figureList is the table of figures in the help.
func figureList() string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, k := range report.Kinds() {
		fmt.Fprintf(table, "  %s\t%s\n", k.Name, k.Text)
	}
	table.Flush()
	return b.String()
}

// figureCompletions are the names that a shell offers, with what they show.
func figureCompletions() []cobra.Completion {
	var out []cobra.Completion
	for _, k := range report.Kinds() {
		out = append(out, cobra.CompletionWithDesc(k.Name, k.Text))
	}
	return append(out, cobra.CompletionWithDesc("all", "every figure that the study has data for"),
		cobra.CompletionWithDesc(mapName, "a quantity over two parameters of the study"))
}

// parse sorts the arguments into names and the folder, which comes last.
func (o *figureOptions) parse(args []string) error {
	o.dir = args[len(args)-1]
	for _, name := range args[:len(args)-1] {
		switch name {
		case mapName:
			o.drawMap = true
		case "all":
			o.all, o.All = true, true
			for _, k := range report.Kinds() {
				o.Names = append(o.Names, k.Name)
			}
		default:
			o.Names = append(o.Names, name)
		}
	}
	if err := o.Check(); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	axes := o.over.X != "" && o.over.Y != ""
	switch {
	case o.drawMap && !axes:
		return errors.New("figure: map: got no axes, want two parameters, as in --x network.alpha --y train.step.value")
	case !o.drawMap && (o.over.X != "" || o.over.Y != "" || o.over.Value != "" || o.over.Best != "" || o.over.Where != nil):
		return errors.New("figure: got --x, --y, --value, --best or --where without a map, want the figure map")
	}
	return nil
}

// makeFolder makes the folder of the files, in that of the study unless --out names another.
func (o *figureOptions) makeFolder() error {
	if o.out != "" {
		return disk.MkdirAll(o.out, 0o755)
	}
	o.out = filepath.Join(o.dir, "report", "figures")
	return disk.Subfolder(o.dir, "report", "figures")
}

// run draws the figures and prints the paths of their files.
func (o *figureOptions) run(cmd *cobra.Command) error {
	var figures []*report.Figure
	if o.drawMap {
		o.over.Style, o.over.Columns = o.Style, o.Columns
		f, err := report.Map(cmd.Context(), o.dir, o.over)
		if err != nil {
			return err
		}
		figures = append(figures, f)
	}
	if len(o.Names) > 0 {
		study, err := readStudy(cmd.Context(), cmd.ErrOrStderr(), o.dir, runtime.GOMAXPROCS(0))
		if err != nil {
			return err
		}
		drawn, notes, err := report.Figures(study, o.Options)
		if err != nil {
			return err
		}
		for _, note := range notes {
			fmt.Fprintf(cmd.ErrOrStderr(), "note: %s\n", note)
		}
		if len(drawn) == 0 {
			return o.nothing()
		}
		figures = append(figures, drawn...)
		for _, k := range report.Kinds() {
			without := !slices.ContainsFunc(drawn, func(f *report.Figure) bool { return f.Kind == k.Name })
			if !o.all && slices.Contains(o.Names, k.Name) && without {
				fmt.Fprintf(cmd.ErrOrStderr(), "note: %s: got no data to draw, want %s\n", k.Name, k.Needs)
			}
		}
	}
	if err := o.makeFolder(); err != nil {
		return fmt.Errorf("figure: %w", err)
	}
	for _, f := range figures {
		paths, err := f.WriteFiles(o.out, o.written())
		if err != nil {
			return err
		}
		for _, path := range paths {
			fmt.Fprintln(cmd.OutOrStdout(), path)
		}
		for _, note := range f.Notes {
			fmt.Fprintf(cmd.ErrOrStderr(), "note: %s: %s\n", f.Name, note)
		}
	}
	return nil
}

// written are the formats of the files.
func (o *figureOptions) written() []string {
	if len(o.Formats) > 0 {
		return o.Formats
	}
	return report.Formats
}

// nothing says what the figures asked for would need.
func (o *figureOptions) nothing() error {
	var needs []string
	for _, k := range report.Kinds() {
		if slices.Contains(o.Names, k.Name) {
			needs = append(needs, fmt.Sprintf("%s for %s", k.Needs, k.Name))
		}
	}
	return fmt.Errorf("figure: %s: got no data to draw, want %s", o.dir, strings.Join(needs, "; "))
}
