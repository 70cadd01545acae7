package main

import (
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// whole asks for the tests that build the program, which take minutes.
var whole = flag.Bool("whole", false, "build releases in two clones, and run the demo of one")

// TestTwoClones builds a release in two clones, of which the second compiles every package
// anew, and wants the same bytes. The demo of the first one then runs alone.
func TestTwoClones(t *testing.T) {
	if !*whole {
		t.Skip("asked for by -whole")
	}
	own := platform{"linux", runtime.GOARCH}
	var releases [2]string
	from := root
	for i := range releases {
		start := time.Now()
		clone := filepath.Join(t.TempDir(), strings.Repeat("clone", i+1)) // paths of two lengths
		if text, err := exec.Command("git", "clone", "--quiet", "--no-hardlinks", from, clone).CombinedOutput(); err != nil {
			t.Fatalf("git clone: %v\n%s", err, text)
		}
		from = clone // a commit in the meantime would be another release
		releases[i] = filepath.Join(t.TempDir(), "dist")
		if i == 1 {
			t.Setenv("GOCACHE", t.TempDir())
		}
		if err := build(t.Context(), options{root: clone, out: releases[i], platforms: []platform{own}}); err != nil {
			t.Fatal(err)
		}
		t.Logf("release %d: %.0f s", i+1, time.Since(start).Seconds())
	}
	files := read(t, releases[0])
	compare(t, files, read(t, releases[1]))
	for name, data := range files {
		t.Logf("%s: %.1f MB", name, float64(len(data))/1e6)
		if strings.HasSuffix(name, ".tar.gz") {
			runAlone(t, filepath.Join(releases[0], name))
		}
	}
}

// runAlone unpacks an archive and runs its demo with nothing else there.
func runAlone(t *testing.T, archive string) {
	empty := t.TempDir()
	if err := os.Chmod(empty, 0o755); err != nil { // for another user
		t.Fatal(err)
	}
	if text, err := exec.Command("tar", "-xzf", archive, "-C", empty, "--strip-components=1").CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, text)
	}
	if err := os.Mkdir(filepath.Join(empty, "tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(empty, "tmp"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		env  []string
	}{
		{"no environment", []string{"GOMAXPROCS=1"}},
		{"a home that cannot be written", []string{"GOMAXPROCS=1", "HOME=/", "PATH=/nowhere"}},
	} {
		cmd := exec.Command("/deeplimit", "demo")
		cmd.Env, cmd.Dir = c.env, "/"
		alone := confine(t, cmd, empty)
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s, %s: %v\n%s", c.name, alone, err, text)
		}
		memory := float64(maxMemory(cmd.ProcessState)) / 1e6
		t.Logf("demo with %s, %s: %.1f s of processor, at most %.0f MB", c.name, alone, cmd.ProcessState.UserTime().Seconds(), memory)
		if !(memory <= 512) {
			t.Errorf("%s: got %.0f MB, want at most 512", c.name, memory)
		}
		for _, want := range []string{"What to look at in the report:", "/deeplimit-demo-"} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s: got no %q in\n%s", c.name, want, text)
			}
		}
	}
}
