package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/ask/kernelproof"
	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// study proves the statements for every run of a study that lacks them, and prints them along depth.
func (k *kernelFlags) study(cmd *cobra.Command, dir string, at []int64, form answer) error {
	if k.write != "" || len(at) > 0 {
		return fmt.Errorf("certify: %s: got the folder of a study, want that of one run with --write or --at", dir)
	}
	done := k.showProgress(cmd)
	unfinished, err := kernelproof.Study(cmd.Context(), dir, k.Options)
	done()
	if err != nil {
		return err
	}
	folder, err := analyze.Read(cmd.Context(), dir, analyze.Options{})
	if err != nil {
		return err
	}
	found := folder.Kernels()
	if found == nil {
		return fmt.Errorf("certify: %s: got no finished run", dir)
	}
	if len(unfinished) > 0 {
		found.Notes = append(found.Notes, "not finished, and left out: "+strings.Join(unfinished, ", "))
	}
	if form.asked() {
		return form.print(cmd.OutOrStdout(), found, "runs")
	}
	return writeKernels(cmd.OutOrStdout(), found)
}

// writeKernels prints one line for each run, then exponents and a sentence for each group.
func writeKernels(w io.Writer, found *analyze.Kernels) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(table, "RUN\tLOSS\tISSUED")
	for _, q := range analyze.KernelQuantities {
		fmt.Fprint(table, "\t", q.Symbol)
	}
	fmt.Fprintln(table, "\tROUNDING")
	for i := range found.Runs {
		r := &found.Runs[i]
		fmt.Fprintf(table, "%s\t%.3g\t%s", r.ID, r.Loss, r.Issued())
		for _, q := range analyze.KernelQuantities {
			text := "–"
			if v := q.Value(r); v != nil {
				text = fmt.Sprintf("%.3g", *v)
			}
			fmt.Fprint(table, "\t", text)
		}
		fmt.Fprintln(table, "\t"+r.Rounding)
	}
	fmt.Fprint(table, "\nEXPONENTS IN DEPTH")
	for _, q := range analyze.KernelQuantities {
		fmt.Fprint(table, "\t", q.Symbol)
	}
	fmt.Fprintln(table)
	for _, g := range found.Groups {
		fmt.Fprintf(table, "%s, α = %g", plain.Text(g.Data), g.Alpha)
		for _, q := range analyze.KernelQuantities {
			text := "–"
			if s, ok := g.Exponents[q.Key]; ok {
				text = s.String()
			}
			fmt.Fprint(table, "\t", text)
		}
		fmt.Fprintln(table)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, g := range found.Groups {
		if _, err := fmt.Fprintf(w, "\n%s, α = %g. %s\n", plain.Text(g.Data), g.Alpha, g.Sentence); err != nil {
			return err
		}
		for _, note := range g.Notes {
			if _, err := fmt.Fprintln(w, plain.Text(note)); err != nil {
				return err
			}
		}
	}
	for _, note := range found.Notes {
		if _, err := fmt.Fprintln(w, plain.Text(note)); err != nil {
			return err
		}
	}
	return nil
}
