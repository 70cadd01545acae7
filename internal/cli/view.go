package cli

import (
	"errors"
	"io"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// viewFlags are the flags that say what the tables of a study show.
func viewFlags(cmd *cobra.Command, view *analyze.View) {
	overviewFlags(cmd, view)
	cmd.Flags().StringSliceVar(&view.Groups, "group", nil, "show these groups in full: numbers, field=value such as alpha=1, or all (default all of three or fewer)")
}

// overviewFlags are those of the overview alone.
func overviewFlags(cmd *cobra.Command, view *analyze.View) {
	flags := cmd.Flags()
	flags.StringSliceVar(&view.Columns, "columns", nil, "columns of the overview, such as runs,loss,limit (default all that are known)")
	flags.StringVar(&view.Sort, "sort", "", "sort the overview by this column, best first; with a minus before it, last (default in the study's order)")
}

// checkView refuses flags that a table of another kind, or JSON, has no use for.
func checkView(view *analyze.View, asked, other bool) error {
	switch {
	case other && (view.Sort != "" || view.Columns != nil || view.Groups != nil):
		return errors.New("analyze: got --sort, --columns or --group beside --in, --contrast, --best or --at, which print other tables, want one or the other")
	case asked && (view.Columns != nil || view.Groups != nil):
		return errors.New("analyze: got --columns or --group beside --json or --csv, want them left out, as these have all columns and groups")
	}
	return nil
}

// widthOf returns the width of the terminal that out is, 0 for one of any width.
func widthOf(out io.Writer) int {
	file := fileOf(out)
	if file == nil || !term.IsTerminal(int(file.Fd())) {
		return 0
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return 0
	}
	return width
}
