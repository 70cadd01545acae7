package study

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/deeplimit/deeplimit/field"
)

// Sections take the zero value of a field for "not given". A zero that is written in the
// file is therefore checked here: it is either what the run then has, or refused.

// A resolution is a section as its owner resolves it.
type resolution struct {
	path     string
	resolved any                    // with all defaults
	again    func(tree *node) error // resolves the section of another tree
}

// resolved returns the resolution of the section at path whose owner resolves it by resolve.
func resolved[S, R any](path string, value any, resolve func(S) (R, error)) resolution {
	return resolution{path, value, func(tree *node) error {
		var s S
		var d decoder
		d.decode(path, tree.find(path), reflect.ValueOf(&s).Elem())
		if err := d.err(); err != nil {
			return err
		}
		_, err := resolve(s)
		return field.Under(path, err)
	}}
}

// zeros refuses zeros and empty texts of a section of tree that are not honoured.
func (d *decoder) zeros(tree *node, r resolution) {
	if n := tree.find(r.path); n != tree {
		d.zero(tree, r, r.path, n, reflect.ValueOf(r.resolved), "")
	}
}

// zero is zeros for the value n at path, which is resolved to the given one. Where a resolved zero
// is no number, meaning says what it stands for.
func (d *decoder) zero(tree *node, r resolution, path string, n *node, resolved reflect.Value, meaning string) {
	for resolved.Kind() == reflect.Pointer && !resolved.IsNil() {
		resolved = resolved.Elem()
	}
	if n.kind == mapping {
		for _, e := range n.entries {
			var inner reflect.Value
			meaning := ""
			switch resolved.Kind() {
			case reflect.Struct:
				if i := fieldIndex(resolved.Type(), e.key); i >= 0 {
					inner, meaning = resolved.Field(i), resolved.Type().Field(i).Tag.Get("zero")
				}
			case reflect.Map:
				inner = resolved.MapIndex(reflect.ValueOf(e.key))
			}
			if inner.IsValid() {
				d.zero(tree, r, join(path, e.key), e.value, inner, meaning)
			}
		}
		return
	}
	if n.kind != scalar {
		return
	}
	if resolved.Kind() == reflect.String && n.text != "" && resolved.String() == column(n) {
		return // false or 0 is a value of its own
	}
	number, err := parseFloat(n.text)
	isZero := !n.quoted && err == nil && number == 0
	isFalse := !n.quoted && isBool(n.text) && (n.text[0] == 'f' || n.text[0] == 'F')
	isEmpty := n.quoted && n.text == ""
	switch {
	case (isZero || isFalse || isEmpty) && !resolved.IsZero():
		d.add(n.wrong(path, n.got(), fmt.Sprintf("another value, or the key left out (default %v)", resolved)))
	case isEmpty:
		d.add(n.wrong(path, n.got(), "another value, or the key left out"))
	case isZero:
		if want := useless(tree, r, path, n); want != "" {
			d.add(n.wrong(path, n.got(), want))
		} else if meaning != "" {
			d.add(n.wrong(path, n.got(), fmt.Sprintf("another value, or the key left out (for %s)", meaning)))
		}
	}
}

// useless returns what the owner of the section wants at path instead of a number, "" if
// numbers have a use there: a field that takes none but zero has none.
func useless(tree *node, r resolution, path string, zero *node) string {
	want := ""
	for _, text := range []string{"0.5", "1", "2", "100"} {
		other := *zero
		other.text = text
		err := r.again(tree.with(strings.Split(path, "."), &other))
		var e *field.Error
		if !errors.As(err, &e) || e.Path != path {
			return ""
		}
		want = e.Want
	}
	return want
}
