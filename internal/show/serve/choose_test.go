package serve

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

// gridOf plans a study over step × alpha at two depths, one group more with a rule in the place of a step, and none of it begun.
func gridOf(t *testing.T, dir string) {
	t.Helper()
	if err := runfolder.CreateStudy(dir, "grid", "name: grid\n", nil); err != nil {
		t.Fatal(err)
	}
	manifest := runfolder.Manifest{Study: "grid"}
	add := func(group string, settings map[string]string) {
		for _, depth := range []int{8, 64} {
			id := fmt.Sprintf("%s-L%d", group, depth)
			manifest.Runs = append(manifest.Runs, runfolder.Planned{ID: id, Hash: id, Group: group, Data: "digits", Depth: depth, Seed: 1, Iterations: 10, Settings: settings})
		}
	}
	for i, step := range []string{"0.1", "1e1", "2"} {
		for j, alpha := range []string{"0.5", "1"} {
			add(fmt.Sprintf("g%d%d", i, j), map[string]string{"train.step.value": step, "network.alpha": alpha, "network.width": "4"})
		}
	}
	add("rule", map[string]string{"train.step.value": "depth", "network.width": "4"})
	if err := runfolder.WriteManifest(dir, manifest); err != nil {
		t.Fatal(err)
	}
}

// TestChoose filters and sorts by what the grid varies, which the table has as columns.
func TestChoose(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "grid")
	gridOf(t, dir)
	s := running(t, dir, Options{})
	type page struct {
		Runs    []struct{ ID string }
		Columns []columnInfo
	}
	ids := func(query url.Values) string {
		p := get[page](t, s.base()+"/api/studies/grid/runs?"+query.Encode())
		if got, want := fmt.Sprint(p.Columns), "[{network.alpha alpha} {train.step.value step.value}]"; got != want {
			t.Errorf("columns %s, want %s: those that vary, as the overview has them", got, want)
		}
		var list []string
		for _, r := range p.Runs {
			list = append(list, r.ID)
		}
		return strings.Join(list, " ")
	}
	for q, want := range map[string]string{
		"train.step.value=0.1 depth>=64":        "g00-L64 g01-L64",
		"step.value = 10 alpha=1":               "g11-L8 g11-L64",
		"step.value=depth":                      "rule-L8 rule-L64",
		"alpha<1 depth<10 g2":                   "g20-L8",
		"alpha>0 alpha<1 L64":                   "g00-L64 g10-L64 g20-L64", // the group without alpha is not among them
		"network.alpha == 1 and not (depth<64)": "g01-L64 g11-L64 g21-L64",
		"data=digits state=pending depth=8 g0":  "g00-L8 g01-L8",
		"loss>0":                                "",
		`"alpha = 0.5" g00`:                     "g00-L8 g00-L64",
	} {
		if got := ids(url.Values{"q": {q}, "sort": {"group"}}); !sameWords(got, want) {
			t.Errorf("%s: %q, want %q", q, got, want)
		}
	}
	for sort, want := range map[string]string{
		"step.value": "g00-L8 g01-L8 g20-L8 g21-L8 g10-L8 g11-L8 rule-L8", "-step.value": "g11-L8 g10-L8 g21-L8 g20-L8 g01-L8 g00-L8 rule-L8",
		"network.alpha": "g00-L8 g10-L8 g20-L8 g01-L8 g11-L8 g21-L8 rule-L8", "-alpha": "g21-L8 g11-L8 g01-L8 g20-L8 g10-L8 g00-L8 rule-L8",
	} {
		name, descending := strings.CutPrefix(sort, "-")
		query := url.Values{"sort": {name}, "q": {"depth=8"}}
		if descending {
			query.Set("order", "desc")
		}
		if got := ids(query); got != want {
			t.Errorf("sorted by %s: %q, want %q", sort, got, want)
		}
	}
	for q, want := range map[string]string{
		"dept>3": "dept: got an unknown name, want one of data, depth,", "depth>x": "want a condition such as depth", "step.value<1": "filter:",
		"depth > 3 or": "cannot be read", "depth=0.1.2": "want a condition such as",
	} {
		if status, _, body := ask(t, "GET", s.base()+"/api/studies/grid/runs?"+url.Values{"q": {q}}.Encode(), nil); status != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("%s: %d %s, want 400 with %q", q, status, body, want)
		}
	}
}

// sameWords reports whether two texts have the same words, in any order.
func sameWords(a, b string) bool {
	return slices.Equal(slices.Sorted(strings.FieldsSeq(a)), slices.Sorted(strings.FieldsSeq(b)))
}
