// Package glossarytest holds the keys of what commands print to the entries of the glossary.
package glossarytest

import (
	"reflect"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/glossary"
)

// WantKeys fails t for every key or column of the types, and of all types in them, that has no
// entry in docs/glossary.md.
func WantKeys(t *testing.T, kinds ...reflect.Type) {
	t.Helper()
	for _, kind := range kinds {
		keys := map[string]reflect.Type{}
		gather(kind, keys)
		if len(keys) == 0 {
			t.Errorf("%s: got no keys, want those of all that it holds", kind)
		}
		for key, holder := range keys {
			if glossary.Find(key) == nil {
				t.Errorf("%s: got no entry for the key %s, want one in docs/glossary.md", holder, key)
			}
		}
	}
}

// gather collects the keys of a type and of all types in it, with the type that has each.
func gather(kind reflect.Type, keys map[string]reflect.Type) {
	seen := map[reflect.Type]bool{}
	var walk func(kind reflect.Type)
	walk = func(kind reflect.Type) {
		switch kind.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Map:
			walk(kind.Elem())
			return
		case reflect.Struct:
		default:
			return
		}
		if seen[kind] {
			return
		}
		seen[kind] = true
		for i := range kind.NumField() {
			field := kind.Field(i)
			walk(field.Type)
			key, _, _ := strings.Cut(field.Tag.Get("json")+field.Tag.Get("parquet"), ",")
			if key != "" && key != "-" {
				keys[key] = kind
			}
		}
	}
	walk(kind)
}
