package glossary

import (
	"slices"
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
		"r²": "r2", "growth with lag": "accumulation", "second difference": "second difference", "layer noise": "layer noise", "V_2": "p_variation", "Index": "index of variation",
		"V_1.5": "p_variation", "v_7": "p_variation", "v-2.25": "p_variation",
		"pl-ratio": "PL ratio", "Step-Size": "step_size", "alpha+beta": "alpha_plus_beta", "  regime ": "regime",
		"variation index of W": "index of variation", "excess of the trend, exponent": "trend",
		"QUADRATIC VARIATION (Euclidean)": "quadratic_variation", "regimes": "regime", "w": "radius",
		"STABLE": "edge of stability", "UNSTABLE": "unstable", "bounded": "reading", "forward_change": "change",
	} {
		if found := Find(term); found == nil || found.Term != want {
			t.Errorf("Find(%q) = %v, want %s", term, found, want)
		}
	}
	for _, term := range []string{"nonsense", "", "s", ", ", "v_", "V_x"} {
		if found := Find(term); found != nil {
			t.Errorf("Find(%q) = %v, want nothing", term, found)
		}
	}
}

func TestNear(t *testing.T) {
	for term, want := range map[string]string{
		"nois": "noise_variation", "reigme": "regime", "root sum squared": "root_sum_squares", "displacment": "displacement",
	} {
		near := Near(term, 8)
		if !slices.Contains(near, want) || len(near) > 8 {
			t.Errorf("Near(%q) = %q, want up to 8 terms with %s", term, near, want)
		}
	}
	if near := Near("xxyyzz", 8); len(near) != 0 {
		t.Errorf("got %q, want nothing", near)
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
