package serve

import (
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/runfolder"
)

// classified returns a trace that ends at these accuracies, of the test set where that is not negative.
func classified(n int, train, test float64) []runfolder.Row {
	trace := rows(n, 1, 0.5)
	for i := range trace {
		share := train * float64(i) / float64(n)
		trace[i].Accuracy = &share
	}
	if test >= 0 {
		trace[n].TestAccuracy = &test
	}
	return trace
}

// TestScores has the accuracies of a classification as columns by which runs are filtered and sorted, of runs at work too.
func TestScores(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	study := filepath.Join(dir, "one")
	plant(t, study, "one") // a regression, of which no run has an accuracy
	s := running(t, dir, Options{})
	type page struct {
		Runs []struct {
			ID         string
			Accuracies map[string]float64
		}
		Scores []columnInfo
	}
	listed := func(query url.Values) (page, string) {
		p := get[page](t, s.base()+"/api/studies/one/runs?"+query.Encode())
		var ids []string
		for _, r := range p.Runs {
			ids = append(ids, r.ID)
		}
		return p, strings.Join(ids, " ")
	}
	if p, _ := listed(nil); p.Scores == nil || len(p.Scores) != 0 {
		t.Errorf("a regression: got columns %v, want none", p.Scores)
	}
	if status, _, body := ask(t, "GET", s.base()+"/api/studies/one/runs?q=accuracy%3E0.5", nil); status != http.StatusBadRequest || !strings.Contains(body, "accuracy: got an unknown name") {
		t.Errorf("accuracy of a regression: %d %s, want 400", status, body)
	}
	for i, scores := range [][2]float64{{0.9, 0.5}, {0.6, -1}, {0.7, 0.8}} {
		finish(t, study, meta("one", "class", 16, uint64(i+1)), classified(20, scores[0], scores[1]))
	}
	eventually(t, "the new columns are there", func() bool { p, _ := listed(nil); return len(p.Scores) == 2 })
	p, _ := listed(url.Values{"q": {"depth=16"}})
	if got, want := fmt.Sprint(p.Scores), "[{accuracy Accuracy} {test_accuracy Test accuracy}]"; got != want {
		t.Errorf("columns %s, want %s", got, want)
	}
	if got, want := fmt.Sprint(p.Runs), "[{class-L0016-s1 map[accuracy:0.9 test_accuracy:0.5]} {class-L0016-s2 map[accuracy:0.6]} {class-L0016-s3 map[accuracy:0.7 test_accuracy:0.8]}]"; got != want {
		t.Errorf("runs %s, want %s", got, want)
	}
	for sort, want := range map[string]string{
		"accuracy": "class-L0016-s2 class-L0016-s3 class-L0016-s1", "-accuracy": "class-L0016-s1 class-L0016-s3 class-L0016-s2",
		"-test_accuracy": "class-L0016-s3 class-L0016-s1 class-L0016-s2", // the one without a test set last
	} {
		name, down := strings.CutPrefix(sort, "-")
		query := url.Values{"sort": {name}, "q": {"depth=16"}}
		if down {
			query.Set("order", "desc")
		}
		if _, got := listed(query); got != want {
			t.Errorf("sorted by %s: %q, want %q", sort, got, want)
		}
	}
	for q, want := range map[string]string{
		"accuracy>=0.7": "class-L0016-s1 class-L0016-s3", "accuracy>0.6 test_accuracy<0.6": "class-L0016-s1",
		"not (accuracy > 0.6) and depth == 16": "class-L0016-s2",
	} {
		if _, got := listed(url.Values{"q": {q}}); got != want {
			t.Errorf("%s: %q, want %q", q, got, want)
		}
		if n := len(get[chosenCurves](t, s.base()+"/api/studies/one/chosen?"+url.Values{"q": {q}}.Encode()).Curves); n != len(strings.Fields(want)) {
			t.Errorf("%s: %d curves, want those of %s", q, n, want)
		}
	}

	events := stream(t, s.base()+"/api/studies/one/events")
	m := meta("one", "class", 32, 1)
	folder := begin(t, study, m)
	trace := classified(10, 0.4, -1)
	if err := runfolder.RewriteLive(folder, trace[:6]); err != nil {
		t.Fatal(err)
	}
	tells := func(want string) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); !strings.Contains(next(t, events, "progress"), want); {
			if time.Now().After(end) {
				t.Fatalf("no progress with %s", want)
			}
		}
	}
	tells(`"accuracies":{"accuracy":0.2}`)
	if err := runfolder.AppendLive(folder, trace[6:]); err != nil {
		t.Fatal(err)
	}
	tells(`"accuracies":{"accuracy":0.4}`)
	if _, got := listed(url.Values{"q": {"accuracy<0.5"}}); got != m.ID {
		t.Errorf("at work: %q, want %q", got, m.ID)
	}
}
