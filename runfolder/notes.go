package runfolder

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const notesFile = "notes.json"

// maxNote and maxTags bound what people write about a study.
const (
	maxNote = 10_000 // bytes
	maxTag  = 50     // characters of a tag
	maxTags = 100
)

// Notes are what people write about a study: notes.json in its folder.
type Notes struct {
	Note string   `json:"note,omitempty"` // text of any language, lines and tabs among it
	Tags []string `json:"tags,omitempty"` // sorted words, each once
}

// Empty reports whether nothing is written.
func (n *Notes) Empty() bool { return n.Note == "" && len(n.Tags) == 0 }

// check refuses what a terminal, a page or a file cannot show as it was written.
func (n *Notes) check() error {
	switch {
	case !utf8.ValidString(n.Note):
		return errors.New("note: got text that is not UTF-8, want UTF-8")
	case len(n.Note) > maxNote:
		return fmt.Errorf("note: got %d bytes, want at most %d", len(n.Note), maxNote)
	case len(n.Tags) > maxTags:
		return fmt.Errorf("tags: got %d, want at most %d", len(n.Tags), maxTags)
	}
	for _, tag := range n.Tags {
		letters := utf8.ValidString(tag) && !strings.ContainsFunc(tag, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._:/+-", r)
		})
		if !letters || tag == "" || utf8.RuneCountInString(tag) > maxTag {
			return fmt.Errorf("tag: got %q, want letters, digits and . _ : / + -, at most %d of them", tag, maxTag)
		}
	}
	return nil
}

// ReadNotes returns what is written about a study, nothing where there is no notes.json.
func ReadNotes(studyDir string) (Notes, error) {
	path := filepath.Join(studyDir, notesFile)
	data, err := readFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Notes{}, nil
	}
	if err != nil {
		return Notes{}, err
	}
	var n Notes
	if err = decodeWithChecksum(data, &n); err == nil {
		err = n.check()
	}
	if err != nil {
		return Notes{}, &DamagedError{path, err}
	}
	return n, nil
}

// WriteNotes puts n into a study folder, in the place of what is there, durably.
func WriteNotes(studyDir string, n Notes) error {
	n.Tags = slices.Compact(slices.Sorted(slices.Values(n.Tags)))
	if err := n.check(); err != nil {
		return fmt.Errorf("runfolder: notes of %s: %w", studyDir, err)
	}
	text, err := encodeWithChecksum(struct {
		Note string   `json:"note"`
		Tags []string `json:"tags"`
	}(n))
	if err != nil {
		return fmt.Errorf("runfolder: notes of %s: %w", studyDir, err)
	}
	if err := keepFile(studyDir, notesFile, text); err != nil {
		return err
	}
	return syncFolder(studyDir)
}

// mergeNotes adds what is written about the study in to what is written about out: tags are
// joined, and a note of in that out does not have follows on a line of its own.
func mergeNotes(out, in string) error {
	other, err := ReadNotes(in)
	if err != nil || other.Empty() {
		return err
	}
	all, err := ReadNotes(out)
	if err != nil {
		return err
	}
	if !strings.Contains("\n"+all.Note+"\n", "\n"+other.Note+"\n") {
		all.Note = strings.Trim(all.Note+"\n"+other.Note, "\n")
	}
	all.Tags = append(all.Tags, other.Tags...)
	return WriteNotes(out, all)
}
