package study

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deeplimit/deeplimit/field"
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
	if near := field.Nearest(key, known); len(near) > 0 { // keys are few: more edits than field.Mean takes
		want += fmt.Sprintf("; did you mean %q?", near[0])
	}
	return p.wrong(path, phrase("an unknown key"), want)
}
