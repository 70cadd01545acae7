// Package field has the error for a wrong configuration value. The package that owns a setting
// returns it with the key of the setting, and the package that read the file adds the place.
package field

import (
	"fmt"
	"slices"
	"strings"
)

// Error says that a configuration field holds a value it may not hold.
type Error struct {
	Path string // dotted path inside the study file, such as "network.activation"
	Got  any    // the value as it was read
	Want string // what would be accepted, in words
}

// Error returns `path: got "x", want …`, without a path for the whole file; strings are quoted,
// other values are not.
func (e *Error) Error() string {
	got := fmt.Sprintf("%v", e.Got)
	if s, ok := e.Got.(string); ok {
		got = fmt.Sprintf("%q", s)
	}
	text := fmt.Sprintf("got %s, want %s", got, e.Want)
	if e.Path == "" {
		return text
	}
	return e.Path + ": " + text
}

// Under returns err with prefix and a dot put before its path when err is an
// *Error, and err itself otherwise. Under(nil, …) is nil.
func Under(prefix string, err error) error {
	e, ok := err.(*Error)
	if !ok {
		return err
	}
	return &Error{Path: prefix + "." + e.Path, Got: e.Got, Want: e.Want}
}

// OneOf returns nil if got is among want, and otherwise an *Error that lists want, with the nearest of them.
func OneOf(path, got string, want ...string) error {
	if slices.Contains(want, got) {
		return nil
	}
	return &Error{Path: path, Got: got, Want: "one of " + strings.Join(want, ", ") + Mean(got, want)}
}
