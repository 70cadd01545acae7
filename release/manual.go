package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"

	"github.com/deeplimit/deeplimit/internal/cli"
)

// manual returns a manual page for each command that help lists.
func manual(id identity) ([]entry, error) {
	root := cli.Command()
	root.DisableAutoGenTag = true
	var pages []entry
	var write func(cmd *cobra.Command) error
	write = func(cmd *cobra.Command) error {
		cmd.Long, cmd.Example = verbatim(cmd.Long), strings.TrimRight(cmd.Example, "\n")
		cmd.Flags().VisitAll(func(f *pflag.Flag) { f.Usage = signs.Replace(strings.ReplaceAll(f.Usage, "`", "")) })
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-")
		var page bytes.Buffer
		header := &doc.GenManHeader{Title: strings.ToUpper(name), Section: "1", Date: &id.time, Source: id.version, Manual: "deeplimit"}
		if err := doc.GenMan(cmd, header, &page); err != nil {
			return fmt.Errorf("manual page of %s: %w", cmd.CommandPath(), err)
		}
		pages = append(pages, entry{"man/man1/" + name + ".1", 0o644, page.Bytes()})
		for _, sub := range cmd.Commands() {
			if sub.IsAvailableCommand() && !sub.IsAdditionalHelpTopicCommand() {
				if err := write(sub); err != nil {
					return err
				}
			}
		}
		return nil
	}
	return pages, write(root)
}

// signs escapes what Markdown takes for marks.
var signs = strings.NewReplacer(`\`, `\\`, "_", `\_`, "*", `\*`, "<", `\<`, "[", `\[`, "`", "\\`")

// verbatim returns help as Markdown: lines that are indented become blocks, whose line breaks
// would get lost, and other lines keep their signs.
func verbatim(text string) string {
	var b strings.Builder
	inside := false
	for line := range strings.Lines(text) {
		indented := strings.HasPrefix(line, "  ")
		if indented != inside && strings.TrimSpace(line) != "" {
			b.WriteString("\n")
			inside = indented
		}
		if indented {
			b.WriteString("    " + line)
		} else {
			b.WriteString(signs.Replace(line))
		}
	}
	return b.String()
}

// completions returns the scripts by which shells complete commands and flags.
func completions() ([]entry, error) {
	root := cli.Command()
	var scripts []entry
	for _, shell := range []struct {
		file  string
		write func(b *bytes.Buffer) error
	}{
		{"deeplimit.bash", func(b *bytes.Buffer) error { return root.GenBashCompletionV2(b, true) }},
		{"_deeplimit", func(b *bytes.Buffer) error { return root.GenZshCompletion(b) }},
		{"deeplimit.fish", func(b *bytes.Buffer) error { return root.GenFishCompletion(b, true) }},
		{"deeplimit.ps1", func(b *bytes.Buffer) error { return root.GenPowerShellCompletionWithDesc(b) }},
	} {
		var b bytes.Buffer
		if err := shell.write(&b); err != nil {
			return nil, fmt.Errorf("completion %s: %w", shell.file, err)
		}
		scripts = append(scripts, entry{"completions/" + shell.file, 0o644, b.Bytes()})
	}
	return scripts, nil
}
