package cite

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestReferences wants every work to be whole, to be found somewhere, and to be asked for by something.
func TestReferences(t *testing.T) {
	forms := map[string]*regexp.Regexp{
		"DOI":   regexp.MustCompile(`^10\.\d{4,}/\S+$`),
		"arXiv": regexp.MustCompile(`^\d{4}\.\d{4,5}$`),
		"URL":   regexp.MustCompile(`^https://\S+$`),
	}
	for key, r := range references {
		if len(r.Authors) == 0 || r.Title == "" || r.Year == 0 {
			t.Errorf("%s: got %+v, want authors, a title and a year", key, r)
		}
		if r.Type != "misc" && r.In == "" {
			t.Errorf("%s: got an %s without its journal or conference", key, r.Type)
		}
		for form, text := range map[string]string{"DOI": r.DOI, "arXiv": r.ArXiv, "URL": r.URL} {
			if text != "" && !forms[form].MatchString(text) {
				t.Errorf("%s: %s: got %q", key, form, text)
			}
		}
		if r.DOI+r.ArXiv+r.URL == "" {
			t.Errorf("%s: got no place where it is found", key)
		}
	}
	for key := range references {
		c := &collector{at: map[string]int{}}
		c.all(t)
		if !slices.ContainsFunc(c.list, func(r Reference) bool { return r.Key == key }) {
			t.Errorf("%s: nothing asks for it", key)
		}
	}
}

// all asks for every work, through configurations that have each value.
func (c *collector) all(t *testing.T) {
	t.Helper()
	c.add("x", "cont2022convergence")
	c.statistics(2, 2, true)
	for _, rule := range byValue {
		value := any(rule.value)
		steps := strings.Split(rule.path, ".")
		slices.Reverse(steps)
		for _, step := range steps {
			value = map[string]any{step: value}
		}
		text, err := json.Marshal(value)
		if err == nil {
			before := len(c.list)
			err = c.config(text)
			for _, key := range rule.keys {
				if at, ok := c.at[key]; !ok || !slices.Contains(c.list[at].For, rule.about) {
					t.Errorf("%s %s: got %v, want %s", rule.path, rule.value, c.list[before:], key)
				}
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{
		`{"initial":{"parts":{"A":{"kind":"fractional-noise"}}}}`,
		`{"train":{"certify":{"curvature":true,"gram":true,"cadence":"all"},"cascade":{"from":2}}}`,
	} {
		if err := c.config(json.RawMessage(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWrite writes every work: entries are closed, keys are one each, and nothing is left for LaTeX to stumble over.
func TestWrite(t *testing.T) {
	c := &collector{at: map[string]int{}}
	c.list = append(c.list, program("v1_x"))
	c.all(t)
	var text, bib bytes.Buffer
	if err := WriteText(&text, c.list); err != nil {
		t.Fatal(err)
	}
	if err := WriteBibTeX(&bib, c.list); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(text.String(), "\n    for: "); got != len(c.list) {
		t.Errorf("got %d works as text, want %d", got, len(c.list))
	}
	depth, entries := 0, 0
	for line := range strings.Lines(bib.String()) {
		depth += strings.Count(line, "{") - strings.Count(line, "}")
		if strings.HasPrefix(line, "@") {
			entries++
		}
		if line == "}\n" && depth != 0 {
			t.Errorf("got braces that do not match before entry %d", entries+1)
		}
		if name, value, ok := strings.Cut(line, " = "); ok && !slices.Contains([]string{"url", "doi"}, strings.TrimSpace(name)) && regexp.MustCompile(`(^|[^\\])[&%$#_]`).MatchString(value) {
			t.Errorf("got %q, want it escaped", line)
		}
	}
	if entries != len(c.list) || !strings.Contains(bib.String(), `{v1\_x}`) && !strings.Contains(bib.String(), `v1\_x`) {
		t.Errorf("got %d entries, want %d, the first with its version", entries, len(c.list))
	}
	want := `Diederik P. Kingma, Jimmy Ba. Adam: A Method for Stochastic Optimization. International Conference on Learning Representations (ICLR). 2015. https://arxiv.org/abs/1412.6980`
	if !strings.Contains(text.String(), want) {
		t.Errorf("got no %q in\n%s", want, text.String())
	}
}
