//go:build unix

package faults

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// damage returns content with one byte changed, or cut, and says which.
func damage(random *rand.Rand, content []byte) (damaged []byte, what string) {
	at := random.IntN(len(content))
	if random.IntN(4) == 0 {
		return content[:at], fmt.Sprintf("cut to %d bytes of %d", at, len(content))
	}
	damaged = slices.Clone(content)
	damaged[at] ^= byte(1 + random.IntN(255))
	return damaged, fmt.Sprintf("byte %d of %d is %#x", at, len(content), damaged[at])
}

// TestFinishedDamage changes bytes all over a finished study, and cuts its files: who
// reads the file names it, and no analysis differs without naming it.
func TestFinishedDamage(t *testing.T) {
	t.Parallel()
	study := writeStudy(t, strings.Replace(small, "[2, 3]", "[8, 16]", 1))
	out := filepath.Join(t.TempDir(), "out")
	mustRun(t, runArgs(study, out)...)
	mustRun(t, "transfer", out, "--depth", "32")
	want := mustRun(t, "analyze", out, "--json")
	files := slices.DeleteFunc(storedFiles(t, out), func(path string) bool { return !checked(path) })
	random := rand.New(rand.NewPCG(*seed, 0))
	named := 0
	for range *flips {
		path := files[random.IntN(len(files))]
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		damaged, what := damage(random, whole)
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		code, got, stderr := program("analyze", out, "--json")
		message := got + stderr
		if code == 0 && got != want && !strings.Contains(got, path) {
			t.Errorf("%s, %s: the analysis differs and does not name it", path, what)
		}
		if _, err := read(out, path); err != nil {
			message += err.Error()
		}
		if strings.Contains(message, path) {
			named++
		} else {
			t.Errorf("%s, %s: not detected\n%s", path, what, message)
		}
		if err := os.WriteFile(path, whole, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d changes in %d files, %d named", *flips, len(files), named)
	if got := mustRun(t, "analyze", out, "--json"); got != want {
		t.Error("the study is not what it was")
	}
}

// TestInterruptedDamage changes bytes all over a study that was interrupted between two
// checkpoints, and cuts its files: the run that goes on has the result of an undisturbed
// one, from the checkpoint before where the last one is damaged, or an error names the
// file. A run of which nothing can be told to be alive is waited for a tenth of a second.
func TestInterruptedDamage(t *testing.T) {
	t.Parallel()
	study := writeStudy(t, small)
	want := undisturbed(t, study)
	interrupted := interruptedStudy(t, study)
	files := storedFiles(t, interrupted)
	if !slices.ContainsFunc(files, func(path string) bool { return filepath.Base(path) == "lease.1" }) {
		t.Fatalf("got files %v, want a lease among them", files)
	}
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
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		damaged, what := damage(random, whole)
		if err := os.WriteFile(path, damaged, 0o644); err != nil {
			t.Fatal(err)
		}
		code, analysis, stderr := program(append(runArgs(study, out), "--heartbeat", "10ms")...)
		if code != 0 {
			refused++
			if !strings.Contains(stderr, path) {
				t.Errorf("%s, %s: refused without naming it:\n%s", path, what, stderr)
			}
			continue
		}
		if strings.Contains(stderr, path) {
			warned++
		} else if slices.Contains([]string{"state.safetensors", "run.json"}, filepath.Base(path)) {
			t.Errorf("%s, %s: not detected:\n%s", path, what, stderr)
		}
		if err := want.stands(out, analysis); err != nil {
			t.Errorf("%s, %s: %v", path, what, err)
		}
		if err := os.RemoveAll(out); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d changes in %d files: %d refused by name, %d named and mended, the others of no account", *flips, len(files), refused, warned)
}
