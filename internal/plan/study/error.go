package study

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/deeplimit/deeplimit/internal/field"
)

// Error says what is wrong with a study file and where. Several of them come joined
// (errors.Join), in the order of their places.
type Error struct {
	File   string // the file's name as given to Load
	Line   int    // 1-based; 0 when no place in the file is meant
	Column int    // 1-based, counted in characters
	Set    string // the override that the value comes from, such as "network.alpha=2"; else empty
	Path   string // dotted path of the field, such as "network.activation"; empty for bad YAML
	Err    error  // what is wrong: a *field.Error with the same Path where one value is to blame
}

// Error returns `study: file:line:column: path: got …, want …`, with `--set path=value`
// in place of file:line:column for an override.
func (e *Error) Error() string {
	place := e.File
	switch {
	case e.Set != "":
		place = "--set " + e.Set
	case e.Line > 0:
		place = fmt.Sprintf("%s:%d:%d", e.File, e.Line, e.Column)
	}
	text := e.Err.Error()
	if _, ok := e.Err.(*field.Error); !ok && e.Path != "" {
		text = e.Path + ": " + text
	}
	return "study: " + place + ": " + text
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// place is where a node stands.
type place struct {
	file         string
	line, column int
	set          string
}

// fault returns err, which is about the field at path, as an *Error at p.
func (p place) fault(path string, err error) *Error {
	return &Error{File: p.file, Line: p.line, Column: p.column, Set: p.set, Path: path, Err: err}
}

// wrong returns the *Error about a single value.
func (p place) wrong(path string, got any, want string) *Error {
	return p.fault(path, &field.Error{Path: path, Got: got, Want: want})
}

// faults collects errors, each text once.
type faults struct {
	list []*Error
	seen map[string]bool
}

func (f *faults) add(e *Error) {
	if f.seen == nil {
		f.seen = map[string]bool{}
	}
	if text := e.Error(); !f.seen[text] {
		f.seen[text] = true
		f.list = append(f.list, e)
	}
}

// err returns the collected errors in the order of their places, joined, or nil.
func (f *faults) err() error {
	slices.SortStableFunc(f.list, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	joined := make([]error, len(f.list))
	for i, e := range f.list {
		joined[i] = e
	}
	return errors.Join(joined...)
}

// phrase is a Got that is printed without quotes.
type phrase string

// unknownKey returns the *Error about a key that its mapping does not have.
func (p place) unknownKey(path, key string, known []string) *Error {
	want := "one of " + strings.Join(known, ", ")
	if near := nearest(key, known); near != "" {
		want += fmt.Sprintf("; did you mean %q?", near)
	}
	return p.wrong(path, phrase("an unknown key"), want)
}

// nearest returns the element of known that is the fewest edits away from word, if
// these are at most a third of its letters; else "".
func nearest(word string, known []string) string {
	best, fewest := "", utf8.RuneCountInString(word)/3+1
	for _, k := range known {
		if n := edits(word, k); n < fewest || n == fewest && best == "" {
			best, fewest = k, n
		}
	}
	return best
}

// edits returns the least number of letters to insert, delete, replace or swap with
// the next that turns a into b (optimal string alignment), by dynamic programming.
func edits(a, b string) int {
	s, t := []rune(a), []rune(b)
	before, last := make([]int, len(t)+1), make([]int, len(t)+1)
	for j := range last {
		last[j] = j
	}
	for i := range s {
		row := make([]int, len(t)+1)
		row[0] = i + 1
		for j := range t {
			cost := 1
			if s[i] == t[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && s[i] == t[j-1] && s[i-1] == t[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(t)]
}
