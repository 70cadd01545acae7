package serve

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBadFolders shows a good study beside folders whose files would fill the memory, or
// end the program, if they were read: each is bad, with the reason, and the good one is
// served.
func TestBadFolders(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "good"), "good")
	deep := strings.Repeat("[", 100_000)
	bad := map[string]struct {
		file, text string
		size       int64 // of a sparse file
		want       string
	}{
		"manifest":   {"runs.json", "", 200 << 30, "runs.json: got a file of 214748364800 bytes, want at most"},
		"study-text": {"study.yaml", "name: s\n", 12 << 30, "study.yaml: got a file of 12884901888 bytes, want at most"},
		"record":     {"study.json", "", 12 << 30, "study.json: got a file of 12884901888 bytes, want at most"},
		"nested":     {"study.yaml", "name: s\ndata: " + deep, 0, "got values nested too deep"},
		"closed":     {"study.yaml", "a: " + deep + strings.Repeat("]", 100_000), 0, "got values nested too deep"},
		"dashes":     {"study.yaml", "a:\n" + strings.Repeat("- ", 100_000), 0, "got values nested too deep"},
	}
	for name, b := range bad {
		path := filepath.Join(dir, name, b.file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(b.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if b.size > 0 {
			if err := os.Truncate(path, b.size); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := running(t, dir, Options{})
	seen := map[string]studyInfo{}
	for _, study := range get[struct{ Studies []studyInfo }](t, s.base()+"/api/studies").Studies {
		seen[study.Name] = study
	}
	if good := seen["good"]; good.Error != "" || good.Progress == nil || good.Progress.Counts["done"] != 4 {
		t.Errorf("the good study is %+v, want its four runs", good)
	}
	for name, b := range bad {
		if study, ok := seen[name]; !ok || !strings.Contains(study.Error, b.want) {
			t.Errorf("%s: got %t, %q, want it listed with %q", name, ok, study.Error, b.want)
		}
	}
	get[map[string]any](t, s.base()+"/api/studies/good/runs")
}

// TestBadRunFiles makes the files of one run too large: it is failed, the others are shown.
func TestBadRunFiles(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"run.json", "result.json", "trace.parquet"} {
		dir := t.TempDir()
		plant(t, filepath.Join(dir, "one"), "one")
		path := filepath.Join(dir, "one", "runs", "g-L0004-s1", name)
		if err := os.Truncate(path, 200<<30); err != nil {
			t.Fatal(err)
		}
		s := running(t, dir, Options{})
		list := get[struct{ Runs []runInfo }](t, s.base()+"/api/studies/one/runs").Runs
		failed := 0
		for _, r := range list {
			if r.State == "failed" {
				failed++
				if r.ID != "g-L0004-s1" || !strings.Contains(r.Reason, name) {
					t.Errorf("%s: got %s failed for %q", name, r.ID, r.Reason)
				}
			}
		}
		if failed != 1 || len(list) != 4 {
			t.Errorf("%s: got %d of %d runs failed, want one of four", name, failed, len(list))
		}
	}
}
