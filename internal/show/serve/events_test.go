package serve

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/runfolder"
)

// An event of a stream.
type event struct{ kind, data string }

// stream opens an event stream and returns its events.
func stream(t *testing.T, url string) <-chan event {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Content-Type"); response.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("stream: %d, type %q", response.StatusCode, got)
	}
	events := make(chan event, 100)
	go func() {
		defer close(events)
		defer response.Body.Close()
		var e event
		for lines := bufio.NewScanner(response.Body); lines.Scan(); {
			if kind, ok := strings.CutPrefix(lines.Text(), "event: "); ok {
				e.kind = kind
			}
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				e.data = data
				events <- e
			}
		}
	}()
	return events
}

// next returns the next event of a kind.
func next(t *testing.T, events <-chan event, kind string) string {
	t.Helper()
	for end := time.After(10 * time.Second); ; {
		select {
		case e, ok := <-events:
			if !ok {
				t.Fatalf("the stream ended without %q", kind)
			}
			if e.kind == kind {
				return e.data
			}
		case <-end:
			t.Fatalf("no event %q within 10 s", kind)
		}
	}
}

// TestEvents follows a run from before its start to its end.
func TestEvents(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	study := filepath.Join(dir, "one")
	plant(t, study, "one")
	s := running(t, dir, Options{})
	events := stream(t, s.base()+"/api/studies/one/events")
	var p struct {
		Total  int
		Counts map[string]int
	}
	if err := json.Unmarshal([]byte(next(t, events, "progress")), &p); err != nil {
		t.Fatal(err)
	}
	if p.Total != 4 || p.Counts["done"] != 4 {
		t.Errorf("progress %+v, want four done", p)
	}
	m := meta("one", "g", 16, 1)
	folder := begin(t, study, m)
	if err := runfolder.RewriteLive(folder, rows(2, 1, 0.5)); err != nil {
		t.Fatal(err)
	}
	type added map[string]struct {
		X []int
		Y []float64
	}
	var curves added
	if err := json.Unmarshal([]byte(next(t, events, "losses")), &curves); err != nil {
		t.Fatal(err)
	}
	if c := curves[m.ID]; len(c.X) != 3 || c.Y[2] != 0.25 {
		t.Errorf("losses %+v, want three of run %s", curves, m.ID)
	}
	if err := runfolder.AppendLive(folder, rows(4, 1, 0.5)[3:]); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(next(t, events, "losses")), &curves); err != nil {
		t.Fatal(err)
	}
	if c := curves[m.ID]; len(c.X) != 2 || c.X[0] != 3 {
		t.Errorf("later losses %+v, want the two that were added", curves)
	}
	if err := os.RemoveAll(study); err != nil {
		t.Fatal(err)
	}
	if data := next(t, events, "gone"); !strings.Contains(data, "not exist") {
		t.Errorf("after the removal: %s", data)
	}
}

// TestList sees a study appear in the list.
func TestList(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := running(t, dir, Options{})
	events := stream(t, s.base()+"/api/events")
	if data := next(t, events, "studies"); !strings.Contains(data, `"studies":[]`) {
		t.Errorf("an empty folder: %s", data)
	}
	plant(t, filepath.Join(dir, "one"), "one")
	if data := next(t, events, "studies"); !strings.Contains(data, `"name":"one"`) {
		t.Errorf("after a study appeared: %s", data)
	}
}

// TestSlowClient drops a client that reads nothing, and only that.
func TestSlowClient(t *testing.T) {
	w := &watcher{subscribers: map[chan []byte]struct{}{}}
	slow, quick := make(chan []byte, backlog), make(chan []byte, backlog)
	w.subscribers[slow], w.subscribers[quick] = struct{}{}, struct{}{}
	for range backlog + 1 {
		w.tell([]byte("event"))
		<-quick
	}
	if _, kept := w.subscribers[slow]; kept {
		t.Error("a client that takes nothing is kept")
	}
	if _, kept := w.subscribers[quick]; !kept {
		t.Error("a client that keeps up was dropped")
	}
	n := 0
	for range slow { // closed, behind what it had not taken
		n++
	}
	if n != backlog {
		t.Errorf("the slow client has %d events waiting, want %d", n, backlog)
	}
}

// TestWatcherEnds wants nothing to be read once nobody watches.
func TestWatcherEnds(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "one"), "one")
	s := running(t, dir, Options{})
	conn, err := net.Dial("tcp", s.listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("GET /api/studies/one/events HTTP/1.1\r\nHost: localhost\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	watchers := func() int {
		s.hub.mu.Lock()
		defer s.hub.mu.Unlock()
		return len(s.hub.watchers)
	}
	eventually(t, "the study is watched", func() bool { return watchers() == 1 })
	conn.Close()
	eventually(t, "nobody watches it any more", func() bool { return watchers() == 0 })
}
