package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deeplimit/deeplimit/internal/plain"
)

// TestOutputAnyCut wants the same escapes wherever a text is cut into writes.
func TestOutputAnyCut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOf(rapid.SampledFrom([]string{"a", "\n", "\t", "λ", "\x1b[2J", "\u202e", "\xe2\x80", "\xff", "𝛼", "\u200b"})).Draw(t, "text")
		var to bytes.Buffer
		o := newOutput(&to)
		for rest := []byte(strings.Join(text, "")); len(rest) > 0; {
			n := rapid.IntRange(1, min(len(rest), 5)).Draw(t, "n")
			if written, err := o.Write(rest[:n]); err != nil || written != n {
				t.Fatalf("got %d, %v", written, err)
			}
			rest = rest[n:]
		}
		if err := o.close(); err != nil {
			t.Fatal(err)
		}
		if want := plain.Lines(strings.Join(text, "")); to.String() != want {
			t.Fatalf("got %q, want %q", to.String(), want)
		}
	})
}

// TestJSONStaysJSON wants JSON with hidden characters to give the same texts after it has
// passed standard output.
func TestJSONStaysJSON(t *testing.T) {
	want := "a\x1b[2J\u009b\x7f\u202e\u200b\U000e0041λ\n"
	var to bytes.Buffer
	o := newOutput(&to)
	if err := errors.Join(printJSON(o, map[string]string{"name": want}), o.close()); err != nil {
		t.Fatal(err)
	}
	var got map[string]string
	if err := json.Unmarshal(to.Bytes(), &got); err != nil || got["name"] != want {
		t.Errorf("got %q, %v, want %q from %s", got["name"], err, want, to.String())
	}
	if text := to.String(); plain.Lines(text) != text {
		t.Errorf("got hidden characters in %q", text)
	}
}

// TestHelpIsPlain wants help texts unchanged on their way to a terminal.
func TestHelpIsPlain(t *testing.T) {
	for _, cmd := range Command().Commands() {
		if text := cmd.Long + cmd.Example + cmd.UsageString(); plain.Lines(text) != text {
			t.Errorf("%s: hidden characters in its help", cmd.Name())
		}
	}
}

// TestBrokenOutput runs commands whose standard output is full, or read by nobody: they
// do their work on disk, end with an error, and never with a stack trace.
func TestBrokenOutput(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full on this system")
	}
	t.Parallel()
	dir := t.TempDir()
	text := "name: s\ndepths: [8, 16]\nseeds: 1\ndata: {kind: separated, width: 4, samples: 2, distance: 0.3}\ntrain: {stop: {iterations: 20}}\n"
	if err := os.WriteFile(filepath.Join(dir, "study.yaml"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{
		"run study.yaml --out s", // the others read what it leaves
		"run study.yaml --out s --no-report --json", "run study.yaml --dry-run", "analyze s", "analyze s --json", "status s", "status s --all --json",
		"status s --watch 1ms", "certify s/runs/*-L0008-*", "edge study.yaml", "transfer s", "export s --out t", "data list", "version", "help", "help run",
		"bench --shape 2,2,2 --time 1ms", "serve s --addr 127.0.0.1:0", "report s", "probe study.yaml --out p --draws 2 --no-report",
	} {
		for name, shell := range map[string]string{
			"full":        "exec deeplimit " + args + " >/dev/full",
			"both full":   "exec deeplimit " + args + " >/dev/full 2>/dev/full",
			"closed pipe": "{ deeplimit " + args + "; echo $? >&3; } 3>code | true; exit $(cat code)",
			"head -1":     "{ deeplimit " + args + "; echo $? >&3; } 3>code | head -1 >/dev/null; exit $(cat code)",
			"ignored":     "trap '' PIPE; { deeplimit " + args + "; echo $? >&3; } 3>code | true; exit $(cat code)",
		} {
			if strings.HasPrefix(args, "serve") && !strings.HasSuffix(name, "full") {
				continue // goes on where it could print its address
			}
			if name != "full" && name != "ignored" && !strings.HasPrefix(args, "analyze") && !strings.HasSuffix(args, "--out s") {
				continue
			}
			cmd := exec.CommandContext(t.Context(), "sh", "-c", shell)
			cmd.Dir = dir
			out, _ := cmd.CombinedOutput()
			code := cmd.ProcessState.ExitCode()
			silent := strings.HasPrefix(args, "report") || strings.HasPrefix(args, "export") // they print nothing there
			want := map[string][]int{"full": {exitBad}, "both full": {exitBad}, "head -1": {exitDone, exitDiverged, exitPipe}, "closed pipe": {exitPipe, exitDone}, "ignored": {exitPipe, exitDone}}[name]
			if silent {
				want = append(want, exitDone)
			}
			if !contains(want, code) || strings.Contains(string(out), "goroutine") || strings.Contains(string(out), "panic") {
				t.Errorf("%s, %s: got exit code %d, want one of %v\n%s", args, name, code, want, out)
			}
			if name == "full" && !silent && !strings.Contains(string(out), "no space left on device") {
				t.Errorf("%s, %s: got %s, want why", args, name, out)
			}
		}
	}
	if done := glob(t, filepath.Join(dir, "s/runs/*/result.json")); len(done) != 2 {
		t.Errorf("got %d results, want 2", len(done))
	}
	if page := glob(t, filepath.Join(dir, "s/report/index.html")); len(page) != 1 {
		t.Error("got no page, want that of the study")
	}
}

func contains(list []int, x int) bool {
	for _, v := range list {
		if v == x {
			return true
		}
	}
	return false
}
