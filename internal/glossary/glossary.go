// Package glossary looks up what the words of tables, figures and JSON files mean. The
// entries are those of docs/glossary.md.
package glossary

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"unicode"

	"github.com/deeplimit/deeplimit/docs"
	"github.com/deeplimit/deeplimit/field"
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
	section, inside := "", false // inside an entry, and not in what introduces a section
	for i, line := range strings.Split(page, "\n") {
		refuse := func(want string) error {
			return fmt.Errorf("docs/glossary.md:%d: got %q, want %s", i+1, line, want)
		}
		if name, ok := strings.CutPrefix(line, "## "); ok {
			section, inside = name, false
			continue
		}
		if term, ok := strings.CutPrefix(line, "### "); ok {
			entries, inside = append(entries, Entry{Term: term, Section: section}), true
			continue
		}
		if !inside || line == "" {
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

// Find returns the entry of a term or of another word for it; nil if there is none. Case,
// blanks, underscores and dashes do not matter, any V_p is found by its number, and a term of
// several words by those before a comma, a colon, a parenthesis or the name of a part.
func Find(term string) *Entry {
	term = strings.TrimSpace(term)
	index := words()
	for _, word := range []string{term, fold(term)} {
		if entry := index[word]; entry != nil {
			return entry
		}
	}
	if variation.MatchString(fold(term)) {
		return index["p_variation"]
	}
	if shorter := trailing.ReplaceAllString(term, ""); shorter != term {
		return Find(shorter)
	}
	return nil
}

var (
	variation = regexp.MustCompile(`^v[1-9][0-9]*(\.[0-9]+)?$`)
	trailing  = regexp.MustCompile(`( of [AVWbc]|[,:] [^,:]*| ?\([^()]*\)|s)$`)
)

// words maps terms and other words, as they are and folded, to their entries: terms before
// other words, and those that stand first before others.
var words = sync.OnceValue(func() map[string]*Entry {
	entries := Entries()
	index := map[string]*Entry{}
	add := func(word string, e *Entry) {
		if index[word] == nil {
			index[word] = e
		}
	}
	for _, form := range []func(string) string{func(word string) string { return word }, fold} {
		for i := range entries {
			add(form(entries[i].Term), &entries[i])
		}
		for i := range entries {
			for _, word := range entries[i].Also {
				add(form(word), &entries[i])
			}
		}
	}
	return index
})

// fold returns a word without what Find does not look at.
func fold(word string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune("_-‑–−·", r) {
			return -1
		}
		return unicode.ToLower(r)
	}, word)
}

// Near returns up to most terms for one that Find does not have: those that hold it, or
// hold it in their other words or meaning, then those that are few edits away.
func Near(term string, most int) []string {
	var near []string
	add := func(word string) {
		if e := Find(word); e != nil && !slices.Contains(near, e.Term) && len(near) < most {
			near = append(near, e.Term)
		}
	}
	for _, e := range containing(term) {
		add(e.Term)
	}
	for _, word := range field.Nearest(fold(term), slices.Sorted(maps.Keys(words()))) {
		add(word)
	}
	return near
}

// containing returns the entries whose term, other words or meaning hold the text: those
// with it in their words first.
func containing(text string) []Entry {
	var found, meant []Entry
	text = fold(text)
	for _, e := range Entries() {
		switch {
		case strings.Contains(fold(strings.Join(append([]string{e.Term}, e.Also...), "\n")), text):
			found = append(found, e)
		case strings.Contains(fold(e.Meaning), text):
			meant = append(meant, e)
		}
	}
	return append(found, meant...)
}
