package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/importer"
	"github.com/deeplimit/deeplimit/internal/read/network"
)

// writeListing prints the families of checkpoints.
func writeListing(w io.Writer, list []importer.Listing, form answer) error {
	if form.asked() {
		families := []network.Family{}
		for _, l := range list {
			families = append(families, l.Families...)
		}
		return form.print(w, struct {
			Checkpoints []importer.Listing `json:"checkpoints"`
			Families    []network.Family   `json:"families"`
		}{list, families}, "families")
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for i, l := range list {
		if i > 0 && sameFamilies(l, list[i-1]) {
			fmt.Fprintf(table, "%s: the same families\n", plain.Text(l.Source))
			continue
		}
		if i > 0 {
			fmt.Fprintln(table)
		}
		fmt.Fprintf(table, "%s: %s, %s\n", plain.Text(l.Source), plain.Count(len(l.Families), "family"), plain.Count(l.Others, "other tensor")+" of floats")
		fmt.Fprintln(table, "PATTERN\tLAYERS\tSTORED\tROLE\tREAD AS\tBECAUSE")
		for _, f := range l.Families {
			layers := f.Indices
			if f.Axis != nil {
				layers = fmt.Sprintf("%d along axis %d", f.Layers, *f.Axis)
			}
			fmt.Fprintf(table, "%s\t%s\t%s %s\t%s\t%s\t%s\n", plain.Text(f.Pattern), layers, sizeText(f.Shape), plain.Text(f.DType), f.Role, orientationText(&f), plain.Text(f.Why))
		}
		for _, note := range l.Notes {
			fmt.Fprintf(table, "note: %s\n", plain.Text(note))
		}
	}
	fmt.Fprintln(table, "next: --all --out DIR measures every family, --pattern one")
	return table.Flush()
}

// sameFamilies reports whether two checkpoints hold families of one name, size and number.
func sameFamilies(a, b importer.Listing) bool {
	return slices.EqualFunc(a.Families, b.Families, func(x, y network.Family) bool {
		return x.Pattern == y.Pattern && x.Layers == y.Layers && x.Indices == y.Indices && x.DType == y.DType && slices.Equal(x.Shape, y.Shape)
	})
}

// orientationText says how the maps of a family are read, with the size of A.
func orientationText(f *network.Family) string {
	switch importer.Convention(f.Orientation) {
	case importer.ColumnVectors:
		return fmt.Sprintf("A·x, %d×%d", f.Rows, f.Columns)
	case importer.RowVectors:
		return fmt.Sprintf("x·A, transposed to %d×%d", f.Rows, f.Columns)
	}
	return f.Orientation
}

// writeMeasured prints what every family says, and what was left out.
func writeMeasured(w io.Writer, runs []importer.Run, result *network.Result, out string) error {
	if err := result.WriteTable(w); err != nil {
		return err
	}
	if err := writeLeftOut(w, runs); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "next: deeplimit analyze %s\n", plain.Text(out))
	return err
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
	if err := writeLeftOut(w, runs); err != nil {
		return err
	}
	for _, r := range runs {
		for _, note := range r.Notes {
			if _, err := fmt.Fprintf(w, "note: %s: %s\n", plain.Text(r.Source), note); err != nil {
				return err
			}
		}
	}
	assumed := ""
	if o.AlphaAssumed {
		assumed = " (assumed: --alpha states it, 0 for a network without a factor L^-alpha)"
	}
	_, err := fmt.Fprintf(w, "weights for %s; alpha %g, beta %g%s; next: deeplimit analyze %s\n", storedText(runs), o.Alpha, 1-o.Alpha, assumed, plain.Text(o.Out))
	return err
}

// writeLeftOut prints which files stand for others.
func writeLeftOut(w io.Writer, runs []importer.Run) error {
	for _, r := range runs {
		for _, left := range r.LeftOut {
			if _, err := fmt.Fprintf(w, "left out: %s: %s\n", plain.Text(left.Path), left.Why); err != nil {
				return err
			}
		}
	}
	return nil
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
