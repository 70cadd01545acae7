package glossary

import (
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/docs"
)

// TestPage wants every entry to have a meaning of one sentence, and no word to lead to two.
func TestPage(t *testing.T) {
	entries, err := parse(docs.Glossary)
	if err != nil {
		t.Fatal(err)
	}
	owner := map[string]string{}
	for _, e := range entries {
		if e.Meaning == "" || !strings.HasSuffix(e.Meaning, ".") {
			t.Errorf("%s: got the meaning %q, want a sentence", e.Term, e.Meaning)
		}
		for _, word := range append([]string{e.Term}, e.Also...) {
			if other, ok := owner[word]; ok {
				t.Errorf("%q: got it under %s and %s, want one entry", word, other, e.Term)
			}
			owner[word] = e.Term
			if found := Find(word); found == nil || found.Term != e.Term {
				t.Errorf("Find(%q) = %v, want %s", word, found, e.Term)
			}
		}
	}
}

func TestFind(t *testing.T) {
	for term, want := range map[string]string{
		"max_frobenius": "max_frobenius", "max frobenius": "max_frobenius", "MAX‖A‖": "max_frobenius",
		"r²": "r2", "growth with lag": "accumulation", "V_2": "p_variation", "Index": "index of variation",
	} {
		if found := Find(term); found == nil || found.Term != want {
			t.Errorf("Find(%q) = %v, want %s", term, found, want)
		}
	}
	if found := Find("nonsense"); found != nil {
		t.Errorf("got %v, want nothing", found)
	}
}

func TestDamagedPage(t *testing.T) {
	for name, page := range map[string]string{
		"two meanings":  "### a\n\nOne.\n\nTwo.\n",
		"unknown label": "### a\n\nOne.\n\n- Size: 3\n",
		"label twice":   "### a\n\nOne.\n\n- Range: 3\n- Range: 4\n",
	} {
		if _, err := parse(page); err == nil {
			t.Errorf("%s: got no error, want one", name)
		}
	}
}
