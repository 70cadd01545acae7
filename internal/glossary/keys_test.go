package glossary_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/glossary"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
)

// TestKeys wants an entry for every key of `deeplimit analyze --json`.
func TestKeys(t *testing.T) {
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
			key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			if key == "" || key == "-" {
				continue
			}
			if glossary.Find(key) == nil {
				t.Errorf("%s.%s: got no entry for the key %s, want one in docs/glossary.md", kind, field.Name, key)
			}
		}
	}
	walk(reflect.TypeFor[analyze.Result]())
	if len(seen) < 10 {
		t.Errorf("got %d types, want those of the whole result", len(seen))
	}
}
