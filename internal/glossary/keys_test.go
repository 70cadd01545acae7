package glossary_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/internal/ask/bench"
	"github.com/deeplimit/deeplimit/internal/ask/transfer"
	"github.com/deeplimit/deeplimit/internal/glossary"
	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/internal/read/proof"
	"github.com/deeplimit/deeplimit/runfolder"
)

// TestKeys wants an entry for every key and column of what commands print as JSON and of the
// tables that they write.
func TestKeys(t *testing.T) {
	for _, kind := range []reflect.Type{
		reflect.TypeFor[analyze.Result](),
		reflect.TypeFor[analyze.Edge](),
		reflect.TypeFor[analyze.StartResult](),
		reflect.TypeFor[analyze.RunRow](),
		reflect.TypeFor[analyze.ExponentRow](),
		reflect.TypeFor[proof.Report](),
		reflect.TypeFor[transfer.Result](),
		reflect.TypeFor[bench.Result](),
		reflect.TypeFor[runfolder.Row](),
		reflect.TypeFor[runfolder.Draw](),
	} {
		keys := map[string]reflect.Type{}
		gather(kind, keys)
		if len(keys) < 5 {
			t.Errorf("%s: got %d keys, want those of all that it holds", kind, len(keys))
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
