// Package glossary looks up what the words of tables, figures and JSON files mean. The
// entries are those of docs/glossary.md.
package glossary

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/deeplimit/deeplimit/docs"
)

// An Entry explains one term.
type Entry struct {
	Term    string   // heading of the entry: a JSON key, or the words of a table
	Section string   // heading above it
	Also    []string // other words for it
	Meaning string   // one sentence
	Formula string   // may be empty, like all below
	Range   string   // unit or range
	Read    string   // how to read a typical value
}

// Entries returns all entries in the order of the page.
var Entries = sync.OnceValue(func() []Entry {
	entries, err := parse(docs.Glossary)
	if err != nil {
		panic(err) // the page is part of the program, and a test parses it
	}
	return entries
})

// parse reads the entries of a page: a heading ### for each, a line *Also:* with other
// words, one paragraph, and a list of Formula, Range and Read.
func parse(page string) ([]Entry, error) {
	var entries []Entry
	section := ""
	for i, line := range strings.Split(page, "\n") {
		refuse := func(want string) error {
			return fmt.Errorf("docs/glossary.md:%d: got %q, want %s", i+1, line, want)
		}
		if name, ok := strings.CutPrefix(line, "## "); ok {
			section = name
			continue
		}
		if term, ok := strings.CutPrefix(line, "### "); ok {
			entries = append(entries, Entry{Term: term, Section: section})
			continue
		}
		if len(entries) == 0 || line == "" {
			continue
		}
		entry := &entries[len(entries)-1]
		if also, ok := strings.CutPrefix(line, "*Also:* "); ok {
			entry.Also = strings.Split(also, ", ")
			continue
		}
		if item, ok := strings.CutPrefix(line, "- "); ok {
			label, text, _ := strings.Cut(item, ": ")
			field, ok := map[string]*string{"Formula": &entry.Formula, "Range": &entry.Range, "Read": &entry.Read}[label]
			if !ok || *field != "" || text == "" {
				return nil, refuse("one each of - Formula: …, - Range: …, - Read: …")
			}
			*field = text
			continue
		}
		if entry.Meaning != "" {
			return nil, refuse("one line of meaning")
		}
		entry.Meaning = line
	}
	return entries, nil
}

// Find returns the entry of a term or of another word for it, whatever its case; nil if
// there is none.
func Find(term string) *Entry {
	entries := Entries()
	for _, same := range []func(e *Entry) bool{
		func(e *Entry) bool { return e.Term == term },
		func(e *Entry) bool { return slices.Contains(e.Also, term) },
		func(e *Entry) bool { return strings.EqualFold(e.Term, spaced(term)) },
		func(e *Entry) bool {
			return slices.ContainsFunc(e.Also, func(also string) bool { return strings.EqualFold(also, term) })
		},
		func(e *Entry) bool { return strings.EqualFold(spaced(e.Term), spaced(term)) },
	} {
		for i := range entries {
			if same(&entries[i]) {
				return &entries[i]
			}
		}
	}
	return nil
}

func spaced(term string) string { return strings.ReplaceAll(term, "_", " ") }

// Containing returns the entries whose term, other words or meaning hold the text,
// whatever its case.
func Containing(text string) []Entry {
	var found []Entry
	for _, e := range Entries() {
		words := strings.Join(append([]string{e.Term, spaced(e.Term), e.Meaning}, e.Also...), "\n")
		if strings.Contains(strings.ToLower(words), strings.ToLower(text)) {
			found = append(found, e)
		}
	}
	return found
}
