package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/deeplimit/deeplimit/runfolder"
)

// notesFlags are the flags of `deeplimit status` that write about a study.
type notesFlags struct {
	note      string
	tag, away []string
}

// add defines the flags.
func (n *notesFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&n.note, "note", "", "write this note about the study, - for standard input")
	flags.StringSliceVar(&n.tag, "tag", nil, "add this tag to the study; may be repeated")
	flags.StringSliceVar(&n.away, "untag", nil, "remove this tag from the study; may be repeated")
}

// given reports whether one of the flags was.
func (n *notesFlags) given(flags *pflag.FlagSet) bool {
	return flags.Changed("note") || flags.Changed("tag") || flags.Changed("untag")
}

// write writes about the study in dir.
func (n *notesFlags) write(flags *pflag.FlagSet, dir string, stdin io.Reader) error {
	if _, err := runfolder.StudyName(dir); err != nil {
		return fmt.Errorf("status: %s: got a folder that is not that of one study, want one for --note, --tag and --untag: %w", dir, err)
	}
	notes, err := runfolder.ReadNotes(dir)
	if err != nil {
		return err
	}
	if flags.Changed("note") {
		notes.Note = n.note
	}
	if n.note == "-" {
		text, err := io.ReadAll(io.LimitReader(stdin, 1<<20)) // WriteNotes refuses more than a page or so
		if err != nil {
			return fmt.Errorf("status: --note: %w", err)
		}
		notes.Note = strings.TrimRight(string(text), "\n")
	}
	for _, tag := range n.away {
		if !slices.Contains(notes.Tags, tag) {
			return fmt.Errorf("status: --untag: got %q, want one of the study's tags: %s", tag, orNone(strings.Join(notes.Tags, ", ")))
		}
	}
	notes.Tags = slices.DeleteFunc(append(notes.Tags, n.tag...), func(tag string) bool { return slices.Contains(n.away, tag) })
	if err := runfolder.WriteNotes(dir, notes); err != nil {
		return fmt.Errorf("status: %w", err)
	}
	return nil
}
