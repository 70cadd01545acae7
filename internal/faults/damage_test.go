package faults

import (
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/deeplimit/deeplimit/weightpath"
)

// harmless are files that no result comes from: they show how a run stands. What can
// be told to be damaged there is passed over.
func harmless(path string) bool {
	return strings.Contains(path, "/lease.") || strings.HasSuffix(path, "/live.jsonl") || strings.HasSuffix(path, "/.lock")
}

// storedFiles returns every file below dir.
func storedFiles(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// TestFinishedDamage flips bytes all over a finished study, and cuts its small files at
// every length: who reads the file names it, or has what was written.
func TestFinishedDamage(t *testing.T) {
	t.Parallel()
	study := writeStudy(t, strings.Replace(small, "[2, 3]", "[8, 16]", 1))
	out := filepath.Join(t.TempDir(), "out")
	mustRun(t, runArgs(study, out)...)
	mustRun(t, "transfer", out, "--depth", "32")
	want := mustRun(t, "analyze", out, "--json")
	files := storedFiles(t, out)
	random := rand.New(rand.NewPCG(*seed, 0))
	named := 0
	check := func(path, what string, content []byte) {
		t.Helper()
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		code, got, stderr := program("analyze", out, "--json")
		message := stderr
		if strings.Contains(path, "/runs/") {
			if err := weightpath.Verify(strings.Join(strings.SplitAfter(path, "/")[:len(strings.Split(out, "/"))+2], "")); err != nil {
				message += err.Error()
			}
		}
		if code == 0 && got != want && !strings.Contains(got, path) {
			t.Errorf("%s, %s: the analysis differs and does not name it", path, what)
		}
		switch {
		case strings.Contains(message, path):
			named++
		case strings.Contains(got, path):
			named++
		case !harmless(path):
			t.Errorf("%s, %s: not detected\n%s", path, what, message)
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for range *flips {
		path := files[random.IntN(len(files))]
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(content) == 0 {
			continue
		}
		content[random.IntN(len(content))] ^= byte(1 + random.IntN(255))
		check(path, "a byte flipped", content)
	}
	t.Logf("%d flips in %d files, %d named", *flips, len(files), named)
	if got := mustRun(t, "analyze", out, "--json"); got != want {
		t.Error("the study is not what it was")
	}
}

// TestInterruptedDamage flips bytes all over a study that was interrupted between two
// checkpoints: the run that goes on has the result of an undisturbed one, from the
// checkpoint before where the last one is damaged, or an error names the file.
func TestInterruptedDamage(t *testing.T) {
	t.Parallel()
	study := writeStudy(t, small)
	want := undisturbed(t, study)
	interrupted := interruptedStudy(t, study)
	// A lease that cannot be read holds the run until nobody has touched it for a minute.
	files := slices.DeleteFunc(storedFiles(t, interrupted), harmless)
	random := rand.New(rand.NewPCG(*seed, 1))
	refused, warned := 0, 0
	for range *flips {
		out := filepath.Join(t.TempDir(), "out")
		if err := os.CopyFS(out, os.DirFS(interrupted)); err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(interrupted, files[random.IntN(len(files))])
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(out, name)
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(content) == 0 {
			continue
		}
		content[random.IntN(len(content))] ^= byte(1 + random.IntN(255))
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		code, analysis, stderr := program(runArgs(study, out)...)
		if code != 0 {
			refused++
			if !strings.Contains(stderr, path) {
				t.Errorf("%s: refused without naming it:\n%s", path, stderr)
			}
			continue
		}
		if strings.Contains(stderr, path) {
			warned++
		} else if strings.HasSuffix(path, "/state.safetensors") {
			t.Errorf("%s: not detected:\n%s", path, stderr)
		}
		if err := want.stands(out, analysis); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	t.Logf("%d flips in %d files: %d refused by name, %d named and mended", *flips, len(files), refused, warned)
}
