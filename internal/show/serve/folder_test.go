package serve

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deeplimit/deeplimit/internal/execute/lease"
	"github.com/deeplimit/deeplimit/runfolder"
)

// begin takes the lease of a run of a study, until the test ends, and makes its folder.
func begin(t *testing.T, study string, m runfolder.Meta) (folder string) {
	t.Helper()
	folder = runfolder.RunDir(study, m.ID)
	worker := lease.NewManager(0, "")
	t.Cleanup(worker.Close)
	if _, _, err := worker.Acquire(t.Context(), folder); err != nil {
		t.Fatal(err)
	}
	if err := runfolder.Create(folder, m); err != nil {
		t.Fatal(err)
	}
	return folder
}

// meta returns what run.json of a test run holds.
func meta(study, group string, depth int, seed uint64) runfolder.Meta {
	return runfolder.Meta{
		ID: fmt.Sprintf("%s-L%04d-s%d", group, depth, seed), Hash: fmt.Sprintf("%s%d/%d", group, depth, seed), Group: group, Study: study,
		Data: "planted", Depth: depth, Width: 2, Samples: 3, Inputs: 2, Outputs: 2, Seed: seed, DType: "float64", Block: "inner", Activation: "tanh",
		Residual: "fixed", Loss: "squared", Method: "gd", Alpha: 0.5, Settings: map[string]string{"network.alpha": "0.5"}, Config: []byte(`{"planted":true}`),
		Version: "test", Environment: map[string]string{"host": "here"}, Start: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

// rows returns a trace whose loss is first·ρ^t, t = 0..n.
func rows(n int, first, rho float64) []runfolder.Row {
	list := make([]runfolder.Row, n+1)
	for t := range list {
		loss := first * math.Pow(rho, float64(t))
		list[t] = runfolder.Row{Iteration: int64(t), Loss: &loss, MaxFrobenius: 1, RootSquares: 2, Displacement: 0.5}
	}
	return list
}

// finish writes a finished run whose A_k has k + 10 i + j in row i, column j, and whose
// initial weights are 1 everywhere.
func finish(t testing.TB, studyDir string, m runfolder.Meta, trace []runfolder.Row) string {
	t.Helper()
	dir := runfolder.RunDir(studyDir, m.ID)
	if err := runfolder.Create(dir, m); err != nil {
		t.Fatal(err)
	}
	trained, initial := make([]float64, 4*m.Depth), make([]float64, 4*m.Depth)
	for i := range trained {
		trained[i] = float64(i/4+1) + 10*float64(i/2%2+1) + float64(i%2+1)
		initial[i] = 1
	}
	shape := []int{m.Depth, 2, 2}
	weights := runfolder.Weights{
		Tensors:  map[string]runfolder.Tensor{"A": {DType: "F64", Shape: shape, Data: trained}, "A_initial": {DType: "F64", Shape: shape, Data: initial}},
		Metadata: map[string]string{"alpha": "0.5"},
	}
	last := trace[len(trace)-1]
	if err := runfolder.Finish(dir, m, trace, weights, runfolder.Summary{Iterations: int(last.Iteration), Stop: "loss", Loss: *last.Loss, Seconds: 1}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// plant makes a study folder with finished runs at depths 4 and 8, seeds 1 and 2.
func plant(t testing.TB, dir, name string) {
	t.Helper()
	if err := runfolder.CreateStudy(dir, name, "name: "+strconvQuote(name)+"\n", nil); err != nil {
		t.Fatal(err)
	}
	for _, depth := range []int{4, 8} {
		for seed := range uint64(2) {
			finish(t, dir, meta(name, "g", depth, seed+1), rows(10+depth, float64(seed+1), 0.5))
		}
	}
}

// strconvQuote quotes a name as YAML takes it.
func strconvQuote(name string) string {
	data, err := json.Marshal(name)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// running starts a server over dir on a free port, which ends with the test. Without a
// token or an address it lets everyone in.
func running(t testing.TB, dir string, options Options) *Server {
	t.Helper()
	if options.Addr == "" {
		options.Addr = "127.0.0.1:0"
		options.Open = options.Token == ""
	}
	s, err := New(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	ctx, ended := t.Context(), make(chan error, 1)
	go func() { ended <- s.Serve(ctx) }()
	t.Cleanup(func() { // the context of the test has ended
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *Server) base() string { return "http://" + s.listener.Addr().String() }

// ask sends a request and returns status, header and body.
func ask(t testing.TB, method, url string, header map[string]string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range header {
		if name == "Host" {
			request.Host = value
			continue
		}
		request.Header.Set(name, value)
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, string(body)
}

// get asks for JSON and wants it.
func get[T any](t testing.TB, url string) T {
	t.Helper()
	status, _, body := ask(t, "GET", url, nil)
	if status != http.StatusOK {
		t.Fatalf("GET %s: %d %s", url, status, body)
	}
	var value T
	if err := json.Unmarshal([]byte(body), &value); err != nil {
		t.Fatalf("GET %s: %v: %s", url, err, body)
	}
	return value
}

func TestStudies(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "one"), "one")
	plant(t, filepath.Join(dir, "<script>alert(1)<∕script>"), "<script>")
	os.MkdirAll(filepath.Join(dir, "no study"), 0o755)
	os.MkdirAll(filepath.Join(dir, ".hidden"), 0o755)
	os.WriteFile(filepath.Join(dir, ".hidden", "study.yaml"), []byte("name: hidden"), 0o644)
	os.MkdirAll(filepath.Join(dir, "broken"), 0o755)
	os.WriteFile(filepath.Join(dir, "broken", "runs.json"), []byte("{"), 0o644)
	s := running(t, dir, Options{})
	answer := get[struct{ Studies []studyInfo }](t, s.base()+"/api/studies")
	var names []string
	for _, study := range answer.Studies {
		names = append(names, study.Name)
	}
	if got, want := strings.Join(names, "|"), "<script>alert(1)<∕script>|broken|one"; got != want {
		t.Errorf("studies %q, want %q", got, want)
	}
	if broken := answer.Studies[1]; broken.Progress != nil || !strings.Contains(broken.Error, "runs.json") {
		t.Errorf("the broken study is %+v, want it listed with the reason", broken)
	}
	if one := answer.Studies[2]; one.Progress.Counts["done"] != 4 || fmt.Sprint(one.Depths) != "[4 8]" {
		t.Errorf("study one: %+v", one)
	}

	// The folder of one study is shown as a folder of one.
	single := running(t, filepath.Join(dir, "one"), Options{})
	answer = get[struct{ Studies []studyInfo }](t, single.base()+"/api/studies")
	if len(answer.Studies) != 1 || answer.Studies[0].Name != "one" {
		t.Errorf("studies of a study folder: %+v, want itself", answer.Studies)
	}
	get[map[string]any](t, single.base()+"/api/studies/one/runs/g-L0004-s1")
}

func TestRuns(t *testing.T) {
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "one"), "one")
	s := running(t, dir, Options{})
	type page struct {
		Runs            []struct{ ID string }
		Matching, Total int
		Page            int
	}
	for _, test := range []struct{ query, want string }{
		{"", "g-L0004-s1 g-L0004-s2 g-L0008-s1 g-L0008-s2"},
		{"?depth=8", "g-L0008-s1 g-L0008-s2"},
		{"?q=s2+L0004", "g-L0004-s2"},
		{"?q=ALPHA", "g-L0004-s1 g-L0004-s2 g-L0008-s1 g-L0008-s2"},
		{"?state=running", ""},
		{"?group=other", ""},
		{"?sort=loss", "g-L0008-s1 g-L0008-s2 g-L0004-s1 g-L0004-s2"},
		{"?sort=loss&order=desc", "g-L0004-s2 g-L0004-s1 g-L0008-s2 g-L0008-s1"},
		{"?sort=run&order=desc&size=1&page=2", "g-L0008-s1"},
		{"?size=3&page=99", "g-L0008-s2"},
	} {
		p := get[page](t, s.base()+"/api/studies/one/runs"+test.query)
		var ids []string
		for _, r := range p.Runs {
			ids = append(ids, r.ID)
		}
		if got := strings.Join(ids, " "); got != test.want || p.Total != 4 {
			t.Errorf("runs%s: %q of %d, want %q of 4", test.query, got, p.Total, test.want)
		}
	}
	for query, want := range map[string]string{
		"?size=0": `size: got \"0\", want a whole number from 1 to 500`, "?page=x": `page: got \"x\", want a whole number`,
		"?sort=no": `sort: got \"no\", want one of depth, ends, group, iteration, loss, run, seconds, seed, state`,
	} {
		if status, _, body := ask(t, "GET", s.base()+"/api/studies/one/runs"+query, nil); status != http.StatusBadRequest || !strings.Contains(body, want) {
			t.Errorf("runs%s: %d %s, want 400 with %q", query, status, body, want)
		}
	}
}

// TestRunGone removes a run and then its study while they are shown.
func TestRunGone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "one"), "one")
	s := running(t, dir, Options{})
	const run = "/api/studies/one/runs/g-L0004-s1"
	get[map[string]any](t, s.base()+run)
	if err := os.RemoveAll(filepath.Join(dir, "one", "runs", "g-L0004-s1")); err != nil {
		t.Fatal(err)
	}
	// The survey of a moment ago still lists it, for as long as it may be kept.
	for _, path := range []string{run + "/trace", run + "/certificate", run + "/files/run.json"} {
		if status, _, body := ask(t, "GET", s.base()+path, nil); status != http.StatusNotFound {
			t.Errorf("%s of a removed run: %d %s, want 404", path, status, body)
		}
	}
	if status, _, body := ask(t, "GET", s.base()+"/api/studies/one/losses", nil); status != http.StatusOK || !strings.Contains(body, "g-L0008-s2") {
		t.Errorf("losses beside a removed run: %d %s, want the others", status, body)
	}
	time.Sleep(rest)
	eventually(t, "the removed run is no longer listed", func() bool {
		return get[struct{ Total int }](t, s.base()+"/api/studies/one/runs").Total == 3
	})
	if status, _, _ := ask(t, "GET", s.base()+run, nil); status != http.StatusNotFound {
		t.Errorf("removed run: %d, want 404", status)
	}
	if err := os.RemoveAll(filepath.Join(dir, "one")); err != nil {
		t.Fatal(err)
	}
	if status, _, _ := ask(t, "GET", s.base()+"/api/studies/one", nil); status != http.StatusNotFound {
		t.Errorf("removed study: %d, want 404", status)
	}
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within 10 s", what)
		}
	}
}
