package serve

import (
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/runfolder"
)

var manyRuns = flag.Int("runs", 500, "runs of the study that TestManyRuns lists")

// TestManyRuns lists a study of many runs, most of them finished. With -runs 10000 it
// holds the first answer to 2 seconds, and later ones to a tenth of that.
func TestManyRuns(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "many")
	if err := runfolder.CreateStudy(dir, "many", "name: many\n", nil); err != nil {
		t.Fatal(err)
	}
	first := finish(t, dir, meta("many", "g", 4, 1), rows(20, 1, 0.5))
	content := map[string][]byte{}
	for _, name := range []string{"run.json", "result.json"} {
		data, err := os.ReadFile(filepath.Join(first, name))
		if err != nil {
			t.Fatal(err)
		}
		content[name] = data
	}
	manifest := runfolder.Manifest{Study: "many"}
	for i := range *manyRuns {
		m := meta("many", fmt.Sprintf("g%d", i%10), 16<<(i%5), uint64(i))
		manifest.Runs = append(manifest.Runs, runfolder.Planned{ID: m.ID, Hash: m.Hash, Group: m.Group, Data: m.Data, Depth: m.Depth, Seed: m.Seed, Iterations: 100, Flops: 1e6})
		if i%10 == 9 {
			continue // pending
		}
		folder := runfolder.RunDir(dir, m.ID)
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, data := range content { // the same bytes in each folder: the list takes depth and seed from the manifest
			if err := os.WriteFile(filepath.Join(folder, name), data, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.RemoveAll(first); err != nil {
		t.Fatal(err)
	}
	if err := runfolder.WriteManifest(dir, manifest); err != nil {
		t.Fatal(err)
	}
	type page struct {
		Runs            []runLine
		Matching, Total int
	}
	timed := func(s *Server, path string) (page, time.Duration) {
		start := time.Now()
		p := get[page](t, s.base()+path)
		return p, time.Since(start)
	}
	// On a machine that is busy with other work the quickest of a few servers counts.
	var s *Server
	var p page
	took := time.Duration(math.MaxInt64)
	for tries := 0; tries < 5 && !(took < 2*time.Second); tries++ {
		s = running(t, dir, Options{})
		var once time.Duration
		p, once = timed(s, "/api/studies/many/runs?size=100")
		took = min(took, once)
	}
	t.Logf("%d runs: first list in %s", *manyRuns, took)
	if p.Total != *manyRuns || len(p.Runs) != 100 {
		t.Errorf("%d runs on a page of %d, want 100 of %d", len(p.Runs), p.Total, *manyRuns)
	}
	if !(took < 2*time.Second) {
		t.Errorf("the first list of %d runs took %s, want less than 2 s", *manyRuns, took)
	}
	p, took = timed(s, "/api/studies/many/runs?size=100&sort=loss&q=L0064&state=done&page=2")
	t.Logf("%d runs: filtered and sorted in %s", *manyRuns, took)
	if p.Matching != *manyRuns/5 {
		t.Errorf("%d runs match, want the %d of depth 64", p.Matching, *manyRuns/5)
	}
	if !(took < 200*time.Millisecond) {
		t.Errorf("filtering and sorting %d runs took %s, want less than 0.2 s", *manyRuns, took)
	}
}

type runLine struct{ ID string }
