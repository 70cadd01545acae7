package layering

import (
	"fmt"
	"go/types"
	"strings"
	"testing"

	"golang.org/x/tools/go/packages"
)

// TestPublicTypes wants the libraries at the root to name no internal type in what they
// export: a program elsewhere could not name it.
func TestPublicTypes(t *testing.T) {
	var patterns []string
	for _, f := range floors {
		for _, room := range f.holds {
			if !strings.Contains(room, "/") && f.name != "outside" && f.name != "command" && room != "docs" {
				patterns = append(patterns, module+room)
			}
		}
	}
	loaded, err := packages.Load(&packages.Config{Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports | packages.NeedDeps, Dir: "../.."}, patterns...)
	if err != nil {
		t.Fatal(err)
	}
	if len(loaded) < 9 {
		t.Fatalf("got %d packages at the root, want nine at least", len(loaded))
	}
	for _, p := range loaded {
		for _, e := range p.Errors {
			t.Fatal(e)
		}
		scope := p.Types.Scope()
		for _, name := range scope.Names() {
			object := scope.Lookup(name)
			if !object.Exported() {
				continue
			}
			w := walk{own: p.Types, seen: map[types.Type]bool{}}
			w.of(object.Type(), p.Name+"."+name)
			for _, found := range w.found {
				t.Error(found)
			}
		}
	}
}

// walk looks through what a reader of an exported name may come to.
type walk struct {
	own   *types.Package
	seen  map[types.Type]bool
	found []string
}

// of looks at a type, and at where it stands.
func (w *walk) of(t types.Type, where string) {
	if t == nil || w.seen[t] {
		return
	}
	w.seen[t] = true
	switch t := t.(type) {
	case *types.Alias:
		w.named(t.Obj(), where)
		w.of(types.Unalias(t), where)
	case *types.Named:
		w.named(t.Obj(), where)
		for i := range t.TypeArgs().Len() {
			w.of(t.TypeArgs().At(i), where)
		}
		if t.Obj().Pkg() != w.own || !t.Obj().Exported() {
			return
		}
		for i := range t.TypeParams().Len() {
			w.of(t.TypeParams().At(i).Constraint(), where)
		}
		for i := range t.NumMethods() {
			if m := t.Method(i); m.Exported() {
				w.of(m.Type(), where+"."+m.Name())
			}
		}
		w.of(t.Underlying(), where)
	case *types.Signature:
		for i := range t.TypeParams().Len() {
			w.of(t.TypeParams().At(i).Constraint(), where)
		}
		for _, list := range []*types.Tuple{t.Params(), t.Results()} {
			for i := range list.Len() {
				w.of(list.At(i).Type(), where)
			}
		}
	case *types.Struct:
		for i := range t.NumFields() {
			if f := t.Field(i); f.Exported() {
				w.of(f.Type(), where+"."+f.Name())
			}
		}
	case *types.Interface:
		for i := range t.NumMethods() {
			w.of(t.Method(i).Type(), where+"."+t.Method(i).Name())
		}
		for i := range t.NumEmbeddeds() {
			w.of(t.EmbeddedType(i), where)
		}
	case *types.Pointer:
		w.of(t.Elem(), where)
	case *types.Slice:
		w.of(t.Elem(), where)
	case *types.Array:
		w.of(t.Elem(), where)
	case *types.Chan:
		w.of(t.Elem(), where)
	case *types.Map:
		w.of(t.Key(), where)
		w.of(t.Elem(), where)
	case *types.Union:
		for i := range t.Len() {
			w.of(t.Term(i).Type(), where)
		}
	}
}

// named finds fault with a name of an internal package.
func (w *walk) named(object *types.TypeName, where string) {
	if p := object.Pkg(); p != nil && strings.HasPrefix(p.Path(), module+"internal/") {
		w.found = append(w.found, fmt.Sprintf("%s: got %s.%s, want a type that other programs can name", where, p.Path(), object.Name()))
	}
}
