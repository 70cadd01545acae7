package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// root is the clone that this module stands in.
const root = ".."

// fake is what is released in tests: a program that is none.
var fake = identity{version: "v1.2.3", commit: "abc", toolchain: "go1", time: time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)}

// write writes a fake release and returns its files.
func write(t *testing.T) map[string][]byte {
	t.Helper()
	out, work := t.TempDir(), t.TempDir()
	common := []entry{
		{"LICENSE", 0o644, []byte("MIT")},
		{"man/man1/deeplimit.1", 0o644, []byte(".TH\n")},
		{"completions/deeplimit.bash", 0o644, []byte("complete\n")},
		{"completions/deeplimit.ps1", 0o644, []byte("complete\n")},
		{"examples/a.yaml", 0o644, []byte("name: a\n")},
	}
	o := options{out: out}
	for i, p := range []platform{{"linux", "amd64"}, {"windows", "arm64"}} {
		path := filepath.Join(work, p.executable())
		if err := os.WriteFile(path, []byte("program of "+p.String()), 0o700); err != nil {
			t.Fatal(err)
		}
		if i == 0 { // files as another user of another day leaves them
			if err := os.Chtimes(path, time.Now(), time.Now().Add(-time.Hour)); err != nil {
				t.Fatal(err)
			}
		}
		slices.Reverse(common)
		if err := o.write(t.Context(), work, fake, program{p, path}, common); err != nil {
			t.Fatal(err)
		}
	}
	if err := writeChecksums(out); err != nil {
		t.Fatal(err)
	}
	return read(t, out)
}

// read returns the files of a folder.
func read(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	found := map[string][]byte{}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if found[f.Name()], err = os.ReadFile(filepath.Join(dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// TestSameBytes wants two releases of the same files to be the same, file by file.
func TestSameBytes(t *testing.T) {
	first := write(t)
	time.Sleep(1100 * time.Millisecond) // archives have times of whole seconds
	second := write(t)
	compare(t, first, second)
	want := []string{
		"checksums.txt", "deeplimit-1.2.3-1.x86_64.rpm", "deeplimit-v1.2.3-image-amd64.tar",
		"deeplimit-v1.2.3-linux-amd64.tar.gz", "deeplimit-v1.2.3-windows-arm64.zip", "deeplimit_1.2.3_amd64.deb",
	}
	var got []string
	for name := range first {
		got = append(got, name)
	}
	if slices.Sort(got); !slices.Equal(got, want) {
		t.Errorf("got the files %v\nwant %v", got, want)
	}
	var sums strings.Builder
	for _, name := range want[1:] {
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(first[name]), name)
	}
	if text := string(first["checksums.txt"]); text != sums.String() {
		t.Errorf("got the checksums\n%swant\n%s", text, sums.String())
	}
}

// compare wants two releases to have the same files.
func compare(t *testing.T, first, second map[string][]byte) {
	t.Helper()
	if len(first) != len(second) {
		t.Errorf("got %d and %d files, want the same", len(first), len(second))
	}
	for name, data := range first {
		if !bytes.Equal(data, second[name]) {
			t.Errorf("%s: got other bytes in the second release, want the same", name)
		}
	}
}

// TestArchives opens a tar.gz and a zip, and wants the program and the files in one folder.
func TestArchives(t *testing.T) {
	files := write(t)
	unpacked, err := gzip.NewReader(bytes.NewReader(files["deeplimit-v1.2.3-linux-amd64.tar.gz"]))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for archive := tar.NewReader(unpacked); ; {
		h, err := archive.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		if !h.ModTime.Equal(fake.time) || h.Uid != 0 || h.Gid != 0 || h.Uname != "" {
			t.Errorf("%s: got time %v, owner %d:%d %q, want %v and 0:0", h.Name, h.ModTime, h.Uid, h.Gid, h.Uname, fake.time)
		}
		if wantMode := map[bool]int64{true: 0o755, false: 0o644}[strings.HasSuffix(h.Name, "/deeplimit")]; h.Mode != wantMode {
			t.Errorf("%s: got mode %o, want %o", h.Name, h.Mode, wantMode)
		}
	}
	if !slices.IsSorted(names) || len(names) != 6 || !slices.Contains(names, "deeplimit-v1.2.3-linux-amd64/deeplimit") {
		t.Errorf("got the names %v, want six in order", names)
	}
	zipped := files["deeplimit-v1.2.3-windows-arm64.zip"]
	archive, err := zip.NewReader(bytes.NewReader(zipped), int64(len(zipped)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := archive.Open("deeplimit-v1.2.3-windows-arm64/deeplimit.exe")
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := io.ReadAll(text); string(got) != "program of windows/arm64" {
		t.Errorf("got the program %q", got)
	}
}

// TestTwice refuses two files of one name.
func TestTwice(t *testing.T) {
	err := writeTar(io.Discard, []entry{{"a", 0o644, nil}, {"a", 0o644, nil}}, fake.time)
	if err == nil || !strings.Contains(err.Error(), "got two files a") {
		t.Errorf("got %v, want an error", err)
	}
}

// TestEmptyFolder empties the folder of a release, and no other.
func TestEmptyFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"deeplimit-v1-linux-amd64.tar.gz", "checksums.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := emptyFolder(dir); err != nil || len(read(t, dir)) != 0 {
		t.Errorf("got %v and the files %v, want an empty folder", err, read(t, dir))
	}
	if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := emptyFolder(dir); err == nil || len(read(t, dir)) != 1 {
		t.Errorf("got %v and the files %v, want an error and the file", err, read(t, dir))
	}
}

// TestImage reads the files of an image, and what it starts as whom.
func TestImage(t *testing.T) {
	image, err := newImage(fake, platform{"linux", "arm64"}, []byte("program"))
	if err != nil {
		t.Fatal(err)
	}
	files := mutate.Extract(image)
	defer files.Close()
	found := map[string]string{}
	for archive := tar.NewReader(files); ; {
		h, err := archive.Next()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			t.Fatal(err)
		}
		found[strings.TrimSuffix(h.Name, "/")] = string(text)
	}
	if found["usr/local/bin/deeplimit"] != "program" || !strings.Contains(found["etc/passwd"], ":65532:65532:") {
		t.Errorf("got the files %v, want the program and its user", slices.Sorted(func(yield func(string) bool) {
			for name := range found {
				if !yield(name) {
					return
				}
			}
		}))
	}
	if n := strings.Count(found["etc/ssl/certs/ca-certificates.crt"], "BEGIN CERTIFICATE"); n < 100 {
		t.Errorf("got %d certificates, want those of Mozilla's list", n)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if config.Architecture != "arm64" || config.Config.User != "65532:65532" || !config.Created.Time.Equal(fake.time) {
		t.Errorf("got architecture %s, user %s, time %v", config.Architecture, config.Config.User, config.Created)
	}
}

// TestManual wants a page for each command, the same on any machine, with the signs of help.
func TestManual(t *testing.T) {
	pages := func(cores int) map[string]string {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cores))
		t.Setenv("HOME", t.TempDir())
		entries, err := manual(fake)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, e := range entries {
			found[e.name] = string(e.data)
		}
		return found
	}
	few, many := pages(3), pages(29)
	if len(few) < 20 || len(few) != len(many) {
		t.Errorf("got %d and %d pages, want one for each command", len(few), len(many))
	}
	for name, page := range few {
		if page != many[name] {
			t.Errorf("%s: got another page on a machine of more cores", name)
		}
	}
	for name, want := range map[string]string{
		"man/man1/deeplimit.1":     `h_k = h_{k-1} + L^-alpha f_k(h_{k-1})`,
		"man/man1/deeplimit-run.1": "runs/<name of the study>",
	} {
		if !strings.Contains(strings.ReplaceAll(few[name], `\-`, "-"), want) {
			t.Errorf("%s: got no %q in\n%.900s", name, want, few[name])
		}
	}
	scripts, err := completions()
	if err != nil || len(scripts) != 4 {
		t.Errorf("got %d completions and %v, want four", len(scripts), err)
	}
}

// TestComponents wants every module of go.mod in the bill, with its version, and the licences
// of those that are linked.
func TestComponents(t *testing.T) {
	modules, err := linked(t.Context(), root, platforms[:1])
	if err != nil {
		t.Fatal(err)
	}
	others, err := unlinked(t.Context(), root, modules)
	if err != nil {
		t.Fatal(err)
	}
	text, err := components(fake, modules, others)
	if err != nil {
		t.Fatal(err)
	}
	var bill struct {
		BOMFormat, SerialNumber string
		Components              []struct {
			Name, Version, Scope string
			Licenses             []any
		}
	}
	if err := json.Unmarshal(text, &bill); err != nil {
		t.Fatal(err)
	}
	if bill.BOMFormat != "CycloneDX" || !strings.HasPrefix(bill.SerialNumber, "urn:uuid:") {
		t.Errorf("got format %q, serial number %q", bill.BOMFormat, bill.SerialNumber)
	}
	listed := map[string]string{}
	for _, c := range bill.Components {
		listed[c.Name] = c.Version
		if c.Scope == "required" && len(c.Licenses) == 0 {
			t.Errorf("%s: got no licence", c.Name)
		}
	}
	mod, err := os.ReadFile("../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for line := range strings.Lines(string(mod)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || !strings.HasPrefix(fields[1], "v") {
			continue
		}
		if count++; listed[fields[0]] != fields[1] {
			t.Errorf("%s: got version %q, want %s of go.mod", fields[0], listed[fields[0]], fields[1])
		}
	}
	if count < 30 || listed["uplot"] == "" || listed["std"] == "" {
		t.Errorf("got %d modules in go.mod, uplot %q, std %q", count, listed["uplot"], listed["std"])
	}
	page, err := os.ReadFile("../docs/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range modules { // a row of the page has the licences of the module
		_, row, found := strings.Cut(string(page), "| `"+m.path+"` | ")
		if !found {
			continue
		}
		row, _, _ = strings.Cut(row, " |\n")
		ids := slices.DeleteFunc(m.ids(), func(id string) bool { return strings.HasPrefix(id, "GooglePatent") })
		if want := strings.Join(ids, ", "); !strings.HasSuffix(row, "| "+want) {
			t.Errorf("docs/dependencies.md: %s: got %q, want the licence %s", m.path, row, want)
		}
	}
	terms, err := notices(root, modules)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"SIL OPEN FONT LICENSE", "The FreeType Project LICENSE", "uplot 1.", "CC BY 4.0"} {
		if !bytes.Contains(terms, []byte(want)) {
			t.Errorf("third-party notices: got no %q", want)
		}
	}
}

// TestRefused wants licences that are unknown, or not allowed, to be errors.
func TestRefused(t *testing.T) {
	for _, ids := range [][]string{nil, {"GPL-3.0"}, {"MIT", "AGPL-3.0"}} {
		m := module{path: "example.org/m", version: "v1", licences: []licence{{file: "LICENSE", ids: ids}}}
		if err := m.refuse(); err == nil {
			t.Errorf("%v: got no error", ids)
		}
	}
}
