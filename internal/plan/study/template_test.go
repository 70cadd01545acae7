package study

import (
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/dataset"
	"github.com/deeplimit/deeplimit/internal/train"
)

func TestTemplateRuns(t *testing.T) {
	s, err := Parse("study.yaml", []byte(Template()), nil)
	if err != nil {
		t.Fatal(err)
	}
	runs, err := s.Runs()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := len(runs), 9; got != want {
		t.Errorf("got %d runs, want %d", got, want)
	}
}

// sectionOf returns the lines of the template below "key:", comment marks taken off,
// up to the next key that stands as far left.
func sectionOf(lines []string, key string) []string {
	start := regexp.MustCompile(`^( *)(# )?` + key + `:`)
	for i, line := range lines {
		m := start.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		end := i + 1
		for end < len(lines) && (strings.HasPrefix(lines[end], m[1]+" ") || strings.HasPrefix(lines[end], "#   ")) {
			end++
		}
		return lines[i+1 : end]
	}
	return nil
}

func TestTemplateShowsEveryKey(t *testing.T) {
	lines := strings.Split(Template(), "\n")
	var check func(path string, section []string, keys reflect.Type)
	check = func(path string, section []string, typ reflect.Type) {
		for i := range typ.NumField() {
			f := typ.Field(i)
			if tag(f) == "" {
				continue
			}
			key := regexp.MustCompile(`^ *(# )?` + tag(f) + `:`)
			found, flow := false, ""
			for _, line := range section {
				if key.MatchString(line) {
					found = true
					_, flow, _ = strings.Cut(line, "{")
				}
			}
			if !found {
				t.Errorf("the template does not show %s", join(path, tag(f)))
			}
			inner := f.Type
			if tag(f) == "data" {
				inner = reflect.TypeFor[dataset.Spec]()
			}
			switch {
			case inner == reflect.TypeFor[train.Parts](): // in one line
				flow, _, _ = strings.Cut(flow, "}")
				check(join(path, tag(f)), strings.Split(flow, ","), inner)
			case inner.Kind() == reflect.Struct:
				check(join(path, tag(f)), sectionOf(section, tag(f)), inner)
			}
		}
	}
	check("", lines, reflect.TypeFor[document]())
}

// TestTemplateExamplesAreKeys takes the comment mark off every example, one at a time,
// and wants no complaint about its form: the key exists and the value has its type.
func TestTemplateExamplesAreKeys(t *testing.T) {
	lines := strings.Split(Template(), "\n")
	example := regexp.MustCompile(`^( *)# ([a-z0-9-]+: +\S)`)
	count := 0
	for i, line := range lines {
		if !example.MatchString(line) {
			continue
		}
		count++
		changed := append([]string(nil), lines...)
		changed[i] = example.ReplaceAllString(line, "$1$2")
		if _, err := Parse("study.yaml", []byte(strings.Join(changed, "\n")), nil); err != nil {
			t.Errorf("%s: %v", strings.TrimSpace(line), err)
		}
	}
	if count < 30 {
		t.Errorf("found %d examples, want at least 30: has the template's form changed?", count)
	}
	whole := Template()
	for _, key := range []string{"grid:", "zip:"} {
		head, tail, _ := strings.Cut(whole, "\n# "+key)
		body, rest, _ := strings.Cut(tail, "\n\n")
		whole = head + "\n" + key + strings.ReplaceAll(body, "\n# ", "\n") + "\n\n" + rest
	}
	s, err := Parse("study.yaml", []byte(whole), nil)
	if err != nil {
		t.Fatalf("with grid and zip: %v", err)
	}
	if runs, err := s.Runs(); err != nil || len(runs) != 9*6*2 {
		t.Errorf("with grid and zip: got %d runs and error %v, want %d", len(runs), err, 9*6*2)
	}
}
