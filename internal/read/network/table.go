package network

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/layerorder"
)

// WriteTable prints a line for each family and each invariant along each training, then one for each of the networks without a later
// step, and what they say in sentences.
func (r *Result) WriteTable(w io.Writer) error {
	if err := r.writeTrainings(w); err != nil {
		return err
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	last, earlier := "", r.Earlier()
	head := func(o Origin) {
		if o.Run == last {
			return
		}
		if last != "" {
			fmt.Fprintln(table)
		}
		last = o.Run
		fmt.Fprintf(table, "%s: depth %d%s\n", plain.Text(o.Run), o.Depth, o.StepText())
		fmt.Fprintln(table, "FAMILY\tLAYERS\tSIZE\tROLE\tNORM\tINCREMENT\tCOSINE AT 1, 2, 4\tCHANCE\tVERDICT")
	}
	for i := range r.Families {
		f := &r.Families[i]
		next := i+1 == len(r.Families) || r.Families[i+1].Run != f.Run
		if earlier[f.Run] {
			continue
		}
		head(f.Origin)
		fmt.Fprintf(table, "%s\t%d\t%d×%d\t%s\t%s\n", plain.Text(f.Pattern), f.Layers, f.Rows, f.Columns, f.Role, f.columns())
		if next {
			for k := range r.Invariants {
				if v := &r.Invariants[k]; v.Run == f.Run {
					fmt.Fprintf(table, "%s\t%d\t%d×%d\tinvariant\t%s\n", v.Title(), v.Layers, v.Rows, v.Columns, v.columns())
				}
			}
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if len(earlier) > 0 {
		if _, err := fmt.Fprintf(w, "%s of earlier steps: --json and --csv have what they say, and the report\n", plain.Count(len(earlier), "network")); err != nil {
			return err
		}
	}
	for _, note := range r.Notes {
		if _, err := fmt.Fprintf(w, "note: %s\n", plain.Text(note)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(w, "INCREMENT is ‖A_{k+1} − A_k‖/‖A_k‖, its median; CHANCE the cosine at 1 of 95 % of shuffles of the layers. docs/import.md says what the verdicts rest on.")
	return err
}

// Title names an invariant in tables: where several have one name, the pattern tells them apart.
func (v *Invariant) Title() string {
	return fmt.Sprintf("%s of %s", v.Name, plain.Text(strings.Join(v.Patterns, ", ")))
}

// StepText says which step and seed a network is of, "" for nothing to say.
func (o *Origin) StepText() string {
	if o.Step == nil {
		return ""
	}
	return fmt.Sprintf(", step %g", *o.Step)
}

// columns are the numbers of a line.
func (n *Numbers) columns() string {
	cosines, chance := make([]string, 0, 3), ""
	for _, c := range n.Cosines {
		if c.Lag <= 4 {
			cosines = append(cosines, hundredths(c.Cosine))
		}
		if c.Lag == 1 {
			chance = hundredths(c.Low) + "…" + hundredths(c.High)
		}
	}
	return fmt.Sprintf("%s…%s\t%s\t%s\t%s\t%s", short(n.Norms[0]), short(n.Norms[len(n.Norms)-1]), short(n.MedianIncrement()),
		strings.Join(cosines, " "), chance, n.Sentence)
}

// hundredths writes a number of two decimals, zero without a sign.
func hundredths(v float64) string {
	return fmt.Sprintf("%.2f", math.Round(100*v)/100+0)
}

// short writes a number, – for one that is not known.
func short(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.3g", v)
}

// MedianIncrement returns the median of ‖A_{k+1} − A_k‖/‖A_k‖, without layers of zeros.
func (n *Numbers) MedianIncrement() float64 {
	values := make([]float64, 0, len(n.Increments))
	for _, v := range n.Increments {
		if !math.IsNaN(float64(v)) {
			values = append(values, float64(v))
		}
	}
	return layerorder.Median(values)
}
