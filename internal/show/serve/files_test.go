//go:build unix

package serve

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/deeplimit/deeplimit/runfolder"
)

func TestDownload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "one"), "one")
	s := running(t, dir, Options{})
	want, err := os.ReadFile(filepath.Join(dir, "one", "runs", "g-L0004-s1", "weights.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	file := s.base() + "/api/studies/one/runs/g-L0004-s1/files/weights.safetensors"
	status, header, body := ask(t, "GET", file, nil)
	if status != 200 || body != string(want) {
		t.Errorf("download: %d, %d bytes, want the %d of the file", status, len(body), len(want))
	}
	if got := header.Get("Content-Disposition"); got != "attachment; filename=weights.safetensors" {
		t.Errorf("disposition %q", got)
	}
	if status, _, body := ask(t, "GET", file, map[string]string{"Range": "bytes=8-15"}); status != http.StatusPartialContent || body != string(want[8:16]) {
		t.Errorf("a part: %d %q, want 206 with bytes 8 to 15", status, body)
	}
	if status, _, body := ask(t, "GET", s.base()+"/api/studies/one/files/study.yaml", nil); status != 200 || body != "name: \"one\"\n" {
		t.Errorf("study file: %d %q", status, body)
	}
	// A page in the folder is never shown as one.
	os.WriteFile(filepath.Join(dir, "one", "evil.html"), []byte("<script>alert(1)</script>"), 0o644)
	_, header, _ = ask(t, "GET", s.base()+"/api/studies/one/files/evil.html", nil)
	if header.Get("Content-Type") != "application/octet-stream" || !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
		t.Errorf("a page of the folder is sent as %q, %q", header.Get("Content-Type"), header.Get("Content-Disposition"))
	}
}

// TestReport wants the report of a study shown as a page that can do nothing, and other files of its folder as attachments.
func TestReport(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "one"), "one")
	os.MkdirAll(filepath.Join(dir, "one", "report", "figures"), 0o755)
	os.WriteFile(filepath.Join(dir, "one", "report", "index.html"), []byte("<script>alert(1)</script>"), 0o644)
	os.WriteFile(filepath.Join(dir, "one", "report", "figures", "loss.svg"), []byte("<svg/>"), 0o644)
	os.WriteFile(filepath.Join(dir, "one", "report", "run.js"), []byte("alert(1)"), 0o644)
	s := running(t, dir, Options{})
	for name, kind := range map[string]string{"index.html": "text/html; charset=utf-8", "figures/loss.svg": "image/svg+xml"} {
		status, header, _ := ask(t, "GET", s.base()+"/api/studies/one/report/"+name, nil)
		if status != 200 || header.Get("Content-Type") != kind || header.Get("Content-Disposition") != "" {
			t.Errorf("%s: got %d, type %q, disposition %q, want it shown as %q", name, status, header.Get("Content-Type"), header.Get("Content-Disposition"), kind)
		}
		policy := header.Get("Content-Security-Policy")
		if !strings.HasPrefix(policy, "sandbox") || strings.Contains(policy, "script") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("%s: got policy %q, want a sandbox without scripts", name, policy)
		}
	}
	if _, header, _ := ask(t, "GET", s.base()+"/api/studies/one/report/run.js", nil); !strings.HasPrefix(header.Get("Content-Disposition"), "attachment") {
		t.Errorf("run.js: got disposition %q, want an attachment", header.Get("Content-Disposition"))
	}
	for _, name := range []string{"none.html", "..%2fstudy.yaml", "figures"} {
		if status, _, _ := ask(t, "GET", s.base()+"/api/studies/one/report/"+name, nil); status != 404 && status != 400 {
			t.Errorf("%s: got %d, want it refused", name, status)
		}
	}
}

// TestTraversal asks for a file outside of the folder in every way it can be written.
func TestTraversal(t *testing.T) {
	t.Parallel()
	outer := t.TempDir()
	dir := filepath.Join(outer, "shown")
	plant(t, filepath.Join(dir, "one"), "one")
	const secret = "the secret"
	os.WriteFile(filepath.Join(outer, "secret"), []byte(secret), 0o644)
	os.MkdirAll(filepath.Join(outer, "study"), 0o755)
	os.WriteFile(filepath.Join(outer, "study", "study.yaml"), []byte("name: outside"), 0o644)
	run := filepath.Join(dir, "one", "runs", "g-L0004-s1")
	for name, target := range map[string]string{
		filepath.Join(run, "link"):                  filepath.Join(outer, "secret"),
		filepath.Join(run, "relative"):              "../../../../secret",
		filepath.Join(run, "away"):                  outer,
		filepath.Join(dir, "linked"):                filepath.Join(outer, "study"),
		filepath.Join(dir, "one", "runs", "folder"): outer,
		filepath.Join(run, "inside"):                "run.json",
	} {
		if err := os.Symlink(target, name); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(run, "pipe"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := running(t, dir, Options{})
	const files = "/api/studies/one/runs/g-L0004-s1/files/"
	for _, path := range []string{
		files + "../../../../secret", files + "..%2f..%2f..%2f..%2fsecret", files + "%2e%2e/%2e%2e/%2e%2e/%2e%2e/secret",
		files + "..%5c..%5csecret", files + "%2Fetc%2Fpasswd", files + "//etc/passwd", files + "run.json%00", files + ".", files + "",
		files + "link", files + "relative", files + "away/secret", files + "pipe", files + "checkpoint/../run.json", files + "..%252f..%252fsecret",
		"/api/studies/one/files/../../secret", "/api/studies/..%2f/files/secret", "/api/studies/%2e%2e/files/secret", "/api/studies/..%2fstudy",
		"/api/studies/linked", "/api/studies/linked/files/study.yaml", "/api/studies/one/runs/folder", "/api/studies/one/runs/folder/files/secret",
		"/api/studies/one/runs/..%2f..%2f..%2f/files/secret", "/api/studies/one/runs/%2e%2e/files/study.yaml",
		"/assets/../serve.go", "/assets/%2e%2e/serve.go", "/assets/js", "/assets/", "/assets/index.html", "/assets/login.html",
	} {
		status, header, body := ask(t, "GET", s.base()+path, nil)
		if status == 200 || strings.Contains(body, secret) || strings.Contains(body, "outside") || strings.Contains(body, "root:") {
			t.Errorf("%s: %d %.100q, want it refused", path, status, body)
		}
		// The mux answers some with the cleaned path, which leads to nothing else.
		if to := header.Get("Location"); to != "" {
			if status, _, body := ask(t, "GET", s.base()+to, nil); strings.Contains(body, secret) || status == 200 && !strings.HasPrefix(to, "/api/studies/one") {
				t.Errorf("%s leads to %s: %d %.100q", path, to, status, body)
			}
		}
	}
	if status, _, body := ask(t, "GET", s.base()+files+"inside", nil); status != 200 || !strings.Contains(body, "planted") {
		t.Errorf("a link inside the folder: %d %s, want its file", status, body)
	}
	// A run with a link that leads out is not read by the packages that follow it.
	if status, _, body := ask(t, "GET", s.base()+"/api/studies/one/runs/g-L0004-s1/trace", nil); status != http.StatusForbidden || !strings.Contains(body, "link") {
		t.Errorf("trace of a run with a link out: %d %s, want 403 with the reason", status, body)
	}
	list := get[struct{ Files []fileInfo }](t, s.base()+"/api/studies/one/runs/g-L0004-s1").Files
	for _, file := range list {
		if file.Name == "link" || file.Name == "pipe" || strings.HasPrefix(file.Name, "away") {
			t.Errorf("%s is listed", file.Name)
		}
	}
	names := get[struct{ Studies []studyInfo }](t, s.base()+"/api/studies").Studies
	if len(names) != 1 {
		t.Errorf("studies %+v, want one", names)
	}
}

// TestRunsElsewhere gives a study whose folder of runs is a link out of the shown folder.
func TestRunsElsewhere(t *testing.T) {
	outer := t.TempDir()
	plant(t, filepath.Join(outer, "elsewhere"), "elsewhere")
	study := filepath.Join(outer, "shown", "one")
	os.MkdirAll(study, 0o755)
	os.WriteFile(filepath.Join(study, "study.yaml"), []byte("name: one"), 0o644)
	if err := os.Symlink(filepath.Join(outer, "elsewhere", "runs"), filepath.Join(study, "runs")); err != nil {
		t.Fatal(err)
	}
	s := running(t, filepath.Join(outer, "shown"), Options{})
	if status, _, body := ask(t, "GET", s.base()+"/api/studies/one/runs", nil); status == 200 || strings.Contains(body, "g-L0004") {
		t.Errorf("runs behind a link: %d %s, want them refused", status, body)
	}
}

// TestHostileRuns has runs whose files are pipes, or links to the record of a run outside:
// they are listed as failed, with the reason, and neither read nor waited for.
func TestHostileRuns(t *testing.T) {
	t.Parallel()
	outer := t.TempDir()
	dir := filepath.Join(outer, "shown", "one")
	plant(t, dir, "one")
	away := finish(t, filepath.Join(outer, "away"), meta("away", "g", 4, 9), rows(3, 77, 0.5))
	run := func(name string) string { return filepath.Join(dir, "runs", name) }
	swap := func(put func(target, name string) error, target, name string) {
		t.Helper()
		if err := os.RemoveAll(name); err != nil {
			t.Fatal(err)
		}
		if err := put(target, name); err != nil {
			t.Fatal(err)
		}
	}
	pipe := func(_, name string) error { return syscall.Mkfifo(name, 0o644) }
	swap(pipe, "", filepath.Join(run("g-L0004-s1"), "run.json"))
	swap(pipe, "", filepath.Join(run("g-L0004-s2"), "result.json"))
	for _, file := range []string{"run.json", "result.json"} {
		swap(os.Symlink, filepath.Join(away, file), filepath.Join(run("g-L0008-s1"), file))
	}
	swap(os.Symlink, away, run("g-L0008-s2"))
	begun := meta("one", "g", 16, 1)
	if err := runfolder.Create(run(begun.ID), begun); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(run(begun.ID), "lease"), 0o755); err != nil {
		t.Fatal(err)
	}
	swap(os.Symlink, "/dev/zero", filepath.Join(run(begun.ID), "lease", "1"))
	s := running(t, filepath.Join(outer, "shown"), Options{})
	list := get[struct{ Runs []runInfo }](t, s.base()+"/api/studies/one/runs").Runs
	if len(list) != 5 {
		t.Fatalf("%d runs, want 5", len(list))
	}
	wants := map[string]string{
		"g-L0004-s1": "neither file nor folder", "g-L0004-s2": "neither file nor folder", "g-L0008-s1": "is a link", "g-L0008-s2": "link that leads out",
		begun.ID: "a link that does not lead to",
	}
	for _, r := range list {
		if want := wants[r.ID]; r.State != "failed" || !strings.Contains(r.Reason, want) || strings.Contains(r.Reason, outer) {
			t.Errorf("%s is %s: %q, want it failed: %q", r.ID, r.State, r.Reason, want)
		}
		for _, view := range []string{"", "/trace", "/certificate"} {
			if status, _, body := ask(t, "GET", s.base()+"/api/studies/one/runs/"+r.ID+view, nil); view != "" && status == 200 || strings.Contains(body, "77") && strings.Contains(body, "away") {
				t.Errorf("%s%s: %d %s, want nothing of another folder", r.ID, view, status, body)
			}
		}
	}
}

// TestStore shows runs that are links to a store inside the shown folder.
func TestStore(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plant(t, filepath.Join(dir, "one"), "one")
	const id = "g-L0004-s1"
	run := filepath.Join(dir, "one", "runs", id)
	if err := os.Mkdir(filepath.Join(dir, "store"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(run, filepath.Join(dir, "store", "abc")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../../store/abc", run); err != nil {
		t.Fatal(err)
	}
	s := running(t, dir, Options{})
	if got := get[runDetail](t, s.base()+"/api/studies/one/runs/"+id); got.State != "done" || got.Trouble != "" || len(got.Files) == 0 {
		t.Errorf("a run in a store: %+v, want it shown", got)
	}
	get[map[string]any](t, s.base()+"/api/studies/one/runs/"+id+"/trace")
}
