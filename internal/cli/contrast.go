package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/plain"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/read/surface"
)

// writeContrasts prints the means at every value of a field, and the contrasts between them.
func writeContrasts(cmd *cobra.Command, result *analyze.Result) error {
	writeContrastNotes(cmd, result)
	if err := writeLevels(cmd.OutOrStdout(), result.Levels); err != nil {
		return err
	}
	table := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\nCONTRAST OF\tAT\tB AGAINST A\tDIFFERENCE OR RATIO\tP VALUE\tP (HOLM)\tPAIRS\tAVERAGES OVER\tWARNING")
	for _, c := range result.Contrasts {
		value := interval("", c.Difference.Value, &c.Difference.Low, &c.Difference.High)
		if c.Scale == "ratio" {
			value = "× " + value
		}
		fmt.Fprintf(table, "%s\t%s\t%s against %s\t%s\t%s\t%s\t%d\t%s\t%s\n", quantityText(c.Part, c.Quantity, c.Of), placeText(c.Point, c.At),
			valueText(c.B), valueText(c.A), value, probability(c.P), probability(c.Holm), c.Pairs, strings.Join(c.Averages, ", "), c.Warning)
	}
	return table.Flush()
}

// writeContrastNotes says how best values were chosen, and what was left out.
func writeContrastNotes(cmd *cobra.Command, result *analyze.Result) {
	for _, note := range result.ContrastNotes {
		fmt.Fprintf(cmd.ErrOrStderr(), "note: analyze: %s\n", plain.Text(note))
	}
}

// writeLevels prints the means at every value of a field.
func writeLevels(w io.Writer, levels []analyze.Level) error {
	best := ""
	for _, l := range levels {
		if l.Best != "" {
			best = "BEST"
		}
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "MEAN OF\tAT\t%s\tMEAN\tPOINTS\t%s\n", strings.ToUpper(levels[0].In), best)
	for _, l := range levels {
		chosen := ""
		if best != "" && l.Of == "value" {
			chosen = valueText(l.Best)
		}
		if l.End != "" {
			chosen += " (" + l.End + "est tried)"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%d\t%s\n", quantityText(l.Part, l.Quantity, l.Of), placeText(l.Point, l.At), valueText(l.Value),
			interval("", l.Mean.Value, &l.Mean.Low, &l.Mean.High), l.Points, chosen)
	}
	return table.Flush()
}

// placeText names a point of training and what runs have in common.
func placeText(point string, at map[string]string) string {
	return plain.Text(strings.TrimSpace(point + " " + surface.Text(at)))
}

// valueText writes the value of a field; runs that leave the field out have none.
func valueText(value string) string {
	if value == "" {
		return "left out"
	}
	return plain.Text(value)
}

// quantityText names a quantity, or its exponent in depth.
func quantityText(part, quantity, of string) string {
	text := strings.TrimSpace(part + " " + quantity)
	if of == "exponent" {
		text += ", exponent in depth"
	}
	return text
}

// probability writes a p value, "–" for none.
func probability(p *float64) string {
	if p == nil {
		return "–"
	}
	return fmt.Sprintf("%.2g", *p)
}
