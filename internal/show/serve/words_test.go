package serve

import (
	"encoding/json"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	"github.com/deeplimit/deeplimit/internal/read/analyze"
	"github.com/deeplimit/deeplimit/runfolder"
	"github.com/deeplimit/deeplimit/test/zoo"
)

// TestAnalysisSpeaksAsAnalyze wants the sentences and rows that the page shows to be those of
// analyze.
func TestAnalysisSpeaksAsAnalyze(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, s := range zoo.Studies() {
		if !slices.Contains([]string{"shared-delta", "diverged-ends", "two-depths-one-seed", "imported"}, s.Name) {
			continue
		}
		if err := s.Write(filepath.Join(dir, s.Name)); err != nil {
			t.Fatal(err)
		}
		result, err := analyze.Study(t.Context(), filepath.Join(dir, s.Name), analyze.Options{})
		if err != nil {
			t.Fatal(err)
		}
		server := running(t, dir, Options{})
		var view struct {
			State  string
			Groups []struct{ Words []string }
			Rows   map[string][]struct{ Key, Number, Range, Basis, Reading string }
		}
		eventually(t, "the analysis is ready", func() bool {
			status, _, body := ask(t, "GET", server.base()+"/api/studies/"+s.Name+"/analysis", nil)
			if status != http.StatusOK {
				t.Fatalf("%d %s", status, body)
			}
			if err := json.Unmarshal([]byte(body), &view); err != nil {
				t.Fatal(err)
			}
			return view.State == "ready"
		})
		group := result.Groups[0]
		for i, sentence := range group.Sentences() {
			if view.Groups[0].Words[i] != sentence.Text {
				t.Errorf("%s: got %q, want %q", s.Name, view.Groups[0].Words[i], sentence.Text)
			}
		}
		for i, row := range group.Rows() {
			if got := view.Rows[group.Group][i]; got.Key != row.Key || got.Number != row.Number || got.Range != row.Range || got.Basis != row.Basis || got.Reading != row.Reading {
				t.Errorf("%s: got %+v, want %+v", s.Name, got, row)
			}
		}
	}
}

// TestOverridesAreShown: the study file beside what --set changed of it.
func TestOverridesAreShown(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := runfolder.CreateStudy(filepath.Join(dir, "set"), "set", "name: other\n", []string{"name=set", "network.alpha=0.75"}); err != nil {
		t.Fatal(err)
	}
	if err := runfolder.CreateStudy(filepath.Join(dir, "unset"), "unset", "name: unset\n", nil); err != nil {
		t.Fatal(err)
	}
	server := running(t, dir, Options{})
	for name, want := range map[string][]string{"set": {"name=set", "network.alpha=0.75"}, "unset": {}} {
		if got := get[struct{ Set []string }](t, server.base()+"/api/studies/"+name).Set; got == nil || !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}
