package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/deeplimit/deeplimit/internal/glossary"
)

func newExplain() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [TERM]",
		Short: "Say what a word of a table, a figure or a JSON file means",
		Long: `Explain prints what a term means, its formula, its unit or range, and how to read a
typical value. TERM is a word of a table, a figure or a verdict, or a key of the JSON that
commands print or of run.json, in any case, with blanks, dashes or underscores. Without a
term it lists all of them. docs/glossary.md has the same entries.`,
		Example: `  deeplimit explain max_frobenius
  deeplimit explain growth with lag`,
		RunE: func(cmd *cobra.Command, args []string) error {
			term := strings.Join(args, " ")
			if strings.TrimSpace(term) == "" {
				return list(cmd.OutOrStdout(), glossary.Entries())
			}
			if entry := glossary.Find(term); entry != nil {
				return explain(cmd.OutOrStdout(), entry)
			}
			near := glossary.Near(term, 8)
			if len(near) == 0 {
				return fmt.Errorf("explain: got %q, want a term of the list that `deeplimit explain` prints", term)
			}
			return fmt.Errorf("explain: got %q, want a term such as %s", term, strings.Join(near, ", "))
		},
	}
}

// list writes a line for each entry, section by section.
func list(w io.Writer, entries []glossary.Entry) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	section := ""
	for _, e := range entries {
		if e.Section != section {
			if section != "" {
				fmt.Fprintln(table)
			}
			section = e.Section
			fmt.Fprintf(table, "%s\n", section)
		}
		fmt.Fprintf(table, "  %s\t%s\n", e.Term, e.Meaning)
	}
	return table.Flush()
}

// explain writes one entry.
func explain(w io.Writer, e *glossary.Entry) error {
	title := e.Term
	if len(e.Also) > 0 {
		title += " (" + strings.Join(e.Also, ", ") + ")"
	}
	lines := []string{title, "  " + e.Meaning}
	for _, field := range []struct{ label, text string }{{"formula", e.Formula}, {"range", e.Range}, {"read", e.Read}} {
		if field.text != "" {
			lines = append(lines, fmt.Sprintf("  %-8s %s", field.label, field.text))
		}
	}
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}
