package study

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/field"
)

// numbers returns the dotted path of every number in a section.
func numbers(path string, t reflect.Type) []string {
	var paths []string
	for i := range t.NumField() {
		f := t.Field(i)
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		name := join(path, tag(f))
		switch inner.Kind() {
		case reflect.Struct:
			paths = append(paths, numbers(name, inner)...)
		case reflect.Int, reflect.Uint64, reflect.Float64:
			paths = append(paths, name)
		}
	}
	return paths
}

// TestWrittenZeros writes a zero for every number of every section, with every method,
// rule, schedule, block, loss and kind, and wants it refused by name or in the run: never
// replaced, and never taken where another number is refused for want of any use.
func TestWrittenZeros(t *testing.T) {
	document := reflect.TypeFor[document]()
	paths := numbers("data", reflect.TypeFor[dataset.Spec]())
	for _, name := range []string{"network", "initial", "train"} {
		f, _ := document.FieldByNameFunc(func(s string) bool { return strings.EqualFold(s, name) })
		paths = append(paths, numbers(name, f.Type)...)
	}
	bases := []string{
		"{kind: separated, width: 4, samples: 4, distance: 0.3}", "{kind: rotation, width: 4, samples: 4, test: 2, angle: 0.5}",
		"{kind: ode, width: 4, samples: 4}", "{kind: sde, width: 4, samples: 4}", "{kind: diabetes}", "{kind: digits}",
	}
	studies := map[string][]string{"data": nil, "network": nil, "initial": nil, "train": nil}
	for _, data := range bases {
		studies["data"] = append(studies["data"], "name: s\ndepths: [4]\ndata: "+data+"\n")
	}
	for _, network := range []string{"", "block: mlp", "block: outer, loss: lp", "bias: true, residual: shared"} {
		studies["network"] = append(studies["network"], head+"network: {"+network+"}\n")
	}
	for _, initial := range []string{"normal", "constant", "zero", "gaussian-process", "fractional-brownian"} {
		studies["initial"] = append(studies["initial"], head+"initial: {kind: "+initial+"}\n")
	}
	for _, section := range []string{
		"", "method: sgd", "method: momentum", "method: adam", "method: adam, step: {rule: constant, schedule: decay}",
		"step: {rule: armijo}", "step: {rule: certified}", "step: {schedule: cosine}",
	} {
		studies["train"] = append(studies["train"], head+"train: {"+section+"}\n")
	}
	honoured := 0
	for _, path := range paths {
		section, _, _ := strings.Cut(path, ".")
		for _, text := range studies[section] {
			run := func(value string) (Run, error) {
				s, err := Parse("s.yaml", []byte(text), []string{path + "=" + value, "depths=[4]"})
				if err != nil {
					return Run{}, err
				}
				runs, err := s.Runs()
				if err != nil {
					return Run{}, err
				}
				return runs[0], nil
			}
			got, err := run("0")
			if err != nil {
				var e *field.Error
				if !errors.As(err, &e) {
					t.Errorf("%s %s: got %v, want the field named", text, path, err)
				}
				continue
			}
			honoured++
			if value := valueAt(got.Fields(), path); value != nil && !reflect.ValueOf(value).IsZero() && section != "initial" {
				t.Errorf("%s with %s=0 has %v there", text, path, value)
			}
			used := false
			for _, value := range []string{"0.5", "1", "2", "3"} {
				_, err := run(value)
				var e *field.Error
				used = used || !errors.As(err, &e) || e.Path != path
			}
			if !used {
				t.Errorf("%s takes %s=0 and no other number", text, path)
			}
		}
	}
	if honoured < 20 {
		t.Errorf("%d zeros were honoured, want at least 20, such as stop.loss", honoured)
	}
}

func valueAt(fields map[string]any, path string) any {
	first, rest, below := strings.Cut(path, ".")
	if !below {
		return fields[first]
	}
	inner, _ := fields[first].(map[string]any)
	return valueAt(inner, rest)
}
